"""Every finding for every net: small multiples of curves, and all measurements in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from rnnkit.figures.bands import add_curve, bind_curve, stack_seeds
from rnnkit.figures.frame import legend_below, listed, net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import NEUTRAL, net_color

ARRAYS = (
    "blank_after",
    "stop_after",
    "extra_blank",
    "dimension",
    "dimension_per_class",
    "knn_purity",
    "linear_readout",
)
"""Arrays of a probes record that :func:`quantities` draws."""

NINETY_PERCENT = 5
"""Where 90 % stands among the dimension's thresholds."""

MAIN = MappingProxyType(
    {
        "final_accuracy": "accuracy after the last row, %",
        "blank_minus_stop_mean": "experiment 1 less experiment 2, mean over rows, points",
        "stop_drop_4": "lost when stopped four rows early, points",
        "drop_after_1_blank": "lost after 1 added blank row, points",
        "drop_beyond_20_blank": "lost for good from 20 added blank rows on, points",
        "accuracy_late_blank": "accuracy after 100 to 500 blank rows, mean, %",
        "period": "period of single states on blank rows, rows",
        "share_oscillating": "images whose state has a period, %",
        "spectral_radius": "spectral radius of the recurrent weights",
        "dimension_peak": "dimension at 90 % of the variance, highest",
        "dimension_peak_row": "row at which it is highest",
        "dimension_final": "dimension after the last row",
        "class_dimension_peak": "dimension of one digit's states, highest",
        "class_dimension_final": "dimension of one digit's states after the last row",
        "knn_purity_half": "neighbours of the same digit, half of the rows, %",
        "knn_purity_final": "neighbours of the same digit, last row, %",
        "linear_readout_half": "linear probe, half of the rows, %",
        "own_readout_half": "own readout, half of the rows, %",
        "rows_until_probe_80": "rows until the probe is right for 80 of 100",
        "rows_until_own_80": "rows until the own readout is right for 80 of 100",
        "six_state_precision": "sixes by neighbouring states at row 4: precision, %",
        "six_pixels_precision": "sixes by neighbouring pixels at row 4: precision, %",
        "six_state_recall": "sixes by neighbouring states at row 4: recall, %",
        "six_pixels_recall": "sixes by neighbouring pixels at row 4: recall, %",
        "map_six_precision": "sixes in their best cluster of the map at row 4, %",
        "map_six_recall": "of all sixes, in that cluster, %",
        "map_share_inked": "images with any ink at row 4, %",
    }
)
"""The main measurements and how they are called; what ends in % or points is printed in percent."""

_COLUMNS = 2
_GAP = (0.1, 0.1)  # between panels, across and down


@dataclass(frozen=True)
class Quantity:
    """One thing that was measured along rows, for every net.

    Attributes
    ----------
    name : str
        As the reader picks it.
    x_title : str
    x : ndarray (T,)
    values : mapping of str to ndarray (n_seeds, T)
        By net.
    y_range : (float, float)
    """

    name: str
    x_title: str
    x: np.ndarray
    values: Mapping[str, np.ndarray]
    y_range: tuple[float, float] = (0.0, 1.02)


def quantities(probes: Mapping[str, Mapping[str, np.ndarray]], threshold: int) -> list[Quantity]:
    """The chapter's curves, from arrays stacked over seeds.

    Parameters
    ----------
    probes : mapping of str to mapping
        Array name -> net -> (n_seeds, ...); ``blank_after``, ``stop_after``, ``extra_blank``, ``dimension``,
        ``dimension_per_class``, ``knn_purity`` and ``linear_readout``.
    threshold : int
        Which of the dimension's thresholds stands for 90 % of the variance.
    """
    shown = _along("rows shown", probes["blank_after"], 0)
    dimension = {net: values[:, threshold] for net, values in probes["dimension"].items()}
    classes = {net: values[:, threshold].mean(1) for net, values in probes["dimension_per_class"].items()}
    read = "rows read"
    return [
        Quantity("experiment 1: accuracy", *shown, probes["blank_after"]),
        Quantity("experiment 2: accuracy", *shown, probes["stop_after"]),
        Quantity(
            "experiment 3: accuracy",
            *_along("blank rows", probes["extra_blank"], 0),
            probes["extra_blank"],
        ),
        Quantity(
            "dimension (90 % of variance)", *_along(read, dimension, 1), dimension, _from_zero(dimension)
        ),
        Quantity("dimension of one digit", *_along(read, classes, 1), classes, _from_zero(classes)),
        Quantity(
            "neighbours of the same digit", *_along(read, probes["knn_purity"], 1), probes["knn_purity"]
        ),
        Quantity(
            "linear probe: accuracy", *_along(read, probes["linear_readout"], 1), probes["linear_readout"]
        ),
    ]


def _along(title: str, values: Mapping[str, np.ndarray], first: int) -> tuple[str, np.ndarray]:
    return title, np.arange(next(iter(values.values())).shape[1]) + first


def _from_zero(values: Mapping[str, np.ndarray]) -> tuple[float, float]:
    return 0.0, 1.05 * max(float(np.max(array)) for array in values.values())


