"""How far back a loss reaches: norms of its gradient by lag, before and after training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnkit.figures.curves import add_seeds, bind_curve, counted_seeds, curve_traces, layout
from rnnkit.figures.frame import net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, finite, mean, number, present, require_axes
from rnnkit.figures.theme import net_color

QUANTITIES = {"grad_state": "the state", "grad_input": "the input"}
_WHEN = ("after training", "before training")  # as they are offered; records hold before first
_SCALES = ("norm of the gradient", "norm, as a share of that at lag 0")
_DECADES = 16.0  # that an axis spans at most


def gradient_by_lag(nets: Nets, seeds: Sequence[int] | None = None) -> Interactive:
    """Draw the norm of the loss's gradient with respect to the state or the input, against the steps before the last.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``grad_state`` and ``grad_input`` (n_seeds, 2, T): before and after training, mean over images of the
        norm at each step; the last one is lag 0. A net without them is left out.
    seeds : sequence of int, optional
        Names of the seeds; 0, 1, 2 ... if not given.

    Raises
    ------
    ValueError
        When no net has them both, or a shape is another one.

    Notes
    -----
    Logarithms are drawn, so that the page's 16 bits are fine at every magnitude; means over seeds are geometric. A
    norm of zero has no logarithm and is not drawn.
    """
    import plotly.graph_objects as go

    found = present(nets, *QUANTITIES)
    length = np.shape(next(iter(found.values()))["grad_state"])[-1]
    values = {
        net: np.stack([_logs(require_axes(f"{net}, {q}", arrays[q], "seeds", 2, length)) for q in QUANTITIES])
        for net, arrays in found.items()
    }  # (quantity, when, scale, seed, lag)
    most = max(own.shape[3] for own in values.values())
    traces: list[Any] = []
    for net in found:
        hover = "lag %{x}: 10^%{y:.2f}<extra>" + net_name(net) + "</extra>"
        traces += curve_traces(net_name(net), np.arange(length), net_color(net), hovertemplate=hover)
    ranges = [
        [[_range([own[q, w, s] for own in values.values()]) for s in (0, 1)] for w in (0, 1)] for q in (0, 1)
    ]
    frame = layout("lag in steps", _SCALES[0], xaxis={"range": [0, length - 1]}, yaxis=_log_axis(ranges))
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=_alt(values, length, most),
        table=_table(values, length),
        caption="Line: geometric mean over seeds; band: lowest to highest seed. Lag 0 is the last step.",
    )
    figure.select("quantity", "Gradient by", list(QUANTITIES.values())).select("when", "Net", _WHEN)
    figure.select("scale", "Scale", _SCALES)
    add_seeds(figure, list(range(most)) if seeds is None else seeds)
    for net, own in values.items():
        bind_curve(figure, net_name(net), own, over=("quantity", "when", "scale"))
    figure.bind_layout("yaxis.range", ranges, over=("quantity", "when", "scale"))
    return figure.bind_layout("yaxis.title.text", list(_SCALES), over="scale")


def _logs(norms: np.ndarray) -> np.ndarray:
    """Decimal logarithms by lag, after training first, as they are and against lag 0: (when, scale, seed, lag)."""
    norms = finite(norms)[:, ::-1, ::-1].swapaxes(0, 1)  # (when, seed, lag)
    logs = np.full(norms.shape, np.nan)
    np.log10(norms, out=logs, where=norms > 0)
    return np.stack([logs, logs - logs[..., :1]], axis=1)


def _range(logs: Sequence[np.ndarray]) -> list[float]:
    """Whole decades that hold all values, or the highest of them."""
    known = np.concatenate([own[~np.isnan(own)] for own in logs])
    if not known.size:
        return [-1.0, 1.0]
    high = float(np.ceil(known.max() + 0.05))
    return [float(max(np.floor(known.min()), high - _DECADES)), high]


def _log_axis(ranges: Sequence[Any]) -> dict[str, Any]:
    """A linear axis of logarithms whose ticks are called by the powers of ten."""
    ends = np.array(ranges)
    ticks = np.arange(int(ends.min()), int(ends.max()) + 1)
    stride = 2 if np.ptp(ends, axis=-1).max() > 8 else 1
    ticks = ticks[ticks % stride == 0]
    return {
        "range": list(ranges[0][0][0]),
        "tickvals": ticks.tolist(),
        "ticktext": [f"10<sup>{tick}</sup>".replace("-", "−") for tick in ticks],
        "zeroline": False,
    }


def _share(own: np.ndarray, quantity: int, when: int, lag: int) -> str:
    """Against lag 0, in powers of ten where it is small."""
    value = float(mean(own[quantity, when, 1, :, lag]))
    if np.isnan(value):
        return "nothing"
    return f"{10**value:.2g}"


def _lags(length: int) -> list[int]:
    return [lag for lag in (100, 400, 783) if lag < length] or [length - 1]


def _alt(values: dict[str, np.ndarray], length: int, most: int) -> str:
    lags = _lags(length)
    told = "; ".join(
        f"{net_name(net)} "
        + ", ".join(
            f"{_share(own, 0, 1, lag)} before and {_share(own, 0, 0, lag)} after training at lag {lag}"
            for lag in lags
        )
        for net, own in values.items()
    )
    return (
        f"Norm of the gradient of the loss against the steps before the last, on a log axis, geometric mean and range "
        f"{counted_seeds(most)}. By the state, as a share of that at lag 0: {told}."
    )


def _table(values: dict[str, np.ndarray], length: int) -> dict[str, list[Any]]:
    """Decimal logarithms at some lags."""
    lags = [lag for lag in (0, 10, 30, 100, 200, 400, 600, 783) if lag < length]
    rows = [
        (net, q, when, lag)
        for net in values
        for q in range(len(QUANTITIES))
        for when in (1, 0)
        for lag in lags
    ]
    words = list(QUANTITIES.values())
    return {
        "net": [net_name(net) for net, *_ in rows],
        "gradient by": [words[q] for _, q, *_ in rows],
        "training": [_WHEN[when] for *_, when, _ in rows],
        "lag": [lag for *_, lag in rows],
        "log10 of the norm": [number(mean(values[net][q, when, 0, :, lag]), 2) for net, q, when, lag in rows],
    }
