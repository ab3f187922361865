"""What a net reads: digits row by row with its belief, and where the ink begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.curves import add_nets, layout, reference
from rnnkit.figures.frame import net_name, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import DIGITS, NEUTRAL, digit_colorscale

Stack = Mapping[str, NDArray[Any]]
FIRST_DIGIT = 6  # the class that the paper speaks of most


def reading(images: Stack, labels: Stack, predicted: Stack, confidence: Stack) -> Interactive:
    """Draw a digit as it is read, and after each row the class the net would name and how sure it is.

    Parameters
    ----------
    images : mapping of str to ndarray (n_seeds, n, S, I) of uint8
        Net -> pixels; the first seed is drawn.
    labels : mapping of str to ndarray (n_seeds, n)
    predicted : mapping of str to ndarray (n_seeds, n, >= S)
        The class named after each row.
    confidence : mapping of str to ndarray (n_seeds, n, >= S) of uint8
        Its probability, 255 for certainty.
    """
    import plotly.graph_objects as go

    nets = list(predicted)
    pixels, truth = images[nets[0]][0], labels[nets[0]][0]
    num_rows = pixels.shape[1]
    chosen = _by_digit(truth)
    named = np.stack([predicted[net][0][:, :num_rows] for net in nets]).astype(int)
    sure = np.stack([confidence[net][0][:, :num_rows] for net in nets]) / 255
    start = num_rows // 2 - 1
    alt, table = _reading_numbers(nets, named, sure, truth)
    figure = Interactive(
        go.Figure(_reading_traces(num_rows, pixels.shape[2]), layout=_reading_frame(num_rows)),
        alt=alt,
        table=table,
        caption="Left: the image, the rows not yet read covered. Right: after each row, the digit the net "
        "would name; the bar's length is its probability.",
    )
    add_nets(figure, nets).select("digit", "Digit", range(10), start=FIRST_DIGIT)
    figure.select("example", "Example", range(1, chosen.shape[1] + 1))
    figure.slider("row", "Rows read", range(1, num_rows + 1), start=start)
    figure.bind("image", "z", pixels[chosen], over=("digit", "example"))
    over = ("net", "digit", "example")
    figure.bind("belief", "x", np.rint(100 * sure[:, chosen]).astype(int), over=over)
    figure.bind("belief", "marker.color", named[:, chosen], over=over)
    figure.bind("belief", "text", named[:, chosen].astype(str), over=over)
    rows = np.arange(1.0, num_rows + 1)
    # What is not yet said waits outside the axis: a bar without a place would leave its text without one.
    figure.bind("belief", "y", np.where(rows <= rows[:, None], rows, -num_rows).astype(int), over="row")
    return figure.bind_layout("shapes[0].y0", (rows + 0.5).tolist(), over="row")


def _by_digit(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Indices of as many images of each class, (10, examples)."""
    members = [np.flatnonzero(labels == digit) for digit in range(10)]
    count = min(len(member) for member in members)
    return np.stack([member[:count] for member in members])


def _reading_traces(num_rows: int, num_columns: int) -> list[Any]:
    import plotly.graph_objects as go

    image = go.Heatmap(
        name="image",
        x=np.arange(1, num_columns + 1),
        y=np.arange(1, num_rows + 1),
        colorscale=[[0, "#000000"], [1, "#ffffff"]],
        zmin=0,
        zmax=255,
        showscale=False,
        hoverinfo="skip",
    )
    marker = {"colorscale": digit_colorscale(), "cmin": -0.5, "cmax": 9.5, "showscale": False}
    belief = go.Bar(
        name="belief",
        orientation="h",
        xaxis="x2",
        marker=marker,
        textposition="outside",
        constraintext="none",
        width=0.85,
        hovertemplate="after row %{y}: %{text}, %{x} %<extra></extra>",
    )
    return [image, belief]


