"""How many dimensions the states need, row by row (Fig. 3, Horoi, Lajoie & Wolf)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.bands import stack_seeds
from rnnkit.figures.curves import add_nets, add_seeds, bind_curve, curve_traces, layout, reference
from rnnkit.figures.frame import net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import DIGITS, NEUTRAL, net_color

Stack = Mapping[str, NDArray[Any]]
INK, ALL = "ink so far", "all images"
OWN_THRESHOLD = 0.9  # the paper's
TICKS = (1, 2, 5, 10, 20, 50, 100, 200)


def all_images(
    dimension: Stack, ink_started: NDArray[Any], thresholds: Sequence[float], seeds: Sequence[int]
) -> Interactive:
    """Draw the components that hold a share of the variance over all images, for every net (Fig. 3).

    Parameters
    ----------
    dimension : mapping of str to ndarray (n_seeds, T, S)
        Net -> components needed for each share of variance.
    ink_started : ndarray (S,)
        Share of images with any ink by each row.
    thresholds : sequence of float
        The T shares.
    seeds : sequence of int
    """
    import plotly.graph_objects as go

    nets = list(dimension)
    rows = np.arange(1, np.shape(dimension[nets[0]])[-1] + 1)
    traces = [_ink_trace(rows, ink_started)]
    for net in nets:
        hover = "row %{x}: %{y:.1f}<extra>" + net_name(net) + "</extra>"
        traces += curve_traces(net_name(net), rows, net_color(net), hovertemplate=hover)
    own = _own(thresholds)
    tops = [1.08 * max(float(np.max(dimension[net][:, t])) for net in nets) for t in range(len(thresholds))]
    at_own = {net: np.asarray(dimension[net])[:, own] for net in nets}
    figure = Interactive(
        go.Figure(traces, layout=_frame(rows, "components", [0, tops[own]])),
        alt="Principal components needed for a share of the variance of the hidden states of all images, "
        f"after each row. For {thresholds[own]:.0%}, mean over seeds: "
        + "; ".join(_rise_and_fall(net_name(net), curve.mean(axis=0)) for net, curve in at_own.items())
        + ".",
        table={"row": rows.tolist()}
        | {f"{net_name(net)}, {thresholds[own]:.0%}": at_own[net].mean(axis=0).tolist() for net in nets},
        caption="Line: mean over seeds; band: lowest to highest seed. Grey area (right axis): images with ink so far.",
    )
    _threshold_slider(figure, thresholds)
    add_seeds(figure, seeds)
    for net in nets:
        values = np.moveaxis(np.asarray(dimension[net], dtype=np.float64), 1, 0)
        bind_curve(figure, net_name(net), values, over=("threshold",))
    return figure.bind_layout("yaxis.range", [[0, top] for top in tops], over="threshold")


def per_class(
    dimension: Stack,
    dimension_per_class: Stack,
    ink_started: NDArray[Any],
    thresholds: Sequence[float],
) -> Interactive:
    """Draw the components that hold a share of the variance, of all images and within each class (Fig. 3).

    Parameters
    ----------
    dimension : mapping of str to ndarray (n_seeds, T, S)
        Net -> components needed over all images.
    dimension_per_class : mapping of str to ndarray (n_seeds, T, 10, S)
        Net -> components needed within each class.
    ink_started : ndarray (S,)
    thresholds : sequence of float
    """
    import plotly.graph_objects as go

    nets = list(dimension)
    whole = np.stack([np.asarray(dimension[net], dtype=np.float64).mean(axis=0) for net in nets])
    classes = np.stack([np.asarray(dimension_per_class[net], dtype=np.float64).mean(axis=0) for net in nets])
    rows, own = np.arange(1, whole.shape[-1] + 1), _own(thresholds)
    tops = 1.08 * np.maximum(whole.max(axis=2), classes.max(axis=(2, 3)))  # (nets, T)
    traces = _class_traces(rows, ink_started)
    means = classes.mean(axis=2)
    figure = Interactive(
        go.Figure(traces, layout=_frame(rows, "components, mean over seeds", [0, tops[0, own]], height=500)),
        alt="Principal components needed for a share of the variance within each class and over all images, "
        f"after each row. For {thresholds[own]:.0%}, mean over the ten classes: "
        + "; ".join(_rise_and_fall(net_name(net), means[i, own]) for i, net in enumerate(nets))
        + ".",
        table=_class_table(rows, whole[0, own], classes[0, own]),
        caption="Grey area (right axis): share of images with ink so far. "
        f"The table holds the {net_name(nets[0])} at {thresholds[own]:.0%}.",
    )
    add_nets(figure, nets)
    _threshold_slider(figure, thresholds)
    _bind_classes(figure, whole, classes, over=("net", "threshold"))
    ranges = [[[0, float(top)] for top in of_net] for of_net in tops]
    return figure.bind_layout("yaxis.range", ranges, over=("net", "threshold"))


def participation(overall: Stack, of_class: Stack, ink_started: NDArray[Any]) -> Interactive:
    """Draw the participation ratio, a dimension without a threshold, of all images and within each class.

    Parameters
    ----------
    overall : mapping of str to ndarray (n_seeds, S)
        Net -> (sum of eigenvalues)^2 / sum of their squares over all images.
    of_class : mapping of str to ndarray (n_seeds, 10, S)
        The same within each class.
    ink_started : ndarray (S,)
    """
    import plotly.graph_objects as go

    nets = list(overall)
    whole = np.stack([np.asarray(overall[net], dtype=np.float64).mean(axis=0) for net in nets])
    classes = np.stack([np.asarray(of_class[net], dtype=np.float64).mean(axis=0) for net in nets])
    rows = np.arange(1, whole.shape[-1] + 1)
    tops = 1.08 * np.maximum(whole.max(axis=1), classes.max(axis=(1, 2)))
    frame = _frame(rows, "participation ratio, mean over seeds", [0, float(tops[0])], height=500)
    figure = Interactive(
        go.Figure(_class_traces(rows, ink_started), layout=frame),
        alt="Participation ratio of the hidden states after each row, over all images: "
        + "; ".join(_rise_and_fall(net_name(net), whole[i]) for i, net in enumerate(nets))
        + ".",
        table={"row": rows.tolist()} | {net_name(net): whole[i].tolist() for i, net in enumerate(nets)},
    )
    add_nets(figure, nets)
    _bind_classes(figure, whole, classes, over=("net",))
    return figure.bind_layout("yaxis.range", [[0, float(top)] for top in tops], over="net")


def cumulative(shares: Stack, seeds: Sequence[int]) -> Interactive:
    """Draw the share of variance that the first components hold, after a row of the reader's choice.

    Parameters
    ----------
    shares : mapping of str to ndarray (n_seeds, S, H)
        Net -> cumulative share of variance.
    seeds : sequence of int
    """
    import plotly.graph_objects as go

    nets, values = list(shares), stack_seeds(shares)
    num_rows, size = values.shape[-2:]
    # A logarithmic axis needs no more points than this.
    picked = np.unique(np.rint(np.geomspace(1, size, 60)).astype(int))
    traces: list[Any] = []
    for net in nets:
        hover = "%{x} components: %{y:.1%}<extra>" + net_name(net) + "</extra>"
        traces += curve_traces(net_name(net), picked, net_color(net), hovertemplate=hover)
    frame = layout(
        "components (logarithmic)",
        "share of variance",
        xaxis={"type": "log", "range": [-0.03, float(np.log10(size)) + 0.03], "tickvals": TICKS},
        yaxis={"range": [0, 1.02], "tickformat": ".0%"},
        **reference(OWN_THRESHOLD, f"{OWN_THRESHOLD:.0%}"),
    )
    ends = [float(np.nanmean(values[i, :, -1, 0])) for i in range(len(nets))]
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=f"Share of the variance held by the first 1 to {size} components, after each row. After the last "
        "row the first component alone holds: "
        + ", ".join(f"{net_name(net)} {100 * end:.0f} %" for net, end in zip(nets, ends, strict=True))
        + ".",
        table={"components": picked.tolist()}
        | {
            f"{net_name(n)}, last row": np.nanmean(values[i, :, -1], axis=0)[picked - 1].tolist()
            for i, n in enumerate(nets)
        },
    )
    figure.slider("row", "After row", range(1, num_rows + 1), start=num_rows - 1)
    add_seeds(figure, seeds)
    for index, net in enumerate(nets):
        curves = np.moveaxis(values[index][: len(shares[net])], 1, 0)[..., picked - 1]
        bind_curve(figure, net_name(net), curves, over=("row",))
    return figure


def _own(thresholds: Sequence[float]) -> int:
    """Position of the paper's threshold, or of the one nearest to it."""
    return int(np.abs(np.asarray(thresholds) - OWN_THRESHOLD).argmin())


