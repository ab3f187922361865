"""The images behind the cells of a confusion matrix, and how many of each class are found (Fig. 3, Irisarri)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnkit.figures import confusion
from rnnkit.figures.curves import layout
from rnnkit.figures.frame import legend_below, net_name, net_names, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, given, present, require_axes
from rnnkit.figures.theme import net_color

NUM_CLASSES = 10
MAX_ERRORS = 24  # cells of errors to pick from: the most frequent over all nets
_COLUMNS = 4
_LEVELS = 15  # of grey: finer ones are not seen at this size, and compress badly
_IMAGE = 28  # pixels of an image's side as drawn
_TILE, _CAPTION = 30, 11  # pixels of a tile's side, and below it for its words
_FRAME = "#d2590a"


@dataclass(frozen=True)
class Cell:
    """Cells of the matrix that a reader picks at once: one, or the errors of a row.

    Attributes
    ----------
    true : int
        Row.
    named : int or None
        Column; None for all errors of the row.
    """

    true: int
    named: int | None

    @property
    def label(self) -> str:
        """What the select calls it."""
        if self.named is None:
            return f"all errors of the {self.true}s"
        if self.named == self.true:
            return f"{self.true}s named rightly, the least sure"
        return f"{self.true} named {self.named}"

    @property
    def corners(self) -> dict[str, float]:
        """Frame around it in the matrix."""
        left, right = (
            (-0.5, NUM_CLASSES - 0.5) if self.named is None else (self.named - 0.5, self.named + 0.5)
        )
        return {"x0": left, "x1": right, "y0": self.true - 0.5, "y1": self.true + 0.5}


def cells(counts: Mapping[str, np.ndarray], most: int = MAX_ERRORS) -> list[Cell]:
    """Cells to pick from: the most frequent errors of all nets, the errors of each digit, and its unsure successes.

    Parameters
    ----------
    counts : mapping of str to ndarray (n_seeds, 10, 10)
        Net -> images by true and named class.
    most : int
        How many cells of errors.
    """
    shares = sum(_shares(values) for values in counts.values())
    errors = np.where(np.eye(NUM_CLASSES, dtype=bool), 0, shares)
    order = np.argsort(-errors, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), NUM_CLASSES) for place in order if errors.flat[place] > 0]
    digits = range(NUM_CLASSES)
    return [*(Cell(t, n) for t, n in pairs), *(Cell(d, None) for d in digits), *(Cell(d, d) for d in digits)]


def _shares(values: Any) -> np.ndarray:
    pooled = np.asarray(values, dtype=float).sum(axis=0)
    return pooled / np.maximum(pooled.sum(axis=1, keepdims=True), 1)


def mistakes(nets: Nets, *, seed: int = 0) -> Interactive:
    """Draw the confusion matrix of each net, and under it the images of the cell that a reader picks.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``matrix`` (n_seeds, 10, 10); ``index`` (n_seeds, 10, 10, K), the place of each image among the test
        images or -1; ``images`` (n_seeds, 10, 10, K, S, S) of uint8; ``confidence`` (n_seeds, 10, 10, K), the
        probability of the class that is named. A net without them is left out.
    seed : int
        Place of the seed whose images are shown; the matrix pools all of them.

    Raises
    ------
    ValueError
        When no net has them all, or a shape is another one.
    """
    found = present(nets, "matrix", "index", "images", "confidence")
    num = next(iter(found.values()))["index"].shape[-1]
    for net, arrays in found.items():
        require_axes(f"{net}, matrix", arrays["matrix"], "seeds", NUM_CLASSES, NUM_CLASSES)
        require_axes(f"{net}, index", arrays["index"], "seeds", NUM_CLASSES, NUM_CLASSES, num)
        require_axes(f"{net}, images", arrays["images"], "seeds", NUM_CLASSES, NUM_CLASSES, num, "S", "S")
        require_axes(f"{net}, confidence", arrays["confidence"], "seeds", NUM_CLASSES, NUM_CLASSES, num)
    counts = {net: arrays["matrix"] for net, arrays in found.items()}
    offered = cells(counts)
    shown = [[_gallery(arrays, cell, seed) for cell in offered] for arrays in found.values()]
    figure = confusion.matrix(counts)
    figure.caption = (
        "Rows add up to 100 %; the test images of all seeds together. Below: images of one seed in the framed cell, "
        "the surest errors first, with the class named and its probability."
    )
    figure.alt += f" Below, up to {num} images of a cell to pick. {_sure_said(list(found), shown, offered)}"
    _add_gallery(figure, num)
    figure.select("cell", "Cell", [cell.label for cell in offered])
    figure.bind(
        "gallery", "z", np.stack([[mosaic for mosaic, _ in row] for row in shown]), over=("net", "cell")
    )
    figure.bind(
        "names", "text", np.array([[words for _, words in row] for row in shown]), over=("net", "cell")
    )
    for corner in ("x0", "x1", "y0", "y1"):
        values = [cell.corners[corner] for cell in offered]
        figure.bind_layout(f"shapes[0].{corner}", values, over="cell")
    return figure


def _gallery(arrays: Mapping[str, Any], cell: Cell, seed: int) -> tuple[np.ndarray, list[str]]:
    """One picture of all images of a cell, levels 1.. where there is an image and 0 between; and words for each."""
    index, images, sure = (
        np.asarray(arrays[name])[seed, cell.true] for name in ("index", "images", "confidence")
    )
    num = index.shape[-1]
    columns = [cell.named] if cell.named is not None else [n for n in range(NUM_CLASSES) if n != cell.true]
    places = [(n, k) for n in columns for k in range(num) if index[n, k] >= 0]
    if cell.named is None:
        places.sort(key=lambda place: -float(sure[place]))
    mosaic = np.zeros((_rows(num) * (_TILE + _CAPTION), _COLUMNS * _TILE), dtype=np.int64)
    words = [""] * num
    for k, place in enumerate(places[:num]):
        row, column = divmod(k, _COLUMNS)
        top, left = row * (_TILE + _CAPTION) + 1, column * _TILE + 1
        mosaic[top : top + _IMAGE, left : left + _IMAGE] = 1 + _enlarged(images[place]) * _LEVELS // 255
        words[k] = f"{place[0]}: {100 * float(sure[place]):.0f} %"
    if not places:
        words[0] = "no image here"
    return mosaic, words


def _enlarged(image: np.ndarray) -> np.ndarray:
    """The image (S, S) as large as those of MNIST, each pixel repeated."""
    near_rows, near_columns = (np.arange(_IMAGE) * length // _IMAGE for length in image.shape)
    return np.asarray(image, dtype=np.int64)[np.ix_(near_rows, near_columns)]


def _rows(num: int) -> int:
    return math.ceil(num / _COLUMNS)


def _add_gallery(figure: Interactive, num: int) -> None:
    """The pictures under the matrix, which moves up, and the frame in it."""
    import plotly.graph_objects as go

    tall, wide = _rows(num) * (_TILE + _CAPTION), _COLUMNS * _TILE
    scale = [[0, "rgba(0,0,0,0)"], [0.5 / (_LEVELS + 1), "rgba(0,0,0,0)"]]
    scale += [[0.5 / (_LEVELS + 1), "#000000"], [1, "#ffffff"]]
    x = [(k % _COLUMNS + 0.5) * _TILE - 0.5 for k in range(num)]
    y = [(k // _COLUMNS) * (_TILE + _CAPTION) + _TILE for k in range(num)]
    on = {"xaxis": "x2", "yaxis": "y2", "hoverinfo": "skip"}
    figure.figure.add_traces(
        [
            go.Heatmap(name="gallery", colorscale=scale, zmin=0, zmax=_LEVELS + 1, showscale=False, **on),
            go.Scatter(name="names", x=x, y=y, mode="text", textposition="bottom center", **on),
        ]
    )
    bare = dict.fromkeys(("showgrid", "showline", "zeroline", "showticklabels"), False) | {"ticks": ""}
    below = 90 * _rows(num)
    height = 480 + below
    figure.figure.update_layout(
        height=height,
        yaxis={"domain": [(below + 60) / height, 1]},
        xaxis2={**bare, "range": [-0.5, wide - 0.5], "anchor": "y2", "constrain": "domain"},
        yaxis2={
            **bare,
            "range": [tall - 0.5, -0.5],
            "domain": [0, below / height],
            "anchor": "x2",
            "scaleanchor": "x2",
            "constrain": "domain",
            "constraintoward": "top",
        },
        shapes=[
            {"type": "rect", "line": {"color": _FRAME, "width": 2.5}, "x0": 0, "x1": 0, "y0": 0, "y1": 0}
        ],
    )


def _sure_said(nets: list[str], shown: list[list[tuple[np.ndarray, list[str]]]], offered: list[Cell]) -> str:
    """How sure the nets are of the images shown first."""
    told = [
        f"{net_name(net)} {', '.join(word for word in row[0][1] if word)}"
        for net, row in zip(nets, shown, strict=True)
    ]
    return f"Of “{offered[0].label}”, class named and probability: {'; '.join(told)}."


def recall(matrices: Mapping[str, Any]) -> Interactive:
    """Draw which share of each digit's images is named rightly, net by net.

    Parameters
    ----------
    matrices : mapping of str to ndarray (n_seeds, 10, 10)
        Net -> images by true (rows) and named class (columns); a net without one is left out.
    """
    import plotly.graph_objects as go

    found = given(matrices, "a confusion matrix")
    shares = {net: _recalls(net, values) for net, values in found.items()}
    place = np.linspace(-0.32, 0.32, len(shares)) if len(shares) > 1 else [0.0]
    traces = []
    for shift, (net, own) in zip(place, shares.items(), strict=True):
        middle = own.mean(axis=0)
        around = {
            "array": own.max(axis=0) - middle,
            "arrayminus": middle - own.min(axis=0),
            "thickness": 1.5,
            "width": 0,
        }
        traces.append(
            go.Scatter(
                name=net_name(net),
                x=np.arange(NUM_CLASSES) + shift,
                y=middle,
                mode="markers",
                marker={"color": net_color(net), "size": 8},
                error_y={"type": "data", "visible": len(own) > 1, "color": net_color(net), **around},
                hovertemplate="%{y:.2%}<extra>" + net_name(net) + "</extra>",
            )
        )
    low = min(float(own.min()) for own in shares.values())
    frame = layout(
        "true digit",
        "named rightly",
        xaxis={"tickvals": list(range(NUM_CLASSES)), "range": [-0.5, NUM_CLASSES - 0.5], "zeroline": False},
        yaxis={"range": [0, 1.01], "tickformat": ".0%"},
        legend=legend_below(),
    )
    told = "; ".join(f"{net_name(net)} {_ends_said(own.mean(axis=0))}" for net, own in shares.items())
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=f"Share of each digit's test images that is named rightly. Best and worst digit: {told}.",
        table={"net": [name for name in net_names(shares) for _ in range(NUM_CLASSES)]}
        | {"true digit": list(range(NUM_CLASSES)) * len(shares)}
        | {"named rightly": [round(float(v), 4) for own in shares.values() for v in own.mean(axis=0)]},
        caption="Dot: mean over seeds; line: lowest to highest seed.",
    )
    figure.select("zoom", "Axis", ["close up", "whole"])
    ranges = [[max(0.0, low - 0.1 * (1 - low) - 0.002), 1 + 0.05 * (1 - low) + 0.001], [0, 1.01]]
    return figure.bind_layout("yaxis.range", ranges, over="zoom")


def _recalls(net: str, values: np.ndarray) -> np.ndarray:
    """Share named rightly by seed and digit, (n_seeds, 10)."""
    values = require_axes(f"{net}, matrix", values, "seeds", NUM_CLASSES, NUM_CLASSES)
    return np.diagonal(values, axis1=1, axis2=2) / np.maximum(values.sum(axis=2), 1)


def _ends_said(shares: Sequence[float] | np.ndarray) -> str:
    best, worst = int(np.argmax(shares)), int(np.argmin(shares))
    return f"{best} ({percent(shares[best])}) and {worst} ({percent(shares[worst])})"
