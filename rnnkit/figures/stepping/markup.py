"""A player as HTML: everything is in its place and switched off until the page's script comes."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnkit.figures.stepping.element import SteppingElement


def element_key(data: str) -> str:
    """Id of a player, from its payload."""
    return "player-" + hashlib.sha256(data.encode()).hexdigest()[:8]


def frame(
    element: SteppingElement,
    data: str,
    *,
    kind: str,
    legend: str,
    waiting: str,
    controls: str,
    panels: str,
    signs: str,
    before: str = "",
    after: str = "",
    numbers: str = "",
) -> str:
    """The whole of a player.

    Parameters
    ----------
    element : SteppingElement
        Its alt and caption are shown.
    data : str
        Its payload as JSON.
    kind : str
        For the script that drives it.
    legend, waiting : str
        Name of the controls, and what is said until the script comes; plain text.
    controls, panels, signs : str
        HTML of the controls, the panels, and of what colours and marks mean.
    before, after, numbers : str
        HTML above the panels, under them, and inside the description.
    """
    alt = html.escape(element.alt)
    caption = f"<figcaption>{html.escape(element.caption)}</figcaption>" if element.caption else ""
    return (
        f'<figure class="rnn-player" data-player="{kind}" id="{element_key(data)}">'
        f'<fieldset class="rnn-controls" disabled><legend class="rnn-unseen">{html.escape(legend)}</legend>'
        f"{controls}</fieldset>"
        f'<p class="rnn-said">{html.escape(waiting)}</p>'
        '<p class="rnn-heard rnn-unseen" aria-live="polite"></p>'
        "<noscript>The nets run in the page's script, and JavaScript is switched off; their description is "
        f"below.</noscript>{before}"
        f'<div class="rnn-panels" role="group" aria-label="{alt}">{panels}</div>{signs}{caption}{after}'
        f'<details class="rnn-data"><summary>Description and numbers</summary><p>{alt}</p>{numbers}'
        '<button type="button" class="rnn-csv" disabled>Download CSV</button></details>'
        f'<script type="application/json">{_inert(data)}</script></figure>'
    )


def _inert(data: str) -> str:
    """JSON that neither ends the script element it stands in nor opens another."""
    for sign in "<>&\u2028\u2029":
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    return data


def examples(labels: Iterable[str]) -> str:
    """A button for each example; nothing where there is none."""
    buttons = "".join(
        f'<button type="button" data-example="{i}">{html.escape(label)}</button>'
        for i, label in enumerate(labels)
    )
    keys = f'<div class="rnn-keys" role="group" aria-label="Examples"><span>Try:</span>{buttons}</div>'
    return keys if buttons else ""


def help_text(key: str, markup: str) -> str:
    """What can be typed, behind a summary."""
    return (
        '<details class="rnn-help"><summary>What can be typed</summary>'
        f'<p id="{key}-help">{markup}</p></details>'
    )


def text_field(name: str, label: str, *, placeholder: str, numeric: bool = False) -> str:
    """A field with its label, which is HTML; a numeric one brings a phone's keys for numbers."""
    keys = ' inputmode="numeric"' if numeric else ""
    return (
        f'<label for="{name}">{label}</label>'
        f'<input type="text" id="{name}" aria-describedby="{name}-read {name}-message" autocomplete="off" '
        f'autocapitalize="none" autocorrect="off" spellcheck="false" placeholder="{html.escape(placeholder)}"{keys}>'
    )


def text_notes(name: str) -> str:
    """Under a field: how it was read, and what was not understood."""
    return (
        f'<p class="rnn-read" id="{name}-read"></p>'
        f'<p class="rnn-message" id="{name}-message" role="status"></p>'
    )


def choice(key: str, name: str, label: str, options: Sequence[str]) -> str:
    """A select whose position the script keeps under ``name``."""
    items = "".join(f'<option value="{i}">{html.escape(text)}</option>' for i, text in enumerate(options))
    return (
        f'<div class="rnn-control"><label for="{key}-{name}">{html.escape(label)}</label>'
        f'<select id="{key}-{name}" data-choice="{name}" autocomplete="off">{items}</select></div>'
    )


def stepper(key: str, label: str, *, unit: str, units: str) -> str:
    """The slider over the steps, with buttons to play and to go one step back or on."""
    return (
        f'<div class="rnn-control"><label for="{key}-step">{label}</label>'
        f'<button type="button" class="rnn-play" aria-label="Play the {units}"></button>'
        f'<button type="button" class="rnn-nudge" data-nudge="-1" aria-label="One {unit} back">‹</button>'
        f'<button type="button" class="rnn-nudge" data-nudge="1" aria-label="One {unit} on">›</button>'
        f'<input type="range" id="{key}-step" min="0" max="0" step="1" value="0" autocomplete="off">'
        f'<output for="{key}-step"></output></div>'
    )
