"""What the figures of the trainability chapter have in common: names, panels side by side, a line per cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from rnnkit.figures.frame import legend_below, mean_and_range
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import cell_color

CELL_NAMES = MappingProxyType({"rnn": "RNN", "gru": "GRU"})
SCHEDULE_NAMES = MappingProxyType({"paper": "the paper's rule", "constant": "constant rate"})
SCHEDULE_DASHES = MappingProxyType({"paper": "solid", "constant": "dash"})
RULE_NAMES = MappingProxyType({"count": "Count", "first": "First", "xor": "Xor"})
SOLVED = 0.95
"""A net whose best validation accuracy reaches this has solved its task."""

_ALL_NAMES = {**CELL_NAMES, **SCHEDULE_NAMES, **RULE_NAMES}
_GAP = (0.08, 0.13)  # between panels, across and down


def said(name: str) -> str:
    """How a cell, a schedule or a label rule is called on a page; another name stays as it is."""
    return _ALL_NAMES.get(name, name)


def options(names: Iterable[str]) -> list[str]:
    """How the options of a select are called."""
    return [said(name) for name in names]


def one_of_each(figure: Interactive, **choices: Sequence[str]) -> Interactive:
    """Add one select per keyword: ``one_of_each(figure, dataset=("first", "xor"), schedule=("paper",))``."""
    labels = {"dataset": "Label rule", "architecture": "Input x hidden", "schedule": "Training"}
    for name, values in choices.items():
        figure.select(name, labels.get(name, name.capitalize()), options(values))
    return figure


def add_models(figure: Interactive, count: int, everything: str = "all") -> Interactive:
    """Add the slider by which a reader goes through the models; its first position is all of them."""
    return figure.slider("model", "Model", [everything, *range(1, count + 1)])


def panels(
    titles: Sequence[str],
    *,
    x: Mapping[str, Any],
    y: Mapping[str, Any],
    columns: int = 2,
    height: int = 420,
    **extra: Any,
) -> dict[str, Any]:
    """Layout of a grid of panels that share their axes, each under its title.

    Parameters
    ----------
    titles : sequence of str
        Panel k has the axes x{k + 1} and y{k + 1}.
    x, y : mapping
        Settings of every axis; titles and tick labels are kept at the outer panels only.
    """
    rows = -(-len(titles) // columns)
    width = (1 - (columns - 1) * _GAP[0]) / columns
    tall = (1 - (rows - 1) * _GAP[1]) / rows
    layout: dict[str, Any] = {"height": height, "legend": legend_below(-84 / height), "annotations": []}
    layout["margin"] = {"t": 32, "l": 52, "r": 10}
    for panel, title in enumerate(titles):
        number, column = place(panel), panel % columns
        left, top = column * (width + _GAP[0]), 1 - (panel // columns) * (tall + _GAP[1])
        outer = {"x": panel + columns >= len(titles), "y": column == 0}
        across = {"domain": [left, min(left + width, 1)], "anchor": f"y{number}"}
        down = {"domain": [max(top - tall, 0), top], "anchor": f"x{number}"}
        layout[f"xaxis{number}"] = {**_inner(x, outer["x"]), **across}
        layout[f"yaxis{number}"] = {**_inner(y, outer["y"]), **down}
        layout["annotations"].append(_panel_title(title, left + width / 2, top))
    return layout | extra


def _inner(axis: Mapping[str, Any], outer: bool) -> dict[str, Any]:
    return dict(axis) if outer else {**axis, "title": {"text": ""}, "showticklabels": False}


def _panel_title(text: str, x: float, y: float) -> dict[str, Any]:
    where = {"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom"}
    return {"text": text, "showarrow": False, **where}


def place(panel: int) -> str:
    """Number of a panel's axes as plotly writes it: the first has none."""
    return str(panel + 1) if panel else ""


def axes(panel: int) -> dict[str, str]:
    """Settings of a trace that belongs to a panel."""
    return {"xaxis": f"x{place(panel)}", "yaxis": f"y{place(panel)}"}


