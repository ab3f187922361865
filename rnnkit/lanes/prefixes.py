"""How many sentences a model gets right, each distinct beginning of a sentence read once.

Sentences in lexicographic order are the leaves of a tree, left to right. One state per depth is kept: a sentence
goes on from where it parts from the one before. ``BLOCK`` tiles are read together, as the chain of states of one is
too short to fill a core.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from rnnkit.lanes.compiling import compiled
from rnnkit.lanes.layout import offsets, word_table
from rnnkit.lanes.vectors import LANES, fma, is_at_most_0, is_positive, load, sigmoid, splat, store, tanh

BLOCK = 4


def sorted_tree(words: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sentences in lexicographic order, their labels, and how many first words each shares with the one before.

    Parameters
    ----------
    words : (n, seq_len) uint8
    labels : (n,) uint8
    """
    order = np.lexsort(words.T[::-1])
    words, labels = words[order], labels[order]
    differs = words[1:] != words[:-1]
    shared = np.where(differs.any(1), differs.argmax(1), words.shape[1])
    return np.ascontiguousarray(words), labels, np.concatenate([[0], shared]).astype(np.int64)


@lru_cache
def counter(hidden_size: int) -> Callable[..., None]:
    """A function that counts, compiled for one hidden size: short loops whose length is known are unrolled.

    ``count(parameters, table, states, right, words, labels, shared, sizes)`` adds to ``right`` (row per tile) the
    number of sentences classified as labelled. ``parameters`` holds ``BLOCK`` tiles one after the other; ``table``
    and ``states`` are scratch for as many, the states of depth 0 being zeros on entry. The rest is as
    :func:`sorted_tree` returns it.
    """
    size, square = hidden_size, hidden_size**2

    @compiled
    def count(parameters, table, states, right, words, labels, shared, sizes):  # type: ignore[no-untyped-def]
        gates = sizes.gates
        _, weight_hh, _, bias_hh, weight_out, bias_out = offsets(
            sizes.vocabulary_size, sizes.input_size, size, gates
        )
        bias_hn = bias_hh + 2 * size
        per_table = sizes.vocabulary_size * gates * size
        for tile in range(BLOCK):
            word_table(
                parameters,
                tile * sizes.num_parameters,
                table[tile * per_table * LANES : (tile + 1) * per_table * LANES],
                sizes.vocabulary_size,
                sizes.input_size,
                size,
                gates,
            )
        one = splat(parameters, 1.0)
        for sentence in range(words.shape[0]):
            for step in range(shared[sentence], sizes.seq_len):
                word = words[sentence, step] * gates * size
                for tile in range(BLOCK):
                    entry = tile * per_table + word
                    before = (step * BLOCK + tile) * size
                    after = before + BLOCK * size
                    first = tile * sizes.num_parameters
                    if gates == 1:
                        for i in range(size):
                            total = load(table, entry + i)
                            for j in range(size):
                                weight = load(parameters, first + weight_hh + i * size + j)
                                total = fma(weight, load(states, before + j), total)
                            store(states, after + i, tanh(total))
                        continue
                    for i in range(size):
                        r, z = load(table, entry + i), load(table, entry + size + i)
                        q = load(parameters, first + bias_hn + i)
                        for j in range(size):
                            state = load(states, before + j)
                            row = first + weight_hh + i * size + j
                            r = fma(load(parameters, row), state, r)
                            z = fma(load(parameters, row + square), state, z)
                            q = fma(load(parameters, row + 2 * square), state, q)
                        z = sigmoid(z)
                        n = tanh(fma(sigmoid(r), q, load(table, entry + 2 * size + i)))
                        store(states, after + i, fma(z, load(states, before + i), (one - z) * n))
            last = sizes.seq_len * BLOCK * size
            for tile in range(BLOCK):
                first = tile * sizes.num_parameters
                negative = load(parameters, first + bias_out)
                positive = load(parameters, first + bias_out + 1)
                for j in range(size):
                    state = load(states, last + tile * size + j)
                    negative = fma(load(parameters, first + weight_out + j), state, negative)
                    positive = fma(load(parameters, first + weight_out + size + j), state, positive)
                margin = positive - negative
                correct = is_positive(margin) if labels[sentence] > 0 else is_at_most_0(margin)
                store(right, tile, load(right, tile) + correct)

    return count