def small_multiples(shown: Sequence[Quantity]) -> Interactive:
    """One panel per net and one of all nets together; the reader picks what is measured.

    Parameters
    ----------
    shown : sequence of Quantity
        Over the same nets; the first net is repeated in grey in the panels of the others.

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    nets = list(shown[0].values)
    length = max(len(quantity.x) for quantity in shown)
    x = np.stack([_stretched(quantity.x, length) for quantity in shown])
    curves = {net: stack_seeds({q.name: _stretched(q.values[net], length) for q in shown}) for net in nets}
    fig = go.Figure(layout=_panels([*map(net_name, nets), "all nets"], shown[0]))
    starts: list[tuple[int, str]] = []
    for panel, net in enumerate(nets):
        curve = add_curve(
            fig,
            x[0],
            curves[net][0],
            name=net_name(net),
            color=net_color(net),
            axes=_number(panel),
            legend=False,
        )
        starts.append((curve, net))
    references = [_add_mean(fig, nets[0], NEUTRAL, panel, "dot") for panel in range(1, len(nets))]
    together = [(_add_mean(fig, net, net_color(net), len(nets), "solid"), net) for net in nets]
    for index, _ in together:
        fig.data[index].showlegend = True
    figure = Interactive(
        fig,
        alt=_alt(shown, nets),
        table=_table(shown, nets),
        caption=f"Lines: mean over seeds; bands: least to most; dotted: {net_name(nets[0])}, for comparison.",
    ).select("quantity", "Show", [quantity.name for quantity in shown])
    for first, net in starts:
        bind_curve(figure, first, curves[net], over="quantity", x=x)
    for index, net in [*((index, nets[0]) for index in references), *together]:
        figure.bind(index, "x", x, over="quantity")
        figure.bind(index, "y", np.nanmean(curves[net], axis=1), over="quantity")
    return _bind_axes(figure, shown, len(nets) + 1)


def _stretched(values: np.ndarray, length: int) -> np.ndarray:
    """Curves (..., T) as long as the longest: the last point is drawn again and again in the same place."""
    values = np.asarray(values, dtype=float)
    rest = np.repeat(values[..., -1:], length - values.shape[-1], axis=-1)
    return np.concatenate([values, rest], axis=-1)


def _number(panel: int) -> str:
    return str(panel + 1) if panel else ""


def _add_mean(fig: Any, net: str, color: str, panel: int, dash: str) -> int:
    """Add the mean line of a net, to be bound; returns its index."""
    import plotly.graph_objects as go

    line = {"color": color, "width": 2, "dash": dash}
    place = {"xaxis": f"x{_number(panel)}", "yaxis": f"y{_number(panel)}"}
    fig.add_trace(go.Scatter(mode="lines", name=net_name(net), line=line, showlegend=False, **place))
    return len(fig.data) - 1


def _panels(titles: list[str], first: Quantity) -> dict[str, Any]:
    """Axes of a grid of panels that share their ranges, each with its title above."""
    count = -(-len(titles) // _COLUMNS)
    width, height = (1 - _GAP[0]) / _COLUMNS, (1 - (count - 1) * _GAP[1]) / count
    layout: dict[str, Any] = {"height": 210 * count + 60, "legend": legend_below(-0.12), "margin": {"t": 40}}
    layout["annotations"] = []
    for panel, title in enumerate(titles):
        left = (panel % _COLUMNS) * (width + _GAP[0])
        top = 1 - (panel // _COLUMNS) * (height + _GAP[1])
        number = _number(panel)
        bottom = panel + _COLUMNS >= len(titles)
        layout[f"xaxis{number}"] = {
            "domain": [left, min(left + width, 1)],
            "anchor": f"y{number}",
            "range": [float(first.x[0]), float(first.x[-1])],
            "showticklabels": bottom,
            "title": {"text": first.x_title if bottom else ""},
        }
        layout[f"yaxis{number}"] = {
            "domain": [max(top - height, 0), top],
            "anchor": f"x{number}",
            "range": list(first.y_range),
        }
        layout["annotations"].append(
            {"text": title, "x": left, "y": top, "xref": "paper", "yref": "paper", "xanchor": "left"}
            | {"yanchor": "bottom", "showarrow": False}
        )
    return layout


def _bind_axes(figure: Interactive, shown: Sequence[Quantity], count: int) -> Interactive:
    for panel in range(count):
        number = _number(panel)
        limits = [[float(q.x[0]), float(q.x[-1])] for q in shown]
        figure.bind_layout(f"xaxis{number}.range", limits, over="quantity")
        figure.bind_layout(f"yaxis{number}.range", [list(q.y_range) for q in shown], over="quantity")
        if panel + _COLUMNS >= count:
            figure.bind_layout(f"xaxis{number}.title.text", [q.x_title for q in shown], over="quantity")
    return figure


def _alt(shown: Sequence[Quantity], nets: list[str]) -> str:
    said = []
    for quantity in shown:
        ends = {net: f"{quantity.values[net][:, -1].mean():.3g}" for net in nets}
        said.append(f"{quantity.name}: {listed(ends)}")
    return (
        f"One panel per net and one of all {len(nets)} nets. Last values, mean over seeds: {'; '.join(said)}."
    )


def _table(shown: Sequence[Quantity], nets: list[str]) -> dict[str, Any]:
    """Least, most and last value of every mean curve."""
    places = [(quantity, net) for quantity in shown for net in nets]
    means = [np.mean(quantity.values[net], axis=0) for quantity, net in places]
    return {
        "measured": [quantity.name for quantity, _ in places],
        "net": [net for _, net in places],
        "least": [float(mean.min().round(4)) for mean in means],
        "most": [float(mean.max().round(4)) for mean in means],
        "last": [float(mean[-1].round(4)) for mean in means],
    }