def _threshold_slider(figure: Interactive, thresholds: Sequence[float]) -> None:
    values = [f"{100 * threshold:.0f} %" for threshold in thresholds]
    figure.slider("threshold", "Share of variance", values, start=_own(thresholds))


def _rise_and_fall(name: str, curve: NDArray[np.float64]) -> str:
    peak = int(curve.argmax())
    return f"{name} highest {curve[peak]:.1f} after row {peak + 1}, {curve[-1]:.1f} after the last"


def _ink_trace(rows: NDArray[Any], ink_started: NDArray[Any]) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        name=INK,
        x=rows,
        y=np.asarray(ink_started),
        yaxis="y2",
        mode="lines",
        line={"width": 0},
        fill="tozeroy",
        fillcolor="rgba(123,129,138,0.18)",
        hovertemplate="row %{x}: %{y:.0%} of the images have ink<extra></extra>",
    )


def _class_traces(rows: NDArray[Any], ink_started: NDArray[Any]) -> list[Any]:
    import plotly.graph_objects as go

    hover = "row %{x}: %{y:.1f}<extra>%{fullData.name}</extra>"
    lines = [
        go.Scatter(
            name=str(digit), x=rows, mode="lines", line={"color": color, "width": 1.5}, hovertemplate=hover
        )
        for digit, color in enumerate(DIGITS)
    ]
    whole = go.Scatter(
        name=ALL, x=rows, mode="lines", line={"color": NEUTRAL, "width": 4}, hovertemplate=hover
    )
    return [_ink_trace(rows, ink_started), *lines, whole]


