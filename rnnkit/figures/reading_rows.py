"""What the nets of the lab believe while they read a digit row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import add_curve
from rnnkit.figures.curves import counted_seeds, layout, reference
from rnnkit.figures.frame import legend_below, mean_and_range, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import DASHES, all_said, color, fractions, said, upright
from rnnkit.figures.nets import mean, number, require_axes
from rnnkit.figures.theme import DIGITS, NEUTRAL

NUM_CLASSES = 10
_CHANCE = 0.1


def reading(
    images: Any, labels: Any, belief: Mapping[str, Any], *, nets: Sequence[str] | None = None
) -> Interactive:
    """Draw a digit as it is read, what a net believes after each row, and the belief of all nets in the truth.

    Parameters
    ----------
    images : ndarray (n, S, I) of uint8
        Row by row.
    labels : ndarray (n,) of int
        True digits.
    belief : mapping of str to ndarray (n, S, 10)
        By net, probabilities of the digits after each row.
    nets : sequence of str, optional
        Which to draw, in their order; all if not given.

    Raises
    ------
    ValueError
        When a net is missing, or an array does not fit.
    """
    import plotly.graph_objects as go

    images, labels = _pictures(images, labels)
    num, num_rows, width = images.shape
    found = _beliefs(belief, nets, num, num_rows)
    truths = {net: own[np.arange(num), :, labels] for net, own in found.items()}  # (image, row)
    traces = [*_reading_traces(num_rows, width), *_truth_traces(found, num_rows)]
    figure = Interactive(
        go.Figure(traces, layout=_reading_layout(num_rows, width)),
        alt=_reading_alt(labels, found, truths),
        table={"rows read": list(range(1, num_rows + 1))}
        | {
            f"mean belief in the truth, {said(net)}": [number(v) for v in mean(own, axis=0)]
            for net, own in truths.items()
        },
        caption="Left: the image, the rows not yet read covered. Right: the net's belief; “true” stands above the "
        "true digit. Below: the belief of every net in the true digit, row by row.",
    )
    figure.select("net", "Net", all_said(found)).select("image", "Image", _image_names(labels, found))
    figure.slider("row", "Rows read", range(1, num_rows + 1), start=num_rows // 2 - 1)
    figure.bind("image", "z", images.astype(np.int64), over="image")
    shown = np.rint(100 * np.stack(list(found.values()))).astype(int)
    figure.bind("belief", "y", shown, over=("net", "image", "row"))
    figure.bind("true digit", "x", labels[:, None], over="image")
    for net, own in truths.items():
        figure.bind(said(net), "y", own, over="image")
    rows = np.arange(1.0, num_rows + 1)
    figure.bind_layout("shapes[0].y0", (rows + 0.5).tolist(), over="row")
    figure.bind_layout("shapes[1].x0", rows.tolist(), over="row")
    return figure.bind_layout("shapes[1].x1", rows.tolist(), over="row")


def _pictures(images: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    images = require_axes("images", images, "n", "rows", "columns")
    labels = require_axes("labels", labels, len(images))
    if not len(images):
        raise ValueError("images: at least one is needed")
    if labels.dtype.kind not in "iu" or not np.isin(labels, range(NUM_CLASSES)).all():
        raise ValueError(f"labels: digits 0 to 9 are needed, not {np.unique(labels).tolist()}")
    return images, labels.astype(int)


def _beliefs(
    belief: Mapping[str, Any], nets: Sequence[str] | None, num: int, num_rows: int
) -> dict[str, np.ndarray]:
    chosen = list(belief) if nets is None else list(nets)
    missing = [net for net in chosen if net not in belief]
    if missing or not chosen:
        raise ValueError(
            f"no belief of {', '.join(missing) or 'any net'}; given: {', '.join(belief) or 'none'}"
        )
    return {net: fractions(f"{net}, belief", belief[net], num, num_rows, NUM_CLASSES) for net in chosen}


def _image_names(labels: np.ndarray, found: Mapping[str, np.ndarray]) -> list[str]:
    """What the select calls the images: the digit, and which nets name another one in the end."""
    names = []
    for k, label in enumerate(labels):
        wrong = [said(net) for net, own in found.items() if own[k, -1].argmax() != label]
        names.append(f"{k + 1}: a {label}" + (f", wrong: {', '.join(wrong)}" if wrong else ""))
    return names


def _reading_traces(num_rows: int, width: int) -> list[Any]:
    import plotly.graph_objects as go

    image = go.Heatmap(
        name="image",
        x=np.arange(1, width + 1),
        y=np.arange(1, num_rows + 1),
        colorscale=[[0, "#000000"], [1, "#ffffff"]],
        zmin=0,
        zmax=255,
        showscale=False,
        hoverinfo="skip",
    )
    belief = go.Bar(
        name="belief",
        x=list(range(NUM_CLASSES)),
        marker={"color": list(DIGITS)},
        hovertemplate="%{x}: %{y} %<extra></extra>",
        showlegend=False,
        xaxis="x2",
        yaxis="y2",
    )
    true = go.Scatter(
        name="true digit",
        y=[106],
        text=["true"],
        mode="markers+text",
        textposition="top center",
        marker={"symbol": "triangle-down", "size": 10, "color": NEUTRAL},
        hovertemplate="true digit %{x}<extra></extra>",
        showlegend=False,
        xaxis="x2",
        yaxis="y2",
    )
    return [image, belief, true]


def _dashes(nets: Sequence[str]) -> list[str]:
    """A dash for each net: another one for each net of a cell."""
    colors = [color(net) for net in nets]
    return [DASHES[colors[:i].count(own) % len(DASHES)] for i, own in enumerate(colors)]


def _truth_traces(found: Mapping[str, Any], num_rows: int) -> list[Any]:
    import plotly.graph_objects as go

    return [
        go.Scatter(
            name=said(net),
            x=np.arange(1, num_rows + 1),
            mode="lines",
            line={"color": color(net), "width": 2.5, "dash": dash},
            hovertemplate="row %{x}: %{y:.1%}<extra>" + said(net) + "</extra>",
            xaxis="x3",
            yaxis="y3",
        )
        for net, dash in zip(found, _dashes(list(found)), strict=True)
    ]


def _reading_layout(num_rows: int, width: int) -> dict[str, Any]:
    cover = {"type": "rect", "xref": "x", "yref": "y", "x0": 0.5, "x1": width + 0.5, "y1": num_rows + 0.5}
    cover |= {"y0": num_rows + 0.5, "fillcolor": NEUTRAL, "opacity": 0.85, "line": {"width": 0}}
    bare = {"showgrid": False, "zeroline": False, "constrain": "domain", "ticks": "", "showticklabels": False}
    return {
        "height": 540,
        "margin": {"t": 16, "r": 10, "l": 52},
        "legend": legend_below(-0.17),
        "xaxis": {**bare, "range": [0.5, width + 0.5], "domain": [0, 0.4], "anchor": "y"},
        "yaxis": {
            **bare,
            "range": [num_rows + 0.5, 0.5],
            "domain": [0.5, 1],
            "anchor": "x",
            "scaleanchor": "x",
        },
        "xaxis2": {
            "range": [-0.6, 9.6],
            "domain": [0.54, 1],
            "anchor": "y2",
            "tickvals": list(range(NUM_CLASSES)),
            "tickangle": 0,
            "zeroline": False,
        },
        "yaxis2": {
            "range": [0, 122],
            "domain": [0.5, 1],
            "anchor": "x2",
            "tickvals": [0, 50, 100],
            "ticktext": ["0%", "50%", "100%"],
        },
        "xaxis3": {
            "title": {"text": "rows read"},
            "range": [0.5, num_rows + 0.5],
            "anchor": "y3",
            "zeroline": False,
        },
        "yaxis3": {
            "title": {"text": "belief in the truth"},
            "range": [-0.02, 1.03],
            "tickformat": ".0%",
            "domain": [0, 0.38],
            "anchor": "x3",
        },
        "shapes": [cover, upright(num_rows, 2)],
    }


def _reading_alt(
    labels: np.ndarray, found: Mapping[str, np.ndarray], truths: Mapping[str, np.ndarray]
) -> str:
    half = next(iter(truths.values())).shape[1] // 2
    told = "; ".join(
        f"{said(net)} {percent(mean(own[:, half - 1]))} after row {half}, {percent(mean(own[:, -1]))} at the end, "
        f"{int((found[net][:, -1].argmax(axis=-1) == labels).sum())} of {len(labels)} images named rightly"
        for net, own in truths.items()
    )
    return (
        f"One of {len(labels)} test images, revealed row by row, beside the probabilities that a net gives to the ten "
        f"digits, and the belief of every net in the true digit by row. Mean belief in the truth: {told}."
    )


def reading_accuracy(accuracy_by_row: Mapping[str, Any]) -> Interactive:
    """Draw how many test images every net would name rightly after each row.

    Parameters
    ----------
    accuracy_by_row : mapping of str to ndarray (S,) or (n_seeds, S)
        By net, a fraction.

    Raises
    ------
    ValueError
        When there is no net, or an array does not fit.
    """
    import plotly.graph_objects as go

    if not accuracy_by_row:
        raise ValueError("no net has an accuracy by row")
    num_rows: str | int = "rows"
    found: dict[str, np.ndarray] = {}
    for net, values in accuracy_by_row.items():
        array = np.asarray(values)
        array = array[None] if array.ndim == 1 else array
        found[net] = fractions(f"{net}, accuracy by row", array, "seeds", num_rows)
        num_rows = found[net].shape[1]
    rows = np.arange(1, int(num_rows) + 1)
    frame = layout(
        "rows read",
        "test accuracy",
        xaxis={"range": [0.5, len(rows) + 0.5], "zeroline": False},
        yaxis={"range": [0, 1.02], "tickformat": ".0%"},
        **reference(_CHANCE, "chance"),
    )
    fig = go.Figure(layout=frame)
    for net, dash in zip(found, _dashes(list(found)), strict=True):
        first = add_curve(fig, rows, found[net], name=said(net), color=color(net), dash=dash)
        fig.data[first].hovertemplate = "row %{x}: %{y:.1%}<extra>" + said(net) + "</extra>"
    most = max(map(len, found.values()))
    at = {int(row) for row in np.linspace(1, len(rows), 5)[1:]}
    told = "; ".join(
        f"{said(net)} " + ", ".join(f"{percent(mean(own[:, row - 1]))} after row {row}" for row in sorted(at))
        for net, own in found.items()
    )
    return Interactive(
        fig,
        alt=f"Share of test images named rightly by rows read, mean {counted_seeds(most)}: {told}.",
        table={"rows read": rows}
        | {
            f"{said(net)}, %: mean [least, most]": [mean_and_range(100 * column, ".1f") for column in own.T]
            for net, own in found.items()
        },
        caption="Line: mean over seeds; band: lowest to highest seed. The nets were trained on whole images only.",
    )
