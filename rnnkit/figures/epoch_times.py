"""How long an epoch takes, and on what (Table I, Irisarri)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.frame import net_name, net_names
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.net_rows import Ends, bar, interval_said, net_traces, paper_trace, rows_layout
from rnnkit.figures.nets import given, mean, number


def epoch_times(
    seconds: Mapping[str, Any],
    devices: Mapping[str, str],
    intervals: Mapping[str, Ends],
    paper: Mapping[str, float] | None = None,
    *,
    paper_device: str = "NVIDIA RTX 3090",
    budgets: Mapping[str, str] | None = None,
) -> Interactive:
    """Draw how long an epoch takes, on a log axis, with the device named.

    Parameters
    ----------
    seconds : mapping of str to ndarray (n_seeds,)
        By net, seconds per epoch.
    devices : mapping of str to str
        By net, what it was trained on.
    intervals : mapping of str to (float, float, str)
        By net, low and high of the 95 % interval of its geometric mean, and what that is over; nets may be missing.
    paper : mapping of str to float, optional
    paper_device : str
    budgets : mapping of str to str, optional

    Raises
    ------
    ValueError
        When no net has a time, or a net no device.
    """
    import plotly.graph_objects as go

    found = given(seconds, "seconds per epoch")
    nets = list(found)
    if nameless := [net for net in nets if not devices.get(net)]:
        raise ValueError(f"devices: not said for {', '.join(nameless)}")
    theirs = np.array([(paper or {}).get(net, np.nan) for net in nets], dtype=float)
    bars = np.array([bar(intervals.get(net)) for net in nets])
    every = np.concatenate([*(values.ravel() for values in found.values()), theirs, bars.ravel()])
    logs = np.log10(every[~np.isnan(every) & (every > 0)])
    frame = rows_layout(nets, budgets, "seconds per epoch", None)
    ticks = [digit * 10**power for power in range(-2, 5) for digit in (1, 2, 5)]
    frame["xaxis"] |= {
        "type": "log",
        "tickvals": ticks,
        "range": [float(logs.min()) - 0.15, float(logs.max()) + 0.15],
    }
    fig = go.Figure(layout=frame)
    for place, (net, values) in enumerate(found.items()):
        line, dots = net_traces(net, place, len(values))
        dots.hovertemplate = f"%{{x:.3g}} s on {devices[net]}%{{text}}<extra>{net_name(net)}</extra>"
        text = [interval_said(intervals.get(net), _seconds)] * len(values)
        fig.add_traces([line.update(x=bars[place]), dots.update(x=values, text=text)])
    if paper:
        fig.add_trace(
            paper_trace(len(nets), theirs).update(hovertemplate="%{x:.3g} s<extra>the paper</extra>")
        )
    told = ", ".join(_said(net, values, devices[net], intervals.get(net)) for net, values in found.items())
    beside = ", ".join(
        f"{net_name(net)} {value:.3g} s"
        for net, value in zip(nets, theirs, strict=True)
        if not np.isnan(value)
    )
    table: dict[str, list[Any]] = {
        "net": net_names(nets),
        "device": [devices[net] for net in nets],
        "seconds per epoch, geometric mean": [number(_middle(values), 3) for values in found.values()],
        "95 % from": [number(low, 3) for low, _ in bars],
        "95 % to": [number(high, 3) for _, high in bars],
    }
    if beside:
        table[f"paper, {paper_device}"] = [number(value) for value in theirs]
    return Interactive(
        fig,
        alt=f"Seconds per epoch of each net on a log axis, geometric mean over seeds and its 95 % interval: {told}."
        + (f" The paper on an {paper_device}: {beside}." if beside else ""),
        table=table,
        caption="One dot per seed; line: 95 % interval of their geometric mean (Student's t)"
        + (f"; open diamond: the paper, on an {paper_device}." if beside else "."),
    )


def _said(net: str, values: np.ndarray, device: str, interval: Ends | None) -> str:
    ends = "" if interval is None else f" [{interval[0]:.3g}, {interval[1]:.3g}, over {interval[2]}]"
    return f"{net_name(net)} {_seconds(_middle(values))}{ends} on {device}"


def _middle(values: np.ndarray) -> float:
    """The mean on a logarithmic axis."""
    return float(np.exp(mean(np.log(values))))


def _seconds(value: float) -> str:
    return f"{value:.3g} s"
