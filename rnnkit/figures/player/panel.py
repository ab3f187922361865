"""The look of one panel: a net's plane of states, still without a sentence.

Page and kernel draw the same traces and differ only in who fills in the points.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.player.walk import boundary
from rnnkit.figures.stepping.plane import SILENT, half_plane, side_traces
from rnnkit.figures.theme import WORDS

FIRST_PATH, PER_PATH = 4, 3
"""Each sentence has three traces: its line, its steps, and the state it is in now."""

ANSWERS = {name: WORDS[name] for name in ("negative", "positive")}
"""Colour of the two answers, those of the words; on the two sides they are laid on thinly."""

PATHS = ("#0b86a3", "#cc4499")
"""Colour of the two sentences' paths."""


def traces() -> list[dict[str, Any]]:
    """Traces of one panel, without coordinates."""
    parts = side_traces({name: ANSWERS[name] for name in ("positive", "negative")})
    # What is of sentence B is open and larger, so that A shows through where both are in one place.
    clear = "rgba(0,0,0,0)"
    looks = (
        {"dash": "solid", "symbol": "circle", "step": 7, "now": 15, "fill": PATHS[0]},
        {"dash": "dot", "symbol": "diamond", "step": 9, "now": 24, "fill": clear},
    )
    for name, color, look in zip("AB", PATHS, looks, strict=True):
        marker = {"color": look["fill"], "symbol": look["symbol"], "line": {"color": color, "width": 2}}
        parts += [
            {
                **SILENT,
                "name": f"path {name}",
                "mode": "lines",
                "line": {"color": color, "width": 2, "dash": look["dash"]},
            },
            {
                "type": "scatter",
                "showlegend": False,
                "name": f"steps {name}",
                "mode": "markers+text",
                "marker": {**marker, "size": look["step"]},
                "textfont": {"size": 11},
                "textposition": "top center",
                "cliponaxis": False,
                "hovertemplate": "%{customdata}<br>(%{x:.3f}, %{y:.3f})<extra></extra>",
            },
            {
                **SILENT,
                "name": f"now {name}",
                "mode": "markers+text",
                "marker": {**marker, "size": look["now"], "line": {"color": color, "width": 4}},
                "textfont": {"size": 13},
                "cliponaxis": False,
            },
        ]
    return parts


def sides(parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Corners (k, 2) of the parts of the plane in which a net says positive and negative."""
    normal, offset = boundary(parameters)
    return {"positive": half_plane(normal, offset), "negative": half_plane(-normal, -offset)}
