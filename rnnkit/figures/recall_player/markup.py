"""The recall player as HTML: everything is in its place and switched off until the page's script comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.figures.recall_player.digits import MAX_DIGITS
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
    from rnnkit.figures.recall_player.element import RecallPlayer

_HELP = (
    "Digits, with or without blanks or commas between them: <kbd>7 0 5 3 9</kbd> and <kbd>70539</kbd> are the same. "
    f"At most {MAX_DIGITS}."
)


def recall_html(player: RecallPlayer, data: str) -> str:
    """Markup of a player.

    Parameters
    ----------
    player : RecallPlayer
    data : str
        Its payload as JSON.
    """
    key = element_key(data)
    field = f"{key}-digits"
    typed = (
        f'<div class="rnn-sentence">{text_field(field, "Digits", placeholder="no digits yet", numeric=True)}'
        '<div class="rnn-keys" role="group" aria-label="Change the digits">'
        '<button type="button" data-do="draw">+ a digit at random</button>'
        '<button type="button" data-do="delete">delete last</button>'
        f'<button type="button" data-do="clear">clear</button></div>{text_notes(field)}</div>'
    )
    return frame(
        player,
        data,
        kind="recall",
        legend="Digits for the net",
        waiting="The net starts when the page is ready.",
        controls=f"{examples(player.examples)}{help_text(key, _HELP)}{typed}"
        f"{choice(key, 'net', 'Net', list(player.nets))}{choice(key, 'model', 'Trained from', player.models)}"
        f"{stepper(key, 'Digits read', unit='digit', units='digits')}",
        panels=_panel("If the sequence ended here") + _panel("After the whole sequence"),
        signs='<p class="rnn-key"><span><span class="rnn-swatch rnn-frame"></span>the digit asked for, the '
        f"{player.asked} of the sequence</span><span>height of a bar: how sure the net is of a digit</span></p>",
        numbers='<div class="rnn-steps"></div>',
    )


def _panel(title: str) -> str:
    return (
        f'<div class="rnn-panel"><p class="rnn-panel-title">{title}: <span></span></p>'
        '<div class="rnn-plane rnn-bars"></div></div>'
    )
