"""Which sizes of net learn the task, initialisation by initialisation (Figs. 3 and 4, Mehta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.cells import SOLVED, axes, one_of_each, panels, place, said
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.models import spread
from rnnkit.figures.theme import cell_color

Best = Mapping[str, np.ndarray]


def heatmaps(
    best: Best,
    *,
    datasets: Sequence[str],
    schedules: Sequence[str],
    input_sizes: Sequence[int],
    hidden_sizes: Sequence[int],
) -> Interactive:
    """Draw the best validation accuracy of every size of net, in percent, both cells side by side.

    Parameters
    ----------
    best : mapping of str to ndarray (datasets, schedules, M, input sizes, hidden sizes)
        By cell; a fraction, NaN where a net was not trained.
    datasets, schedules : sequence of str
    input_sizes, hidden_sizes : sequence of int
    """
    import plotly.graph_objects as go

    count = next(iter(best.values())).shape[2]
    names = [*(str(i + 1) for i in range(count)), f"mean of {count}", f"share solved of {count}"]
    layout = _layout(list(best), input_sizes, hidden_sizes)
    figure = Interactive(
        go.Figure(_traces(best, len(input_sizes), len(hidden_sizes)), layout=layout),
        alt=_alt(best, datasets, schedules),
        table=_table(best, datasets, schedules, input_sizes),
        caption=f"Best validation accuracy in percent, or the share of initialisations at {SOLVED:.0%} or more.",
    )
    one_of_each(figure, dataset=datasets, schedule=schedules).slider("model", "Initialisation", names)
    for cell, values in best.items():
        shown = _percents(np.asarray(values, dtype=float)).swapaxes(-1, -2)
        over = ("dataset", "schedule", "model")
        figure.bind(cell, "z", shown, over=over)
        figure.bind(f"{cell} numbers", "text", _texts(shown).reshape(*shown.shape[:3], -1), over=over)
        figure.bind_values(cell, "zmin", [50] * (count + 1) + [0], over="model")
    return figure


def _percents(values: np.ndarray) -> np.ndarray:
    """Single initialisations, then their mean and the share that solved: (..., M + 2, D, H) in percent."""
    known = ~np.isnan(values)
    solved = np.where(
        known.any(axis=-3), (values >= SOLVED).sum(axis=-3) / np.maximum(known.sum(axis=-3), 1), np.nan
    )
    mean = spread(values, axis=-3).middle
    return 100 * np.concatenate([values, mean[..., None, :, :], solved[..., None, :, :]], axis=-3)


def _texts(percents: np.ndarray) -> np.ndarray:
    """Whole numbers as in the paper; nothing where there is none."""
    return np.array(["" if np.isnan(value) else f"{value:.0f}" for value in percents.flat]).reshape(
        percents.shape
    )


def _traces(best: Best, num_inputs: int, num_hiddens: int) -> list[Any]:
    import plotly.graph_objects as go

    across, down = np.meshgrid(np.arange(num_inputs), np.arange(num_hiddens))
    traces: list[Any] = []
    for panel, cell in enumerate(best):
        color = cell_color(cell)
        traces += [
            go.Heatmap(
                name=cell,
                x=np.arange(num_inputs),
                y=np.arange(num_hiddens),
                # See-through, so that the page's own ink can be read on every cell.
                colorscale=[[0, see_through(color, 0.0)], [1, see_through(color, 0.55)]],
                zmax=100,
                showscale=False,
                xgap=2,
                ygap=2,
                hovertemplate="%{z:.1f} %<extra></extra>",
                **axes(panel),
            ),
            go.Scatter(
                name=f"{cell} numbers",
                x=across.ravel(),
                y=down.ravel(),
                mode="text",
                textfont={"size": 14},
                hoverinfo="skip",
                **axes(panel),
            ),
        ]
    return traces


def _layout(cells: list[str], input_sizes: Sequence[int], hidden_sizes: Sequence[int]) -> dict[str, Any]:
    plain = {"showgrid": False, "zeroline": False, "showline": False, "ticks": ""}
    layout = panels(
        [said(cell) for cell in cells],
        x={"title": {"text": "input units"}, "range": [-0.5, len(input_sizes) - 0.5], **plain},
        y={"title": {"text": "hidden units"}, "range": [len(hidden_sizes) - 0.5, -0.5], **plain},
        height=400,
        showlegend=False,
    )
    for panel in range(len(cells)):
        layout[f"xaxis{place(panel)}"] |= _ticks(input_sizes)
        layout[f"yaxis{place(panel)}"] |= _ticks(hidden_sizes)
    return layout


def _ticks(sizes: Sequence[int]) -> dict[str, Any]:
    return {"tickvals": list(range(len(sizes))), "ticktext": [str(size) for size in sizes]}


def _alt(best: Best, datasets: Sequence[str], schedules: Sequence[str]) -> str:
    parts = []
    for i, dataset in enumerate(datasets):
        for j, schedule in enumerate(schedules):
            shares = ", ".join(f"{said(cell)} {_solved(values[i, j])}" for cell, values in best.items())
            parts.append(f"{said(dataset)}, {said(schedule)}: {shares}")
    return (
        "Best validation accuracy by number of input and hidden units. Nets of all sizes and initialisations that "
        f"reach {SOLVED:.0%}: {'; '.join(parts)}."
    )


def _solved(values: np.ndarray) -> str:
    known = int((~np.isnan(values)).sum())
    return f"{int((values >= SOLVED).sum())} of {known}" if known else "not trained"


def _table(
    best: Best, datasets: Sequence[str], schedules: Sequence[str], input_sizes: Sequence[int]
) -> dict[str, list[Any]]:
    """Nets that solved the task, summed over hidden sizes and initialisations."""
    rows = [
        (i, j, k)
        for i in range(len(datasets))
        for j in range(len(schedules))
        for k in range(len(input_sizes))
    ]
    table: dict[str, list[Any]] = {
        "label rule": [said(datasets[i]) for i, _, _ in rows],
        "training": [said(schedules[j]) for _, j, _ in rows],
        "input units": [int(input_sizes[k]) for _, _, k in rows],
    }
    for cell, values in best.items():
        table[f"{said(cell)}: solved, all hidden sizes"] = [_solved(values[i, j, :, k]) for i, j, k in rows]
    return table