def _bind_classes(
    figure: Interactive, whole: NDArray[Any], classes: NDArray[Any], over: tuple[str, ...]
) -> None:
    """Bind the ten class lines of (..., 10, S) and the line of all images (..., S)."""
    for digit in range(classes.shape[-2]):
        figure.bind(str(digit), "y", np.ascontiguousarray(classes[..., digit, :]), over=over)
    figure.bind(ALL, "y", whole, over=over)


def _class_table(rows: NDArray[Any], whole: NDArray[Any], classes: NDArray[Any]) -> dict[str, list[Any]]:
    columns = {"row": rows.tolist(), ALL: whole.tolist()}
    return columns | {f"class {digit}": curve.tolist() for digit, curve in enumerate(classes)}


def _frame(rows: NDArray[Any], y: str, y_range: Sequence[float], *, height: int = 460) -> dict[str, Any]:
    frame = layout(
        "row", y, height=height, xaxis={"range": [0.6, len(rows) + 0.4]}, yaxis={"range": list(y_range)}
    )
    right = {
        "overlaying": "y",
        "side": "right",
        "range": [0, 1.0],
        "tickvals": [0, 0.5, 1],
        "tickformat": ".0%",
        "showgrid": False,
    }
    return frame | {"yaxis2": right, "margin": {"t": 24, "r": 44}}
