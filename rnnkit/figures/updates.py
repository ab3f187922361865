"""How straight the way of the weights is: the cosine of each epoch's update with the whole (Fig. 9, Mehta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.cells import add_models, bind_strips, by_cell, one_of_each, said, strips
from rnnkit.figures.frame import legend_below, mean_and_range
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.models import QUARTILES, bind_lines, lines, spread
from rnnkit.figures.theme import NEUTRAL, cell_color

Cosines = Mapping[str, np.ndarray]
_OVER = ("architecture", "schedule")


def cosines(cosine: Cosines, *, architectures: Sequence[str], schedules: Sequence[str]) -> Interactive:
    """Draw the cosine against the epoch, for all models or one, both cells together.

    Parameters
    ----------
    cosine : mapping of str to ndarray (architectures, schedules, M, E)
        By cell; NaN after a model has stopped.
    architectures, schedules : sequence of str
    """
    import plotly.graph_objects as go

    shape = next(iter(cosine.values())).shape
    layout = {
        "height": 460,
        "margin": {"t": 24},
        "legend": legend_below(),
        "xaxis": {"title": {"text": "epoch"}, "range": [0, shape[-1] + 1]},
        "yaxis": {"title": {"text": "cosine"}, "range": [-1.05, 1.05]},
        "shapes": [
            {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": 0, "y1": 0}
            | {"line": {"color": NEUTRAL, "dash": "dot", "width": 1.5}}
        ],
    }
    means = {cell: spread(values, axis=-1).middle for cell, values in cosine.items()}
    traces = [
        trace
        for cell in cosine
        for trace in lines(said(cell), cell_color(cell), hovertemplate="epoch %{x}: %{y:.3f}<extra></extra>")
    ]
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt="Cosine between the update of each epoch and the whole way of the weights, against the epoch. "
        f"{_said('Mean over epochs', means, architectures, schedules)}",
        table=_table({"mean cosine": means}, architectures, schedules),
        caption="Line: median over models, or one model; band: half of the models. It ends where the last one stops.",
    )
    one_of_each(figure, architecture=architectures, schedule=schedules)
    add_models(figure, max(values.shape[2] for values in cosine.values()))
    for cell, values in cosine.items():
        epochs = np.arange(1, values.shape[-1] + 1)
        bind_lines(figure, said(cell), epochs, values, over=_OVER, middle="median", quantiles=QUARTILES)
    return figure


def smoothness(
    measured: Mapping[str, Cosines], *, architectures: Sequence[str], schedules: Sequence[str]
) -> Interactive:
    """Draw one number per model for how smooth and how straight its way was.

    Parameters
    ----------
    measured : mapping of str to mapping of str to ndarray (architectures, schedules, M)
        What was measured, as the reader sees it -> cell -> values; NaN where there is no model.
    architectures, schedules : sequence of str
    """
    import plotly.graph_objects as go

    names = list(measured)
    cells = list(measured[names[0]])
    shown = {cell: np.stack([measured[name][cell] for name in names])[..., None, :] for cell in cells}
    traces, x_axis = strips({cell: values[0, 0, 0] for cell, values in shown.items()}, ["models"])
    ranges = [_range([measured[name][cell] for cell in cells]) for name in names]
    layout = {
        "height": 420,
        "showlegend": False,
        "margin": {"t": 24},
        "xaxis": x_axis,
        "yaxis": {"title": {"text": names[0]}, "range": ranges[0]},
    }
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt="Smoothness of the updates, one dot per model. "
        f"{_said(names[0].capitalize(), measured[names[0]], architectures, schedules)}",
        table=_table(measured, architectures, schedules),
        caption="One dot per model; the bar is the mean.",
    )
    figure.select("measure", "Measure", names)
    one_of_each(figure, architecture=architectures, schedule=schedules)
    bind_strips(figure, shown, ["models"], over=("measure", *_OVER))
    figure.bind_layout("yaxis.range", ranges, over="measure")
    return figure.bind_layout("yaxis.title.text", names, over="measure")


def _range(values: Sequence[np.ndarray]) -> list[float]:
    """From zero, or the least, to the most of all that is known."""
    known = np.concatenate([np.ravel(array) for array in values])
    known = known[~np.isnan(known)]
    if not len(known):
        return [0.0, 1.0]
    low, high = min(0.0, float(known.min())), max(0.0, float(known.max()))
    margin = 0.06 * ((high - low) or 1.0)
    return [low - margin if low < 0 else 0.0, high + margin]


def _said(what: str, measured: Cosines, architectures: Sequence[str], schedules: Sequence[str]) -> str:
    told = [
        f"{architecture}, {said(schedule)}: {by_cell({cell: v[i, j] for cell, v in measured.items()})}"
        for i, architecture in enumerate(architectures)
        for j, schedule in enumerate(schedules)
    ]
    return f"{what}, mean [least, most] over models: {'; '.join(told)}."


def _table(
    measured: Mapping[str, Cosines], architectures: Sequence[str], schedules: Sequence[str]
) -> dict[str, list[Any]]:
    rows = [
        (name, i, j) for name in measured for i in range(len(architectures)) for j in range(len(schedules))
    ]
    table: dict[str, list[Any]] = {
        "measured": [name for name, _, _ in rows],
        "input x hidden": [architectures[i] for _, i, _ in rows],
        "training": [said(schedules[j]) for _, _, j in rows],
    }
    for cell in next(iter(measured.values())):
        table[f"{said(cell)}, mean [least, most]"] = [
            mean_and_range(measured[name][cell][i, j]) for name, i, j in rows
        ]
    return table
