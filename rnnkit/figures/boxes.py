"""The accuracies of random settings of the weights as boxes (Fig. 8, Mehta)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnkit.figures.cells import accuracy_axis, said
from rnnkit.figures.frame import legend_below
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.solutions import SYMBOLS, Counts, add_scales
from rnnkit.figures.theme import cell_color

_WIDTH = 0.36


def boxes(numbers: Counts, scales: np.ndarray, architectures: Sequence[str]) -> Interactive:
    """Draw the same settings as boxes: quartiles, whiskers to 1.5 box lengths, and the least and the most.

    Parameters
    ----------
    numbers : mapping of str to ndarray (architectures, S, 7)
        By cell: least accuracy, end of the lower whisker, quartiles and median, end of the upper whisker, most.
    scales : ndarray (S,)
    architectures : sequence of str
    """
    import plotly.graph_objects as go

    places = np.arange(len(architectures))
    layout = {
        "height": 460,
        "margin": {"t": 24},
        "legend": legend_below(),
        "xaxis": {
            "title": {"text": "input x hidden"},
            "range": [-0.6, len(architectures) - 0.4],
            "tickvals": places,
            "ticktext": list(architectures),
        },
        "yaxis": accuracy_axis("validation accuracy, untrained", -0.02),
    }
    shifts = _WIDTH * 1.1 * (np.arange(len(numbers)) - (len(numbers) - 1) / 2)
    traces = [
        trace
        for shift, cell in zip(shifts, numbers, strict=True)
        for trace in (_box_trace(cell, places + shift), _extremes(cell, places + shift))
    ]
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt="Accuracies of random settings of the weights as boxes, by size of net and cell. "
        f"{_boxes_said(numbers, scales, architectures)}",
        table=_boxes_table(numbers, scales, architectures),
        caption="Box: half of the settings; whiskers: to 1.5 box lengths; marks: the least and the most of all.",
    )
    add_scales(figure, scales)
    for cell, values in numbers.items():
        over_scales = np.swapaxes(np.asarray(values, dtype=float), 0, 1)  # (S, architectures, 7)
        for place, attr in enumerate(("lowerfence", "q1", "median", "q3", "upperfence")):
            figure.bind(said(cell), attr, over_scales[..., place + 1], over="scale")
        ends = np.concatenate([over_scales[..., 0], over_scales[..., 6]], axis=-1)
        figure.bind(f"{said(cell)}, least and most", "y", ends, over="scale")
    return figure


def _box_trace(cell: str, at: np.ndarray) -> Any:
    import plotly.graph_objects as go

    color = cell_color(cell)
    return go.Box(name=said(cell), x=at, width=_WIDTH, marker={"color": color}, legendgroup=cell)


def _extremes(cell: str, at: np.ndarray) -> Any:
    import plotly.graph_objects as go

    marker = {"color": cell_color(cell), "symbol": f"{SYMBOLS.get(cell, 'circle')}-open", "size": 7}
    return go.Scatter(
        name=f"{said(cell)}, least and most",
        x=np.tile(at, 2),
        mode="markers",
        marker=marker,
        showlegend=False,
        legendgroup=cell,
        hovertemplate="%{y:.1%}<extra>%{fullData.name}</extra>",
    )


def _boxes_said(drawn: Counts, scales: np.ndarray, architectures: Sequence[str]) -> str:
    at = int(np.abs(np.log(np.asarray(scales, dtype=float))).argmin())
    told = "; ".join(
        f"{architecture} "
        + ", ".join(
            f"{said(cell)} {numbers[i, at, 2]:.3f} to {numbers[i, at, 4]:.3f}, most {numbers[i, at, 6]:.3f}"
            for cell, numbers in drawn.items()
        )
        for i, architecture in enumerate(architectures)
    )
    return f"Half of the settings at scale {scales[at]:g} lie at: {told}."


def _boxes_table(drawn: Counts, scales: np.ndarray, architectures: Sequence[str]) -> dict[str, list[Any]]:
    rows = [(i, j) for i in range(len(architectures)) for j in range(len(scales))]
    table: dict[str, list[Any]] = {
        "input x hidden": [architectures[i] for i, _ in rows],
        "scale": [f"{scales[j]:g}" for _, j in rows],
    }
    for cell, numbers in drawn.items():
        for name, place in (("lower quartile", 2), ("median", 3), ("upper quartile", 4), ("most", 6)):
            table[f"{said(cell)}: {name}"] = [float(numbers[i, j, place]) for i, j in rows]
    return table
