"""Which digit is taken for which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.curves import add_nets, layout
from rnnkit.figures.frame import net_name, percent
from rnnkit.figures.interactive import Interactive

SHOWN = ("everything", "errors only")
# See-through, so that the page's own ink can be read on every cell, on a light and on a dark page.
SCALE = [[0.0, "rgba(11,118,209,0)"], [1.0, "rgba(11,118,209,0.5)"]]


def matrix(counts: Mapping[str, NDArray[Any]]) -> Interactive:
    """Draw the confusion matrix of each net, the test images of all seeds pooled.

    Parameters
    ----------
    counts : mapping of str to ndarray (n_seeds, C, C)
        Net -> images by true (rows) and named class (columns).
    """
    import plotly.graph_objects as go

    nets = list(counts)
    pooled = np.stack([np.asarray(counts[net], dtype=np.float64).sum(axis=0) for net in nets])
    shares = pooled / np.maximum(pooled.sum(axis=2, keepdims=True), 1)
    errors = np.where(np.eye(shares.shape[-1], dtype=bool), np.nan, shares)
    shown = np.stack([shares, errors]) * 100
    labels = [str(digit) for digit in range(shares.shape[-1])]
    axis = {"tickvals": list(range(len(labels))), "ticktext": labels, "showgrid": False, "zeroline": False}
    frame = layout(
        "named",
        "true digit",
        height=480,
        showlegend=False,
        xaxis=axis,
        yaxis=axis | {"autorange": "reversed"},
    )
    heat = go.Heatmap(
        x=np.arange(len(labels)),
        y=np.arange(len(labels)),
        colorscale=SCALE,
        zmin=0,
        zmax=100,
        showscale=False,
        xgap=1,
        ygap=1,
        hovertemplate="a %{y} named %{x}: %{z:.2f} %<extra></extra>",
    )
    across, down = np.meshgrid(np.arange(len(labels)), np.arange(len(labels)))
    numbers = go.Scatter(name="percent", x=across.ravel(), y=down.ravel(), mode="text", hoverinfo="skip")
    own = nets[0]
    figure = Interactive(
        go.Figure([heat, numbers], layout=frame),
        alt=f"Confusion matrix in percent of each true digit, per net. {net_name(own)}: "
        f"{percent(np.trace(pooled[0]) / pooled[0].sum())} of the images are named rightly; the most frequent "
        f"error is {_worst(shares[0])}.",
        table=_table(nets, shares),
        caption="Rows add up to 100 %; the test images of all seeds together.",
    )
    add_nets(figure, nets).select("shown", "Show", SHOWN)
    figure.bind(0, "z", shown, over=("shown", "net"))
    figure.bind("percent", "text", _texts(shown).reshape(*shown.shape[:2], -1), over=("shown", "net"))
    tops = [[100.0] * len(nets), [max(1.0, float(np.nanmax(errors[i]) * 100)) for i in range(len(nets))]]
    return figure.bind_values(0, "zmax", tops, over=("shown", "net"))


def _texts(shown: NDArray[np.float64]) -> NDArray[np.str_]:
    """Percents short enough for a cell on a phone; nothing where they would round to zero."""

    def text(value: float) -> str:
        if np.isnan(value) or value < 0.05:
            return ""
        return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"

    return np.array([text(value) for value in shown.flat]).reshape(shown.shape)


def _worst(shares: NDArray[np.float64]) -> str:
    off = np.where(np.eye(len(shares), dtype=bool), -1, shares)
    true, named = np.unravel_index(off.argmax(), off.shape)
    return f"a {true} named {named} ({percent(off.max())} of the {true}s)"


def _table(nets: list[str], shares: NDArray[np.float64]) -> dict[str, list[Any]]:
    """Per net and digit: how many are named rightly, and for what the others are taken most."""
    off = np.where(np.eye(shares.shape[-1], dtype=bool), -1, shares)
    digits = range(shares.shape[-1])
    return {
        "net": [net_name(net) for net in nets for _ in digits],
        "true digit": [digit for _ in nets for digit in digits],
        "named rightly": [float(share[d, d]) for share in shares for d in digits],
        "most often taken for": [int(one[d].argmax()) for one in off for d in digits],
        "share taken so": [float(one[d].max()) for one in off for d in digits],
    }
