"""Arrays in, plotly figures out: the theme, and figures with sliders that work with and without a kernel."""

from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import (
    CELLS,
    DIGITS,
    MODELS,
    NETS,
    NEUTRAL,
    WORDS,
    cell_color,
    certainty_colorscale,
    digit_color,
    digit_colorscale,
    digit_marker,
    net_color,
    template,
)

__all__ = [
    "CELLS",
    "DIGITS",
    "MODELS",
    "NETS",
    "NEUTRAL",
    "WORDS",
    "Interactive",
    "cell_color",
    "certainty_colorscale",
    "digit_color",
    "digit_colorscale",
    "digit_marker",
    "net_color",
    "template",
]
