"""Accuracy when a sequence is blanked, cut or prolonged (Fig. 1, Horoi, Lajoie & Wolf)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.bands import stack_seeds
from rnnkit.figures.curves import (
    add_nets,
    add_seeds,
    bind_curve,
    color_by_net,
    curve_traces,
    layout,
    reference,
)
from rnnkit.figures.frame import net_name, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import NEUTRAL, net_color

Stack = Mapping[str, NDArray[np.float64]]
BLANKED, STOPPED = "1: then blank rows", "2: then stop"
WHITE, ZEROS = "rows as white paper is", "rows of zeros (mean grey)"
TABLE_STEPS = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    8,
    10,
    12,
    14,
    16,
    18,
    20,
    24,
    28,
    35,
    50,
    75,
    100,
    150,
    200,
    300,
    400,
    500,
)


def shown_rows(blank_after: Stack, stop_after: Stack, seeds: Sequence[int]) -> Interactive:
    """Draw experiments 1 and 2: accuracy against the rows shown (Fig. 1a).

    Parameters
    ----------
    blank_after, stop_after : mapping of str to ndarray (n_seeds, S + 1)
        Net -> accuracy after the first n rows and blank ones to the end, or right after the first n rows.
    seeds : sequence of int
    """
    import plotly.graph_objects as go

    nets = list(blank_after)
    blank, stop = stack_seeds(blank_after), stack_seeds(stop_after)
    shown = np.arange(blank.shape[-1])
    hover = "%{x} rows shown: %{y:.1%}<extra>%{fullData.name}</extra>"
    color = net_color(nets[0])
    traces = curve_traces(BLANKED, shown, color, hovertemplate=hover)
    traces += curve_traces(STOPPED, shown, color, dash="dash", hovertemplate=hover)
    frame = _accuracy_frame("rows shown", [-0.3, shown[-1] + 0.3])
    said = "; ".join(_gap(net, b[:, 1:-1] - s[:, 1:-1]) for net, b, s in _pairs(blank_after, stop_after))
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt="Accuracy against the rows shown, when blank rows follow to the full length (experiment 1) and when "
        f"the reading is stopped there (experiment 2). Experiment 1 minus experiment 2: {said}.",
        table=_shown_table(nets, blank, stop),
        caption="Solid: the rest of the image is blank. Dashed: the net is read out at once.",
    )
    add_nets(figure, nets)
    add_seeds(figure, seeds)
    for name, values in ((BLANKED, blank), (STOPPED, stop)):
        color_by_net(bind_curve(figure, name, values, over=("net",)), name, nets)
    return figure


def _accuracy_frame(x: str, x_range: Sequence[float]) -> dict[str, Any]:
    return layout(
        x,
        "accuracy",
        xaxis={"range": list(x_range)},
        yaxis={"range": [0, 1.02], "tickformat": ".0%"},
        **reference(0.1, "chance"),
    )


def _pairs(first: Stack, second: Stack) -> list[tuple[str, NDArray[Any], NDArray[Any]]]:
    return [(net, np.asarray(first[net]), np.asarray(second[net])) for net in first]


def _gap(net: str, gap: NDArray[np.float64]) -> str:
    """In words, for one net: the gap (n_seeds, S - 1) between the experiments, 1 to S - 1 rows shown."""
    mean = gap.mean(axis=0)
    at = int(mean.argmax())
    return (
        f"{net_name(net)} {_points(mean.mean())} points on average, from {_points(mean.min())} to "
        f"{_points(mean.max())} (with {at + 1} shown), above zero for {int((mean > 0).sum())} of "
        f"{len(mean)} numbers of rows"
    )


def _points(share: float | np.floating[Any]) -> str:
    """A difference of shares in percentage points, with its sign but never as -0.0."""
    return f"{round(100 * float(share), 1) + 0.0:+.1f}"


def _shown_table(nets: list[str], blank: NDArray[Any], stop: NDArray[Any]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"rows shown": list(range(blank.shape[-1]))}
    for index, net in enumerate(nets):
        columns[f"{net_name(net)}: then blank"] = np.nanmean(blank[index], axis=0).tolist()
        columns[f"{net_name(net)}: then stop"] = np.nanmean(stop[index], axis=0).tolist()
    return columns


def extra_rows(extra_blank: Stack, seeds: Sequence[int]) -> Interactive:
    """Draw experiment 3: accuracy against the blank rows added to the whole image (Fig. 1b).

    Parameters
    ----------
    extra_blank : mapping of str to ndarray (n_seeds, num_extra + 1)
        Net -> accuracy.
    seeds : sequence of int
    """
    import plotly.graph_objects as go

    nets, values = list(extra_blank), stack_seeds(extra_blank)
    added = np.arange(values.shape[-1])
    hover = "%{x} blank rows added: %{y:.1%}<extra></extra>"
    traces = curve_traces("3: blank rows added", added, net_color(nets[0]), hovertemplate=hover)
    windows = [w for w in ((0, added[-1]), (0, 100), (0, 30), (100, 200), (400, 500)) if w[1] <= added[-1]]
    windows = list(dict.fromkeys((int(a), int(b)) for a, b in windows))
    said = "; ".join(_drop(net, np.asarray(curve)) for net, curve in extra_blank.items())
    figure = Interactive(
        go.Figure(traces, layout=_accuracy_frame("blank rows added", _window(*windows[0]))),
        alt=f"Accuracy against the blank rows added after the whole image, 0 to {added[-1]}, mean over seeds: "
        f"{said}.",
        table=_extra_table(nets, values),
        caption="A mean over seeds blurs oscillations that are out of step: pick a single seed to see them.",
    )
    add_nets(figure, nets).select("zoom", "Blank rows", [f"{low} to {high}" for low, high in windows])
    add_seeds(figure, seeds, start=1)
    name = "3: blank rows added"
    color_by_net(bind_curve(figure, name, values, over=("net",)), name, nets)
    figure.figure.update_layout(showlegend=False)
    return figure.bind_layout("xaxis.range", [_window(*window) for window in windows], over="zoom")


def _window(low: int, high: int) -> list[float]:
    margin = 0.01 * (high - low)
    return [low - margin, high + margin]


def _drop(net: str, curves: NDArray[np.float64]) -> str:
    mean = curves.mean(axis=0)
    places = [n for n in (1, 5, 20) if n < len(mean)]
    after = ", ".join(f"{percent(mean[n])} after {n}" for n in places)
    late = curves[:, len(mean) // 5 :]
    return (
        f"{net_name(net)} {percent(mean[0])} without, {after}; later between {percent(late.min())} and "
        f"{percent(late.max())} over seeds and rows"
    )


def _extra_table(nets: list[str], values: NDArray[Any]) -> dict[str, list[Any]]:
    steps = [step for step in TABLE_STEPS if step < values.shape[-1]]
    columns: dict[str, list[Any]] = {"blank rows added": steps}
    for index, net in enumerate(nets):
        columns[net_name(net)] = np.nanmean(values[index], axis=0)[steps].tolist()
    return columns


def blank_meaning(
    blank_after: NDArray[Any],
    blank_after_zero: NDArray[Any],
    extra_blank: NDArray[Any],
    extra_blank_zero: NDArray[Any],
    seeds: Sequence[int],
) -> Interactive:
    """Draw experiments 1 and 3 of the net with normalised pixels, with two readings of "blank".

    Parameters
    ----------
    blank_after, blank_after_zero : ndarray (n_seeds, S + 1)
        Experiment 1 with rows of (0 - mean) / std, as white paper is, and with rows of zeros.
    extra_blank, extra_blank_zero : ndarray (n_seeds, num_extra + 1)
        The same for experiment 3.
    seeds : sequence of int
    """
    import plotly.graph_objects as go

    experiments = ["1: rows blanked", "3: rows added"]
    lengths = [np.shape(blank_after)[-1], np.shape(extra_blank)[-1]]
    longest = max(lengths)
    x = np.arange(longest)
    hover = "%{x}: %{y:.1%}<extra>%{fullData.name}</extra>"
    traces = curve_traces(WHITE, x, net_color("normalised"), hovertemplate=hover)
    traces += curve_traces(ZEROS, x, NEUTRAL, dash="dash", hovertemplate=hover)
    ranges = [_window(0, length - 1) for length in lengths]
    titles = ["rows shown", "blank rows added"]
    both = [
        (np.asarray(white, dtype=np.float64), np.asarray(zero, dtype=np.float64))
        for white, zero in ((blank_after, blank_after_zero), (extra_blank, extra_blank_zero))
    ]
    half = lengths[0] // 2
    figure = Interactive(
        go.Figure(traces, layout=_accuracy_frame(titles[0], ranges[0])),
        alt="Accuracy of the net with normalised pixels, where blank rows hold the value of white paper and "
        f"where they hold zeros, which is mean grey. With {half} rows shown: {percent(both[0][0][:, half].mean())} "
        f"and {percent(both[0][1][:, half].mean())}. With 5 blank rows added: "
        f"{percent(both[1][0][:, 5].mean())} and {percent(both[1][1][:, 5].mean())}.",
        table=_meaning_table(both),
    )
    figure.select("experiment", "Experiment", experiments)
    add_seeds(figure, seeds)
    for name, which in ((WHITE, 0), (ZEROS, 1)):
        curves = [_prolonged(pair[which], longest) for pair in both]
        bind_curve(figure, name, np.stack(curves), over=("experiment",))
    figure.bind_layout("xaxis.title.text", titles, over="experiment")
    return figure.bind_layout("xaxis.range", ranges, over="experiment")


def _prolonged(curves: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Repeat the last value up to a length; the axis ends before, so that nobody sees it."""
    return np.pad(curves, ((0, 0), (0, length - curves.shape[1])), mode="edge")


def _meaning_table(both: list[tuple[NDArray[Any], NDArray[Any]]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"experiment": [], "rows": [], WHITE: [], ZEROS: []}
    for number, (white, zero) in zip((1, 3), both, strict=True):
        steps = range(white.shape[1]) if number == 1 else [s for s in TABLE_STEPS if s < white.shape[1]]
        for step in steps:
            columns["experiment"].append(number)
            columns["rows"].append(step)
            columns[WHITE].append(float(white[:, step].mean()))
            columns[ZEROS].append(float(zero[:, step].mean()))
    return columns
