"""The sentence player as HTML: everything is in its place and switched off until the page's script comes."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from rnnkit.figures.player.panel import ANSWERS, PATHS
from rnnkit.figures.player.vocabulary import MAX_WORDS, NEGATIVE, POSITIVE, STOP, Vocabulary
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
from rnnkit.figures.stepping.plane import tint

if TYPE_CHECKING:
    from rnnkit.figures.player.element import SentencePlayer


def player_html(player: SentencePlayer, data: str) -> str:
    """Markup of a player.

    Parameters
    ----------
    player : SentencePlayer
    data : str
        Its payload as JSON.
    """
    key = element_key(data)
    return frame(
        player,
        data,
        kind="sentence",
        legend="Sentences for the nets",
        waiting="The nets start when the page is ready.",
        controls=f"{examples(player.examples)}{_help(player.vocabulary, key)}"
        f"{_sentence(player.vocabulary, key, 0)}{_sentence(player.vocabulary, key, 1)}{_choices(player, key)}",
        panels="".join(_panel(label) for label in player.nets),
        signs=_key(),
        after='<div class="rnn-steps"></div>',
    )


def _help(vocabulary: Vocabulary, key: str) -> str:
    def names(kind: int) -> str:
        own = [n for n, k in zip(vocabulary.names, vocabulary.kinds, strict=True) if k == kind]
        return html.escape(", ".join(own))

    return help_text(
        key,
        f"<kbd>.</kbd> for a stop word ({names(STOP)}), <kbd>+</kbd> for a positive word ({names(POSITIVE)}), "
        f"<kbd>-</kbd> for a negative one ({names(NEGATIVE)}), or the words themselves. "
        f"<kbd>x30</kbd> after a word repeats it 30 times. At most {MAX_WORDS} words.",
    )


def _sentence(vocabulary: Vocabulary, key: str, index: int) -> str:
    """One sentence: its field, its keys, and what was understood of it."""
    name = "AB"[index]
    good, bad = (html.escape(vocabulary.names[vocabulary.first(kind)]) for kind in (POSITIVE, NEGATIVE))
    keys = [
        (".", 1, "stop word"),
        (good, 1, good),
        (bad, 1, bad),
        (".", 10, "10 stop words"),
        (".", 100, "100 stop words"),
    ]
    buttons = "".join(
        f'<button type="button" data-add="{word}" data-times="{times}">+ {text}</button>'
        for word, times, text in keys
    )
    hidden, field = " hidden" if index else "", f"{key}-{index}"
    return (
        f'<div class="rnn-sentence" data-sentence="{index}"{hidden}>'
        f"{text_field(field, f'{_mark(index)}Sentence {name}', placeholder='no words yet')}"
        f'<div class="rnn-keys" role="group" aria-label="Change sentence {name}">{buttons}'
        '<button type="button" data-do="delete">delete last</button>'
        '<button type="button" data-do="clear">clear</button></div>'
        f"{text_notes(field)}</div>"
    )


def _choices(player: SentencePlayer, key: str) -> str:
    return (
        '<div class="rnn-control"><button type="button" class="rnn-compare" aria-expanded="false">'
        "Compare with a second sentence</button></div>"
        f"{choice(key, 'model', 'Trained ' + ' and '.join(player.nets), player.models)}"
        f"{stepper(key, 'Words read', unit='word', units='words')}"
    )


def _panel(label: str) -> str:
    text = html.escape(label)
    return (
        f'<div class="rnn-panel" data-net="{text}"><p class="rnn-panel-title">{text}: <span></span></p>'
        '<div class="rnn-plane"></div></div>'
    )


def _key() -> str:
    """What the colours and signs mean."""
    sides = "".join(
        f'<span><span class="rnn-swatch" style="background:{tint(color)};border-color:{color}"></span>'
        f"here the net says {name}</span>"
        for name, color in reversed(ANSWERS.items())
    )
    paths = "".join(f'<span data-key="{i}">{_mark(i)}sentence {"AB"[i]}</span>' for i in range(len(PATHS)))
    return f'<p class="rnn-key">{sides}{paths}<span>large mark: now; × start; numbers: words read</span></p>'


def _mark(index: int) -> str:
    """The mark of a sentence's path: filled for A, open for B."""
    look = ("background", "border-color")[index]
    return f'<span class="rnn-mark rnn-mark-{"ab"[index]}" style="{look}:{PATHS[index]}"></span>'
