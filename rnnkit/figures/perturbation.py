"""A trained net is pushed off its place and trained on (Fig. 10, Mehta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.cells import accuracy_axis, add_models, said
from rnnkit.figures.frame import legend_below, mean_and_range
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.models import RANGE, bind_lines, lines
from rnnkit.figures.theme import cell_color

Found = Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]
READINGS = {"whole": "noise by the spread of all weights", "each": "noise by the spread of each matrix"}
_QUANTITIES = {
    "accuracy": "validation accuracy",
    "loss": "validation loss",
    "distance": "distance from the trained weights",
    "relative": "distance, as a share of the first",
}
_BASE = {"accuracy": "base_accuracy", "loss": "base_loss"}


def recovery(found: Found) -> Interactive:
    """Draw what happens in the epochs after a push, for all models or one, both cells together.

    Parameters
    ----------
    found : mapping of str to mapping of str to mapping
        By reading (``whole``, ``each``) and cell: ``factors`` (K,), ``loss``, ``accuracy`` and ``distance``
        (K, M, E + 1), where epoch 0 is right after the push, ``base_loss`` and ``base_accuracy`` (M,).
    """
    import plotly.graph_objects as go

    readings, cells = list(found), list(next(iter(found.values())))
    factors = np.asarray(found[readings[0]][cells[0]]["factors"], dtype=float)
    curves = {cell: _stacked(found, cell) for cell in cells}
    epochs = np.arange(curves[cells[0]].shape[-1])
    ranges = [[0.0, 1.02], *([0.0, _top(curves, quantity)] for quantity in range(1, len(_QUANTITIES)))]
    figure = Interactive(
        go.Figure(_traces(cells), layout=_layout(epochs, ranges[0])),
        alt="Accuracy, loss and distance from the trained weights in the epochs after noise was added to them. "
        + _said(found, factors),
        table=_table(found, factors),
        caption="Line: mean over models, or one model; band: least to most. Dotted: before the push.",
    )
    figure.select("quantity", "Show", list(_QUANTITIES.values()))
    figure.slider("factor", "Noise factor", [f"{factor:g}" for factor in factors], start=len(factors) - 1)
    figure.select("reading", "Reading", [READINGS.get(reading, reading) for reading in readings])
    add_models(figure, max(values.shape[-2] for values in curves.values()))
    for cell in cells:
        bind_lines(
            figure, said(cell), epochs, curves[cell], over=("quantity", "reading", "factor"), quantiles=RANGE
        )
        base = _base(found, cell, curves[cell].shape[-2], len(figure.controls["model"].values))
        figure.bind(f"{said(cell)} before", "y", base, over=("quantity", "reading", "model"))
        figure.figure.update_traces(x=epochs[[0, -1]], selector={"name": f"{said(cell)} before"})
    figure.bind_layout("yaxis.range", ranges, over="quantity")
    figure.bind_layout("yaxis.tickformat", [".0%", "", "", ""], over="quantity")
    return figure.bind_layout("yaxis.title.text", list(_QUANTITIES.values()), over="quantity")


def _stacked(found: Found, cell: str) -> np.ndarray:
    """All curves of a cell: (quantity, reading, K, M, E + 1)."""
    by_quantity = []
    for quantity in _QUANTITIES:
        name = "distance" if quantity == "relative" else quantity
        values = np.stack([np.asarray(by_cell[cell][name], dtype=float) for by_cell in found.values()])
        if quantity == "relative":
            first = values[..., :1]
            values = values / np.where(first > 0, first, np.nan)
        by_quantity.append(np.where(np.isfinite(values), values, np.nan))
    return np.stack(by_quantity)


def _base(found: Found, cell: str, count: int, positions: int) -> np.ndarray:
    """What each model was before the push: (quantity, reading, position of the model slider, 2)."""
    base = np.full((len(_QUANTITIES), len(found), positions), np.nan)
    for i, quantity in enumerate(_QUANTITIES):
        for j, by_cell in enumerate(found.values()):
            if quantity in _BASE:
                own = np.asarray(by_cell[cell][_BASE[quantity]], dtype=float)
                base[i, j, : count + 1] = [own.mean(), *own]
            elif quantity == "distance":
                base[i, j] = 0
    return np.repeat(base[..., None], 2, axis=-1)


def _top(curves: Mapping[str, np.ndarray], quantity: int) -> float:
    return 1.05 * max(float(np.nanmax(values[quantity])) for values in curves.values())


def _traces(cells: Sequence[str]) -> list[Any]:
    import plotly.graph_objects as go

    traces: list[Any] = []
    for cell in cells:
        color = cell_color(cell)
        hover = "epoch %{x}: %{y:.4g}<extra></extra>"
        before = {"color": color, "dash": "dot", "width": 1.5}
        traces += lines(said(cell), color, hovertemplate=hover)
        traces.append(
            go.Scatter(
                name=f"{said(cell)} before",
                mode="lines",
                line=before,
                legendgroup=said(cell),
                hoverinfo="skip",
            )
        )
    return traces


def _layout(epochs: np.ndarray, y_range: Sequence[float]) -> dict[str, Any]:
    return {
        "height": 460,
        "margin": {"t": 24},
        "legend": legend_below(),
        "xaxis": {"title": {"text": "epochs after the push"}, "range": [-0.5, float(epochs[-1]) + 0.5]},
        "yaxis": accuracy_axis(_QUANTITIES["accuracy"]) | {"range": list(y_range)},
    }


def _said(found: Found, factors: np.ndarray) -> str:
    reading = next(iter(found))
    last = f"{factors[-1]:g}"
    told = "; ".join(
        f"{said(cell)} {mean_and_range(arrays['accuracy'][-1, :, 0], '.3f')} right after, "
        f"{mean_and_range(arrays['accuracy'][-1, :, -1], '.3f')} at the end, "
        f"{mean_and_range(arrays['base_accuracy'], '.3f')} before"
        for cell, arrays in found[reading].items()
    )
    return f"Accuracy with factor {last} ({READINGS.get(reading, reading)}), mean [least, most] over models: {told}."


def _table(found: Found, factors: np.ndarray) -> dict[str, list[Any]]:
    rows = [(reading, k) for reading in found for k in range(len(factors))]
    table: dict[str, list[Any]] = {
        "reading": [READINGS.get(reading, reading) for reading, _ in rows],
        "factor": [f"{factors[k]:g}" for _, k in rows],
    }
    for cell in next(iter(found.values())):
        for name, what, epoch in (
            ("accuracy right after", "accuracy", 0),
            ("accuracy at the end", "accuracy", -1),
            ("distance right after", "distance", 0),
            ("distance at the end", "distance", -1),
        ):
            table[f"{said(cell)}: {name}"] = [
                mean_and_range(found[reading][cell][what][k, :, epoch], ".3g") for reading, k in rows
            ]
    return table


def recovered(found: Found) -> Interactive:
    """Draw the accuracy after the last epoch against the factor of the noise.

    Parameters
    ----------
    found
        As for :func:`recovery`.
    """
    import plotly.graph_objects as go

    readings, cells = list(found), list(next(iter(found.values())))
    factors = np.asarray(found[readings[0]][cells[0]]["factors"], dtype=float)
    reach = 0.04 * float(factors.max() - factors.min() or 1)
    layout = {
        "height": 440,
        "margin": {"t": 24},
        "legend": legend_below(),
        "xaxis": {
            "title": {"text": "factor of the noise"},
            "range": [factors.min() - reach, factors.max() + reach],
        },
        "yaxis": accuracy_axis("validation accuracy"),
    }
    traces = []
    for cell in cells:
        hover = "factor %{x}: %{y:.1%}<extra>%{fullData.name}</extra>"
        traces += lines(
            f"{said(cell)}, at the end", cell_color(cell), mode="lines+markers", hovertemplate=hover
        )
        traces += lines(
            f"{said(cell)}, right after", cell_color(cell), dash="dot", opacity=0.08, hovertemplate=hover
        )
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt=f"Accuracy right after the push and after the last epoch, against its factor. {_said(found, factors)}",
        table=_table(found, factors),
        caption="Line: mean over models; band: least to most. Dotted: right after the push.",
    ).select("reading", "Reading", [READINGS.get(reading, reading) for reading in readings])
    for cell in cells:
        accuracy = np.stack(
            [np.asarray(by_cell[cell]["accuracy"], dtype=float) for by_cell in found.values()]
        )
        for name, epoch in ((f"{said(cell)}, at the end", -1), (f"{said(cell)}, right after", 0)):
            bind_lines(figure, name, factors, accuracy[..., epoch].swapaxes(-1, -2), over=("reading",))
    return figure