def accuracy_axis(title: str, low: float = 0.0, high: float = 1.02) -> dict[str, Any]:
    """An axis of fixed range on which fractions are printed as percent."""
    return {"title": {"text": title}, "range": [low, high], "tickformat": ".0%"}


def strips(
    values: Mapping[str, np.ndarray], names: Sequence[str], *, symbols: Sequence[str] = ("circle",)
) -> tuple[list[Any], dict[str, Any]]:
    """One dot per model, side by side without hiding each other, for every cell and column.

    Parameters
    ----------
    values : mapping of str to ndarray (n_columns, n_models)
        By cell; NaN where a model has no value.
    names : sequence of str
        Of the columns.
    symbols : sequence of str
        Markers of the columns, used in turn.

    Returns
    -------
    (list of go.Scatter, dict)
        Traces called ``CELL COLUMN`` and ``CELL COLUMN bar``, and the x axis that they stand on.
    """
    import plotly.graph_objects as go

    traces, ticks = [], []
    for i, (cell, columns) in enumerate(values.items()):
        for j, column in enumerate(np.atleast_2d(columns)):
            at = i * (len(names) + 0.5) + j
            ticks.append((at, said(cell) if len(names) == 1 else f"{said(cell)}<br>{names[j]}"))
            marker = {
                "symbol": symbols[j % len(symbols)],
                "size": 8,
                "opacity": 0.65,
                "color": cell_color(cell),
            }
            traces += [
                go.Scatter(
                    name=f"{cell} {names[j]}",
                    x=at + beside(len(column)),
                    y=column,
                    text=[f"model {k + 1}" for k in range(len(column))],
                    mode="markers",
                    marker=marker,
                    hovertemplate="%{text}: %{y:.3g}<extra></extra>",
                ),
                go.Scatter(
                    name=f"{cell} {names[j]} bar",
                    x=[at - 0.32, at + 0.32],
                    y=[_mean(column)] * 2,
                    mode="lines",
                    line={"color": cell_color(cell), "width": 3},
                    hovertemplate="%{y:.3g}<extra></extra>",
                ),
            ]
    x_axis = {
        "range": [-0.6, ticks[-1][0] + 0.6],
        "tickvals": [at for at, _ in ticks],
        "ticktext": [text for _, text in ticks],
        "showgrid": False,
        "zeroline": False,
    }
    return traces, x_axis


def bind_strips(
    figure: Interactive,
    values: Mapping[str, np.ndarray],
    names: Sequence[str],
    over: str | Sequence[str],
    *,
    median: bool = False,
) -> Interactive:
    """Let strips follow controls: ``values`` maps a cell to (..., n_columns, n_models); the bar may be the median."""
    for cell, array in values.items():
        for j, column in enumerate(names):
            shown = np.asarray(array, dtype=float)[..., j, :]
            figure.bind(f"{cell} {column}", "y", shown, over=over)
            bar = np.nanmedian(shown, axis=-1) if median else _mean(shown)
            figure.bind(f"{cell} {column} bar", "y", np.repeat(bar[..., None], 2, axis=-1), over=over)
    return figure


def beside(count: int) -> np.ndarray:
    """Small shifts to the left and right, the same each time, so that equal values stay apart."""
    return 0.26 * (2 * ((np.arange(count) * 0.618034) % 1) - 1)


def _mean(values: np.ndarray) -> Any:
    """Mean over the last axis without missing values; NaN where nothing is left."""
    known = ~np.isnan(np.asarray(values, dtype=float))
    total = np.where(known, values, 0).sum(axis=-1)
    return np.where(known.any(axis=-1), total / np.maximum(known.sum(axis=-1), 1), np.nan)


def by_cell(values: Mapping[str, Any], form: str = ".3g", *, scale: float = 1.0, unit: str = "") -> str:
    """Mean with the least and the most of every cell, as part of a sentence: ``RNN 0.8 [0.5, 1], GRU 1``."""
    return ", ".join(
        f"{said(cell)} {mean_and_range(scale * np.asarray(found, dtype=float).ravel(), form)}{unit}"
        for cell, found in values.items()
    )
