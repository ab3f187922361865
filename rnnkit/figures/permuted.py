"""What psMNIST does to a digit: from rows of pixels to one fixed random order, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnkit.figures.cells import axes, panels
from rnnkit.figures.curves import layout
from rnnkit.figures.frame import bare_axis
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import finite, require_axes
from rnnkit.figures.theme import CLUSTERS, NEUTRAL

STAGES = 21
_ORDERS = ("rows of the image", "permuted")
_COLORS = (NEUTRAL, CLUSTERS[5])


def stages(permutation: np.ndarray, count: int = STAGES) -> np.ndarray:
    """Orders of the pixels between row by row and the permutation, each itself a permutation.

    At share s the first s n steps hold what the permutation says. Each of them was filled by exchanging two pixels,
    so that all others stay where they were: a pixel moves only when a step needs it, or its place.

    Parameters
    ----------
    permutation : ndarray (n,) of int
        Pixel that each step reads.
    count : int
        Stages, the first without any exchange and the last the permutation.

    Returns
    -------
    ndarray (count, n) of int

    Raises
    ------
    ValueError
        When the numbers are not 0..n-1, each once, or there are fewer than two stages.
    """
    permutation = np.asarray(permutation).astype(np.int64)
    size = len(permutation)
    if not np.array_equal(np.sort(permutation), np.arange(size)):
        raise ValueError(f"permutation: each of 0..{size - 1} is needed once")
    if count < 2:
        raise ValueError(f"stages: at least 2 are needed, not {count}")
    ends = np.rint(np.linspace(0, size, count)).astype(int)
    order, places, found = np.arange(size), np.arange(size), []
    for step in range(size + 1):
        found += [order.copy()] * int((ends == step).sum())
        if step < size:
            here, there = step, places[permutation[step]]
            order[here], order[there] = order[there], order[here]
            places[order[here]], places[order[there]] = here, there
    return np.stack(found)


def scrambling(
    images: np.ndarray, permutation: np.ndarray, labels: np.ndarray | None = None, *, count: int = STAGES
) -> Interactive:
    """Draw a digit whose pixels go into the permuted order, and the sequence that a net reads.

    Parameters
    ----------
    images : ndarray (n, height, width) of uint8
        One for each digit to pick.
    permutation : ndarray (height * width,) of int
        Pixel, counted row by row, that each step reads.
    labels : ndarray (n,), optional
        Digits of the images; 0, 1, 2 ... if not given.
    count : int
        Positions of the slider, from 0 to 100 % of the steps.
    """
    import plotly.graph_objects as go

    images = require_axes("images", images, "images", "height", "width")
    num, height, width = images.shape
    flat = images.reshape(num, -1)
    require_axes("permutation", permutation, flat.shape[1])
    orders = stages(permutation, count)
    sequences = flat[:, orders].astype(np.int64)  # (image, stage, step)
    moved = (orders != np.arange(orders.shape[1])).mean(axis=1)
    grey = {
        "colorscale": [[0, "#000000"], [1, "#ffffff"]],
        "zmin": 0,
        "zmax": 255,
        "showscale": False,
        "hoverinfo": "skip",
    }
    steps = np.arange(1, flat.shape[1] + 1)
    line = go.Scatter(
        name="sequence",
        x=steps,
        mode="lines",
        line={"color": _COLORS[1], "width": 1, "shape": "hvh"},
        xaxis="x3",
        yaxis="y3",
        hovertemplate="step %{x}: %{y}<extra></extra>",
    )
    traces = [
        go.Heatmap(name="image", **grey),
        go.Heatmap(name="scrambled", xaxis="x2", yaxis="y2", **grey),
        line,
    ]
    jumps = np.abs(np.diff(sequences, axis=2)).mean(axis=(0, 2))
    figure = Interactive(
        go.Figure(traces, layout=_scrambling_layout(height, width)),
        alt=f"{num} digits to pick from, each beside the same digit with its pixels in the order in which a net reads "
        f"them, and below as a sequence of {flat.shape[1]} pixels. A slider brings the steps into the permuted order: "
        f"at the end {moved[-1]:.0%} of the steps read another pixel than row by row. From one step to the next the "
        f"pixel changes by {jumps[0]:.0f} of 255 on average row by row, by {jumps[-1]:.0f} permuted.",
        table={
            "steps in the permuted order": [f"{share:.0%}" for share in np.linspace(0, 1, count)],
            "steps that read another pixel than row by row": moved.round(4),
            "mean change of the pixel from step to step": jumps.round(1),
        },
        caption="Left: the image. Right: the pixels laid out row by row in the order in which they are read.",
    )
    figure.select("digit", "Digit", list(range(num)) if labels is None else list(labels))
    figure.slider(
        "share", "Permuted", [f"{share:.0%}" for share in np.linspace(0, 1, count)], start=count - 1
    )
    figure.bind("image", "z", images.astype(np.int64), over="digit")
    figure.bind("scrambled", "z", sequences.reshape(num, count, height, width), over=("digit", "share"))
    return figure.bind("sequence", "y", sequences, over=("digit", "share"))


def _scrambling_layout(height: int, width: int) -> dict[str, Any]:
    pictures: dict[str, Any] = {}
    for number, domain in (("", [0, 0.48]), ("2", [0.52, 1])):
        pictures[f"xaxis{number}"] = bare_axis(
            domain=domain, range=[-0.5, width - 0.5], constrain="domain", anchor=f"y{number}"
        )
        pictures[f"yaxis{number}"] = bare_axis(
            domain=[0.42, 1],
            range=[height - 0.5, -0.5],
            scaleanchor=f"x{number}",
            constrain="domain",
            constraintoward="middle",
            anchor=f"x{number}",
        )
    return {
        "height": 400,
        "showlegend": False,
        "margin": {"t": 16},
        **pictures,
        "xaxis3": {
            "title": {"text": "step"},
            "range": [1, height * width],
            "anchor": "y3",
            "zeroline": False,
            "showgrid": False,
        },
        "yaxis3": {
            "title": {"text": "pixel"},
            "range": [0, 260],
            "domain": [0, 0.32],
            "anchor": "x3",
            "tickvals": [0, 128, 255],
        },
    }


def autocorrelation(values: np.ndarray) -> Interactive:
    """Draw how much a pixel says about the one that is read some steps later, in both orders.

    Parameters
    ----------
    values : ndarray (2, L)
        Mean autocorrelation of the sequences at lags 0..L-1: row by row, and permuted.
    """
    values = finite(require_axes("autocorrelation", values, 2, "lags"))
    lags = np.arange(values.shape[1])
    low = min(float(np.nanmin(values)), 0) - 0.05
    frame = layout(
        "lag in steps", "autocorrelation", xaxis={"range": [0, len(lags) - 1]}, yaxis={"range": [low, 1.05]}
    )
    at = [lag for lag in (1, 28, 56) if lag < len(lags)]
    told = "; ".join(
        f"{name} " + ", ".join(f"{own[lag]:.2f} at lag {lag}" for lag in at)
        for name, own in zip(_ORDERS, values, strict=True)
    )
    return Interactive(
        _two_lines(lags, values, frame, "lag %{x}: %{y:.3f}"),
        alt=f"Mean autocorrelation of the sequences by lag, up to {len(lags) - 1} steps: {told}.",
        table={"lag": lags} | {name: own.round(4) for name, own in zip(_ORDERS, values, strict=True)},
    )


def ink_by_step(ink: np.ndarray) -> Interactive:
    """Draw the mean pixel at every step, in both orders.

    Parameters
    ----------
    ink : ndarray (2, T)
        Mean pixel by step, a fraction: row by row, and permuted.
    """
    ink = finite(require_axes("ink", ink, 2, "steps"))
    steps, top = np.arange(1, ink.shape[1] + 1), 1.05 * max(float(np.nanmax(ink)), 1e-6)
    frame = panels(
        _ORDERS,
        x={"title": {"text": "step"}, "range": [1, len(steps)]},
        y={"title": {"text": "mean pixel"}, "range": [0, top], "nticks": 4},
        columns=1,
        showlegend=False,
    )
    figure = _two_lines(steps, ink, frame, "step %{x}: %{y:.3f}", width=1.5)
    figure.data[1].update(axes(1))
    blank = (ink < 0.01).mean(axis=1)
    runs = [_longest(own < 0.01) for own in ink]
    told = "; ".join(
        f"{name}, {share:.0%} of the steps are almost blank (below 1 %), at most {run} of them in a row"
        for name, share, run in zip(_ORDERS, blank, runs, strict=True)
    )
    return Interactive(
        figure,
        alt=f"Mean pixel of the images by step: {told}.",
        table={"step": steps} | {name: own.round(4) for name, own in zip(_ORDERS, ink, strict=True)},
    )


def _longest(flags: np.ndarray) -> int:
    """The longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _two_lines(
    x: np.ndarray, values: np.ndarray, frame: dict[str, Any], hover: str, width: float = 2.5
) -> Any:
    import plotly.graph_objects as go

    traces = [
        go.Scatter(
            name=name,
            x=x,
            y=own,
            mode="lines",
            line={"color": color, "width": width},
            hovertemplate=hover + "<extra>" + name + "</extra>",
        )
        for name, color, own in zip(_ORDERS, _COLORS, values, strict=True)
    ]
    return go.Figure(traces, layout=frame)
