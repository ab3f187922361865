"""Where the parameters of a model lie in a tile, and the table of what each word adds to the units."""

from __future__ import annotations

from numba import njit

from rnnkit.lanes.compiling import compiled
from rnnkit.lanes.vectors import fma, gather, load, splat, store

GROUP = 4
"""Sentences that are read together: their chains of dependent products fill each other's gaps."""


@compiled
def offsets(vocabulary_size, input_size, hidden_size, gates):  # type: ignore[no-untyped-def]
    """First rows of weight_ih, weight_hh, bias_ih, bias_hh, weight_out and bias_out; the embedding starts at 0."""
    weight_ih = vocabulary_size * input_size
    weight_hh = weight_ih + gates * hidden_size * input_size
    bias_ih = weight_hh + gates * hidden_size * hidden_size
    bias_hh = bias_ih + gates * hidden_size
    weight_out = bias_hh + gates * hidden_size
    return weight_ih, weight_hh, bias_ih, bias_hh, weight_out, weight_out + 2 * hidden_size


@compiled
def word_table(parameters, first, table, vocabulary_size, input_size, hidden_size, gates):  # type: ignore[no-untyped-def]
    """What a word adds to each unit before the state is looked at: row ``word * gates * hidden_size + unit``.

    All biases are in it but ``bias_hn`` of a GRU, which the reset gate scales (Eq. 4, Mehta).
    """
    weight_ih, _, bias_ih, bias_hh, _, _ = offsets(vocabulary_size, input_size, hidden_size, gates)
    units = gates * hidden_size
    for unit in range(units):
        bias = load(parameters, first + bias_ih + unit)
        if gates == 1 or unit < 2 * hidden_size:
            bias = bias + load(parameters, first + bias_hh + unit)
        for word in range(vocabulary_size):
            total = bias
            for d in range(input_size):
                weight = load(parameters, first + weight_ih + unit * input_size + d)
                total = fma(weight, load(parameters, first + word * input_size + d), total)
            store(table, word * units + unit, total)


@compiled
def word_table_backward(table, parameters, gradients, vocabulary_size, input_size, hidden_size, gates):  # type: ignore[no-untyped-def]
    """From the gradients of the table to those of embedding, weight_ih and the biases in it (set, not added to)."""
    weight_ih, _, bias_ih, bias_hh, _, _ = offsets(vocabulary_size, input_size, hidden_size, gates)
    units = gates * hidden_size
    for unit in range(units):
        total = load(table, unit)
        for word in range(1, vocabulary_size):
            total = total + load(table, word * units + unit)
        store(gradients, bias_ih + unit, total)
        if gates == 1 or unit < 2 * hidden_size:
            store(gradients, bias_hh + unit, total)
        for d in range(input_size):
            total = splat(table, 0.0)
            for word in range(vocabulary_size):
                total = fma(load(table, word * units + unit), load(parameters, word * input_size + d), total)
            store(gradients, weight_ih + unit * input_size + d, total)
    for word in range(vocabulary_size):
        for d in range(input_size):
            total = splat(table, 0.0)
            for unit in range(units):
                weight = load(parameters, weight_ih + unit * input_size + d)
                total = fma(load(table, word * units + unit), weight, total)
            store(gradients, word * input_size + d, total)


@njit(inline="always")
def word_row(table, shared, word_rows, position, unit):  # type: ignore[no-untyped-def]
    """The table's entry for the word at a position: one word for all models, or one each."""
    if shared:
        return load(table, word_rows[position] + unit)
    return gather(table, word_rows, position, unit)
