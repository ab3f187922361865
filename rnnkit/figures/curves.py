"""Curves over seeds: a mean with its range, or one seed, as the reader picks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import NEUTRAL, net_color

NET_LABELS = {
    "paper": "paper's net",
    "tuned": "well-tuned net",
    "normalised": "normalised pixels",
    "shuffled": "shuffled labels (control)",
    "untrained": "untrained (control)",
}
"""What a reader sees for each net."""

LEGEND_BELOW = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}
SEEDS = "seeds"


def net_label(net: str) -> str:
    """Name of a net as a reader sees it."""
    return NET_LABELS.get(net, net)


def percent(share: float | np.floating[Any]) -> str:
    """A share in words of a description: ``93.1 %``."""
    return f"{100 * share:.1f} %"


def counted_seeds(count: int) -> str:
    """``over 1 seed``, ``over 5 seeds``."""
    return f"over {count} seed" + ("" if count == 1 else "s")


def span(values: NDArray[Any], form: str) -> str:
    """``1.02 to 1.09``, or one value where all seeds agree."""
    low, high = format(values.min(), form), format(values.max(), form)
    return low if low == high else f"{low} to {high}"


def padded(curves: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Stack the nets' arrays (n_seeds, ...) as (nets, most seeds, ...); NaN where a net has fewer seeds.

    Raises
    ------
    ValueError
        When there are no nets, or what follows the seeds differs in shape.
    """
    shapes = {net: np.shape(curve)[1:] for net, curve in curves.items()}
    if len(set(shapes.values())) != 1:
        raise ValueError(f"curves must be of one shape after the seeds, not {shapes}")
    most = max(len(curve) for curve in curves.values())
    result = np.full((len(curves), most, *next(iter(shapes.values()))), np.nan)
    for index, curve in enumerate(curves.values()):
        result[index, : len(curve)] = curve
    return result


def views(values: NDArray[Any]) -> NDArray[np.float64]:
    """Put the mean over seeds before the single seeds: (..., n_seeds, T) -> (..., 1 + n_seeds, T).

    One seed stays as it is: it is its own mean.
    """
    if values.shape[-2] == 1:
        return np.asarray(values, dtype=np.float64)
    return np.concatenate([np.nanmean(values, axis=-2, keepdims=True), values], axis=-2)


def view_names(seeds: Sequence[int]) -> list[str]:
    """The options that belong to :func:`views`."""
    singles = [f"seed {seed}" for seed in seeds]
    return singles if len(singles) == 1 else [f"mean and range of {len(singles)} seeds", *singles]


def outline(values: NDArray[Any]) -> NDArray[np.float64]:
    """The range over seeds as a closed shape: (..., n_seeds, T) -> (..., 2 T), lowest forth and highest back."""
    low, high = np.nanmin(values, axis=-2), np.nanmax(values, axis=-2)
    return np.concatenate([low, high[..., ::-1]], axis=-1)


def there_and_back(x: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    """The abscissae that belong to :func:`outline`."""
    x = np.asarray(x)
    return np.concatenate([x, x[::-1]])


def see_through(color: str, opacity: float = 0.2) -> str:
    """``#rrggbb`` as ``rgba(...)``."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def curve_traces(
    name: str, x: Sequence[Any] | NDArray[Any], color: str, *, dash: str = "solid", **extra: Any
) -> list[Any]:
    """Two traces to be filled by :func:`bind_curve`: the range over seeds (``name range``) and the line."""
    import plotly.graph_objects as go

    return [
        go.Scatter(
            name=f"{name} range",
            x=there_and_back(x),
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
        The leading axes are indexed by the controls in ``over``.
    over : sequence of str
    """
    around, count = f"{name} range", len(figure.controls[SEEDS].values)
    figure.bind(name, "y", views(values), over=(*over, SEEDS))
    shape = outline(values)
    if over:
        figure.bind(around, "y", shape, over=over)
    else:
        figure.figure.update_traces(y=shape, selector={"name": around})
    return figure.bind_values(around, "visible", [count > 1] + [False] * (count - 1), over=SEEDS)


def color_by_net(figure: Interactive, name: str, nets: Sequence[str]) -> Interactive:
    """Let a curve take the colour of the net picked by the select ``net``."""
    figure.bind_values(name, "line.color", [net_color(net) for net in nets], over="net")
    return figure.bind_values(
        f"{name} range", "fillcolor", [see_through(net_color(net)) for net in nets], over="net"
    )


def add_nets(figure: Interactive, nets: Sequence[str], start: int = 0) -> Interactive:
    """Add the select by which a reader picks a net."""
    return figure.select("net", "Net", [net_label(net) for net in nets], start=start)


def layout(x: str, y: str, *, height: int = 460, **extra: Any) -> dict[str, Any]:
    """What the plane figures have in common: titled axes, the legend below."""
    made: dict[str, Any] = {
        "height": height,
        "legend": LEGEND_BELOW,
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
