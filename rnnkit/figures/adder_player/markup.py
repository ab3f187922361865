"""The adder player as HTML: everything is in its place and switched off until the page's script comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.figures.adder_player.numbers import BASES, MAX_BITS
from rnnkit.figures.adder_player.panel import CARRY
from rnnkit.figures.stepping.markup import (
    choice,
    element_key,
    examples,
    frame,
    help_text,
    stepper,
    text_field,
    text_notes,
)

if TYPE_CHECKING:
    from rnnkit.figures.adder_player.element import AdderPlayer

_HELP = (
    "Two whole numbers, decimal or binary as chosen; a number that starts with <kbd>0b</kbd> is binary in any case. "
    f"At most {MAX_BITS} bits. Leading zeros of a binary number count: the net reads them as well."
)


def adder_html(player: AdderPlayer, data: str) -> str:
    """Markup of a player.

    Parameters
    ----------
    player : AdderPlayer
    data : str
        Its payload as JSON.
    """
    key = element_key(data)
    fields = "".join(_number(f"{key}-{i}", name) for i, name in enumerate(("First number", "Second number")))
    return frame(
        player,
        data,
        kind="adder",
        legend="Numbers for the net",
        waiting="The net starts when the page is ready.",
        controls=f"{examples(player.examples)}{help_text(key, _HELP)}"
        f'<div class="rnn-numbers">{fields}</div>{choice(key, "base", "Numbers are", BASES)}'
        f"{choice(key, 'net', 'Net', list(player.nets))}{choice(key, 'model', 'Trained from', player.models)}"
        f"{stepper(key, 'Columns added', unit='column', units='columns')}",
        before='<div class="rnn-sum"></div>',
        panels=_panel("line", "The carry that the net holds", "rnn-bars")
        + _panel("plane", "Its two hidden units", ""),
        signs=_signs(),
        numbers='<div class="rnn-steps"></div>',
    )


def _number(name: str, label: str) -> str:
    field = text_field(name, label, placeholder="no number yet", numeric=True)
    return f'<div class="rnn-sentence">{field}{text_notes(name)}</div>'


def _panel(kind: str, title: str, look: str) -> str:
    return (
        f'<div class="rnn-panel" data-panel="{kind}"><p class="rnn-panel-title">{title}<span></span></p>'
        f'<div class="rnn-plane {look}"></div></div>'
    )


def _signs() -> str:
    """What the colours and marks mean."""
    marks = (
        ("true carry 0", "rnn-mark", "border:2px solid"),
        ("true carry 1", "rnn-mark rnn-turned", "background:"),
    )
    spans = "".join(
        f'<span><span class="{look}" style="{style} {color}"></span>{name}</span>'
        for (name, look, style), color in zip(marks, CARRY, strict=True)
    )
    return (
        f'<p class="rnn-key">{spans}<span>ring: now</span>'
        '<span><span class="rnn-bad">✗</span> and a box: the net is wrong</span></p>'
    )
