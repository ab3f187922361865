"""What a Legendre memory holds: the window of the last theta steps, as its polynomials give it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnkit.figures.curves import layout
from rnnkit.figures.frame import legend_below
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import finite, mean, number, require_axes
from rnnkit.figures.theme import CLUSTERS, NEUTRAL

SIGNALS = ("a smooth signal", "a permuted digit")
_COLORS = (CLUSTERS[7], CLUSTERS[5])


def true_window(signal: np.ndarray, times: np.ndarray, delays: np.ndarray) -> np.ndarray:
    """What a perfect memory would hold: the input some steps ago, 0 before the start.

    Parameters
    ----------
    signal : ndarray (..., T)
        Input at steps 1..T.
    times : ndarray (W,)
        Steps that have been read.
    delays : ndarray (D,)
        Steps ago; 0 is the last input read. Between two steps the value is interpolated.

    Returns
    -------
    ndarray (..., W, D)
    """
    signal = np.asarray(signal, dtype=float)
    places = np.asarray(times, float)[:, None] - np.asarray(delays, float)  # counted from 1
    steps = np.arange(signal.shape[-1] + 1)
    flat = [np.interp(places, steps, [0.0, *row], left=0) for row in signal.reshape(-1, signal.shape[-1])]
    return np.stack(flat).reshape(*signal.shape[:-1], *places.shape)


def window(
    signal: np.ndarray,
    reconstruction: np.ndarray,
    error: np.ndarray,
    *,
    times: np.ndarray,
    delays: np.ndarray,
    orders: Sequence[int],
    signals: Sequence[str] = SIGNALS,
) -> Interactive:
    """Draw an input, and of its last part what a memory of some order still holds, at every time.

    Parameters
    ----------
    signal : ndarray (K, T)
        Inputs by step; K signals.
    reconstruction : ndarray (K, R, W, D)
        The window as read from memories of R orders at W times and D delays.
    error : ndarray (K, R, W)
        Root mean square error of the window.
    times : ndarray (W,)
        Steps that have been read, 1..T.
    delays : ndarray (D,)
        Steps ago, 0 to theta.
    orders : sequence of int (R,)
    signals : sequence of str (K,)
        What the signals are called.
    """
    import plotly.graph_objects as go

    signal = finite(require_axes("signal", signal, len(signals), "T"))
    shape = (len(signals), len(orders), len(times))
    error = finite(require_axes("error", error, *shape))
    read = finite(require_axes("reconstruction", reconstruction, *shape, len(delays)))
    truth = true_window(signal, times, delays)
    low = min(float(signal.min()), float(np.nanquantile(read, 0.002)))
    high = max(float(signal.max()), float(np.nanquantile(read, 0.998)))
    margin = 0.08 * (high - low)
    steps, y_range = np.arange(1, signal.shape[1] + 1), [low - margin, high + margin]
    thin = {"color": NEUTRAL, "width": 1.5}
    traces = [
        go.Scatter(name="input", x=steps, mode="lines", line=thin, showlegend=False, hoverinfo="skip"),
        go.Scatter(
            name="true window", mode="lines", line={**thin, "width": 6}, opacity=0.7, xaxis="x2", yaxis="y2"
        ),
        go.Scatter(name="read from the memory", mode="lines", xaxis="x2", yaxis="y2"),
    ]
    traces[2].line = {"color": _COLORS[1], "width": 2}
    for trace in traces[1:]:
        trace.x, trace.hovertemplate = np.asarray(delays, float), "%{x:.0f} steps ago: %{y:.2f}"
    figure = Interactive(
        go.Figure(traces, layout=_layout(signal.shape[1], float(np.max(delays)), y_range)),
        alt=_window_alt(error, times, orders, signals),
        table=_window_table(error, times, orders, signals),
        caption="Top: the input; tinted: the window. Below: the window as it was, and as the memory gives it back.",
    )
    figure.select("signal", "Input", signals).select(
        "order", "Order of the memory", list(orders), start=len(orders) - 1
    )
    figure.slider("time", "Steps read", [int(t) for t in times], start=2 * len(times) // 3)
    over = ("signal", "order", "time")
    figure.bind("input", "y", signal, over="signal")
    figure.bind("true window", "y", truth, over=("signal", "time"))
    figure.bind("read from the memory", "y", read, over=over)
    theta = float(np.max(delays))
    figure.bind_layout("shapes[0].x0", [max(float(t) - theta, 0.0) for t in times], over="time")
    figure.bind_layout("shapes[0].x1", [float(t) for t in times], over="time")
    titles = [[[_error_said(e) for e in row] for row in block] for block in error]
    return figure.bind_layout("annotations[0].text", titles, over=over)


def _error_said(error: float) -> str:
    return "" if np.isnan(error) else f"root mean square error {error:.3f}"


def _layout(length: int, theta: float, y_range: list[float]) -> dict[str, Any]:
    box = {"type": "rect", "xref": "x", "yref": "y domain", "x0": 0, "x1": length, "y0": 0, "y1": 1}
    note = {"text": "", "showarrow": False, "x": 0, "y": 0.56, "xref": "paper", "yref": "paper"}
    return {
        "height": 520,
        "margin": {"t": 16},
        "legend": legend_below(-0.17),
        "xaxis": {"title": {"text": "step", "standoff": 2}, "range": [0, length], "anchor": "y"},
        "yaxis": {"range": y_range, "domain": [0.74, 1], "anchor": "x", "nticks": 4},
        "xaxis2": {"title": {"text": "steps ago"}, "range": [theta, 0], "anchor": "y2"},
        "yaxis2": {"range": y_range, "domain": [0, 0.54], "anchor": "x2"},
        "shapes": [{**box, "fillcolor": _COLORS[1], "opacity": 0.18, "line": {"width": 0}, "layer": "below"}],
        "annotations": [{**note, "xanchor": "left", "yanchor": "bottom"}],
    }


def _window_alt(error: np.ndarray, times: np.ndarray, orders: Sequence[int], signals: Sequence[str]) -> str:
    told = "; ".join(
        f"{name}: " + ", ".join(f"{own[r, -1]:.3f} at order {order}" for r, order in enumerate(orders))
        for name, own in zip(signals, error, strict=True)
    )
    return (
        f"An input, and its last steps as they were beside what a Legendre memory gives back, over {len(times)} times. "
        f"Root mean square error after step {int(times[-1])}: {told}."
    )


def _window_table(
    error: np.ndarray, times: np.ndarray, orders: Sequence[int], signals: Sequence[str]
) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {"steps read": [int(t) for t in times]}
    for k, name in enumerate(signals):
        for r, order in enumerate(orders):
            table[f"error, {name}, order {order}"] = [number(value) for value in error[k, r]]
    return table


def error_by_order(
    error: np.ndarray, *, times: np.ndarray, orders: Sequence[int], signals: Sequence[str] = SIGNALS
) -> Interactive:
    """Draw the error of the window against the order of the memory, at every time and over all of them.

    Parameters
    ----------
    error : ndarray (K, R, W)
        Root mean square error by signal, order and time.
    times : ndarray (W,)
    orders : sequence of int (R,)
    signals : sequence of str (K,)
    """
    import plotly.graph_objects as go

    error = finite(require_axes("error", error, len(signals), len(orders), len(times)))
    shown = np.concatenate([mean(error, axis=2)[..., None], error], axis=2)  # all times first
    known = shown[~np.isnan(shown)]
    top = 1.08 * float(known.max()) if known.size else 1.0
    x_axis = {
        "type": "log",
        "range": [float(np.log10(min(orders))) - 0.1, float(np.log10(max(orders))) + 0.1],
        "tickvals": list(orders),
        "ticktext": [str(order) for order in orders],
    }
    frame = layout(
        "order of the memory", "root mean square error", xaxis=x_axis, yaxis={"range": [0, top]}, height=400
    )
    traces = [
        go.Scatter(
            name=name,
            x=list(orders),
            mode="lines+markers",
            line={"color": _COLORS[i % 2], "width": 2.5},
            marker={"size": 9, "symbol": ("circle", "diamond")[i % 2]},
            hovertemplate="order %{x}: %{y:.3f}<extra>" + name + "</extra>",
        )
        for i, name in enumerate(signals)
    ]
    told = "; ".join(
        f"{name}: "
        + ", ".join(f"{value:.3f} at order {order}" for order, value in zip(orders, own, strict=True))
        for name, own in zip(signals, shown[:, :, 0], strict=True)
    )
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=f"Root mean square error of the window by order of the memory, mean over {len(times)} times: {told}.",
        table={"order": list(orders)}
        | {
            f"mean error, {name}": [number(v) for v in own]
            for name, own in zip(signals, shown[:, :, 0], strict=True)
        },
    )
    figure.slider("time", "Steps read", ["mean over all", *[int(t) for t in times]])
    for k, name in enumerate(signals):
        figure.bind(name, "y", shown[k].T, over="time")
    return figure
