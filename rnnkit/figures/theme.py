"""One colour per digit class and per net everywhere in the book, and the plotly template.

Every data colour has a contrast of at least 3:1 against white and against the dark page (WCAG 2.1, 1.4.11),
so that a switch between light and dark changes only ink, grid and lines. The ten digit colours were searched
in that luminance band for the largest smallest distance in Oklab, under normal vision and under simulated
deuteranopia and protanopia (Machado et al. 2009).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

DIGITS = (
    "#3c4bff",
    "#c38700",
    "#00783c",
    "#d20f00",
    "#a578ff",
    "#0096b4",
    "#ff3cc3",
    "#875a87",
    "#e16978",
    "#b400c3",
)
"""Colour of the digit classes 0 to 9."""

CLUSTERS = (
    "#975862",
    "#899558",
    "#2b7793",
    "#ae7aa3",
    "#86682e",
    "#469e99",
    "#736298",
    "#b97d61",
    "#427c56",
    "#718ec2",
)
"""Colour of numbered clusters: muted, ten hues of two lightnesses in Oklch, so that none passes for a digit's."""

NETS = MappingProxyType(
    {
        "paper": "#0b76d1",
        "tuned": "#c8640a",
        "normalised": "#0f8a6a",
        "untrained": "#7b818a",
        "shuffled": "#b0489e",
    }
)
"""Colour of the named nets."""

CELLS = MappingProxyType({"rnn": "#9b45b5", "gru": "#12895a"})
"""Colour of the recurrent cells."""

MODELS = MappingProxyType(
    {
        "rnn": CELLS["rnn"],
        "lstm": "#3d57fe",
        "gru": CELLS["gru"],
        "lmu-rnn": "#d966a9",
        "lmu-lstm": "#0099f3",
        "lmu-gru": "#65a43e",
        "rnn-sequence": "#169bc4",
        "rnn-output": "#34761f",
        "lmu-rnn-fp32": "#286e74",
        "lmu-rnn-bf16": "#d52222",
        "rnn-unscaled": "#f44fda",
        "lstm-free": "#3c9c78",
        "rnn-full": "#b407dd",
        "lstm-full": "#4e7cff",
        "gru-full": "#0b9f68",
        "lmu-rnn-full": "#c0308c",
        "lmu-lstm-full": "#4a90cb",
        "lmu-gru-full": "#3f8503",
    }
)
"""Colour of the psMNIST models: a hybrid with a Legendre memory has a lighter tone of its cell's hue.

A net that was trained at full length, beside a shorter training of the same, has another tone of its own hue.
"""

NEUTRAL = "#7b818a"
"""Reference lines and marks that belong to no class and no net; readable on both pages."""

WORDS = MappingProxyType({"stop": NEUTRAL, "positive": "#3a5ce0", "negative": "#d2590a"})
"""Colour of the kinds of words; each has a marker of its own beside it."""

BACKGROUNDS = MappingProxyType({"light": "#ffffff", "dark": "#14181e"})
"""The page behind the figures."""

TOKENS = MappingProxyType(
    {
        "light": MappingProxyType({"ink": "#1f2430", "line": "#6b7280", "grid": "#e3e6ea"}),
        "dark": MappingProxyType({"ink": "#e6e9ee", "line": "#8b93a0", "grid": "#313842"}),
    }
)
"""Ink, axis lines and grid of the two pages; rnnkit.css holds the same values for the page's script."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def digit_color(digit: int) -> str:
    """Colour of a digit class.

    Raises
    ------
    ValueError
        When ``digit`` is not in 0..9.
    """
    if not 0 <= digit <= 9:
        raise ValueError(f"digit must be in 0..9, not {digit!r}")
    return DIGITS[digit]


def net_color(name: str) -> str:
    """Colour of a named net or model.

    Raises
    ------
    ValueError
        When the net has no colour.
    """
    known = {**NETS, **MODELS}
    if name not in known:
        raise ValueError(f"no colour for net {name!r}; known nets: {', '.join(known)}")
    return known[name]


def cell_color(name: str) -> str:
    """Colour of a recurrent cell.

    Raises
    ------
    ValueError
        When the cell has no colour.
    """
    if name not in CELLS:
        raise ValueError(f"no colour for cell {name!r}; known cells: {', '.join(CELLS)}")
    return CELLS[name]


def digit_colorscale() -> list[list[Any]]:
    """Stepped colour scale for numeric classes 0..9 drawn with ``cmin=-0.5, cmax=9.5``."""
    scale: list[list[Any]] = []
    for digit, color in enumerate(DIGITS):
        scale += [[digit / 10, color], [(digit + 1) / 10, color]]
    return scale


def digit_marker(**extra: Any) -> dict[str, Any]:
    """Marker settings that colour numeric classes 0..9: scale, range and a colour bar with ticks 0..9."""
    return {
        "colorscale": digit_colorscale(),
        "cmin": -0.5,
        "cmax": 9.5,
        "colorbar": {
            "tickvals": list(range(10)),
            "ticktext": [str(d) for d in range(10)],
            "title": {"text": "digit"},
        },
        **extra,
    }


def certainty_colorscale() -> list[list[Any]]:
    """Continuous scale from unsure (orange) over grey to sure (blue), readable on both pages."""
    return [[0.0, "#d2590a"], [0.5, "#8a8792"], [1.0, "#0b66e0"]]


def template(page: str = "light") -> Any:
    """Plotly template of the book: transparent backgrounds, so that the page's own colour shows.

    Parameters
    ----------
    page : {"light", "dark"}
        Which page's ink, line and grid colours to use.

    Returns
    -------
    plotly.graph_objects.layout.Template

    Raises
    ------
    ValueError
        When the page is unknown.
    """
    import plotly.graph_objects as go

    if page not in TOKENS:
        raise ValueError(f"page must be one of {', '.join(TOKENS)}, not {page!r}")
    ink, line, grid = (TOKENS[page][name] for name in ("ink", "line", "grid"))
    axis = {
        "gridcolor": grid,
        "linecolor": line,
        "zerolinecolor": grid,
        "tickcolor": line,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
        "title": {"standoff": 8},
    }
    axis_3d = {key: axis[key] for key in ("gridcolor", "linecolor", "zerolinecolor", "tickcolor")}
    axis_3d |= {"showbackground": False, "showspikes": False}
    clear = "rgba(0,0,0,0)"
    return go.layout.Template(
        layout={
            "paper_bgcolor": clear,
            "plot_bgcolor": clear,
            "font": {"family": FONT, "size": 13, "color": ink},
            "colorway": list(DIGITS),
            "xaxis": axis,
            "yaxis": axis,
            "scene": {"xaxis": axis_3d, "yaxis": axis_3d, "zaxis": axis_3d, "bgcolor": clear},
            "legend": {"bgcolor": clear},
            "hoverlabel": {"font": {"family": FONT}},
            "margin": {"l": 56, "r": 16, "t": 40, "b": 48},
            "title": {"font": {"size": 15}, "x": 0, "xref": "paper"},
        }
    )
