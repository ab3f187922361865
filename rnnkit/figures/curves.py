"""Curves over seeds: a mean with its range, or one seed, as the reader picks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.bands import bands, outline_x, see_through
from rnnkit.figures.frame import legend_below, net_names
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import mean
from rnnkit.figures.theme import NEUTRAL, net_color

SEEDS = "seeds"


def counted_seeds(count: int) -> str:
    """``over 1 seed``, ``over 5 seeds``."""
    return f"over {count} seed" + ("" if count == 1 else "s")


def span(values: NDArray[Any], form: str) -> str:
    """``1.02 to 1.09``, or one value where all seeds agree."""
    low, high = format(values.min(), form), format(values.max(), form)
    return low if low == high else f"{low} to {high}"


def views(values: NDArray[Any]) -> NDArray[np.float64]:
    """Put the mean over seeds before the single seeds: (..., n_seeds, T) -> (..., 1 + n_seeds, T).

    One seed stays as it is: it is its own mean.
    """
    if values.shape[-2] == 1:
        return np.asarray(values, dtype=np.float64)
    return np.concatenate([mean(values, axis=-2)[..., None, :], values], axis=-2)


def view_names(seeds: Sequence[int]) -> list[str]:
    """The options that belong to :func:`views`."""
    singles = [f"seed {seed}" for seed in seeds]
    return singles if len(singles) == 1 else [f"mean and range of {len(singles)} seeds", *singles]


def curve_traces(
    name: str, x: Sequence[Any] | NDArray[Any], color: str, *, dash: str = "solid", **extra: Any
) -> list[Any]:
    """Two traces to be filled by :func:`bind_curve`: the range over seeds (``name range``) and the line."""
    import plotly.graph_objects as go

    return [
        go.Scatter(
            name=f"{name} range",
            x=outline_x(np.asarray(x)),
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=see_through(color),
            legendgroup=name,
            showlegend=False,
            hoverinfo="skip",
        ),
        go.Scatter(
            name=name,
            x=np.asarray(x),
            mode="lines",
            line={"color": color, "dash": dash, "width": 2},
            legendgroup=name,
            **extra,
        ),
    ]


def add_seeds(figure: Interactive, seeds: Sequence[int], start: int = 0) -> Interactive:
    """Add the select by which a reader picks the mean or one seed."""
    names = view_names(seeds)
    return figure.select(SEEDS, "Seeds", names, start=min(start, len(names) - 1))


def bind_curve(figure: Interactive, name: str, values: NDArray[Any], over: Sequence[str] = ()) -> Interactive:
    """Let the traces of one curve follow the seed select, and before it the controls in ``over``.

    Parameters
    ----------
    figure : Interactive
        With the select of :func:`add_seeds`.
    name : str
        As given to :func:`curve_traces`.
    values : ndarray (k_1, ..., n_seeds, T)
        The leading axes are indexed by the controls in ``over``; a net may have fewer seeds than the select.
    over : sequence of str
    """
    around, count = f"{name} range", len(figure.controls[SEEDS].values)
    values = _with_missing_seeds(np.asarray(values, dtype=float), max(count - 1, 1))
    figure.bind(name, "y", views(values), over=(*over, SEEDS))
    shape = bands(values).outline
    if over:
        figure.bind(around, "y", shape, over=over)
    else:
        figure.figure.update_traces(y=shape, selector={"name": around})
    return figure.bind_values(around, "visible", [count > 1] + [False] * (count - 1), over=SEEDS)


def _with_missing_seeds(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Fill (..., n_seeds, T) with NaN up to a number of seeds."""
    around = [(0, 0)] * values.ndim
    around[-2] = (0, count - values.shape[-2])
    return np.pad(values, around, constant_values=np.nan)


def color_by_net(figure: Interactive, name: str, nets: Sequence[str]) -> Interactive:
    """Let a curve take the colour of the net picked by the select ``net``."""
    figure.bind_values(name, "line.color", [net_color(net) for net in nets], over="net")
    return figure.bind_values(
        f"{name} range", "fillcolor", [see_through(net_color(net)) for net in nets], over="net"
    )


def add_nets(figure: Interactive, nets: Sequence[str], start: int = 0) -> Interactive:
    """Add the select by which a reader picks a net."""
    return figure.select("net", "Net", net_names(nets), start=start)


def layout(x: str, y: str, *, height: int = 460, **extra: Any) -> dict[str, Any]:
    """What the plane figures have in common: titled axes, the legend below."""
    made: dict[str, Any] = {
        "height": height,
        "legend": legend_below(),
        "margin": {"t": 24},
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}},
    }
    for name, value in extra.items():
        made[name] = made[name] | value if name in ("xaxis", "yaxis", "margin") else value
    return made


def reference(value: float, label: str, *, axis: str = "y", xanchor: str = "right") -> dict[str, Any]:
    """A dotted line across the plot with a word at its end: ``shapes`` and ``annotations`` of a layout."""
    across = "x" if axis == "y" else "y"
    line = {axis + "0": value, axis + "1": value, across + "0": 0, across + "1": 1}
    place = {axis: value, across: 1, axis + "ref": axis, across + "ref": f"{across} domain"}
    return {
        "shapes": [
            {
                "type": "line",
                axis + "ref": axis,
                across + "ref": f"{across} domain",
                "line": {"color": NEUTRAL, "dash": "dot", "width": 1.5},
                **line,
            }
        ],
        "annotations": [
            {"text": label, "showarrow": False, "xanchor": xanchor, "yanchor": "bottom", **place}
        ],
    }
