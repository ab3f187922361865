"""The sentence player as HTML: everything is in its place and switched off until the page's script comes."""

from __future__ import annotations

import hashlib
import html
from typing import TYPE_CHECKING

from rnnkit.figures.player.panel import ANSWERS, PATHS, tint
from rnnkit.figures.player.vocabulary import MAX_WORDS, NEGATIVE, POSITIVE, STOP, Vocabulary

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
    key = "player-" + hashlib.sha256(data.encode()).hexdigest()[:8]
    caption = f"<figcaption>{html.escape(player.caption)}</figcaption>" if player.caption else ""
    alt = html.escape(player.alt)
    return (
        f'<figure class="rnn-player" id="{key}">'
        '<fieldset class="rnn-controls" disabled><legend class="rnn-unseen">Sentences for the nets</legend>'
        f"{_examples(player)}{_help(player.vocabulary, key)}"
        f"{_sentence(player.vocabulary, key, 0)}{_sentence(player.vocabulary, key, 1)}"
        f"{_choices(player, key)}</fieldset>"
        '<p class="rnn-said">The nets start when the page is ready.</p>'
        '<p class="rnn-heard rnn-unseen" aria-live="polite"></p>'
        "<noscript>The nets run in the page's script, and JavaScript is switched off; their description is "
        "below.</noscript>"
        f'<div class="rnn-panels" role="group" aria-label="{alt}">{"".join(_panel(label) for label in player.nets)}'
        f"</div>{_key()}{caption}"
        '<div class="rnn-steps"></div>'
        f'<details class="rnn-data"><summary>Description and numbers</summary><p>{alt}</p>'
        '<button type="button" class="rnn-csv" disabled>Download CSV</button></details>'
        f'<script type="application/json">{_inert(data)}</script></figure>'
    )


def _inert(data: str) -> str:
    """JSON that neither ends the script element it stands in nor opens another."""
    for sign in "<>&\u2028\u2029":
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    return data


def _examples(player: SentencePlayer) -> str:
    if not player.examples:
        return ""
    buttons = "".join(
        f'<button type="button" data-example="{i}">{html.escape(label)}</button>'
        for i, label in enumerate(player.examples)
    )
    return f'<div class="rnn-keys" role="group" aria-label="Examples"><span>Try:</span>{buttons}</div>'


def _help(vocabulary: Vocabulary, key: str) -> str:
    def names(kind: int) -> str:
        own = [n for n, k in zip(vocabulary.names, vocabulary.kinds, strict=True) if k == kind]
        return html.escape(", ".join(own))

    return (
        f'<details class="rnn-help"><summary>What can be typed</summary><p id="{key}-help">'
        f"<kbd>.</kbd> for a stop word ({names(STOP)}), <kbd>+</kbd> for a positive word ({names(POSITIVE)}), "
        f"<kbd>-</kbd> for a negative one ({names(NEGATIVE)}), or the words themselves. "
        f"<kbd>x30</kbd> after a word repeats it 30 times. At most {MAX_WORDS} words.</p></details>"
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
    hidden = " hidden" if index else ""
    return (
        f'<div class="rnn-sentence" data-sentence="{index}"{hidden}>'
        f'<label for="{key}-{index}">{_mark(index)}Sentence {name}</label>'
        f'<input type="text" id="{key}-{index}" aria-describedby="{key}-{index}-read {key}-{index}-message" '
        'autocomplete="off" autocapitalize="none" autocorrect="off" spellcheck="false" placeholder="no words yet">'
        f'<div class="rnn-keys" role="group" aria-label="Change sentence {name}">{buttons}'
        '<button type="button" data-do="delete">delete last</button>'
        '<button type="button" data-do="clear">clear</button></div>'
        f'<p class="rnn-read" id="{key}-{index}-read"></p>'
        f'<p class="rnn-message" id="{key}-{index}-message" role="status"></p></div>'
    )


def _choices(player: SentencePlayer, key: str) -> str:
    options = "".join(
        f'<option value="{i}">{html.escape(name)}</option>' for i, name in enumerate(player.models)
    )
    nets = html.escape(" and ".join(player.nets))
    return (
        '<div class="rnn-control"><button type="button" class="rnn-compare" aria-expanded="false">'
        "Compare with a second sentence</button></div>"
        f'<div class="rnn-control"><label for="{key}-model">Trained {nets}</label>'
        f'<select id="{key}-model" autocomplete="off">{options}</select></div>'
        f'<div class="rnn-control"><label for="{key}-step">Words read</label>'
        '<button type="button" class="rnn-play" aria-label="Play the words"></button>'
        '<button type="button" class="rnn-nudge" data-nudge="-1" aria-label="One word back">‹</button>'
        '<button type="button" class="rnn-nudge" data-nudge="1" aria-label="One word on">›</button>'
        f'<input type="range" id="{key}-step" min="0" max="0" step="1" value="0" autocomplete="off">'
        f'<output for="{key}-step"></output></div>'
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
