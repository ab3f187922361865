"""How the state moves when nothing more is read: the size of a step, and the period of its circles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.bands import stack_seeds
from rnnkit.figures.curves import add_nets, add_seeds, bind_curve, curve_traces, layout, span
from rnnkit.figures.frame import net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.spectrum import leading_pair
from rnnkit.figures.theme import NEUTRAL, net_color

Stack = Mapping[str, NDArray[np.float64]]
FLOOR = 1e-8  # steps smaller than this are drawn as this
# A state whose steps are smaller is at rest: rounding 200 numbers near 1 to 32 bits moves it by about 1e-6.
REST = 1e-5
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
LATE = 100  # steps at the end over which it is judged
MEASURED, PREDICTED = "measured, one image each", "2π / angle of the leading pair"


def periods(
    measured: Stack, state_change: Stack, real: Stack, imag: Stack, seeds: Sequence[int]
) -> Interactive:
    """Draw the period of each image's state on blank rows beside the one of the leading complex pair.

    Parameters
    ----------
    measured : mapping of str to ndarray (n_seeds, n)
        Net -> period in steps by autocorrelation, NaN where the state does not oscillate.
    state_change : mapping of str to ndarray (n_seeds, T)
        Net -> mean distance moved at each step. Where it has sunk to rounding, so has the oscillation, and its
        period is not drawn.
    real, imag : mapping of str to ndarray (n_seeds, H)
        Net -> eigenvalues of weight_hh.
    seeds : sequence of int
    """
    import plotly.graph_objects as go

    nets = list(measured)
    moving = {net: late_movement(state_change[net])[:, None] >= REST for net in nets}
    found = stack_seeds({net: np.where(moving[net], measured[net], np.nan) for net in nets})
    said = np.full(found.shape[:2], np.nan)
    for index, net in enumerate(nets):
        for place, (r, i) in enumerate(zip(real[net], imag[net], strict=True)):
            said[index, place] = leading_pair(r, i)[1]
    spread = np.linspace(-0.3, 0.3, found.shape[-1])
    x = np.arange(found.shape[1])[:, None] + spread
    hover = "%{y:.1f} steps<extra>%{fullData.name}</extra>"
    dots = go.Scatter(
        name=MEASURED, mode="markers", x=x.ravel(), marker={"size": 6, "opacity": 0.6}, hovertemplate=hover
    )
    mark = {"symbol": "line-ew", "size": 34, "line": {"width": 3, "color": NEUTRAL}}
    lines = go.Scatter(
        name=PREDICTED, mode="markers", x=np.arange(found.shape[1]), marker=mark, hovertemplate=hover
    )
    ends = _log_ends(np.concatenate([found.ravel(), said.ravel()]))
    frame = layout("seed", "period in steps (logarithmic)", xaxis={"range": [-0.6, found.shape[1] - 0.4]})
    frame["xaxis"] |= {"tickvals": list(range(len(seeds))), "ticktext": [str(seed) for seed in seeds]}
    frame["yaxis"] |= {
        "type": "log",
        "range": ends,
        "tickvals": TICKS,
        "ticktext": [str(tick) for tick in TICKS],
    }
    figure = Interactive(
        go.Figure([dots, lines], layout=frame),
        alt="Period of the state's oscillation on blank rows, per image and seed, beside the period that the "
        "leading complex pair of eigenvalues stands for. "
        + "; ".join(_period_words(net, found[i], said[i]) for i, net in enumerate(nets))
        + ".",
        table=_period_table(nets, found, said, seeds),
        caption="A state that comes to rest or does not oscillate has no dot; the table counts those that do.",
    )
    add_nets(figure, nets)
    figure.bind(MEASURED, "y", found.reshape(len(nets), -1), over="net").bind(
        PREDICTED, "y", said, over="net"
    )
    return figure.bind_values(MEASURED, "marker.color", [net_color(net) for net in nets], over="net")


def _log_ends(values: NDArray[Any]) -> list[float]:
    """Range of a logarithmic axis around the finite values, in decades."""
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if len(finite) else (1.0, 10.0)
    return [float(np.log10(low)) - 0.15, float(np.log10(high)) + 0.15]


def _period_words(net: str, found: NDArray[Any], said: NDArray[Any]) -> str:
    some = found[np.isfinite(found)]
    if not len(some):
        return f"{net_name(net)}: no image oscillates"
    finite = said[np.isfinite(said)]
    beside = f", leading pair {span(finite, '.1f')}" if len(finite) else ""
    return (
        f"{net_name(net)}: {len(some)} states of {found.size} oscillate, median {np.median(some):.1f} "
        f"steps{beside}"
    )


def _period_table(
    nets: list[str], found: NDArray[Any], said: NDArray[Any], seeds: Sequence[int]
) -> dict[str, list[Any]]:
    names = ("net", "seed", "images that oscillate", "images", "median period", "leading pair")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for i, net in enumerate(nets):
        for j, seed in enumerate(seeds):
            some = found[i, j][np.isfinite(found[i, j])]
            median = float(np.median(some)) if len(some) else float("nan")
            row = (net_name(net), seed, len(some), found.shape[-1], median, float(said[i, j]))
            for name, value in zip(names, row, strict=True):
                columns[name].append(value)
    return columns


def movement(state_change: Stack, seeds: Sequence[int], *, num_rows: int) -> Interactive:
    """Draw how far the state moves at each step, through the image and the blank rows after it.

    Parameters
    ----------
    state_change : mapping of str to ndarray (n_seeds, S + num_extra)
        Net -> mean over images of ||h_t - h_(t-1)||.
    seeds : sequence of int
    num_rows : int
        S, where the image ends.
    """
    import plotly.graph_objects as go

    nets = list(state_change)
    logs = {net: np.log10(np.maximum(state_change[net], FLOOR)) for net in nets}
    steps = np.arange(1, np.shape(logs[nets[0]])[1] + 1)
    traces: list[Any] = []
    for net in nets:
        hover = "step %{x}: 10^%{y:.2f}<extra>" + net_name(net) + "</extra>"
        traces += curve_traces(net_name(net), steps, net_color(net), hovertemplate=hover)
    top = int(np.ceil(max(float(log.max()) for log in logs.values())))
    ticks = list(range(int(np.log10(FLOOR)), top + 1, 2))
    frame = layout(
        "step (the image, then blank rows)",
        "distance moved in a step",
        xaxis={"range": [0, len(steps) + 1]},
        yaxis={"range": [ticks[0] - 0.3, top + 0.3], "tickvals": ticks},
        shapes=[_image_span(num_rows)],
    )
    frame["yaxis"]["ticktext"] = [f"10<sup>{tick}</sup>".replace("-", "−") for tick in ticks]
    late = {net: late_movement(state_change[net]) for net in nets}
    said = "; ".join(f"{net_name(net)} {_rest_words(late[net])}" for net in nets)
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt="Mean distance that the state moves in each step, through the image and the blank rows after it, "
        f"on a logarithmic axis. Over the last {LATE} blank rows: {said}.",
        table={
            "net": [net_name(net) for net in nets for _ in late[net]],
            "seed": [seed for net in nets for seed, _ in zip(seeds, late[net], strict=False)],
            "last row of the image": [float(one[num_rows - 1]) for net in nets for one in state_change[net]],
            f"last {LATE} blank rows": [float(value) for net in nets for value in late[net]],
        },
        caption="The shaded steps are those of the image itself. Steps below one in a hundred million are drawn "
        "as that: the state rests.",
    )
    add_seeds(figure, seeds)
    for net in nets:
        bind_curve(figure, net_name(net), logs[net])
    windows = [[0, len(steps) + 1], [0, num_rows + 60], [0, num_rows + 1]]
    names = ["all", "image and 60 blank rows", "image only"]
    return figure.select("zoom", "Steps", names).bind_layout("xaxis.range", windows, over="zoom")


def late_movement(state_change: NDArray[Any]) -> NDArray[np.float64]:
    """The mean step over the last ones of (n_seeds, T), (n_seeds,)."""
    late: NDArray[np.float64] = np.asarray(state_change, dtype=np.float64)[:, -LATE:].mean(axis=1)
    return late


def _rest_words(late: NDArray[np.float64]) -> str:
    """``at rest``, or how many seeds are and how far the others move in a step."""
    moving = late[late >= REST]
    if not len(moving):
        return "at rest"
    resting = (
        f"at rest in {len(late) - len(moving)} of {len(late)} seeds, else " if len(moving) < len(late) else ""
    )
    return f"{resting}{span(moving, '.2g')} a step"


def _image_span(num_rows: int) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": "x",
        "yref": "y domain",
        "x0": 0.5,
        "x1": num_rows + 0.5,
        "y0": 0,
        "y1": 1,
        "fillcolor": NEUTRAL,
        "opacity": 0.15,
        "line": {"width": 0},
        "layer": "below",
    }
