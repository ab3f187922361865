"""Curves over seeds: the mean, the range from the least to the most, and single seeds on demand."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rnnkit.figures.interactive import Interactive

_SEEDS_GROUP = "single seeds"
_RANGE_OPACITY = 0.2
_LAST = 2000  # rank in the legend, after the curves


@dataclass(frozen=True)
class Bands:
    """What is drawn of curves over seeds; leading axes may follow controls.

    Attributes
    ----------
    mean : ndarray (..., T)
        Mean over seeds.
    outline : ndarray (..., 2 T)
        The least, forwards, then the most, backwards: a closed outline over :func:`outline_x`.
    singles : ndarray (..., n_seeds (T + 1))
        All seeds one after the other, NaN between them, over :func:`singles_x`.
    """

    mean: np.ndarray
    outline: np.ndarray
    singles: np.ndarray


def bands(values: np.ndarray) -> Bands:
    """Mean, range and single curves of ``values`` (..., n_seeds, T); a seed of NaN is one that is missing."""
    values = np.asarray(values, dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where every seed is missing the answer is NaN
        low, high = np.nanmin(values, axis=-2), np.nanmax(values, axis=-2)
        mean = np.nanmean(values, axis=-2)
    gap = np.full((*values.shape[:-1], 1), np.nan)
    singles = np.concatenate([values, gap], axis=-1)
    return Bands(
        mean=mean,
        outline=np.concatenate([low, high[..., ::-1]], axis=-1),
        singles=singles.reshape(*values.shape[:-2], -1),
    )


def outline_x(x: np.ndarray) -> np.ndarray:
    """Where the points of an outline lie: ``x`` (..., T) there and back, (..., 2 T)."""
    x = np.asarray(x, dtype=float)
    return np.concatenate([x, x[..., ::-1]], axis=-1)


def singles_x(x: np.ndarray, num_seeds: int) -> np.ndarray:
    """Where the points of single seeds lie: ``x`` (..., T) once per seed with a gap, (..., n_seeds (T + 1))."""
    x = np.asarray(x, dtype=float)
    gapped = np.concatenate([x, np.full((*x.shape[:-1], 1), np.nan)], axis=-1)
    return np.concatenate([gapped] * num_seeds, axis=-1)


def stack_seeds(by_name: Mapping[str, np.ndarray]) -> np.ndarray:
    """Arrays (n_seeds, ...) of several nets as one (n_nets, most seeds, ...); NaN where a net has fewer seeds."""
    arrays = [np.asarray(array, dtype=float) for array in by_name.values()]
    stacked = np.full((len(arrays), max(map(len, arrays)), *arrays[0].shape[1:]), np.nan)
    for place, array in zip(stacked, arrays, strict=True):
        place[: len(array)] = array
    return stacked


def add_curve(
    fig: Any,
    x: Sequence[float] | np.ndarray,
    values: np.ndarray,
    *,
    name: str,
    color: str,
    dash: str = "solid",
    axes: str = "",
    legend: bool = True,
) -> int:
    """Add a mean line, the range over seeds and single seeds (switched on in the legend) to a figure.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
    x : (T,)
    values : ndarray (n_seeds, T)
    name, color, dash : str
        Of the mean line.
    axes : str
        Number of the axes, as in ``"2"`` for x2 and y2.
    legend : bool
        Whether the line has an entry of its own in the legend.

    Returns
    -------
    int
        Index of the first of the three traces, for :func:`bind_curve`.
    """
    import plotly.graph_objects as go

    x, drawn, first = np.asarray(x, dtype=float), bands(values), len(fig.data)
    known = any(trace.legendgroup == _SEEDS_GROUP for trace in fig.data)
    place = {"xaxis": f"x{axes}", "yaxis": f"y{axes}", "mode": "lines"}
    quiet = {"hoverinfo": "skip"}
    line = {"color": color, "width": 2.5, "dash": dash}
    fig.add_trace(
        go.Scatter(x=x, y=drawn.mean, name=name, legendgroup=name, line=line, showlegend=legend, **place)
    )
    fig.add_trace(
        go.Scatter(
            x=outline_x(x),
            y=drawn.outline,
            name=f"{name}, least to most",
            legendgroup=name,
            showlegend=False,
            fill="toself",
            fillcolor=see_through(color),
            line={"width": 0},
            **quiet,
            **place,
        )
    )
    fig.add_trace(
        go.Scatter(
            x=singles_x(x, len(values)),
            y=drawn.singles,
            name=_SEEDS_GROUP,
            legendgroup=_SEEDS_GROUP,
            showlegend=not known,
            legendrank=_LAST,
            visible="legendonly",
            line={"color": color, "width": 1, "dash": dash},
            **quiet,
            **place,
        )
    )
    return first


def bind_curve(
    figure: Interactive,
    first: int,
    values: np.ndarray,
    over: str | Sequence[str],
    x: np.ndarray | None = None,
) -> None:
    """Let a curve of :func:`add_curve` follow controls.

    Parameters
    ----------
    figure : Interactive
    first : int
        As :func:`add_curve` gave it.
    values : ndarray (..., n_seeds, T)
        The leading axes are indexed by the controls in ``over``.
    over : str or sequence of str
    x : ndarray (..., T), optional
        Where x follows the same controls.
    """
    drawn = bands(values)
    for offset, y in enumerate((drawn.mean, drawn.outline, drawn.singles)):
        figure.bind(first + offset, "y", y, over=over)
    if x is not None:
        x = np.asarray(x, dtype=float)
        for offset, at in enumerate((x, outline_x(x), singles_x(x, values.shape[-2]))):
            figure.bind(first + offset, "x", at, over=over)


def see_through(color: str, opacity: float = _RANGE_OPACITY) -> str:
    """``#rrggbb`` as a colour that lets the page and other bands through."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
