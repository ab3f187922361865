"""The same initialisations trained twice: which runs the paper's rule ends too soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.cells import SOLVED, accuracy_axis, axes, one_of_each, panels, said
from rnnkit.figures.frame import legend_below
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import NEUTRAL, cell_color

Valid = Mapping[str, np.ndarray]
THRESHOLDS = (0.9, SOLVED, 0.98)
_OUTCOMES = ("both", "only constant rate", "only the paper's rule", "neither")
_OPACITY = (1.0, 0.6, 0.35, 0.1)
_PATTERNS = ("", "/", "x", "")
_STOP_KINDS = ("solved", "would be solved at a constant rate", "solved by neither")


def transitions(
    best: Valid, *, datasets: Sequence[str], architectures: Sequence[str], schedules: Sequence[str]
) -> Interactive:
    """Draw which initialisations solve the task under both ways of training, under one only, under neither.

    Parameters
    ----------
    best : mapping of str to ndarray (datasets, schedules, architectures, M)
        By cell, best accuracy; NaN where a net was not trained. The m-th nets of both schedules start from
        the same weights; those that were trained under one only are left out.
    datasets, architectures : sequence of str
    schedules : sequence of str
        ``paper`` and ``constant``, in the arrays' order.
    """
    import plotly.graph_objects as go

    order = [list(schedules).index(name) for name in ("paper", "constant")]
    counts = {cell: _outcomes(np.asarray(values, float)[:, order]) for cell, values in best.items()}
    rows = [(cell, i) for i in range(len(architectures)) for cell in counts]
    shares = np.stack(
        [_shares(counts[cell][:, :, i]) for cell, i in rows], axis=-1
    )  # (threshold, dataset, 4, rows)
    names = [f"{said(cell)} {architectures[i]}" for cell, i in rows]
    figure = Interactive(
        go.Figure(_bars(rows), layout=_bars_layout(names)),
        alt=_transitions_alt(counts, datasets, architectures),
        table=_transitions_table(counts, datasets, architectures),
        caption="The same initialisations, trained twice.",
    )
    one_of_each(figure, dataset=datasets)
    figure.slider(
        "threshold", "Solved from", [f"{t:.0%}" for t in THRESHOLDS], start=THRESHOLDS.index(SOLVED)
    )
    for i, outcome in enumerate(_OUTCOMES):
        figure.bind(outcome, "x", shares[:, :, i], over=("threshold", "dataset"))
    return figure


def _outcomes(best: np.ndarray) -> np.ndarray:
    """Models by outcome: (datasets, 2, architectures, M) -> (thresholds, datasets, architectures, 4)."""
    known = ~np.isnan(best).any(axis=1)
    found = []
    for threshold in THRESHOLDS:
        paper, constant = np.moveaxis(best >= threshold, 1, 0)
        cases = (paper & constant, ~paper & constant, paper & ~constant, ~paper & ~constant)
        found.append(np.stack([(case & known).sum(axis=-1) for case in cases], axis=-1))
    return np.stack(found)


def _shares(counts: np.ndarray) -> np.ndarray:
    """Counts (..., 4) as shares; NaN where no model was trained both ways."""
    total = counts.sum(axis=-1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), np.nan)


def _bars(rows: Sequence[tuple[str, int]]) -> list[Any]:
    import plotly.graph_objects as go

    colors = [cell_color(cell) for cell, _ in rows]
    return [
        go.Bar(
            name=outcome,
            y=np.arange(len(rows)),
            orientation="h",
            marker={
                "color": [see_through(color, opacity) for color in colors],
                "pattern": {"shape": pattern},
                "line": {"color": colors, "width": 1},
            },
            hovertemplate="%{x:.1%}<extra>" + outcome + "</extra>",
        )
        for outcome, opacity, pattern in zip(_OUTCOMES, _OPACITY, _PATTERNS, strict=True)
    ]


def _bars_layout(names: Sequence[str]) -> dict[str, Any]:
    return {
        "height": 120 + 40 * len(names),
        "barmode": "stack",
        "margin": {"t": 24, "l": 80, "r": 28},
        "legend": legend_below() | {"traceorder": "normal"},
        "xaxis": accuracy_axis("share of initialisations", 0, 1.005),
        "yaxis": {
            "tickvals": list(range(len(names))),
            "ticktext": list(names),
            "range": [len(names) - 0.4, -0.6],
            "showgrid": False,
            "zeroline": False,
        },
    }


def _transitions_alt(
    counts: Mapping[str, np.ndarray], datasets: Sequence[str], architectures: Sequence[str]
) -> str:
    at = THRESHOLDS.index(SOLVED)
    told = "; ".join(
        f"{said(cell)} {architecture}: "
        + ", ".join(f"{n} {o}" for n, o in zip(found[at, 0, i], _OUTCOMES, strict=True))
        for i, architecture in enumerate(architectures)
        for cell, found in counts.items()
    )
    return (
        "How many initialisations solve the task under both ways of training, under one only, and under neither. "
        f"{said(datasets[0])}, solved from {SOLVED:.0%}: {told}."
    )


def _transitions_table(
    counts: Mapping[str, np.ndarray], datasets: Sequence[str], architectures: Sequence[str]
) -> dict[str, list[Any]]:
    at = THRESHOLDS.index(SOLVED)
    rows = [(cell, i, j) for i in range(len(datasets)) for j in range(len(architectures)) for cell in counts]
    table: dict[str, list[Any]] = {
        "label rule": [said(datasets[i]) for _, i, _ in rows],
        "net": [f"{said(cell)} {architectures[j]}" for cell, _, j in rows],
    }
    for k, outcome in enumerate(_OUTCOMES):
        table[outcome] = [int(counts[cell][at, i, j, k]) for cell, i, j in rows]
    return table


def stops(
    epochs: Valid,
    best: Valid,
    *,
    datasets: Sequence[str],
    architectures: Sequence[str],
    schedules: Sequence[str],
) -> Interactive:
    """Draw when the paper's rule ends runs, and which of them a constant rate would have brought to the end.

    Parameters
    ----------
    epochs : mapping of str to ndarray (datasets, schedules, architectures, M)
        By cell, epochs trained; NaN where a net was not trained.
    best
        As for :func:`transitions`.
    datasets, architectures, schedules : sequence of str
    """
    import plotly.graph_objects as go

    paper, constant = (list(schedules).index(name) for name in ("paper", "constant"))
    last = int(max(np.nanmax(values) for values in epochs.values()))
    edges = np.arange(0, last + 10, 10)
    found = {
        cell: _stop_counts(np.asarray(values)[:, paper], best[cell][:, paper], best[cell][:, constant], edges)
        for cell, values in epochs.items()
    }
    layout = panels(
        [said(cell) for cell in found],
        x={"title": {"text": "epoch of the stop"}, "range": [0, float(edges[-1])]},
        y=accuracy_axis("share of runs", 0),
        height=440,
        barmode="stack",
    )
    layout["legend"]["traceorder"] = "normal"
    traces = [
        go.Bar(
            name=f"{said(cell)}: {kind}",
            x=(edges[:-1] + edges[1:]) / 2,
            width=9,
            marker={"color": cell_color(cell) if k < 2 else NEUTRAL, "opacity": (0.9, 0.9, 0.5)[k]}
            | {"pattern": {"shape": ("", "/", "")[k]}},
            hovertemplate="%{y:.1%}<extra>%{fullData.name}</extra>",
            **axes(panel),
        )
        for panel, cell in enumerate(found)
        for k, kind in enumerate(_STOP_KINDS)
    ]
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt=_stops_alt(found, datasets, architectures),
        table=_stops_table(found, datasets, architectures),
        caption="Runs under the paper's rule, in bins of ten epochs; all runs that were trained both ways are 100 %.",
    )
    one_of_each(figure, dataset=datasets, architecture=architectures)
    for cell, counts in found.items():
        total = np.maximum(counts.sum(axis=(-1, -2), keepdims=True), 1)
        for k, kind in enumerate(_STOP_KINDS):
            share = (counts / total)[:, :, k]
            figure.bind(f"{said(cell)}: {kind}", "y", share, over=("dataset", "architecture"))
    return figure


def _stop_counts(
    epochs: np.ndarray, paper: np.ndarray, constant: np.ndarray, edges: np.ndarray
) -> np.ndarray:
    """Runs by kind and epoch of the stop: (datasets, architectures, 3, bins)."""
    known = ~(np.isnan(epochs) | np.isnan(paper) | np.isnan(constant))
    solved = paper >= SOLVED
    kinds = np.stack([solved, ~solved & (constant >= SOLVED), ~solved & ~(constant >= SOLVED)], axis=2)
    place = np.clip(np.digitize(epochs, edges, right=True) - 1, 0, len(edges) - 2)
    bins = [((place == b) & known)[:, :, None] & kinds for b in range(len(edges) - 1)]
    return np.stack([chosen.sum(axis=-1) for chosen in bins], axis=-1)


def _stops_alt(found: Mapping[str, np.ndarray], *names: Sequence[str]) -> str:
    datasets, architectures = names
    told = "; ".join(
        f"{said(cell)} {architecture}: "
        + ", ".join(f"{n} {kind}" for n, kind in zip(counts[0, i].sum(axis=-1), _STOP_KINDS, strict=True))
        for i, architecture in enumerate(architectures)
        for cell, counts in found.items()
    )
    return f"When the paper's rule ends runs, in bins of ten epochs. {said(datasets[0])}, runs: {told}."


def _stops_table(found: Mapping[str, np.ndarray], *names: Sequence[str]) -> dict[str, list[Any]]:
    datasets, architectures = names
    rows = [(cell, i, j) for i in range(len(datasets)) for j in range(len(architectures)) for cell in found]
    table: dict[str, list[Any]] = {
        "label rule": [said(datasets[i]) for _, i, _ in rows],
        "net": [f"{said(cell)} {architectures[j]}" for cell, _, j in rows],
    }
    for k, kind in enumerate(_STOP_KINDS):
        table[kind] = [int(found[cell][i, j, k].sum()) for cell, i, j in rows]
    return table
