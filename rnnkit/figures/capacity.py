"""What a small net can do at its best, and how often it does (Figs. 5 and 6, Mehta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.cells import SOLVED, accuracy_axis, axes, one_of_each, panels, said
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import cell_color

Best = Mapping[str, np.ndarray]
_OVER = ("dataset", "schedule")


def sorted_accuracies(
    best: Best, *, datasets: Sequence[str], schedules: Sequence[str], architectures: Sequence[str]
) -> Interactive:
    """Draw the best accuracy of every initialisation, the highest first, one panel per size of net.

    Parameters
    ----------
    best : mapping of str to ndarray (datasets, schedules, architectures, M)
        By cell; NaN where fewer than M nets were trained.
    datasets, schedules, architectures : sequence of str
    """
    figure = _panels(
        best,
        architectures,
        x=accuracy_axis("rank, best first", -0.02, 1.02),
        y=accuracy_axis("best accuracy", 0.45),
        alt="Best validation accuracy of every initialisation, sorted, by size of net. "
        + _said_solved(best, datasets, schedules, architectures),
        table=_solved_table(best, datasets, schedules, architectures),
        mode="lines+markers",
    )
    one_of_each(figure, dataset=datasets, schedule=schedules)
    for cell, values in best.items():
        ranked = -np.sort(-np.asarray(values, dtype=float), axis=-1)  # NaN comes last
        known = (~np.isnan(ranked)).sum(axis=-1, keepdims=True)
        rank = np.where(np.isnan(ranked), np.nan, (np.arange(ranked.shape[-1]) + 0.5) / np.maximum(known, 1))
        for i, architecture in enumerate(architectures):
            name = _name(cell, i, architecture)
            figure.bind(name, "y", ranked[:, :, i], over=_OVER).bind(name, "x", rank[:, :, i], over=_OVER)
    return figure


def success_shares(
    shares: Best,
    thresholds: np.ndarray,
    *,
    datasets: Sequence[str],
    schedules: Sequence[str],
    architectures: Sequence[str],
) -> Interactive:
    """Draw the share of initialisations that reach an accuracy, against that accuracy, with its interval.

    Parameters
    ----------
    shares : mapping of str to ndarray (datasets, schedules, architectures, 3, thresholds)
        By cell: share, lower and upper end of its interval; NaN where nothing was trained.
    thresholds : ndarray (K,)
        Accuracies, rising.
    datasets, schedules, architectures : sequence of str
    """
    at = int(np.abs(np.asarray(thresholds) - SOLVED).argmin())
    figure = _panels(
        shares,
        architectures,
        x=accuracy_axis("accuracy asked for", float(thresholds[0]), float(thresholds[-1])),
        y=accuracy_axis("share that reach it", -0.02),
        alt=f"Share of initialisations that reach an accuracy, with 95 % intervals. At {thresholds[at]:.0%}: "
        f"{_said_shares(shares, at, datasets, schedules, architectures)}.",
        table=_shares_table(shares, at, float(thresholds[at]), datasets, schedules, architectures),
        caption="Band: 95 % interval of the share (Wilson).",
        band=True,
    )
    one_of_each(figure, dataset=datasets, schedule=schedules)
    x = np.asarray(thresholds, dtype=float)
    for cell, values in shares.items():
        for i, architecture in enumerate(architectures):
            name = _name(cell, i, architecture)
            share, low, high = np.moveaxis(np.asarray(values, dtype=float)[:, :, i], -2, 0)
            figure.bind(name, "y", share, over=_OVER)
            figure.bind(f"{name} band", "y", np.concatenate([low, high[..., ::-1]], axis=-1), over=_OVER)
            figure.figure.update_traces(x=x, selector={"name": name})
            figure.figure.update_traces(x=np.concatenate([x, x[::-1]]), selector={"name": f"{name} band"})
    return figure


def best_of(
    expected: Best,
    tries: np.ndarray,
    *,
    datasets: Sequence[str],
    schedules: Sequence[str],
    architectures: Sequence[str],
) -> Interactive:
    """Draw the accuracy to expect of the best of n initialisations, against n.

    Parameters
    ----------
    expected : mapping of str to ndarray (datasets, schedules, architectures, K)
        By cell; NaN where fewer than n nets were trained.
    tries : ndarray (K,)
        The numbers n.
    datasets, schedules, architectures : sequence of str
    """
    first = {cell: values[0, 0] for cell, values in expected.items()}
    told = "; ".join(
        f"{said(cell)} {architecture} {first[cell][i, 0]:.3f} for {tries[0]}, {first[cell][i, -1]:.3f} for {tries[-1]}"
        for i, architecture in enumerate(architectures)
        for cell in first
    )
    figure = _panels(
        expected,
        architectures,
        x={
            "title": {"text": "initialisations tried"},
            "range": [float(tries[0]) - 0.5, float(tries[-1]) + 0.5],
        },
        y=accuracy_axis("best of them, expected", 0.45),
        alt="Accuracy to expect of the best of n initialisations, against n, by size of net. "
        f"{said(datasets[0])}, {said(schedules[0])}: {told}.",
        table=_expected_table(expected, tries, datasets, schedules, architectures),
    )
    one_of_each(figure, dataset=datasets, schedule=schedules)
    for cell, values in expected.items():
        for i, architecture in enumerate(architectures):
            name = _name(cell, i, architecture)
            figure.bind(name, "y", values[:, :, i], over=_OVER)
            figure.figure.update_traces(x=tries, selector={"name": name})
    return figure


def _panels(
    values: Best,
    architectures: Sequence[str],
    *,
    x: Mapping[str, Any],
    y: Mapping[str, Any],
    mode: str = "lines",
    band: bool = False,
    **figure: Any,
) -> Interactive:
    """One panel per size of net with a line per cell, and a band if asked for."""
    import plotly.graph_objects as go

    traces: list[Any] = []
    for panel, architecture in enumerate(architectures):
        for cell in values:
            name, color = _name(cell, panel, architecture), cell_color(cell)
            group = {"legendgroup": cell, **axes(panel)}
            if band:
                fill = {
                    "fill": "toself",
                    "fillcolor": see_through(color),
                    "line": {"width": 0},
                    "mode": "lines",
                }
                traces.append(
                    go.Scatter(name=f"{name} band", showlegend=False, hoverinfo="skip", **fill, **group)
                )
            traces.append(
                go.Scatter(
                    name=name,
                    mode=mode,
                    showlegend=panel == 0,
                    line={"color": color, "width": 2},
                    marker={"color": color, "size": 4, "symbol": "circle" if cell == "gru" else "square"},
                    hovertemplate="%{x}: %{y:.1%}<extra>" + name + "</extra>",
                    **group,
                )
            )
    titles = [f"{size} (input x hidden)" if i == 0 else size for i, size in enumerate(architectures)]
    return Interactive(go.Figure(traces, layout=panels(titles, x=x, y=y, height=520)), **figure)


def _name(cell: str, panel: int, architecture: str) -> str:
    """What a line is called: in the first panel as the legend has it."""
    return said(cell) if panel == 0 else f"{said(cell)} {architecture}"


def _places(
    datasets: Sequence[str], schedules: Sequence[str], architectures: Sequence[str]
) -> list[tuple[int, int, int]]:
    sizes = (len(datasets), len(schedules), len(architectures))
    return [(int(i), int(j), int(k)) for i, j, k in np.ndindex(*sizes)]


def _named(
    datasets: Sequence[str], schedules: Sequence[str], architectures: Sequence[str]
) -> dict[str, list[Any]]:
    rows = _places(datasets, schedules, architectures)
    return {
        "label rule": [said(datasets[i]) for i, _, _ in rows],
        "training": [said(schedules[j]) for _, j, _ in rows],
        "input x hidden": [architectures[k] for _, _, k in rows],
    }


def _count_solved(values: np.ndarray) -> str:
    known = values[~np.isnan(values)]
    return f"{int((known >= SOLVED).sum())} of {len(known)}" if len(known) else "–"


def _said_solved(best: Best, *names: Sequence[str]) -> str:
    datasets, schedules, architectures = names
    told = "; ".join(
        f"{architecture} "
        + ", ".join(f"{said(cell)} {_count_solved(v[0, 0, k])}" for cell, v in best.items())
        for k, architecture in enumerate(architectures)
    )
    return f"{said(datasets[0])}, {said(schedules[0])}, initialisations at {SOLVED:.0%} or more: {told}."


def _solved_table(best: Best, *names: Sequence[str]) -> dict[str, list[Any]]:
    table, rows = _named(*names), _places(*names)
    for cell, values in best.items():
        table[f"{said(cell)}: solved"] = [_count_solved(values[row]) for row in rows]
        table[f"{said(cell)}: highest"] = [_highest(values[row]) for row in rows]
    return table


def _highest(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else float("nan")


def _said_shares(shares: Best, at: int, *names: Sequence[str]) -> str:
    datasets, schedules, architectures = names
    told = "; ".join(
        f"{architecture} "
        + ", ".join(f"{said(cell)} {_interval(v[0, 0, k, :, at])}" for cell, v in shares.items())
        for k, architecture in enumerate(architectures)
    )
    return f"{said(datasets[0])}, {said(schedules[0])}: {told}"


def _interval(values: np.ndarray) -> str:
    if np.isnan(values[0]):
        return "–"
    share, low, high = 100 * values
    return f"{share:.1f} [{low:.1f}, {high:.1f}] %"


def _shares_table(shares: Best, at: int, threshold: float, *names: Sequence[str]) -> dict[str, list[Any]]:
    table, rows = _named(*names), _places(*names)
    for cell, values in shares.items():
        table[f"{said(cell)}: share at {threshold:.0%}"] = [_interval(values[row][:, at]) for row in rows]
    return table


def _expected_table(expected: Best, tries: np.ndarray, *names: Sequence[str]) -> dict[str, list[Any]]:
    table, rows = _named(*names), _places(*names)
    for cell, values in expected.items():
        for at in sorted({0, min(2, len(tries) - 1), len(tries) - 1}):
            table[f"{said(cell)}: best of {tries[at]}"] = [float(values[row][at]) for row in rows]
    return table
