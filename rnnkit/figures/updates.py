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
_MEASURES = ("mean change from epoch to epoch", "mean cosine", "share of epochs below zero")


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
    traces = [
        trace
        for cell in cosine
        for trace in lines(said(cell), cell_color(cell), hovertemplate="epoch %{x}: %{y:.3f}<extra></extra>")
    ]
    measured = {cell: smoothness(values) for cell, values in cosine.items()}
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt="Cosine between the update of each epoch and the whole way of the weights, against the epoch. "
        f"{_said(measured, architectures, schedules)}",
        table=_table(measured, architectures, schedules),
        caption="Line: mean over models, or one model; band: half of the models. It ends where the last one stops.",
    )
    one_of_each(figure, architecture=architectures, schedule=schedules)
    add_models(figure, max(values.shape[2] for values in cosine.values()))
    for cell, values in cosine.items():
        epochs = np.arange(1, values.shape[-1] + 1)
        bind_lines(figure, said(cell), epochs, values, over=_OVER, quantiles=QUARTILES)
    return figure


def smoothness(cosine: np.ndarray) -> np.ndarray:
    """Mean change from epoch to epoch, mean, and share below zero of each model's cosine.

    Parameters
    ----------
    cosine : ndarray (..., M, E)
        NaN after the stop.

    Returns
    -------
    ndarray (3, ..., M)
        NaN for a model without values.
    """
    cosine = np.asarray(cosine, dtype=float)
    below = np.where(np.isnan(cosine), np.nan, cosine < 0)
    return np.stack([_mean_over_epochs(part) for part in (np.abs(np.diff(cosine)), cosine, below)])


def _mean_over_epochs(values: np.ndarray) -> np.ndarray:
    return spread(values, axis=-1).middle


def straightness(cosine: Cosines, *, architectures: Sequence[str], schedules: Sequence[str]) -> Interactive:
    """Draw one number per model for how smooth and how straight its way was.

    Parameters
    ----------
    cosine, architectures, schedules
        As for :func:`cosines`.
    """
    import plotly.graph_objects as go

    measured = {cell: smoothness(values) for cell, values in cosine.items()}
    shown = {cell: values[..., None, :] for cell, values in measured.items()}
    traces, x_axis = strips({cell: values[0, 0, 0] for cell, values in shown.items()}, ["models"])
    ranges = [[0.0, _top(measured, 0)], [-1.0, 1.0], [-0.02, 1.02]]
    layout = {
        "height": 420,
        "showlegend": False,
        "margin": {"t": 24},
        "xaxis": x_axis,
        "yaxis": {"title": {"text": _MEASURES[0]}, "range": ranges[0]},
    }
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt=f"Smoothness of the updates, one dot per model. {_said(measured, architectures, schedules)}",
        table=_table(measured, architectures, schedules),
        caption="One dot per model; the bar is the mean.",
    )
    figure.select("measure", "Measure", _MEASURES)
    one_of_each(figure, architecture=architectures, schedule=schedules)
    bind_strips(figure, shown, ["models"], over=("measure", *_OVER))
    figure.bind_layout("yaxis.range", ranges, over="measure")
    return figure.bind_layout("yaxis.title.text", _MEASURES, over="measure")


def _top(measured: Cosines, which: int) -> float:
    known = np.concatenate([values[which].ravel() for values in measured.values()])
    known = known[~np.isnan(known)]
    return 1.08 * float(known.max()) if len(known) else 1.0


def _said(measured: Cosines, architectures: Sequence[str], schedules: Sequence[str]) -> str:
    told = [
        f"{architecture}, {said(schedule)}: {by_cell({cell: v[0, i, j] for cell, v in measured.items()})}"
        for i, architecture in enumerate(architectures)
        for j, schedule in enumerate(schedules)
    ]
    return f"Mean change from epoch to epoch, mean [least, most] over models: {'; '.join(told)}."


def _table(measured: Cosines, architectures: Sequence[str], schedules: Sequence[str]) -> dict[str, list[Any]]:
    rows = [(k, i, j) for k in range(3) for i in range(len(architectures)) for j in range(len(schedules))]
    table: dict[str, list[Any]] = {
        "measured": [_MEASURES[k] for k, _, _ in rows],
        "input x hidden": [architectures[i] for _, i, _ in rows],
        "training": [said(schedules[j]) for _, _, j in rows],
    }
    for cell, values in measured.items():
        table[f"{said(cell)}, mean [least, most]"] = [mean_and_range(values[row]) for row in rows]
    return table
