"""The look of one panel: a bar for each digit, and a frame around the right one.

Page and kernel draw the same traces and differ only in who fills them in.
"""

from __future__ import annotations

from typing import Any

from rnnkit.figures.recall_player.walk import CLASSES
from rnnkit.figures.theme import DIGITS, NEUTRAL, template

BARS, FRAME, FRAME_NAME = 0, 1, 2

NAMED_FROM = 0.005
"""Bars below this carry no number."""

_HEIGHT = 260
_NAME_AT = 1.2
"""Where the word over the right digit stands: above the number on a bar that is full."""


def traces() -> list[dict[str, Any]]:
    """Traces of one panel, without a belief."""
    digits = list(range(CLASSES))
    return [
        {
            "type": "bar",
            "name": "belief",
            "x": digits,
            "marker": {"color": list(DIGITS)},
            "textposition": "outside",
            "textangle": 0,
            "constraintext": "none",
            "textfont": {"size": 11},
            "cliponaxis": False,
            "hovertemplate": "digit %{x}: %{y:.3f}<extra></extra>",
        },
        {
            "type": "bar",
            "name": "right digit",
            "hoverinfo": "skip",
            "width": 0.95,
            "marker": {"color": "rgba(0,0,0,0)", "line": {"color": NEUTRAL, "width": 2}},
        },
        {
            "type": "scatter",
            "name": "word over the right digit",
            "mode": "text",
            "hoverinfo": "skip",
            "cliponaxis": False,
            "textfont": {"size": 12},
        },
    ]


def frame(digit: int | None) -> dict[str, dict[str, list[Any]]]:
    """Coordinates of the frame and its word: around the right digit, or nowhere."""
    at = [] if digit is None else [digit]
    return {
        "right digit": {"x": at, "y": [1] * len(at)},
        "word over the right digit": {"x": at, "y": [_NAME_AT] * len(at), "text": ["right"] * len(at)},
    }


def layout() -> dict[str, Any]:
    """Layout of one panel."""
    return {
        "template": template().to_plotly_json(),
        "height": _HEIGHT,
        "margin": {"l": 46, "r": 6, "t": 6, "b": 42},
        "showlegend": False,
        "barmode": "overlay",
        "bargap": 0.2,
        "dragmode": False,
        "xaxis": {
            "title": {"text": "digit"},
            "range": [-0.6, CLASSES - 0.4],
            "tickvals": list(range(CLASSES)),
            "showgrid": False,
            "fixedrange": True,
        },
        "yaxis": {
            "title": {"text": "belief"},
            "range": [0, 1.28],
            "tickvals": [0, 0.5, 1],
            "automargin": False,
            "fixedrange": True,
        },
    }


def numbers(beliefs: list[float]) -> list[str]:
    """What stands on the bars: two decimals without the leading zero, for which a phone has no room."""
    return [f"{value:.2f}".removeprefix("0") if value >= NAMED_FROM else "" for value in beliefs]
