"""The task: sentences of stop words, positive and negative words, and three rules to label them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.cells import said
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import WORDS

PER_PAGE = 6
_KINDS = ("negative", "stop", "positive")
_SIGNS = {-1: "−", 0: "·", 1: "+"}
_SAYS = {0: "negative", 1: "positive"}


def sentence_table(
    words: Mapping[str, np.ndarray],
    kinds: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    names: Sequence[str],
) -> Interactive:
    """Draw sentences as rows of coloured words, with the words that decide their label framed.

    Parameters
    ----------
    words : mapping of str to ndarray (n, T)
        By label rule.
    kinds : mapping of str to ndarray (n, T)
        1 for a positive word, -1 for a negative one, 0 for a stop word.
    labels : mapping of str to ndarray (n,)
        1 positive, 0 negative.
    names : sequence of str
        What the words are called.
    """
    import plotly.graph_objects as go

    rules = list(words)
    num_pages = min(len(array) for array in words.values()) // PER_PAGE
    length = next(iter(words.values())).shape[1]
    used = num_pages * PER_PAGE
    pages = (num_pages, PER_PAGE, length)
    kind = np.stack([np.asarray(kinds[rule], int)[:used].reshape(pages) for rule in rules])
    text = np.stack([np.asarray(names)[np.asarray(words[rule], int)[:used]].reshape(pages) for rule in rules])
    label = np.stack([np.asarray(labels[rule], int)[:used].reshape(pages[:2]) for rule in rules])
    decides = np.stack([deciding(kind[i], rule) for i, rule in enumerate(rules)])
    figure = Interactive(
        go.Figure(_traces(length), layout=_layout(length)),
        alt=_alt(rules, labels, kinds),
        table=_table(rules, text[:, 0], label[:, 0]),
        caption="+ positive word, − negative word, · stop word; the words in frames decide the label at the right.",
    )
    figure.select("rule", "Label rule", [said(rule) for rule in rules])
    figure.slider(
        "page", "Sentences", [f"{PER_PAGE * i + 1} to {PER_PAGE * (i + 1)}" for i in range(num_pages)]
    )
    over = ("rule", "page")
    signs = np.vectorize(_SIGNS.get)(kind)
    figure.bind("kinds", "z", kind, over=over).bind("kinds", "text", text, over=over)
    figure.bind("signs", "text", signs.reshape(*kind.shape[:2], -1), over=over)
    figure.bind("decide", "y", _frames(decides), over=over)
    return figure.bind("labels", "text", np.vectorize(_SAYS.get)(label), over=over)


def deciding(kinds: np.ndarray, rule: str) -> np.ndarray:
    """Which words of sentences (..., T) the label hangs on: all that count, the first, or the first two of them."""
    counts = kinds != 0
    rank = counts.cumsum(axis=-1)
    most = {"first": 1, "xor": 2}.get(rule, kinds.shape[-1])
    found: np.ndarray = counts & (rank <= most)
    return found


def _frames(decides: np.ndarray) -> np.ndarray:
    """Rows of the framed words: (..., sentences, T) -> (..., sentences T), NaN where there is no frame."""
    row = np.arange(decides.shape[-2])[:, None]
    return np.where(decides, row, np.nan).reshape(*decides.shape[:-2], -1)


def _traces(length: int) -> list[Any]:
    import plotly.graph_objects as go

    across, down = np.meshgrid(np.arange(1, length + 1), np.arange(PER_PAGE))
    steps = [see_through(WORDS[kind], 0.08 if kind == "stop" else 0.3) for kind in _KINDS]
    scale = [[(i + end) / 3, color] for i, color in enumerate(steps) for end in (0, 1)]
    return [
        go.Heatmap(
            name="kinds",
            x=np.arange(1, length + 1),
            y=np.arange(PER_PAGE),
            colorscale=scale,
            zmin=-1.5,
            zmax=1.5,
            showscale=False,
            xgap=2,
            ygap=4,
            hovertemplate="word %{x}: %{text}<extra></extra>",
        ),
        go.Scatter(
            name="signs",
            x=across.ravel(),
            y=down.ravel(),
            mode="text",
            textfont={"size": 16},
            hoverinfo="skip",
        ),
        go.Scatter(
            name="decide",
            x=across.ravel(),
            mode="markers",
            marker={"symbol": "square-open", "size": 24, "color": WORDS["stop"], "line": {"width": 2.5}},
            hoverinfo="skip",
        ),
        go.Scatter(
            name="labels",
            x=np.full(PER_PAGE, length + 0.7),
            y=np.arange(PER_PAGE),
            mode="text",
            textposition="middle right",
            hoverinfo="skip",
        ),
    ]


def _layout(length: int) -> dict[str, Any]:
    bare = {"showgrid": False, "zeroline": False, "showline": False, "ticks": ""}
    return {
        "height": 330,
        "showlegend": False,
        "margin": {"t": 16, "l": 10, "r": 10},
        "xaxis": {
            "title": {"text": "position in the sentence"},
            "range": [0.3, length + 3.6],
            "dtick": 1,
            **bare,
        }
        | {"tickvals": list(range(1, length + 1))},
        "yaxis": {"range": [PER_PAGE - 0.4, -0.6], "showticklabels": False, **bare},
    }


def _alt(rules: Sequence[str], labels: Mapping[str, np.ndarray], kinds: Mapping[str, np.ndarray]) -> str:
    parts = [
        f"{said(rule)}: {len(labels[rule])} sentences, {int(np.sum(labels[rule]))} of them positive, "
        f"{np.mean(np.asarray(kinds[rule]) == 0):.0%} of their words stop words"
        for rule in rules
    ]
    return f"Sentences as rows of positive, negative and stop words with their label. {'; '.join(parts)}."


def _table(rules: Sequence[str], text: np.ndarray, labels: np.ndarray) -> dict[str, list[Any]]:
    """The sentences of the first page of each rule."""
    rows = [(i, j) for i in range(len(rules)) for j in range(PER_PAGE)]
    return {
        "label rule": [said(rules[i]) for i, _ in rows],
        "sentence": [" ".join(text[i, j]) for i, j in rows],
        "label": [_SAYS[int(labels[i, j])] for i, j in rows],
    }
