"""The steps around a training's fall: the gradient that threw it, and the same steps taken otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.curves import layout, reference
from rnnkit.figures.frame import percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import finite, require_axes
from rnnkit.figures.theme import NEUTRAL, net_color

_QUANTITIES = ("step", "norm", "accuracy")


@dataclass(frozen=True)
class Line:
    """One way to take the steps: what it is called, and how its line looks."""

    title: str
    color: str
    dash: str


LINES = {
    "as_trained": Line("as trained", net_color("lmu-rnn"), "solid"),
    "fp32": Line("float32", NEUTRAL, "dash"),
    "fp32_late": Line("float32 from that step on", NEUTRAL, "dot"),
    "clipped": Line("clipped", net_color("lmu-rnn-clipped"), "dashdot"),
}


def fall(lines: Mapping[str, Mapping[str, NDArray[Any]]], thrown: int, *, seed: int) -> Interactive:
    """Draw the gradient's norm and the accuracy of each batch by step, as a net was trained and otherwise.

    Parameters
    ----------
    lines : mapping of str to mapping
        By name of `LINES`, ``step``, ``norm`` and ``accuracy`` (n,) each; all are there, and ``fp32_late`` begins at
        ``thrown``.
    thrown : int
        The step whose gradient threw the training off.
    seed : int
        Of the training.

    Raises
    ------
    ValueError
        A line that is missing or unknown or lacks something, or a step that is not among those as trained.
    """
    import plotly.graph_objects as go

    if set(lines) != set(LINES):
        raise ValueError(f"lines: {', '.join(lines) or 'none'}; they are {', '.join(LINES)}")
    checked = {name: _checked(name, lines[name]) for name in LINES}
    steps = checked["as_trained"]["step"]
    if thrown not in steps or checked["fp32_late"]["step"][0] != thrown:
        raise ValueError(f"thrown: no step {thrown}, or float32 does not begin there")
    norms = np.concatenate([arrays["norm"] for arrays in checked.values()])
    known = np.log10(norms[norms > 0])
    frame = layout("step", "", height=560)
    frame |= {
        "xaxis": {"title": {"text": "step"}, "range": [float(steps[0]), float(steps[-1])], "anchor": "y2"},
        "yaxis": {
            "title": {"text": "norm of the gradient"},
            "type": "log",
            "range": [float(np.floor(known.min())), float(np.ceil(known.max()))],
            "dtick": 1,
            "exponentformat": "power",
            "domain": [0.55, 1],
        },
        "yaxis2": {
            "title": {"text": "accuracy on the batch"},
            "range": [0, 1.02],
            "tickformat": ".0%",
            "domain": [0, 0.45],
        },
    }
    frame |= reference(float(thrown), f"step {thrown}", axis="x", xanchor="right")
    frame["annotations"][0] |= {"y": 0, "yanchor": "bottom", "yref": "y2 domain"}
    frame["shapes"][0] |= {"yref": "paper", "line": {"color": NEUTRAL, "width": 1}}
    fig = go.Figure(layout=frame)
    for name, line in LINES.items():
        fig.add_traces(_traces(line, checked[name]))
    fig.add_trace(
        go.Scatter(
            name="float32, same weights",
            x=[thrown],
            y=checked["fp32_late"]["norm"][:1],
            mode="markers",
            marker={"color": NEUTRAL, "size": 10, "symbol": "diamond"},
            hovertemplate="step %{x}: %{y:.3g}<extra>float32, same weights</extra>",
        )
    )
    return Interactive(
        fig,
        alt=_alt(checked, thrown, seed),
        table=_table(checked, thrown),
        caption=f"LMU + sRNN, seed {seed}. Above: norm of the gradient of all weights, before clipping. Below: "
        "accuracy on the batch that the step is taken with.",
    )


def reach(reaches: NDArray[Any], image: NDArray[Any], digit: int, thrown: int) -> Interactive:
    """Draw how far each image of the batch at that step reaches: in half precision across, in float32 up.

    Parameters
    ----------
    reaches : ndarray (2, batch)
        Norm of the gradient of each image's own loss at its pixels, in half precision and in float32, at the same
        weights.
    image : ndarray (height, width)
        The image that reaches farthest in half precision, in 0..255.
    digit : int
        What it shows.
    thrown : int
        The step.
    """
    import plotly.graph_objects as go

    half, exact = finite(require_axes("reaches", reaches, 2, "batch"))
    shown = require_axes("image", image, "height", "width")
    both = np.concatenate([half, exact])
    known = np.log10(both[both > 0])
    ends = [float(np.floor(known.min())), float(np.ceil(known.max() + 0.15))]
    farthest = int(half.argmax())
    axis = {"type": "log", "range": ends, "dtick": 2, "exponentformat": "power"}
    frame = layout("gradient in bfloat16", "gradient in float32", height=480, xaxis=axis, yaxis=axis)
    frame |= {
        "xaxis2": {"domain": [0.05, 0.32], "anchor": "y2", "visible": False, "fixedrange": True},
        "yaxis2": {
            "domain": [0.66, 0.97],
            "anchor": "x2",
            "autorange": "reversed",
            "visible": False,
            "fixedrange": True,
            "scaleanchor": "x2",
        },
    }
    sizes = np.full(len(half), 5.0)
    sizes[farthest] = 11.0
    dots = go.Scatter(
        name="an image of the batch",
        x=half,
        y=exact,
        mode="markers",
        marker={"color": net_color("lmu-rnn"), "size": sizes, "opacity": 0.7},
        hovertemplate="bfloat16 %{x:.3g}<br>float32 %{y:.3g}<extra></extra>",
    )
    equal = [10 ** ends[0], 10 ** ends[1]]
    diagonal = go.Scatter(
        name="equal", x=equal, y=equal, mode="lines", line={"color": NEUTRAL, "dash": "dot"}, hoverinfo="skip"
    )
    pixels = go.Heatmap(
        z=shown,
        xaxis="x2",
        yaxis="y2",
        colorscale=[[0, "#000000"], [1, "#ffffff"]],
        showscale=False,
        hoverinfo="skip",
    )
    near = np.isclose(half, exact, rtol=0.1, atol=0)
    told = (
        f"Of the {len(half):,} images at step {thrown}, {int(near.sum()):,} reach equally far in both precisions, to a "
        f"tenth. The farthest, a {digit}, reaches {half[farthest]:.3g} in bfloat16 and {exact[farthest]:.3g} in "
        f"float32; the next one {np.sort(half)[-2]:.3g}."
    )
    return Interactive(
        go.Figure([dots, diagonal, pixels], layout=frame),
        alt=f"Norm of the gradient of each image's loss at its pixels. {told}",
        table={
            "images": ["half reach less than", "99 of 100 less than", "the second farthest", "the farthest"],
            "bfloat16": _spread(half),
            "float32": _spread(exact),
        },
        caption="A dot for each image of the batch: the norm of its own loss's gradient at its pixels. The large dot "
        f"is the {digit} in the corner.",
    )


def _spread(values: NDArray[Any]) -> list[str]:
    return [f"{value:.3g}" for value in (*np.quantile(values, [0.5, 0.99]), *np.sort(values)[-2:])]


def _checked(name: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    if missing := [key for key in _QUANTITIES if key not in arrays]:
        raise ValueError(f"{name}: no {', '.join(missing)}")
    length = len(require_axes(f"{name}, step", arrays["step"], "n"))
    return {key: finite(require_axes(f"{name}, {key}", arrays[key], length)) for key in _QUANTITIES}


def _traces(line: Line, arrays: Mapping[str, NDArray[Any]]) -> list[Any]:
    import plotly.graph_objects as go

    style = {"color": line.color, "dash": line.dash, "width": 2}
    return [
        go.Scatter(
            name=line.title,
            x=arrays["step"],
            y=arrays[quantity],
            yaxis=axis,
            mode="lines",
            line=style,
            legendgroup=line.title,
            showlegend=axis == "y",
            hovertemplate="step %{x}: " + form + "<extra>" + line.title + "</extra>",
        )
        for quantity, axis, form in (("norm", "y", "%{y:.3g}"), ("accuracy", "y2", "%{y:.1%}"))
    ]


def _before_and_after(arrays: Mapping[str, NDArray[Any]], thrown: int) -> tuple[str, str]:
    """The largest norm from the step on that threw the training, and the accuracy of the last ten batches."""
    late = arrays["norm"][arrays["step"] >= thrown]
    return f"{late.max():.3g}", percent(float(np.mean(arrays["accuracy"][-10:])))


def _alt(checked: Mapping[str, Mapping[str, NDArray[Any]]], thrown: int, seed: int) -> str:
    trained = checked["as_trained"]
    usual = float(np.median(trained["norm"][trained["step"] < thrown]))
    there = float(trained["norm"][trained["step"] == thrown][0])
    exact = float(checked["fp32_late"]["norm"][0])
    ends = "; ".join(
        f"{LINES[name].title} {_before_and_after(arrays, thrown)[1]}" for name, arrays in checked.items()
    )
    return (
        f"Norm of the gradient and accuracy by step, LMU + sRNN, seed {seed}. Before step {thrown} the norm is about "
        f"{usual:.2g}; there it is "
        f"{there:.3g} in the precision of the training and {exact:.3g} in float32 at the same weights. Accuracy of "
        f"the last ten batches: {ends}."
    )


def _table(checked: Mapping[str, Mapping[str, NDArray[Any]]], thrown: int) -> dict[str, list[Any]]:
    rows = {LINES[name].title: _before_and_after(arrays, thrown) for name, arrays in checked.items()}
    return {
        "steps taken": list(rows),
        f"largest norm from step {thrown} on": [norm for norm, _ in rows.values()],
        "accuracy of the last ten batches": [accuracy for _, accuracy in rows.values()],
    }
