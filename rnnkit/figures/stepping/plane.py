"""A square plane of two hidden units: its halves on either side of a line, and how they look.

The page's script cuts and places the halves in the same way (rnnkit-plane.js).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.theme import NEUTRAL, template

LIMIT = 1.05
"""The plane shows states between minus this and this; a hidden state of any cell never leaves [-1, 1]."""

NAME_LIMITS = (0.75, 0.9)
"""Farther out the name of a side would be cut."""

SILENT = {"hoverinfo": "skip", "showlegend": False, "type": "scatter"}

_TINT = 0.14
_MARGIN = {"l": 58, "r": 8, "t": 14, "b": 52}
"""As much to the left and right as above and below, so that a square box holds a square plane."""


def tint(color: str) -> str:
    """A colour laid on thinly."""
    return f"rgba({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))}, {_TINT})"


def side_traces(colors: Mapping[str, str]) -> list[dict[str, Any]]:
    """Four traces without coordinates: two sides by name and colour, their names, and the start at zero."""
    side = {**SILENT, "mode": "lines", "line": {"color": NEUTRAL, "width": 1}, "fill": "toself"}
    start = {"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": NEUTRAL}}
    names = {"mode": "text", "textposition": "bottom center", "opacity": 0.8}
    return [
        *({**side, "name": name, "fillcolor": tint(color)} for name, color in colors.items()),
        {**SILENT, "name": "names of the sides", **names},
        {**SILENT, "name": "start", "mode": "markers", "x": [0], "y": [0], "marker": start},
    ]


def plane_layout() -> dict[str, Any]:
    """Layout of a plane: both axes from minus ``LIMIT`` to ``LIMIT``."""
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


def half_plane(normal: np.ndarray, offset: float, limit: float = LIMIT) -> np.ndarray:
    """Corners (k, 2) of the part of the square ``[-limit, limit]²`` where ``normal @ h + offset > 0``.

    The edges are cut one by one; k is 0 where that part is empty.
    """
    square = limit * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    corners: list[np.ndarray] = []
    for here, there in zip(square, np.roll(square, -1, axis=0), strict=True):
        inside, next_inside = (float(normal @ point) + offset for point in (here, there))
        if inside > 0:
            corners.append(here)
        if (inside > 0) != (next_inside > 0):
            corners.append(here + (there - here) * inside / (inside - next_inside))
    return np.array(corners).reshape(-1, 2)


def place_sides(traces: Any, corners: Mapping[str, np.ndarray]) -> None:
    """Fill in the first three of :func:`side_traces`: two sides (k, 2) by name, in their order, and their names."""
    for trace, side in zip(traces, corners.values(), strict=False):
        place(trace, np.concatenate([side, side[:1]]))
    names = side_names(corners)
    traces[2].text = list(names)
    place(traces[2], np.array([*names.values()]).reshape(-1, 2))


def place(trace: Any, points: np.ndarray) -> None:
    """Give a trace its points (k, 2)."""
    trace.x, trace.y = points[:, 0], points[:, 1]


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
