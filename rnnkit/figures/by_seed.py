"""Dots of seeds by size, and curves of seeds in panels side by side, for one net of several that a reader picks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import add_curve, bind_curve
from rnnkit.figures.cells import beside, panels, place
from rnnkit.figures.curves import layout
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import PAPER, SYMBOLS, all_said, color, legend_entry, recolor
from rnnkit.figures.nets import mean
from rnnkit.figures.theme import NEUTRAL

_BAR = 0.1  # half the width of the bar of a mean, on an axis whose places are 1 apart


def add_dots(
    fig: Any,
    name: str,
    at: Sequence[float],
    num_seeds: int,
    *,
    color: str,
    symbol: str = "circle",
    **extra: Any,
) -> None:
    """Add a dot per seed (``NAME, seeds``) and a bar for their mean (``NAME, mean``) at each of K places.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
    name : str
    at : sequence of float (K,)
        On the x axis.
    num_seeds : int
    color, symbol : str
    extra
        Of both traces: axes.
    """
    import plotly.graph_objects as go

    places = np.asarray(at, dtype=float)[:, None]
    marker = {"color": color, "size": 7, "symbol": symbol, "opacity": 0.6}
    fig.add_trace(
        go.Scatter(
            name=f"{name}, seeds",
            x=(places + _BAR / 0.26 * beside(num_seeds)).ravel(),
            mode="markers",
            marker=marker,
            text=[f"seed {seed}" for seed in range(num_seeds)] * len(at),
            hovertemplate="%{text}: %{y:.2%}<extra>" + name + "</extra>",
            showlegend=False,
            **extra,
        )
    )
    fig.add_trace(
        go.Scatter(
            name=f"{name}, mean",
            x=(places + np.array([-1.3 * _BAR, 1.3 * _BAR, np.nan])).ravel(),
            mode="lines",
            line={"color": color, "width": 3},
            hovertemplate="%{y:.2%}<extra>" + name + ", mean</extra>",
            showlegend=False,
            **extra,
        )
    )


def bind_dots(figure: Interactive, name: str, values: np.ndarray, over: str | Sequence[str]) -> Interactive:
    """Let the dots of :func:`add_dots` and their mean follow controls: values are (..., K, n_seeds)."""
    middle = np.repeat(mean(values, axis=-1)[..., None], 3, axis=-1)
    figure.bind(f"{name}, seeds", "y", values.reshape(*values.shape[:-2], -1), over=over)
    return figure.bind(f"{name}, mean", "y", middle.reshape(*values.shape[:-2], -1), over=over)


def paper_marks(at: Sequence[float], values: Sequence[float]) -> Any:
    """Open diamonds for what the report says."""
    import plotly.graph_objects as go

    return go.Scatter(
        name=PAPER,
        x=list(at),
        y=list(values),
        mode="markers",
        marker={"color": NEUTRAL, "symbol": "diamond-open", "size": 13, "line": {"width": 2}},
        hovertemplate="%{y:.1%}<extra>" + PAPER + "</extra>",
    )


def by_size(
    values: np.ndarray,
    *,
    cells: Sequence[str],
    series: Sequence[str],
    sizes: Sequence[int],
    paper: Sequence[tuple[float, float]],
    **about: Any,
) -> Interactive:
    """Draw a dot per seed for every hidden size and series, with a slider over epochs and a select of the cell.

    Parameters
    ----------
    values : ndarray (cells, series, sizes, n_seeds, num_epochs + 1)
        Accuracies as fractions; NaN where a net was not trained. The first column is before training.
    cells : sequence of str
        The select is left out where there is only one.
    series : sequence of str
        What is side by side at a hidden size, each with a marker of its own.
    sizes : sequence of int
    paper : sequence of (float, float)
        Where the report's values stand, as :func:`place_of` counts, and the values.
    **about
        ``alt``, ``table`` and ``caption`` of the figure.
    """
    import plotly.graph_objects as go

    num_seeds, num_epochs = values.shape[3], values.shape[4] - 1
    fig, tone = go.Figure(layout=_sizes_layout(sizes)), color(cells[0])
    for j, name in enumerate(series):
        at = [place_of(j, k, len(series)) for k in range(len(sizes))]
        add_dots(fig, name, at, num_seeds, color=tone, symbol=SYMBOLS[j % 4])
    fig.add_traces([legend_entry(name, symbol=SYMBOLS[j % 4]) for j, name in enumerate(series)])
    fig.add_trace(paper_marks([x for x, _ in paper], [y for _, y in paper]))
    figure = Interactive(fig, **about)
    if len(cells) > 1:
        figure.select("cell", "Cell", all_said(cells))
    figure.select("zoom", "Axis", ["whole", "close up"])
    figure.slider("epoch", "Epochs of training", range(num_epochs + 1), start=num_epochs)
    over = ("cell", "epoch") if len(cells) > 1 else ("epoch",)
    for j, name in enumerate(series):
        own = np.moveaxis(values[:, j], -1, 1)  # (cell, epoch, size, seed)
        bind_dots(figure, name, own if len(cells) > 1 else own[0], over)
        if len(cells) > 1:
            tones = [color(cell) for cell in cells]
            figure.bind_values(f"{name}, seeds", "marker.color", tones, over="cell")
            figure.bind_values(f"{name}, mean", "line.color", tones, over="cell")
    ends = values[..., -1]
    low = float(np.nanmin(ends)) if (~np.isnan(ends)).any() else 0.0
    low = min([low, *(y for _, y in paper if not np.isnan(y))])
    return figure.bind_layout(
        "yaxis.range", [[-0.02, 1.04], [low - 0.05 * (1.02 - low), 1 + 0.06 * (1.02 - low)]], over="zoom"
    )


def place_of(series: float, size: int, num_series: int) -> float:
    """Where the dots of a series stand on the axis of hidden sizes."""
    return size + 0.3 * (series - (num_series - 1) / 2)


def _sizes_layout(sizes: Sequence[int]) -> dict[str, Any]:
    return layout(
        "hidden size",
        "test accuracy",
        xaxis={
            "range": [-0.55, len(sizes) - 0.45],
            "tickvals": list(range(len(sizes))),
            "ticktext": [str(size) for size in sizes],
            "zeroline": False,
            "showgrid": False,
        },
        yaxis={"range": [-0.02, 1.04], "tickformat": ".0%"},
    )


def curve_panels(
    x: np.ndarray,
    values: np.ndarray,
    *,
    titles: Sequence[str],
    cell: str,
    frame: Mapping[str, Any],
    seeds: bool = False,
) -> tuple[Any, list[int]]:
    """Mean, range and single seeds in panels side by side.

    Parameters
    ----------
    x : ndarray (T,)
    values : ndarray (panels, n_seeds, T)
    titles : sequence of str
        One for each panel, and the names of the curves.
    cell : str
        Whose colour they have.
    frame : mapping
        Arguments of :func:`rnnkit.figures.cells.panels`.
    seeds : bool
        Whether the seeds are shown from the start, as thin lines.

    Returns
    -------
    (plotly.graph_objects.Figure, list of int)
        The figure, and the first trace of each panel, for :func:`bind_panels`.
    """
    import plotly.graph_objects as go

    fig = go.Figure(layout=panels(titles, columns=len(titles), **frame))
    firsts = [
        add_curve(fig, x, own, name=title, color=color(cell), axes=place(panel), legend=False)
        for panel, (title, own) in enumerate(zip(titles, values, strict=True))
    ]
    for first in firsts:
        fig.data[first + 2].update(visible=True if seeds else "legendonly", opacity=0.45)
    return fig, firsts


def bind_panels(
    figure: Interactive,
    firsts: Sequence[int],
    values: np.ndarray,
    over: Sequence[str],
    cells: Sequence[str] = (),
) -> Interactive:
    """Let the curves of :func:`curve_panels` follow controls: values are (..., panels, n_seeds, T).

    Where there is a control ``cell``, the curves take the colour of its cells.
    """
    for panel, first in enumerate(firsts):
        bind_curve(figure, first, values[..., panel, :, :], over)
        if cells and "cell" in figure.controls:
            recolor(figure, first, cells, over="cell")
    return figure
