"""A row for each net, with a dot for each seed, a line for its interval and a diamond for the paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnnkit.figures.curves import layout
from rnnkit.figures.frame import net_name
from rnnkit.figures.theme import NEUTRAL, net_color

PAPER = "the paper"
Ends = tuple[float, float, str]
"""Low and high of a 95 % interval, and in words what it is over: ``3 seeds``."""


def bar(interval: Ends | None) -> tuple[float, float]:
    """Ends of the line behind the dots; NaN where there is no interval."""
    return (np.nan, np.nan) if interval is None else interval[:2]


def interval_said(interval: Ends | None, form: Callable[[float], str]) -> str:
    """An interval as a line of a dot's label; nothing where there is none."""
    if interval is None:
        return ""
    low, high, over = interval
    return f"<br>95 %: {form(low)} to {form(high)},<br>over {over.replace(' of ', '<br>of ')}"


def rows_layout(
    nets: list[str], budgets: Mapping[str, str] | None, title: str, x_range: list[float] | None
) -> dict[str, Any]:
    """Layout with a row for each net, the first on top."""
    notes = {net: f"<br>({budgets[net]})" if budgets and net in budgets else "" for net in nets}
    labels = [net_name(net).replace(", ", ",<br>") + notes[net] for net in nets]
    axis: dict[str, Any] = {"title": {"text": title}, "nticks": 6}
    if x_range:
        axis["range"] = x_range
    frame = layout(title, "", height=150 + 44 * len(nets), xaxis=axis)
    frame["yaxis"] = {
        "range": [len(nets) - 0.5, -0.5],
        "tickvals": list(range(len(nets))),
        "ticktext": labels,
        "zeroline": False,
    }
    frame["showlegend"] = False
    return frame


def net_traces(net: str, place: int, seeds: int) -> list[Any]:
    """A line for the interval (``NAME interval``) and a dot for every seed (``NAME``), on the row ``place``.

    The line has caps, higher than a dot: it may be shorter than one.
    """
    import plotly.graph_objects as go

    color, name = net_color(net), net_name(net)
    caps = {"symbol": "line-ns", "size": 13, "line": {"color": color, "width": 2}}
    return [
        go.Scatter(
            name=f"{name} interval",
            y=[place] * 2,
            mode="lines+markers",
            line={"color": color, "width": 3},
            marker=caps,
            opacity=0.8,
            hoverinfo="skip",
        ),
        go.Scatter(
            name=name,
            y=[place] * seeds,
            mode="markers",
            marker={"color": color, "size": 8, "opacity": 0.75, "line": {"color": color, "width": 2}},
            hovertemplate="%{x:.4f}%{text}<extra>" + name + "</extra>",
        ),
    ]


def paper_trace(count: int, values: Any = None) -> Any:
    """An open diamond per row, for what the paper reports."""
    import plotly.graph_objects as go

    return go.Scatter(
        name=PAPER,
        x=values,
        y=list(range(count)),
        mode="markers",
        marker={"color": NEUTRAL, "symbol": "diamond-open", "size": 13, "line": {"width": 2}},
        hovertemplate="%{x:.4f}<extra>the paper</extra>",
    )
