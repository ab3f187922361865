"""Where the parameters of a model are (Table I, Irisarri)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.frame import legend_below, net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import CLUSTERS, NEUTRAL

_SHOWN = ("number", "share of the model's")


def parameters(
    counts: Mapping[str, Mapping[str, int]], paper: Mapping[str, int] | None = None
) -> Interactive:
    """Draw how many parameters each part of each model has.

    Parameters
    ----------
    counts : mapping of str to mapping of str to int
        By net, part -> number of parameters; nets may differ in parts.
    paper : mapping of str to int, optional
        By net, what the paper reports.

    Raises
    ------
    ValueError
        When no net has a part, or there are more parts than colours.
    """
    import plotly.graph_objects as go

    nets = [net for net, parts in counts.items() if parts]
    parts = list(dict.fromkeys(part for net in nets for part in counts[net]))
    if not nets or len(parts) > len(CLUSTERS):
        raise ValueError(f"counts: 1 to {len(CLUSTERS)} parts can be drawn, not {len(parts)}")
    table = np.array([[counts[net].get(part, 0) for part in parts] for net in nets], dtype=np.int64)
    totals = table.sum(axis=1)
    shown = np.stack([table, 100 * table / np.maximum(totals, 1)[:, None]])
    traces = [
        go.Bar(
            name=part,
            y=list(range(len(nets))),
            orientation="h",
            marker={"color": CLUSTERS[i]},
            hovertemplate="%{x:,.4~r}<extra>" + part + "</extra>",
        )
        for i, part in enumerate(parts)
    ]
    theirs = [(paper or {}).get(net, np.nan) for net in nets]
    frame = _frame(nets, 1.06 * np.nanmax([*totals, *theirs]), len(parts))
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=f"Parameters of {len(nets)} models by part. In all: "
        + ", ".join(f"{net_name(net)} {total:,}" for net, total in zip(nets, totals, strict=True))
        + "."
        + _against(nets, totals, theirs),
        table={
            "net": [net_name(net) for net in nets],
            **{part: table[:, i] for i, part in enumerate(parts)},
            "in all": totals,
            **({"paper": [None if np.isnan(n) else int(n) for n in theirs]} if paper else {}),
        },
        caption="Open diamond: the paper's number." if paper else None,
    )
    figure.select("shown", "Show", _SHOWN)
    for i, part in enumerate(parts):
        figure.bind(part, "x", shown[:, :, i], over="shown")
    if paper:
        marker = {"color": NEUTRAL, "symbol": "diamond-open", "size": 12, "line": {"width": 2}}
        figure.figure.add_trace(
            go.Scatter(
                name="the paper",
                y=list(range(len(nets))),
                mode="markers",
                marker=marker,
                hovertemplate="%{x:,}",
            )
        )
        figure.bind("the paper", "x", np.stack([theirs, np.full(len(nets), np.nan)]), over="shown")
    figure.bind_layout("xaxis.range", [list(frame["xaxis"]["range"]), [0, 100]], over="shown")
    return figure.bind_layout("xaxis.title.text", ["parameters", "share of the parameters, %"], over="shown")


def _frame(nets: list[str], most: float, num_parts: int) -> dict[str, Any]:
    height = 190 + 42 * len(nets) + 12 * num_parts
    return {
        "height": height,
        "barmode": "stack",
        "margin": {"t": 24},
        "legend": {**legend_below(-70 / height), "traceorder": "normal"},
        "xaxis": {"title": {"text": "parameters"}, "range": [0, float(most)], "nticks": 5},
        "yaxis": {
            "range": [len(nets) - 0.5, -0.5],
            "tickvals": list(range(len(nets))),
            "ticktext": [net_name(net).replace(", ", ",<br>") for net in nets],
            "zeroline": False,
        },
    }


def _against(nets: list[str], totals: np.ndarray, theirs: list[float]) -> str:
    """Where the paper's number is another one."""
    known = [
        (net, int(own), int(n)) for net, own, n in zip(nets, totals, theirs, strict=True) if not np.isnan(n)
    ]
    if not known:
        return ""
    other = [f"{net_name(net)} {own - n:+,}" for net, own, n in known if own != n]
    return f" Against the paper: {', '.join(other)}." if other else " The paper has the same numbers."
