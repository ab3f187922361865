"""Quick figures of a reader's own numbers: curves, and points of several kinds. The labs draw with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rnnkit.figures.curves import layout
from rnnkit.figures.interactive import Interactive

SYMBOLS = ("circle", "x", "square", "diamond", "cross", "triangle-up")
_DASHES = ("solid", "dash", "dot", "dashdot")


def lines(
    curves: Mapping[str, ArrayLike],
    *,
    x_title: str,
    y_title: str,
    alt: str,
    x: ArrayLike | None = None,
    log: str = "",
) -> Interactive:
    """Draw curves over one axis.

    Parameters
    ----------
    curves : mapping of str to array (T,)
        By the name that the legend shows.
    x_title, y_title : str
        What the axes show.
    alt : str
        What the figure shows, in a sentence.
    x : array (T,), optional
        Where the values stand; 1, 2, ..., T unless told.
    log : {"", "x", "y", "xy"}
        The axes that are logarithmic.

    Raises
    ------
    ValueError
        If there is no curve, or one has another length than x.
    """
    import plotly.graph_objects as go

    values = {name: np.asarray(curve, dtype=float) for name, curve in curves.items()}
    if not values:
        raise ValueError("curves: there is none to draw")
    places = np.arange(1, len(next(iter(values.values()))) + 1) if x is None else np.asarray(x)
    for name, curve in values.items():
        if curve.shape != places.shape or places.ndim != 1:
            raise ValueError(f"curves: {name!r} has shape {curve.shape}, the x axis {places.shape}")
    figure = go.Figure(layout=layout(x_title, y_title, height=380))
    for number, (name, curve) in enumerate(values.items()):
        dash = _DASHES[number % len(_DASHES)]
        figure.add_scatter(name=name, x=places, y=curve, mode="lines", line={"width": 2, "dash": dash})
    for axis in log:  # powers of ten: plotly's own choice, 100µ, is a unit's prefix
        figure.update_layout({f"{axis}axis": {"type": "log", "exponentformat": "power"}})
    figure.update_layout(showlegend=True)
    table = {x_title: places.tolist(), **{name: curve.tolist() for name, curve in values.items()}}
    return Interactive(figure, alt=alt, table=table)


def points(
    places: ArrayLike, kinds: Sequence[Any] | ArrayLike, *, x_title: str, y_title: str, alt: str
) -> Interactive:
    """Draw points in a plane, each kind with a colour and a symbol of its own.

    Parameters
    ----------
    places : array (n, 2)
    kinds : array (n,)
        What the legend calls each point.
    x_title, y_title : str
        What the axes show.
    alt : str
        What the figure shows, in a sentence.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    import plotly.graph_objects as go

    places, kinds = np.asarray(places, dtype=float), np.asarray(kinds)
    if places.ndim != 2 or places.shape[1] != 2 or kinds.shape != places.shape[:1]:
        raise ValueError(
            f"points: places (n, 2) and kinds (n,) are wanted, not {places.shape}, {kinds.shape}"
        )
    figure = go.Figure(layout=layout(x_title, y_title, height=420))
    for number, kind in enumerate(np.unique(kinds)):
        here = places[kinds == kind]
        marker = {"size": 6, "opacity": 0.7, "symbol": SYMBOLS[number % len(SYMBOLS)]}
        figure.add_scatter(name=str(kind), x=here[:, 0], y=here[:, 1], mode="markers", marker=marker)
    figure.update_layout(showlegend=True)
    return Interactive(figure, alt=alt)