def _reading_frame(num_rows: int) -> dict[str, Any]:
    cover = {
        "type": "rect",
        "xref": "x domain",
        "yref": "y",
        "x0": 0,
        "x1": 1,
        "y0": num_rows + 0.5,
        "y1": num_rows + 0.5,
        "fillcolor": NEUTRAL,
        "opacity": 0.85,
        "line": {"width": 0},
    }
    frame = layout(
        "pixel",
        "row",
        height=420,
        xaxis={"domain": [0, 0.5], "showgrid": False},
        yaxis={"range": [num_rows + 0.5, 0.5], "showgrid": False, "zeroline": False},
    )
    beside = {
        "domain": [0.56, 1],
        "range": [0, 112],
        "tickvals": [0, 50, 100],
        "ticksuffix": " %",
        "title": {"text": "probability"},
    }
    return frame | {"xaxis2": beside, "shapes": [cover], "showlegend": False}


def _reading_numbers(
    nets: list[str], named: NDArray[Any], sure: NDArray[Any], truth: NDArray[Any]
) -> tuple[str, dict[str, list[Any]]]:
    """How often the named class is right over all images of the figure, by row."""
    right = (named == truth[:, None]).mean(axis=1)  # (nets, S)
    half = right.shape[1] // 2
    said = "; ".join(
        f"{net_name(net)} {percent(right[i, half - 1])} after row {half} and {percent(right[i, -1])} after "
        f"the last row"
        for i, net in enumerate(nets)
    )
    alt = (
        f"A digit, revealed row by row, beside the class that the net would name after each row and its "
        f"probability. Of the {len(truth)} images of this figure the named class is right: {said}. Mean "
        f"probability of the named class after the last row, {net_name(nets[0])}: "
        f"{percent(sure[0, :, -1].mean())}."
    )
    table: dict[str, list[Any]] = {"rows read": list(range(1, right.shape[1] + 1))}
    for index, net in enumerate(nets):
        table[f"named rightly: {net_name(net)}"] = right[index].tolist()
    return alt, table


def ink(
    started: NDArray[Any], started_per_class: NDArray[Any], mean_ink: NDArray[Any], *, early_step: int
) -> Interactive:
    """Draw how many images have any ink by each row, per class, and how much ink a row holds.

    Parameters
    ----------
    started : ndarray (S,)
        Share of images with ink at or before each row.
    started_per_class : ndarray (10, S)
    mean_ink : ndarray (S,)
        Mean pixel of each row, blank being 0.
    early_step : int
        The row to mark: the paper's early time step.
    """
    import plotly.graph_objects as go

    rows = np.arange(1, len(started) + 1)
    hover = "row %{x}: %{y:.1%}<extra>%{fullData.name}</extra>"
    traces: list[Any] = [
        go.Bar(
            name="ink in row",
            x=rows,
            y=mean_ink / max(float(np.max(mean_ink)), 1e-12),
            marker={"color": NEUTRAL, "opacity": 0.35},
            hovertemplate=hover,
        )
    ]
    for digit, curve in enumerate(started_per_class):
        line = {"color": DIGITS[digit], "width": 1.5}
        traces.append(
            go.Scatter(name=str(digit), x=rows, y=curve, mode="lines", line=line, hovertemplate=hover)
        )
    whole = {"color": NEUTRAL, "width": 4}
    traces.append(
        go.Scatter(name="all images", x=rows, y=started, mode="lines", line=whole, hovertemplate=hover)
    )
    frame = layout(
        "row",
        "share of images with ink so far",
        height=500,
        xaxis={"range": [0.4, len(rows) + 0.6]},
        yaxis={"range": [0, 1.02], "tickformat": ".0%"},
        **reference(early_step, f"row {early_step}", axis="x", xanchor="left"),
    )
    early = started_per_class[:, early_step - 1]
    per_class = ", ".join(f"{digit}: {percent(share)}" for digit, share in enumerate(early))
    most = int(np.argmax(started >= 0.99)) + 1 if (started >= 0.99).any() else None
    all_of_them = f" By row {most}, 99 % have." if most else ""
    return Interactive(
        go.Figure(traces, layout=frame),
        alt=f"Share of test images that have any ink by each row. By row {early_step}, "
        f"{percent(started[early_step - 1])} have some ink, by class {per_class}.{all_of_them}",
        table={"row": rows.tolist(), "all images": started.tolist()}
        | {str(digit): curve.tolist() for digit, curve in enumerate(started_per_class)},
        caption="Grey bars: mean ink of the row, as a share of the fullest row's.",
    )
