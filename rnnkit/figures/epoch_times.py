"""How long an epoch takes, and on what (Table I, Irisarri)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.frame import mean_and_range, net_name, net_names
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.net_rows import ends, net_traces, paper_trace, rows_layout
from rnnkit.figures.nets import given, mean, number


def epoch_times(
    seconds: Mapping[str, Any],
    devices: Mapping[str, str],
    paper: Mapping[str, float] | None = None,
    *,
    paper_device: str = "NVIDIA RTX 3090",
    budgets: Mapping[str, str] | None = None,
) -> Interactive:
    """Draw how long an epoch takes, on a log axis, with the device named.

    Parameters
    ----------
    seconds : mapping of str to ndarray (n_seeds,)
        By net, mean seconds per epoch.
    devices : mapping of str to str
        By net, what it was trained on.
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
    every = np.concatenate([*(values.ravel() for values in found.values()), theirs])
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
        bar, dots = net_traces(net, place, len(values))
        dots.hovertemplate = "%{x:.3g} s on " + devices[net] + "<extra>" + net_name(net) + "</extra>"
        fig.add_traces([bar.update(x=ends(values, None)), dots.update(x=values)])
    if paper:
        fig.add_trace(
            paper_trace(len(nets), theirs).update(hovertemplate="%{x:.3g} s<extra>the paper</extra>")
        )
    told = ", ".join(
        f"{net_name(net)} {mean_and_range(values)} s on {devices[net]}" for net, values in found.items()
    )
    beside = ", ".join(
        f"{net_name(net)} {value:.3g} s"
        for net, value in zip(nets, theirs, strict=True)
        if not np.isnan(value)
    )
    table: dict[str, list[Any]] = {
        "net": net_names(nets),
        "device": [devices[net] for net in nets],
        "seconds per epoch": [number(mean(values), 3) for values in found.values()],
    }
    if beside:
        table[f"paper, {paper_device}"] = [number(value) for value in theirs]
    return Interactive(
        fig,
        alt=f"Seconds per epoch of each net on a log axis: {told}."
        + (f" The paper on an {paper_device}: {beside}." if beside else ""),
        table=table,
        caption="One dot per seed" + (f"; open diamond: the paper, on an {paper_device}." if beside else "."),
    )
