"""What the figures of the lab chapter have in common: names, colours, arrays by key, thinned curves, signs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.cells import place
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import finite, require_axes
from rnnkit.figures.theme import CLUSTERS, NEUTRAL, net_color

CELL_NAMES = MappingProxyType({"rnn": "RNN", "gru": "GRU", "lstm": "LSTM", "bilstm": "BiLSTM"})
LOSS_NAMES = MappingProxyType({"bce": "BCE", "mse-sigmoid": "MSE, sigmoid", "mse-linear": "MSE, linear"})
READOUT_NAMES = MappingProxyType({"last": "last output", "final": "final states"})
SYMBOLS = ("circle", "square", "triangle-up", "diamond")
DASHES = ("solid", "dash", "dot", "dashdot")
CARRY_COLORS = (CLUSTERS[7], CLUSTERS[5])
CARRY_SYMBOLS = ("circle", "diamond")
PAPER = "the report"
DECAYED = "-decayed"

Key = tuple[Any, ...]
Keyed = Mapping[Key, Any]
_ALL_NAMES = {**CELL_NAMES, **LOSS_NAMES, **READOUT_NAMES}


def said(name: str) -> str:
    """How a cell, a loss, a read-out or a net of the rows is called: ``gru-2x256-decayed``, ``bilstm``."""
    if name in _ALL_NAMES:
        return _ALL_NAMES[name]
    cell, _, rest = name.removesuffix(DECAYED).partition("-")
    decay = ", weight decay" if name.endswith(DECAYED) else ""
    return f"{_ALL_NAMES.get(cell, cell)} {rest.replace('x', ' x ')}".strip() + decay


def all_said(names: Iterable[str]) -> list[str]:
    """How several are called, in their order."""
    return [said(name) for name in names]


def color(net: str) -> str:
    """Colour of the cell that a net is made of; the bidirectional LSTM takes the LSTM's.

    Raises
    ------
    ValueError
        When the net's name begins with no cell of this chapter.
    """
    cell = net.split("-")[0]
    if cell not in CELL_NAMES:
        raise ValueError(f"no colour for cell {cell!r}; known cells: {', '.join(CELL_NAMES)}")
    return net_color("lstm" if cell == "bilstm" else cell)


def fractions(what: str, array: Any, *axes: str | int) -> np.ndarray:
    """Check that an array has these axes and holds shares of 1, NaN where there is none.

    Raises
    ------
    ValueError
        For another shape, or a value below 0 or above 1.
    """
    values = finite(require_axes(what, array, *axes))
    known = values[~np.isnan(values)]
    if known.size and not 0 <= known.min() <= known.max() <= 1:
        raise ValueError(f"{what}: fractions of 1 are needed, not {known.min():g} to {known.max():g}")
    return values


def keyed(what: str, values: Keyed, *parts: str, shares: bool = True) -> dict[Key, np.ndarray]:
    """Check arrays (n_seeds, T) by key, such as ``(cell, hidden, loss)``; all have the same T.

    Parameters
    ----------
    what : str
        For the message of an error.
    values : mapping of tuple to ndarray (n_seeds, T)
    parts : str
        What the entries of a key are.
    shares : bool
        Whether the values are fractions of 1.

    Raises
    ------
    ValueError
        When nothing is there, a key has other parts, or an array is not of that kind.
    """
    if not values:
        raise ValueError(f"{what}: nothing to draw")
    for key in values:
        if not isinstance(key, tuple) or len(key) != len(parts):
            raise ValueError(f"{what}: keys ({', '.join(parts)}) are needed, not {key!r}")
    check = fractions if shares else lambda *args: finite(require_axes(*args))
    length = np.shape(next(iter(values.values())))[-1:]
    return {
        key: check(f"{what}, {' '.join(map(str, key))}", array, "seeds", *length)
        for key, array in values.items()
    }


def entries(keys: Iterable[Key], part: int) -> list[Any]:
    """The different entries of keys at one place, in the order in which they are first named."""
    return list(dict.fromkeys(key[part] for key in keys))


def stacked(values: Mapping[Key, np.ndarray], *parts: Sequence[Any]) -> np.ndarray:
    """Arrays by key as one (n_1, ..., n_k, most seeds, T); NaN where a key or a seed is missing."""
    sample = next(iter(values.values()))
    seeds = max(len(array) for array in values.values())
    whole = np.full((*map(len, parts), seeds, *sample.shape[1:]), np.nan)
    for key, array in values.items():
        at = tuple(list(names).index(entry) for names, entry in zip(parts, key, strict=True))
        whole[at][: len(array)] = array
    return whole


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Mean over ``window`` neighbours of each point of (..., T), fewer at both ends; NaN is left out."""
    values = np.asarray(values, dtype=float)
    known = ~np.isnan(values)
    steps = np.arange(values.shape[-1])
    low = np.maximum(steps - (window - 1) // 2, 0)
    high = np.minimum(steps + window // 2 + 1, values.shape[-1])

    def between(array: np.ndarray) -> Any:
        sums = np.concatenate([np.zeros((*array.shape[:-1], 1)), np.cumsum(array, axis=-1)], axis=-1)
        return sums[..., high] - sums[..., low]

    count = between(known.astype(float))
    total: np.ndarray = np.where(
        count > 0, between(np.where(known, values, 0)) / np.maximum(count, 1), np.nan
    )
    return total


def thin(length: int, most: int = 500) -> np.ndarray:
    """Places of at most so many points of a curve, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(int))


def legend_entry(
    name: str, *, color: str = NEUTRAL, symbol: str | None = None, dash: str | None = None
) -> Any:
    """An entry of the legend without points, for a sign that means the same in every colour."""
    import plotly.graph_objects as go

    mode = "+".join(word for word, sign in (("lines", dash), ("markers", symbol)) if sign)
    line, marker = {"color": color, "dash": dash or "solid"}, {"color": color, "size": 8}
    if symbol:
        marker["symbol"] = symbol
    return go.Scatter(name=name, x=[None], y=[None], mode=mode, line=line, marker=marker, hoverinfo="skip")


def recolor(figure: Interactive, first: int, names: Sequence[str], over: str) -> Interactive:
    """Let a curve of :func:`rnnkit.figures.bands.add_curve` take the colour of the cell that is picked."""
    colors = [color(name) for name in names]
    figure.bind_values(first, "line.color", colors, over=over)
    figure.bind_values(first + 1, "fillcolor", [see_through(c) for c in colors], over=over)
    return figure.bind_values(first + 2, "line.color", colors, over=over)


def upright(at: float, panel: int = 0) -> dict[str, Any]:
    """A dotted line at a value of x through a panel: a shape of a layout."""
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "xref": f"x{place(panel)}",
        "yref": f"y{place(panel)} domain",
        "line": {"color": NEUTRAL, "dash": "dot", "width": 1.5},
    }
