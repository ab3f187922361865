"""The look of the panels: the carry that a net holds, step by step, and the plane of a net with two hidden units.

Page and kernel draw the same traces and differ only in who fills in the points.
"""

from __future__ import annotations

from typing import Any

from rnnkit.figures.stepping.plane import SILENT, side_traces, tint
from rnnkit.figures.theme import NEUTRAL, template

CARRY = ("#b0542c", "#0f857f")
"""Colour of no carry and of a carry, in truth; on the two sides they are laid on thinly."""

SYMBOLS = ("circle-open", "diamond")
HOLDS = ("the net holds no carry", "the net holds a carry")
SIDES = ("net: no carry", "net: carry")
"""The same in the plane, where a narrow side has no room for more words."""

TRUTH = ("no carry", "carry")
HEIGHT = 260
PROBED, ASKED = "carry's direction", "answer to next 0 + 0"
"""What the line shows: the state as a probe reads it, or what the net itself would write."""


def path_traces() -> list[dict[str, Any]]:
    """Four traces without coordinates: the line, the steps by their true carry, and the present one."""
    line = {**SILENT, "name": "path", "mode": "lines", "line": {"color": NEUTRAL, "width": 1.5}}
    now = {"size": 18, "symbol": "circle-open", "color": NEUTRAL, "line": {"width": 3}}
    steps = [
        {
            "type": "scatter",
            "showlegend": False,
            "name": name,
            "mode": "markers+text",
            "marker": {"color": color, "symbol": symbol, "size": 10, "line": {"width": 2, "color": color}},
            "textfont": {"size": 11},
            "cliponaxis": False,
            "hovertemplate": "%{customdata}<br>%{y:.3f}<extra></extra>",
        }
        for name, color, symbol in zip(TRUTH, CARRY, SYMBOLS, strict=True)
    ]
    return [line, *steps, {**SILENT, "name": "now", "mode": "markers", "marker": now, "cliponaxis": False}]


def plane_traces() -> list[dict[str, Any]]:
    """Traces of the plane: the sides of the probe's line, the start, and the path."""
    return side_traces({SIDES[carry]: CARRY[carry] for carry in (1, 0)}) + path_traces()


def line_layout() -> dict[str, Any]:
    """Layout of the carry step by step; zero, which parts the sides, is in the middle."""
    sides = [
        {"type": "rect", "layer": "below", "xref": "paper", "yref": "paper", "x0": 0, "x1": 1}
        | {"y0": carry / 2, "y1": (carry + 1) / 2, "line": {"width": 0}, "fillcolor": tint(CARRY[carry])}
        for carry in (0, 1)
    ]
    names = [
        {"text": HOLDS[carry], "showarrow": False, "xref": "paper", "yref": "paper", "x": 1, "y": carry}
        | {"xanchor": "right", "yanchor": ("bottom", "top")[carry], "font": {"size": 12}, "opacity": 0.85}
        for carry in (0, 1)
    ]
    return {
        "template": template().to_plotly_json(),
        "height": HEIGHT,
        "margin": {"l": 58, "r": 8, "t": 8, "b": 42},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "shapes": sides,
        "annotations": names,
        "xaxis": {
            "title": {"text": "columns added"},
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": {"title": {"text": PROBED}, "fixedrange": True, "automargin": False, "nticks": 5}
        | {"zeroline": True, "zerolinewidth": 2, "zerolinecolor": NEUTRAL},
    }


def reach(held: list[float]) -> float:
    """Where the axis ends above and below zero, for the carry that a net holds at all steps."""
    return 1.25 * max((abs(value) for value in held), default=0.0) or 1.0
