"""Curves over models: a middle line with a band between two quantiles, or one model's own line.

Curves may stop early: what is NaN is not drawn, and the band ends where its last model does.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.interactive import Interactive

QUARTILES = (0.25, 0.75)
RANGE = (0.0, 1.0)


@dataclass(frozen=True)
class Spread:
    """What is drawn of the curves of several models.

    Attributes
    ----------
    middle, low, high : ndarray (..., T)
        NaN where no model has a value.
    """

    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def outline(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The band as a closed line, low forwards and high backwards: x and y, each (..., 2 T).

        Points without a value lie on their neighbours, so that the band has no holes and no width there.
        """
        at = _filled(np.broadcast_to(np.asarray(x, dtype=float), self.low.shape), np.isnan(self.low))
        low, high = (_filled(edge, np.isnan(edge)) for edge in (self.low, self.high))
        there_and_back = [np.concatenate([a, b[..., ::-1]], axis=-1) for a, b in ((at, at), (low, high))]
        return there_and_back[0], there_and_back[1]


def spread(
    values: np.ndarray, *, middle: str = "mean", quantiles: tuple[float, float] = RANGE, axis: int = -2
) -> Spread:
    """Mean or median of ``values`` (..., n_models, T) and two quantiles, missing values left out."""
    values = np.asarray(values, dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where every model is missing the answer is NaN
        low, high = np.nanquantile(values, quantiles, axis=axis)
        line = np.nanmean(values, axis=axis) if middle == "mean" else np.nanmedian(values, axis=axis)
    return Spread(line, low, high)


def lines(
    name: str, color: str, *, dash: str = "solid", opacity: float = 0.2, mode: str = "lines", **extra: Any
) -> list[Any]:
    """Two traces to be filled by :func:`bind_lines`: the band (``NAME band``) and the line."""
    import plotly.graph_objects as go

    placed = {key: value for key, value in extra.items() if key in ("xaxis", "yaxis")}
    band = go.Scatter(
        name=f"{name} band",
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=see_through(color, opacity),
        legendgroup=name,
        showlegend=False,
        hoverinfo="skip",
        **placed,
    )
    line = go.Scatter(
        name=name,
        mode=mode,
        line={"color": color, "dash": dash, "width": 2.5},
        marker={"color": color, "size": 5},
        legendgroup=name,
        **extra,
    )
    return [band, line]


def bind_lines(
    figure: Interactive,
    name: str,
    x: np.ndarray,
    values: np.ndarray,
    over: Sequence[str] = (),
    **how: Any,
) -> Interactive:
    """Give the traces of :func:`lines` their curves.

    Parameters
    ----------
    figure : Interactive
        Where it has the slider ``model``, its first position shows the middle and the others one model each.
    name : str
        As given to :func:`lines`.
    x : ndarray (T,)
    values : ndarray (k_1, ..., n_models, T)
        The leading axes are indexed by the controls in ``over``.
    over : sequence of str
    **how
        ``middle`` and ``quantiles`` of :func:`spread`.
    """
    drawn = spread(values, **how)
    line, follows = drawn.middle, tuple(over)
    if "model" in figure.controls:
        line = np.concatenate([line[..., None, :], np.asarray(values, dtype=float)], axis=-2)
        line, follows = _with_missing_models(line, len(figure.controls["model"].values)), (*over, "model")
    figure.figure.update_traces(x=np.asarray(x, dtype=float), selector={"name": name})
    around = drawn.outline(x)
    for trace, attr, array, controls in (
        (name, "y", line, follows),
        (f"{name} band", "x", around[0], tuple(over)),
        (f"{name} band", "y", around[1], tuple(over)),
    ):
        if controls:
            figure.bind(trace, attr, array, over=controls)
        else:
            figure.figure.update_traces({attr: array}, selector={"name": trace})
    return figure


def _with_missing_models(curves: np.ndarray, count: int) -> np.ndarray:
    """Fill (..., n, T) with NaN up to a number of curves."""
    around = [(0, 0)] * curves.ndim
    around[-2] = (0, count - curves.shape[-2])
    return np.pad(curves, around, constant_values=np.nan)


def _filled(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Values (..., T), each missing one replaced by the last before it, or else the first behind it."""
    places = np.where(missing, -1, np.arange(values.shape[-1]))
    last = np.maximum.accumulate(places, axis=-1)
    first = np.argmax(~missing, axis=-1)[..., None]
    filled: np.ndarray = np.take_along_axis(values, np.where(last < 0, first, last), axis=-1)
    return filled
