"""The vanilla RNN (Eq. 1, Mehta), forwards and backwards through time for a group of sentences."""

from __future__ import annotations

from rnnkit.lanes.compiling import compiled
from rnnkit.lanes.layout import GROUP, word_row
from rnnkit.lanes.vectors import fma, load, scatter_add, splat, store, tanh


@compiled
def forward(parameters, weight_hh, table, states, shared, word_rows, seq_len, hidden_size):  # type: ignore[no-untyped-def]
    """Fill the states: row ``(step * GROUP + sentence) * hidden_size + unit``; step 0 holds zeros."""
    size = hidden_size
    for step in range(seq_len):
        before, after = step * GROUP * size, (step + 1) * GROUP * size
        at = step * GROUP
        for i in range(size):
            a0 = word_row(table, shared, word_rows, at, i)
            a1 = word_row(table, shared, word_rows, at + 1, i)
            a2 = word_row(table, shared, word_rows, at + 2, i)
            a3 = word_row(table, shared, word_rows, at + 3, i)
            if step > 0:
                for j in range(size):
                    weight = load(parameters, weight_hh + i * size + j)
                    a0 = fma(weight, load(states, before + j), a0)
                    a1 = fma(weight, load(states, before + size + j), a1)
                    a2 = fma(weight, load(states, before + 2 * size + j), a2)
                    a3 = fma(weight, load(states, before + 3 * size + j), a3)
            store(states, after + i, tanh(a0))
            store(states, after + size + i, tanh(a1))
            store(states, after + 2 * size + i, tanh(a2))
            store(states, after + 3 * size + i, tanh(a3))


@compiled
def backward(  # type: ignore[no-untyped-def]
    parameters,
    weight_hh,
    gradients,
    table_gradients,
    states,
    state_gradients,
    unit_gradients,
    shared,
    word_rows,
    seq_len,
    hidden_size,
):
    """Add to the gradients of the table and of weight_hh.

    ``state_gradients`` (row ``sentence * hidden_size + unit``) holds the gradient of the last state on entry and is
    used up; ``unit_gradients`` is scratch of the same shape.
    """
    size = hidden_size
    one = splat(parameters, 1.0)
    for back in range(seq_len):
        step = seq_len - 1 - back
        before, after = step * GROUP * size, (step + 1) * GROUP * size
        at = step * GROUP
        for sentence in range(GROUP):
            for i in range(size):
                state = load(states, after + sentence * size + i)
                slope = one - state * state
                unit = load(state_gradients, sentence * size + i) * slope
                store(unit_gradients, sentence * size + i, unit)
                if shared:
                    row = word_rows[at + sentence] + i
                    store(table_gradients, row, load(table_gradients, row) + unit)
                else:
                    scatter_add(table_gradients, word_rows, at + sentence, i, unit)
        if step == 0:
            break  # the first state is zero: nothing reaches weight_hh, and nothing lies before it
        for i in range(size):
            u0 = load(unit_gradients, i)
            u1 = load(unit_gradients, size + i)
            u2 = load(unit_gradients, 2 * size + i)
            u3 = load(unit_gradients, 3 * size + i)
            for j in range(size):
                row = weight_hh + i * size + j
                total = load(gradients, row)
                total = fma(u0, load(states, before + j), total)
                total = fma(u1, load(states, before + size + j), total)
                total = fma(u2, load(states, before + 2 * size + j), total)
                total = fma(u3, load(states, before + 3 * size + j), total)
                store(gradients, row, total)
        for j in range(size):
            g0 = splat(parameters, 0.0)
            g1, g2, g3 = g0, g0, g0
            for i in range(size):
                weight = load(parameters, weight_hh + i * size + j)
                g0 = fma(weight, load(unit_gradients, i), g0)
                g1 = fma(weight, load(unit_gradients, size + i), g1)
                g2 = fma(weight, load(unit_gradients, 2 * size + i), g2)
                g3 = fma(weight, load(unit_gradients, 3 * size + i), g3)
            store(state_gradients, j, g0)
            store(state_gradients, size + j, g1)
            store(state_gradients, 2 * size + j, g2)
            store(state_gradients, 3 * size + j, g3)
