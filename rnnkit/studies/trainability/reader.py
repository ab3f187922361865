"""What a reader of the chapter plays with: example sentences, and nets that read a sentence typed in."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnkit.datasets import sentences as words_data
from rnnkit.models.population import CELLS, Architecture, unpack
from rnnkit.studies.trainability import configs
from rnnkit.studies.trainability.views import Shown, labelled

_EXAMPLES = {
    "different beginnings": ((0, 2, 4, 6, 1, 8, 6, 3, 7, 5), (8, 6, 9, 6, 1, 8, 6, 3, 7, 5)),
    "neighbours swapped": ((0, 6, 8, 1, 7, 2, 3, 9, 6, 4), (0, 8, 6, 1, 7, 2, 3, 9, 6, 4)),
    "one word, then nothing": ((6, 0, 1, 2, 3, 4, 5, 0, 1, 2), (8, 0, 1, 2, 3, 4, 5, 0, 1, 2)),
}


def word_names() -> list[str]:
    """What the ten words are called."""
    return list(words_data.NAMES)


def example_sentences(study: Shown, num: int = 60) -> dict[str, Any]:
    """Sentences of each label rule: ``words``, ``kinds``, ``labels`` by rule, and ``names`` of the words."""
    drawn = {
        rule: words_data.draw(rule, num, generator=np.random.default_rng([study.seeds[0], place]))
        for place, rule in enumerate(words_data.RULES)
    }
    return {
        "words": {rule: found.words for rule, found in drawn.items()},
        "kinds": {rule: words_data.kinds(found.words) for rule, found in drawn.items()},
        "labels": {rule: found.labels for rule, found in drawn.items()},
        "names": word_names(),
    }


def player(study: Shown) -> dict[str, Any]:
    """What the element needs in which a reader types a sentence: the nets of the ``states`` records.

    Returns
    -------
    dict
        Arguments of :class:`rnnkit.figures.player.SentencePlayer`.
    """
    records = study.records("states")
    found = {cell: record for cell in CELLS if (record := labelled(records, f"{cell}-")) is not None}
    count = min(len(record.arrays["accuracy"]) for record in found.values())
    nets, right = {}, []
    for cell, record in found.items():
        parameters = np.array(record.weights["parameters"])[:count]
        nets[cell.upper()] = (cell, unpack(Architecture.parse(cell, configs.STATES_NET[1]), parameters))
        right.append(f"{cell.upper()} {np.mean(record.arrays['accuracy'][:count]):.3f}")
    return {
        "nets": nets,
        "names": word_names(),
        "kinds": words_data.kinds(np.arange(words_data.VOCABULARY_SIZE, dtype=np.uint8)),
        "examples": {
            title: tuple(words_data.spell(np.array(words, np.uint8)) for words in pair)
            for title, pair in _EXAMPLES.items()
        },
        "alt": f"The states of {count} pairs of nets with two hidden units, word by word, while they read a sentence "
        f"that the reader types. Mean accuracy on the validation sentences: {', '.join(right)}.",
    }
