"""What recurrent dropout does to an orthogonal matrix: how much a state grows in a step, and in all steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.curves import layout
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import require_axes
from rnnkit.figures.theme import NEUTRAL, net_color


def spectral_radius(rates: NDArray[Any], radius: NDArray[Any], *, num_steps: int = 784) -> Interactive:
    """Draw the spectral radius of orthogonal matrices of which a share of the columns is dropped, the rest scaled up.

    Parameters
    ----------
    rates : ndarray (R,)
        Shares dropped; the others are divided by one less the share.
    radius : ndarray (R, N)
        Spectral radius for each of N draws of matrix and mask.
    num_steps : int
        Steps over which growth is told.
    """
    import plotly.graph_objects as go

    rates = require_axes("rates", rates, "R").astype(np.float64)
    radius = require_axes("radius", radius, len(rates), "N").astype(np.float64)
    fine = np.linspace(0, rates.max(), 61)
    dots = go.Scatter(
        name="one matrix, one mask",
        x=np.repeat(rates, radius.shape[1]),
        y=radius.ravel(),
        mode="markers",
        marker={"color": net_color("rnn"), "size": 6, "opacity": 0.6},
        hovertemplate="%{x:.0%} dropped: radius %{y:.3f}<extra></extra>",
    )
    law = go.Scatter(
        name="1 / √(1 - rate)",
        x=fine,
        y=1 / np.sqrt(1 - fine),
        mode="lines",
        line={"color": NEUTRAL, "width": 2, "dash": "dash"},
        hoverinfo="skip",
    )
    frame = layout(
        "share of the units dropped",
        "spectral radius",
        xaxis={"range": [-0.03, float(rates.max()) + 0.03], "tickformat": ".0%"},
        yaxis={"range": [0.9, 1.05 * float(radius.max())]},
    )
    decades = num_steps * np.log10(radius.mean(axis=1))
    most = int(rates.argmax())
    half = int(np.abs(rates - 0.5).argmin())
    return Interactive(
        go.Figure([dots, law], layout=frame),
        alt=f"Spectral radius of orthogonal matrices after recurrent dropout, {radius.shape[1]} draws a rate: "
        f"{radius[0].mean():.3f} at {rates[0]:.0%}, {radius[half].mean():.2f} at {rates[half]:.0%}, "
        f"{radius[most].mean():.2f} at {rates[most]:.0%}. Over {num_steps} steps, {rates[half]:.0%} means growth by a "
        f"factor of 10 to the power of {decades[half]:.0f} as long as the state is small.",
        table={
            "dropped": [f"{rate:.0%}" for rate in rates],
            "mean radius": [round(float(value), 4) for value in radius.mean(axis=1)],
            f"decades in {num_steps} steps": [round(float(value), 1) for value in decades],
        },
        caption="Dots: a random orthogonal matrix, a random mask. A radius above 1 means that a small state grows.",
    )
