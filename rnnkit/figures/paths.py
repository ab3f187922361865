"""Paths of hidden states through the three main axes of their space, image by image and on average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.frame import bare_axis, curve_layout, legend_below, listed, net_name, net_names, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import DIGITS, NEUTRAL, digit_marker

_AXES = "xyz"
_READ, _TAIL, _NOW, _IMAGE, _BELIEF = 10, 11, 12, 13, 14  # traces; the first ten are the means of the digits

Arrays = Mapping[str, np.ndarray]


def steps(seq_len: int, num_blank: int) -> list[str]:
    """Printed positions of a slider over the rows of an image and the blank rows after it."""
    return [str(row) for row in range(1, seq_len + 1)] + [
        f"{seq_len} + {i} blank" for i in range(1, num_blank + 1)
    ]


def paths_in_space(nets: Mapping[str, Arrays]) -> Interactive:
    """The path of one image, picked by the reader, among the mean paths of the ten digits.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, the arrays ``paths`` (10 m, S + B, 3) ordered by digit, ``class_means`` (10, S + B, 3),
        ``explained`` (3,), ``labels`` (10 m,), ``images`` (10 m, S, I) in 0..255, and of the net's readout after
        each row ``predicted`` and ``confidence`` (10 m, S + B), the latter in 1/255.

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    names = list(nets)
    images = by_digit(nets[names[0]]["images"], nets[names[0]]["labels"])
    seq_len, total = images.shape[2], nets[names[0]]["paths"].shape[1]
    figure = Interactive(
        go.Figure(_traces(), layout=_layout(nets, images)),
        alt=_alt(nets, seq_len),
        table=_table(nets, seq_len),
        caption="Lines in the colours of the digits: mean over all test images of a digit. Dots: the chosen image, one "
        "per row, in the colour of the class that the net's readout names there. Dotted: blank rows after the image.",
    )
    figure.slider("row", "Rows read", steps(seq_len, total - seq_len), start=seq_len // 2)
    figure.select("digit", "Digit", range(10), start=3)
    figure.select("image", "Image", [f"no. {i + 1}" for i in range(images.shape[1])])
    figure.select("net", "Net", net_names(names))
    _bind_means(figure, np.stack([nets[net]["class_means"] for net in names]), seq_len)
    _bind_path(figure, nets, seq_len)
    _bind_image(figure, images, total)
    _bind_belief(figure, nets)
    limits = [_ranges(arrays).tolist() for arrays in nets.values()]
    for i, axis in enumerate(_AXES):
        figure.bind_layout(f"scene.{axis}axis.range", [one[i] for one in limits], over="net")
    return figure


def by_digit(array: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """An array over images (n, ...) as (10, m, ...): as many images of each digit as the rarest one has."""
    labels = np.asarray(labels)
    count = min(int((labels == digit).sum()) for digit in range(10))
    return np.stack([np.asarray(array)[np.flatnonzero(labels == digit)[:count]] for digit in range(10)])


def _traces() -> list[Any]:
    import plotly.graph_objects as go

    thin = {"mode": "lines", "opacity": 0.7, "hoverinfo": "skip"}
    traces = [
        go.Scatter3d(name=str(digit), line={"color": color, "width": 3}, **thin)
        for digit, color in enumerate(DIGITS)
    ]
    grey = {"color": NEUTRAL, "width": 5}
    beads = digit_marker(size=4)
    del beads["colorbar"]
    read = go.Scatter3d(name="chosen image", mode="lines+markers", line=grey, marker=beads, showlegend=False)
    read.hovertemplate = "row %{customdata}<br>named %{marker.color}<extra></extra>"
    tail = go.Scatter3d(
        mode="lines", line={**grey, "width": 3, "dash": "dot"}, showlegend=False, hoverinfo="skip"
    )
    now = go.Scatter3d(mode="markers", showlegend=False, hoverinfo="skip")
    now.marker = {
        "symbol": "diamond",
        "line": {"width": 2, "color": NEUTRAL},
        **{**beads, "size": 8},
    }
    image = go.Heatmap(colorscale="Greys", zmin=0, zmax=255, showscale=False, hoverinfo="skip")
    belief = go.Scatter(
        mode="text", textposition="bottom center", cliponaxis=False, showlegend=False, hoverinfo="skip"
    )
    return [*traces, read, tail, now, image, belief]


def _layout(nets: Mapping[str, Arrays], images: np.ndarray) -> dict[str, Any]:
    height, width = images.shape[2:]
    ranges = _ranges(next(iter(nets.values())))
    scene = {
        f"{axis}axis": {"range": list(ranges[i]), "title": {"text": f"PC {i + 1}"}, "nticks": 5}
        for i, axis in enumerate(_AXES)
    }
    return {
        "height": 540,
        "scene": {**scene, "aspectmode": "cube", "camera": {"eye": {"x": 1.5, "y": 1.3, "z": 0.8}}},
        "legend": {**legend_below(0), "title": {"text": "digit"}},
        "xaxis": bare_axis(
            domain=[0.72, 1], range=[-0.5, width - 0.5], constrain="domain", constraintoward="right"
        ),
        "yaxis": bare_axis(
            domain=[0.66, 1],
            range=[1.5 * height, -0.5],
            scaleanchor="x",
            constrain="domain",
            constraintoward="top",
        ),
        "shapes": [
            {
                "type": "rect",
                "x0": -0.5,
                "x1": width - 0.5,
                "line": {"color": "#d2590a", "width": 2},
                "y0": 0,
                "y1": 0,
            }
        ],
    }


def _ranges(arrays: Arrays) -> np.ndarray:
    """Limits of the three axes that hold every path of a net, with a margin: (3, 2)."""
    every = np.concatenate([arrays["paths"], arrays["class_means"]]).reshape(-1, 3)
    low, high = every.min(0), every.max(0)
    margin = 0.04 * np.maximum(high - low, 1e-6)
    return np.stack([low - margin, high + margin], axis=1).astype(float)


def _bind_means(figure: Interactive, means: np.ndarray, seq_len: int) -> None:
    """``means`` (net, 10, S + B, 3), while the images are read: their blank rows would hide the chosen path."""
    for digit in range(10):
        for i, axis in enumerate(_AXES):
            figure.bind(digit, axis, means[:, digit, :seq_len, i], over="net")


def _bind_path(figure: Interactive, nets: Mapping[str, Arrays], seq_len: int) -> None:
    """The chosen image's path, and the place where it is after the chosen row."""
    paths = np.stack([by_digit(nets[net]["paths"], nets[net]["labels"]) for net in nets])
    named = np.stack([by_digit(nets[net]["predicted"], nets[net]["labels"]) for net in nets]).astype(np.int64)
    which = ("net", "digit", "image")
    for i, axis in enumerate(_AXES):
        figure.bind(_READ, axis, paths[..., :seq_len, i], over=which)
        figure.bind(_TAIL, axis, paths[..., seq_len - 1 :, i], over=which)
        figure.bind(_NOW, axis, paths[..., i, None], over=(*which, "row"))
    figure.figure.data[_READ].customdata = np.arange(1, seq_len + 1)
    figure.bind(_READ, "marker.color", named[..., :seq_len], over=which)
    figure.bind(_NOW, "marker.color", named[..., None], over=(*which, "row"))


def _bind_image(figure: Interactive, images: np.ndarray, total: int) -> None:
    """The chosen image, with a frame around the row that is being read; below it on blank rows."""
    seq_len = images.shape[2]
    figure.bind(_IMAGE, "z", images, over=("digit", "image"))
    figure.figure.data[_BELIEF].update(x=[images.shape[3] / 2 - 0.5], y=[seq_len + 1])
    top = [min(row, seq_len) - 0.5 for row in range(total)]
    figure.bind_layout("shapes[0].y0", top, over="row")
    figure.bind_layout("shapes[0].y1", [y + 1 for y in top], over="row")


def _bind_belief(figure: Interactive, nets: Mapping[str, Arrays]) -> None:
    """What the readout names after the chosen row and how sure it is, in words under the image."""
    labels = [nets[net]["labels"] for net in nets]
    named = np.stack([by_digit(nets[net]["predicted"], own) for net, own in zip(nets, labels, strict=True)])
    sure = np.stack([by_digit(nets[net]["confidence"], own) for net, own in zip(nets, labels, strict=True)])
    rounded = np.rint(sure / 2.55).astype(np.int64)
    texts = np.array([[f"reads {digit}<br>{p} %" for p in range(101)] for digit in range(10)])
    figure.bind(_BELIEF, "text", texts[named, rounded][..., None], over=("net", "digit", "image", "row"))


def _right(arrays: Arrays, seq_len: int) -> float:
    """Share of the drawn images that the readout names rightly after the last row."""
    return float((arrays["predicted"][:, seq_len - 1] == arrays["labels"]).mean())


def _alt(nets: Mapping[str, Arrays], seq_len: int) -> str:
    first = next(iter(nets.values()))
    held = {net: percent(arrays["explained"].sum()) for net, arrays in nets.items()}
    return (
        f"Paths of hidden states in three dimensions: the mean path of each digit, and that of one of "
        f"{len(first['labels'])} test images with a mark that moves over {seq_len} rows and "
        f"{first['paths'].shape[1] - seq_len} blank rows, beside the image and the class the readout names. The three "
        f"axes hold this much of the states' variance: {listed(held)}."
    )


def _table(nets: Mapping[str, Arrays], seq_len: int) -> dict[str, Any]:
    explained = np.stack([arrays["explained"] for arrays in nets.values()])
    return {
        "net": net_names(nets),
        **{f"variance on axis {i + 1}": explained[:, i].round(4) for i in range(3)},
        "variance on all three": explained.sum(1).round(4),
        "images shown, named rightly": [round(_right(arrays, seq_len), 4) for arrays in nets.values()],
    }


def mean_components(nets: Mapping[str, Arrays]) -> Interactive:
    """One axis of the ten mean paths over time, on into the blank rows.

    Parameters
    ----------
    nets : mapping of str to mapping
        As in :func:`paths_in_space`.

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    names = list(nets)
    seq_len = nets[names[0]]["images"].shape[1]
    means = np.stack([nets[net]["class_means"] for net in names])  # (net, 10, S + B, 3)
    total = means.shape[2]
    limits = [[_padded(means[i, ..., axis]) for axis in range(3)] for i in range(len(names))]
    layout = curve_layout(
        "rows read; blank from the line on", "place on the axis", x_range=(1, total), y_range=limits[0][0]
    )
    layout["hovermode"] = "closest"
    layout["yaxis"].pop("tickformat", None)
    fig = go.Figure(
        [
            go.Scatter(x=np.arange(1, total + 1), mode="lines", name=str(d), line={"color": DIGITS[d]})
            for d in range(10)
        ],
        layout=layout,
    )
    fig.add_vline(x=seq_len, line={"color": NEUTRAL, "dash": "dot"})
    spread = np.ptp(means, axis=1).mean(-1)  # between the digits' means, (net, S + B)
    figure = Interactive(
        fig,
        alt=_components_alt(names, spread, seq_len),
        table={"rows read": steps(seq_len, total - seq_len)}
        | {f"{net}: between the means": spread[i].round(4) for i, net in enumerate(names)},
    )
    figure.select("axis", "Axis", [f"PC {i + 1}" for i in range(3)]).select("net", "Net", net_names(names))
    for digit in range(10):
        figure.bind(digit, "y", np.moveaxis(means[:, digit], -1, 1), over=("net", "axis"))
    return figure.bind_layout("yaxis.range", limits, over=("net", "axis"))


def _padded(values: np.ndarray) -> list[float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * max(high - low, 1e-6)
    return [low - margin, high + margin]


def _components_alt(names: list[str], spread: np.ndarray, seq_len: int) -> str:
    found = ", ".join(
        f"{net_name(net)} {spread[i, seq_len - 1]:.2f} after the last row and {spread[i, -1]:.2f} at the end"
        for i, net in enumerate(names)
    )
    return (
        f"Mean paths of the ten digits along one principal axis, over {seq_len} rows and {spread.shape[1] - seq_len} "
        f"blank rows. Distance between the two outermost means, averaged over three axes: {found}."
    )
