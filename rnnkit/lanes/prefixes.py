"""How many sentences a model gets right, each distinct beginning of a sentence read once.

Sentences in lexicographic order are the leaves of a tree, left to right. One state per depth is kept: a sentence
goes on from where it parts from the one before. ``BLOCK`` tiles are read together, as the chain of states of one is
too short to fill a core.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from rnnkit.lanes.layout import COMPILE, offsets, word_table
from rnnkit.lanes.vectors import fma, is_positive, load, sigmoid, splat, store, tanh

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


@njit(**COMPILE)
def _vanilla_step(parameters, first, weight_hh, table, entry, states, before, after, size, deep):  # type: ignore[no-untyped-def]
    for i in range(size):
        total = load(table, entry + i)
        if deep:
            for j in range(size):
                weight = load(parameters, first + weight_hh + i * size + j)
                total = fma(weight, load(states, before + j), total)
        store(states, after + i, tanh(total))


@njit(**COMPILE)
def _gru_step(parameters, first, weight_hh, bias_hn, table, entry, states, before, after, size, deep):  # type: ignore[no-untyped-def]
    one = splat(parameters, 1.0)
    square = size * size
    for i in range(size):
        r, z = load(table, entry + i), load(table, entry + size + i)
        q = load(parameters, first + bias_hn + i)
        if deep:
            for j in range(size):
                state = load(states, before + j)
                row = first + weight_hh + i * size + j
                r = fma(load(parameters, row), state, r)
                z = fma(load(parameters, row + square), state, z)
                q = fma(load(parameters, row + 2 * square), state, q)
        z = sigmoid(z)
        n = tanh(fma(sigmoid(r), q, load(table, entry + 2 * size + i)))
        store(states, after + i, fma(z, load(states, before + i), (one - z) * n))


@njit(**COMPILE)
def count_block(parameters, table, states, margins, words, labels, shared, sizes, right):  # type: ignore[no-untyped-def]
    """Add to ``right`` (row per tile) the number of sentences classified as labelled.

    ``parameters`` holds ``BLOCK`` tiles one after the other; ``table`` and ``states`` are scratch for as many, and
    ``margins`` one row. The states of depth 0 are zeros on entry.
    """
    size = sizes.hidden_size
    units = sizes.gates * size
    _, weight_hh, _, bias_hh, weight_out, bias_out = offsets(
        sizes.vocabulary_size, sizes.input_size, size, sizes.gates
    )
    per_table = sizes.vocabulary_size * units
    for tile in range(BLOCK):
        word_table(
            parameters,
            tile * sizes.num_parameters,
            table[tile * per_table * 16 : (tile + 1) * per_table * 16],
            sizes.vocabulary_size,
            sizes.input_size,
            size,
            sizes.gates,
        )
    one = splat(parameters, 1.0)
    for sentence in range(words.shape[0]):
        for step in range(shared[sentence], sizes.seq_len):
            entry = words[sentence, step] * units
            before = step * BLOCK * size
            for tile in range(BLOCK):
                first = tile * sizes.num_parameters
                here = before + tile * size
                if sizes.gates == 1:
                    _vanilla_step(
                        parameters,
                        first,
                        weight_hh,
                        table,
                        tile * per_table + entry,
                        states,
                        here,
                        here + BLOCK * size,
                        size,
                        step > 0,
                    )
                else:
                    _gru_step(
                        parameters,
                        first,
                        weight_hh,
                        bias_hh + 2 * size,
                        table,
                        tile * per_table + entry,
                        states,
                        here,
                        here + BLOCK * size,
                        size,
                        step > 0,
                    )
        last = sizes.seq_len * BLOCK * size
        for tile in range(BLOCK):
            first = tile * sizes.num_parameters
            negative, positive = load(parameters, first + bias_out), load(parameters, first + bias_out + 1)
            for j in range(size):
                state = load(states, last + tile * size + j)
                negative = fma(load(parameters, first + weight_out + j), state, negative)
                positive = fma(load(parameters, first + weight_out + size + j), state, positive)
            says = is_positive(positive - negative)
            store(right, tile, load(right, tile) + (says if labels[sentence] > 0 else one - says))
