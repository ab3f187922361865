"""What the rule for stopping and halving the learning rate does to whole populations of nets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.cells import (
    SCHEDULE_DASHES,
    SOLVED,
    accuracy_axis,
    axes,
    one_of_each,
    panels,
    place,
    said,
)
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.models import lines, spread
from rnnkit.figures.theme import cell_color

Valid = Mapping[str, np.ndarray]
_BANDS = {"half of the models": (0.25, 0.75), "eight of ten": (0.1, 0.9), "all": (0.0, 1.0)}
_SHOWN = ("validation accuracy", "still training", f"at {SOLVED:.0%} or more so far")
_ACCURACY = [0.4, 1.02]
_OVER = ("shown", "band", "dataset", "architecture")


def learning_curves(
    valid: Valid, *, datasets: Sequence[str], architectures: Sequence[str], schedules: Sequence[str]
) -> Interactive:
    """Draw the validation accuracy of whole populations by epoch, the two ways of training together.

    Parameters
    ----------
    valid : mapping of str to ndarray (datasets, schedules, architectures, M, E + 1)
        By cell; NaN after a net's stop, and everywhere where no net was trained.
    datasets, architectures, schedules : sequence of str

    Notes
    -----
    A net that was stopped keeps its last accuracy, so that every band is one of the same nets throughout.
    """
    import plotly.graph_objects as go

    epochs = np.arange(next(iter(valid.values())).shape[-1])
    layout = panels(
        [said(cell) for cell in valid],
        x={"title": {"text": "epoch"}, "range": [0, float(epochs[-1])]},
        y=accuracy_axis(_SHOWN[0], *_ACCURACY),
        height=460,
    )
    traces = [
        trace
        for panel, cell in enumerate(valid)
        for schedule in schedules
        for trace in lines(
            f"{said(cell)}, {said(schedule)}",
            cell_color(cell),
            dash=SCHEDULE_DASHES.get(schedule, "dot"),
            opacity=0.22 if schedule == schedules[0] else 0.12,
            hovertemplate="epoch %{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
            **axes(panel),
        )
    ]
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt=_curves_alt(valid, datasets, architectures, schedules),
        table=_curves_table(valid, datasets, architectures, schedules),
        caption="Line: median over models; band: as picked. A net that was stopped keeps its last accuracy.",
    )
    figure.select("band", "Band of the accuracy", list(_BANDS))
    figure.select("shown", "Show", _SHOWN)
    one_of_each(figure, dataset=datasets, architecture=architectures)
    for cell, values in valid.items():
        for j, schedule in enumerate(schedules):
            _bind_population(figure, f"{said(cell)}, {said(schedule)}", epochs, values[:, j])
    for panel in range(len(valid)):
        ranges = [_ACCURACY, *[[-0.02, 1.02]] * (len(_SHOWN) - 1)]
        figure.bind_layout(f"yaxis{place(panel)}.range", ranges, over="shown")
    return figure.bind_layout("yaxis.title.text", _SHOWN, over="shown")


def _bind_population(figure: Interactive, name: str, epochs: np.ndarray, values: np.ndarray) -> None:
    """Bind the median and band of the accuracy, and the two shares of nets, which have no band."""
    values = np.asarray(values, dtype=float)
    kept = carried(values)
    trained = ~np.isnan(values).all(axis=(-1, -2))[..., None, None]
    running = np.where(trained, ~np.isnan(values), np.nan)
    solved = np.where(trained, np.maximum.accumulate(np.nan_to_num(values), axis=-1) >= SOLVED, np.nan)
    shares = [spread(part).middle for part in (running, solved)]
    bands = []
    for quantiles in _BANDS.values():
        drawn = spread(kept, middle="median", quantiles=quantiles)
        outline = np.concatenate([drawn.low, drawn.high[..., ::-1]], axis=-1)
        bands.append(np.stack([outline, *map(_twice, shares)]))
    line = np.stack([spread(kept, middle="median").middle, *shares])
    figure.bind(name, "y", line, over=("shown", "dataset", "architecture"))
    figure.bind(f"{name} band", "y", np.stack(bands, axis=1), over=_OVER)
    figure.figure.update_traces(x=epochs, selector={"name": name})
    figure.figure.update_traces(x=np.concatenate([epochs, epochs[::-1]]), selector={"name": f"{name} band"})


def _twice(line: np.ndarray) -> np.ndarray:
    """A line there and back: an outline without width."""
    return np.concatenate([line, line[..., ::-1]], axis=-1)


def carried(values: np.ndarray) -> np.ndarray:
    """Curves (..., E) in which what is missing repeats the last value before it."""
    values = np.asarray(values, dtype=float)
    places = np.where(np.isnan(values), 0, np.arange(values.shape[-1]))
    last = np.maximum.accumulate(places, axis=-1)
    kept: np.ndarray = np.take_along_axis(values, last, axis=-1)
    return kept


def _curves_alt(valid: Valid, *names: Sequence[str]) -> str:
    datasets, architectures, schedules = names
    told = "; ".join(
        f"{said(cell)}, {said(schedule)} {_final(values[0, j, -1])}"
        for cell, values in valid.items()
        for j, schedule in enumerate(schedules)
    )
    return (
        "Validation accuracy by epoch, median and band over the models of a population, under both ways of training. "
        f"Median at the end, {said(datasets[0])} {architectures[-1]}: {told}."
    )


def _final(values: np.ndarray) -> str:
    last = carried(values)[:, -1]
    last = last[~np.isnan(last)]
    return f"{np.median(last):.3f} of {len(last)} models" if len(last) else "not trained"


def _curves_table(valid: Valid, *names: Sequence[str]) -> dict[str, list[Any]]:
    datasets, architectures, schedules = names
    rows = [
        (i, j, k)
        for i in range(len(datasets))
        for j in range(len(architectures))
        for k in range(len(schedules))
    ]
    table: dict[str, list[Any]] = {
        "label rule": [said(datasets[i]) for i, _, _ in rows],
        "input x hidden": [architectures[j] for _, j, _ in rows],
        "training": [said(schedules[k]) for _, _, k in rows],
    }
    for cell, values in valid.items():
        table[f"{said(cell)}: median at the end"] = [_final(values[i, k, j]) for i, j, k in rows]
    return table
