"""The GRU (Eqs. 3 to 6, Mehta; torch's gate order r, z, n), forwards and backwards for a group of sentences."""

from __future__ import annotations

from rnnkit.lanes.compiling import compiled
from rnnkit.lanes.layout import GROUP, word_row
from rnnkit.lanes.vectors import fma, load, scatter_add, sigmoid, splat, store, tanh


@compiled
def forward(parameters, weight_hh, bias_hn, table, states, gates, shared, word_rows, seq_len, hidden_size):  # type: ignore[no-untyped-def]
    """Fill the states, as the vanilla RNN does, and the gates.

    Row ``((step * GROUP + sentence) * hidden_size + unit) * 4`` of ``gates`` holds r, the next ones z, n and
    q = weight_hn h + bias_hn.
    """
    size = hidden_size
    square = size * size
    one = splat(parameters, 1.0)
    for step in range(seq_len):
        before = step * GROUP * size
        for i in range(size):
            bias = load(parameters, bias_hn + i)
            for pair in range(GROUP // 2):
                s0, s1 = 2 * pair, 2 * pair + 1
                at = step * GROUP
                r0 = word_row(table, shared, word_rows, at + s0, i)
                r1 = word_row(table, shared, word_rows, at + s1, i)
                z0 = word_row(table, shared, word_rows, at + s0, size + i)
                z1 = word_row(table, shared, word_rows, at + s1, size + i)
                q0, q1 = bias, bias
                if step > 0:
                    for j in range(size):
                        row = weight_hh + i * size + j
                        h0 = load(states, before + s0 * size + j)
                        h1 = load(states, before + s1 * size + j)
                        weight = load(parameters, row)
                        r0 = fma(weight, h0, r0)
                        r1 = fma(weight, h1, r1)
                        weight = load(parameters, row + square)
                        z0 = fma(weight, h0, z0)
                        z1 = fma(weight, h1, z1)
                        weight = load(parameters, row + 2 * square)
                        q0 = fma(weight, h0, q0)
                        q1 = fma(weight, h1, q1)
                r0, r1, z0, z1 = sigmoid(r0), sigmoid(r1), sigmoid(z0), sigmoid(z1)
                n0 = tanh(fma(r0, q0, word_row(table, shared, word_rows, at + s0, 2 * size + i)))
                n1 = tanh(fma(r1, q1, word_row(table, shared, word_rows, at + s1, 2 * size + i)))
                unit0, unit1 = before + s0 * size + i, before + s1 * size + i
                h0 = fma(z0, load(states, unit0), (one - z0) * n0)
                h1 = fma(z1, load(states, unit1), (one - z1) * n1)
                store(states, unit0 + GROUP * size, h0)
                store(states, unit1 + GROUP * size, h1)
                store(gates, unit0 * 4, r0)
                store(gates, unit0 * 4 + 1, z0)
                store(gates, unit0 * 4 + 2, n0)
                store(gates, unit0 * 4 + 3, q0)
                store(gates, unit1 * 4, r1)
                store(gates, unit1 * 4 + 1, z1)
                store(gates, unit1 * 4 + 2, n1)
                store(gates, unit1 * 4 + 3, q1)


@compiled
def backward(  # type: ignore[no-untyped-def]
    parameters,
    weight_hh,
    gradients,
    bias_hn,
    table_gradients,
    states,
    gates,
    state_gradients,
    unit_gradients,
    shared,
    word_rows,
    seq_len,
    hidden_size,
):
    """Add to the gradients of the table, weight_hh and bias_hn; arguments as for the vanilla RNN.

    Row ``(gate * GROUP + sentence) * hidden_size + unit`` of ``unit_gradients`` holds the gradients of what enters
    r, z and, for gate 2, of q.
    """
    size = hidden_size
    square = size * size
    one = splat(parameters, 1.0)
    for back in range(seq_len):
        step = seq_len - 1 - back
        before = step * GROUP * size
        at = step * GROUP
        for sentence in range(GROUP):
            for i in range(size):
                unit = before + sentence * size + i
                r, z = load(gates, unit * 4), load(gates, unit * 4 + 1)
                n, q = load(gates, unit * 4 + 2), load(gates, unit * 4 + 3)
                state = load(state_gradients, sentence * size + i)
                of_n = state * (one - z) * (one - n * n)
                of_q = of_n * r
                of_r = of_n * q * r * (one - r)
                of_z = state * (load(states, unit) - n) * z * (one - z)
                store(state_gradients, sentence * size + i, state * z)
                store(unit_gradients, sentence * size + i, of_r)
                store(unit_gradients, (GROUP + sentence) * size + i, of_z)
                store(unit_gradients, (2 * GROUP + sentence) * size + i, of_q)
                store(gradients, bias_hn + i, load(gradients, bias_hn + i) + of_q)
                if shared:
                    row = word_rows[at + sentence] + i
                    store(table_gradients, row, load(table_gradients, row) + of_r)
                    store(table_gradients, row + size, load(table_gradients, row + size) + of_z)
                    store(table_gradients, row + 2 * size, load(table_gradients, row + 2 * size) + of_n)
                else:
                    scatter_add(table_gradients, word_rows, at + sentence, i, of_r)
                    scatter_add(table_gradients, word_rows, at + sentence, size + i, of_z)
                    scatter_add(table_gradients, word_rows, at + sentence, 2 * size + i, of_n)
        if step == 0:
            break
        for gate in range(3):
            for i in range(size):
                unit = gate * GROUP * size + i
                u0 = load(unit_gradients, unit)
                u1 = load(unit_gradients, unit + size)
                u2 = load(unit_gradients, unit + 2 * size)
                u3 = load(unit_gradients, unit + 3 * size)
                for j in range(size):
                    row = weight_hh + gate * square + i * size + j
                    total = load(gradients, row)
                    total = fma(u0, load(states, before + j), total)
                    total = fma(u1, load(states, before + size + j), total)
                    total = fma(u2, load(states, before + 2 * size + j), total)
                    total = fma(u3, load(states, before + 3 * size + j), total)
                    store(gradients, row, total)
        for j in range(size):
            g0 = load(state_gradients, j)
            g1 = load(state_gradients, size + j)
            g2 = load(state_gradients, 2 * size + j)
            g3 = load(state_gradients, 3 * size + j)
            for gate in range(3):
                for i in range(size):
                    weight = load(parameters, weight_hh + gate * square + i * size + j)
                    unit = gate * GROUP * size + i
                    g0 = fma(weight, load(unit_gradients, unit), g0)
                    g1 = fma(weight, load(unit_gradients, unit + size), g1)
                    g2 = fma(weight, load(unit_gradients, unit + 2 * size), g2)
                    g3 = fma(weight, load(unit_gradients, unit + 3 * size), g3)
            store(state_gradients, j, g0)
            store(state_gradients, size + j, g1)
            store(state_gradients, 2 * size + j, g2)
            store(state_gradients, 3 * size + j, g3)
