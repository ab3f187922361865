"""The look of one panel: a net's plane of states, still without a sentence.

Page and kernel draw the same traces and differ only in who fills in the points.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.player.walk import LIMIT, boundary, half_plane
from rnnkit.figures.theme import NEUTRAL, WORDS, template

POSITIVE_SIDE, NEGATIVE_SIDE, SIDE_NAMES = 0, 1, 2
FIRST_PATH, PER_PATH = 4, 3
"""Each sentence has three traces: its line, its steps, and the state it is in now."""

ANSWERS = {name: WORDS[name] for name in ("negative", "positive")}
"""Colour of the two answers, those of the words; on the two sides they are laid on thinly."""

PATHS = ("#0b86a3", "#cc4499")
"""Colour of the two sentences' paths."""

NAME_LIMITS = (0.75, 0.9)
"""Farther out the name of a side would be cut."""

_TINT = 0.14
_MARGIN = {"l": 46, "r": 10, "t": 10, "b": 46}
"""As much to the left and right as above and below, so that a square box holds a square plane."""


def tint(color: str) -> str:
    """A colour laid on thinly."""
    return f"rgba({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))}, {_TINT})"


def traces() -> list[dict[str, Any]]:
    """Traces of one panel, without coordinates."""
    silent = {"hoverinfo": "skip", "showlegend": False, "type": "scatter"}
    side = {**silent, "mode": "lines", "line": {"color": NEUTRAL, "width": 1}, "fill": "toself"}
    start = {"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": NEUTRAL}}
    parts: list[dict[str, Any]] = [
        {**side, "name": "positive", "fillcolor": tint(ANSWERS["positive"])},
        {**side, "name": "negative", "fillcolor": tint(ANSWERS["negative"])},
        {
            **silent,
            "name": "names of the sides",
            "mode": "text",
            "textposition": "bottom center",
            "opacity": 0.8,
        },
        {**silent, "name": "start", "mode": "markers", "x": [0], "y": [0], "marker": start},
    ]
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
                **silent,
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
                **silent,
                "name": f"now {name}",
                "mode": "markers+text",
                "marker": {**marker, "size": look["now"], "line": {"color": color, "width": 4}},
                "textfont": {"size": 13},
                "cliponaxis": False,
            },
        ]
    return parts


def layout() -> dict[str, Any]:
    """Layout of one panel: both axes from minus ``LIMIT`` to ``LIMIT``."""
    axis = {
        "range": [-LIMIT, LIMIT],
        "tickvals": [-1, -0.5, 0, 0.5, 1],
        "zeroline": True,
        "automargin": False,
    }
    return {
        "template": template().to_plotly_json(),
        "margin": _MARGIN,
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "xaxis": {**axis, "title": {"text": "hidden unit 1"}, "fixedrange": True},
        "yaxis": {**axis, "title": {"text": "hidden unit 2", "standoff": 10}, "fixedrange": True},
    }


def sides(parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Corners (k, 2) of the parts of the plane in which a net says positive and negative."""
    normal, offset = boundary(parameters)
    return {"positive": half_plane(normal, offset), "negative": half_plane(-normal, -offset)}


def side_names(corners: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Where the names of the sides stand (2,): the centre of area, unless the side is too small for a name."""
    centres = {name: middle(side) for name, side in corners.items()}
    return {name: centre for name, centre in centres.items() if (np.abs(centre) < NAME_LIMITS).all()}


def middle(corners: np.ndarray) -> np.ndarray:
    """Centre of area (2,) of a polygon (k, 2); NaN where it is empty."""
    if len(corners) < 3:
        return np.full(2, np.nan)
    following = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]
    centre: np.ndarray = ((corners + following) * cross[:, None]).sum(axis=0) / (3 * cross.sum())
    return centre
