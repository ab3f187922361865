"""Test images with the digits that nets name (Fig. 5, 15 and 25, Anirudh R)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.frame import bare_axis
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import all_said, said
from rnnkit.figures.nets import require_axes

_CAPTION = 0.56  # of the side of a tile, below it for its words
_TILE = 72  # pixels of the screen that a tile is about as wide as
_WRONG = "#d2590a"
_LEVELS = 255


def samples(images: Any, labels: Any, predictions: Mapping[str, Any], *, columns: int = 4) -> Interactive:
    """Draw test images in a grid, each with the digit that a net names and whether that is right.

    Parameters
    ----------
    images : ndarray (n, S, I) of uint8
    labels : ndarray (n,) of int
    predictions : mapping of str to ndarray (n,) of int
        By net.
    columns : int

    Raises
    ------
    ValueError
        When there is no image or no net, or an array does not fit.
    """
    import plotly.graph_objects as go

    images = require_axes("images", images, "n", "rows", "columns")
    labels = require_axes("labels", labels, len(images))
    named = {net: require_axes(f"{net}, predictions", own, len(images)) for net, own in predictions.items()}
    if not len(images) or not named or columns < 1:
        raise ValueError("samples: an image, a net and a column are needed")
    mosaic, places = _mosaic(images, columns)
    scale = [[0, "rgba(0,0,0,0)"], [0.5 / (_LEVELS + 1), "rgba(0,0,0,0)"]]
    scale += [[0.5 / (_LEVELS + 1), "#000000"], [1, "#ffffff"]]
    heat = go.Heatmap(
        name="images", z=mosaic, colorscale=scale, zmin=0, zmax=_LEVELS + 1, showscale=False, hoverinfo="skip"
    )
    side = images.shape[2]
    words = go.Scatter(
        name="words",
        x=[left + side / 2 - 0.5 for _, left in places],
        y=[top + images.shape[1] + 0.5 for top, _ in places],
        mode="text",
        textposition="bottom center",
        textfont={"size": 12},
        hoverinfo="skip",
    )
    wrong = {net: int((own != labels).sum()) for net, own in named.items()}
    figure = Interactive(
        go.Figure([heat, words], layout=_layout(mosaic.shape, places, images.shape[1:], columns)),
        alt=f"{len(images)} test images with the digit that a net names. Named wrongly: "
        + "; ".join(f"{said(net)} {count}{_wrong_said(named[net], labels)}" for net, count in wrong.items())
        + ".",
        table={"true digit": labels} | {f"named by {said(net)}": own for net, own in named.items()},
        caption="✓ named rightly; ✗ named wrongly, framed, with the true digit below.",
    )
    figure.select("net", "Net", all_said(named))
    texts = [[_words(int(n), int(t)) for n, t in zip(own, labels, strict=True)] for own in named.values()]
    figure.bind("words", "text", np.array(texts), over="net")
    for k in range(len(images)):
        figure.bind_layout(
            f"shapes[{k}].visible", [bool(own[k] != labels[k]) for own in named.values()], over="net"
        )
    return figure


def _words(named: int, true: int) -> str:
    return f"{named} ✓" if named == true else f"{named} ✗<br>true {true}"


def _wrong_said(named: np.ndarray, labels: np.ndarray) -> str:
    pairs = [f"a {true} as {own}" for own, true in zip(named, labels, strict=True) if own != true]
    return f" ({', '.join(pairs)})" if pairs else ""


def _mosaic(images: np.ndarray, columns: int) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """All images as one picture, levels 1.. where there is an image and 0 between; top and left of each."""
    num, height, width = images.shape
    tall, wide = height + math.ceil(_CAPTION * height), width + 2
    mosaic = np.zeros((math.ceil(num / columns) * tall, columns * wide), dtype=np.int64)
    places = [(k // columns * tall + 1, k % columns * wide + 1) for k in range(num)]
    for image, (top, left) in zip(images, places, strict=True):
        mosaic[top : top + height, left : left + width] = 1 + image.astype(np.int64)
    return mosaic, places


def _layout(
    shape: tuple[int, ...], places: list[tuple[int, int]], image: tuple[int, ...], columns: int
) -> dict[str, Any]:
    tall, wide = shape
    frames = [
        {
            "type": "rect",
            "x0": left - 0.5,
            "x1": left + image[1] - 0.5,
            "y0": top - 0.5,
            "y1": top + image[0] - 0.5,
            "line": {"color": _WRONG, "width": 3},
        }
        for top, left in places
    ]
    return {
        "height": 24 + round(_TILE * columns * tall / wide),
        "margin": {"t": 8, "l": 8, "r": 8, "b": 8},
        "showlegend": False,
        "xaxis": bare_axis(range=[-0.5, wide - 0.5], constrain="domain"),
        "yaxis": bare_axis(
            range=[tall - 0.5, -0.5], scaleanchor="x", constrain="domain", constraintoward="top"
        ),
        "shapes": frames,
    }
