"""The equations of a step beside the code that computes it (Eqs. 1 to 3, Irisarri), one cell at a time."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType

TITLES = MappingProxyType({"rnn": "Simple RNN", "lstm": "LSTM", "gru": "GRU", "lmu": "LMU"})
EQUATIONS = MappingProxyType(
    {
        "rnn": (
            r"\mathrm{drive}_t &= W_{ih} x_t + b_{ih}",
            r"h_t &= \tanh(\mathrm{drive}_t + W_{hh} h_{t-1})",
        ),
        "lstm": (
            r"\mathrm{drive}_t &= W_{ih} x_t + b_{ih}",
            r"(i, f, g, o) &= \mathrm{drive}_t + W_{hh} h_{t-1}",
            r"c_t &= \sigma(f) \odot c_{t-1} + \sigma(i) \odot \tanh(g)",
            r"h_t &= \sigma(o) \odot \tanh(c_t)",
        ),
        "gru": (
            r"\mathrm{drive}_t &= W_{ih} x_t + b_{ih}",
            r"\mathrm{from}_h &= W_{hh} h_{t-1} + b_{hh}",
            r"r &= \sigma(\mathrm{drive}_r + \mathrm{from}_r)",
            r"z &= \sigma(\mathrm{drive}_z + \mathrm{from}_z)",
            r"n &= \tanh(\mathrm{drive}_n + r \odot \mathrm{from}_n)",
            r"h_t &= z \odot h_{t-1} + (1 - z) \odot n",
        ),
        "lmu": (
            r"u_t &= W_u [x_t, h_{t-1}] + W_m m_{t-1} + b",
            r"m_t &= \bar A m_{t-1} + \bar B u_t",
        ),
    }
)
"""Lines of LaTeX, aligned at ``&``, in the code's own names."""

WORDS = MappingProxyType(
    {
        "rnn": "The state is replaced in every step.",
        "lstm": "i, f and o are gates and g is a candidate, all before they are squashed.",
        "gru": "Both products have three parts: for the gates r and z, and for the candidate n.",
        "lmu": "The memory in front of a cell, with all that keras-lmu offers. In the paper u is a multiple of x: it "
        "reads neither h nor m, and has no bias b.",
    }
)
_ONE = ".rnn-code:has(input[value={0}]:checked) > section:not([data-cell={0}])"


class StepCode:
    """The steps of several cells, of which a reader picks one; without styles all of them are seen.

    Parameters
    ----------
    sources : mapping of str to mapping of str to str
        Cell (a key of `TITLES`) -> where a function is -> its text.

    Raises
    ------
    ValueError
        When there is no cell, one has no equations, or one has no code.
    """

    def __init__(self, sources: Mapping[str, Mapping[str, str]]) -> None:
        for cell, functions in sources.items():
            if cell not in EQUATIONS or not any(text.strip() for text in functions.values()):
                raise ValueError(
                    f"sources: no equations or no code of {cell!r}; cells: {', '.join(EQUATIONS)}"
                )
        if not sources:
            raise ValueError("sources: no cell")
        self.sources = {cell: dict(functions) for cell, functions in sources.items()}

    def _repr_html_(self) -> str:
        first = next(iter(self.sources))
        choice = "".join(
            f'<label><input type="radio" name="rnn-code" value="{cell}" autocomplete="off"'
            f"{' checked' if cell == first else ''}> {escape(TITLES[cell])}</label>"
            for cell in self.sources
        )
        hidden = ", ".join(_ONE.format(cell) for cell in self.sources)
        return (
            f'<div class="rnn-code"><style>{hidden} {{ display: none; }}</style>'
            f'<div class="rnn-controls" role="radiogroup" aria-label="Cell">{choice}</div>'
            + "".join(_section(cell, functions) for cell, functions in self.sources.items())
            + "</div>"
        )

    def __repr__(self) -> str:
        return "\n\n".join(
            f"{TITLES[cell]}, {place}\n{text}"
            for cell, functions in self.sources.items()
            for place, text in functions.items()
        )


def _section(cell: str, functions: Mapping[str, str]) -> str:
    lines = escape(r" \\ ".join(EQUATIONS[cell]))
    return (
        f'<section data-cell="{cell}" aria-label="{escape(TITLES[cell])}">'
        f'<div class="math">\\[\\begin{{aligned}} {lines} \\end{{aligned}}\\]</div>'
        f"<p>{escape(WORDS[cell])}</p>"
        + "".join(_listing(place, text) for place, text in functions.items())
        + "</section>"
    )


def _listing(place: str, text: str) -> str:
    """One function, coloured by the classes that the book's own code has."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    code = highlight(text, PythonLexer(), HtmlFormatter(nowrap=True))
    return (
        f'<p class="rnn-code-place"><code>{escape(place)}</code></p>'
        '<div class="highlight-python notranslate"><div class="highlight">'
        f'<pre tabindex="0" aria-label="Code of {escape(place)}" role="region">{code}</pre></div></div>'
    )
