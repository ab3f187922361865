"""What happens at the gates of one sample, one vector of hidden units at a time, forward and backward.

Sums of a step's recurrent products lie in ``tile``; the backward functions leave their deltas in ``deltas``: one row
for each gate's recurrent sum, then the state before the step, then what GRU's candidate hands to the drive.
"""

from __future__ import annotations

from rnnkit.lanes.compiling import inlined
from rnnkit.lanes.sequences.operands import keep, recall, sigmoid_beside, tanh_beside
from rnnkit.lanes.sequences.products import MOST_ROWS
from rnnkit.lanes.vectors import fma, load, present, splat, store

RNN, LSTM, GRU = 1, 4, 3  # a cell is known by the number of its gates
NUM_GATES = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
NUM_DELTAS = 6


@inlined
def num_kept(cell):  # type: ignore[no-untyped-def]
    """Vectors kept for the way back, for each vector of units and step: h | i, f, g, o, c | r, z, n, q, h."""
    return 1 if cell == RNN else 5


@inlined
def _driven(total, drive, x, weight_ih, number, at, row):  # type: ignore[no-untyped-def]
    """Add the input's contribution to a sum: as given, or one number of input times its weight."""
    if drive is not None:
        total = total + load(drive, at)
    if x is not None:
        total = total + splat(x, x[number]) * load(weight_ih, row)
    return total


@inlined
def _gate(tile, place, gate, bias, drive, x, weight_ih, sample, numbers, num_gates, units, unit):  # type: ignore[no-untyped-def]
    """Sum of a gate: recurrent product, bias, and the input's contribution."""
    row = gate * units + unit
    total = load(tile, gate * MOST_ROWS * 4 + place) + load(bias, row)
    number = sample * numbers + min(gate, numbers - 1)
    return _driven(total, drive, x, weight_ih, number, (sample * num_gates + gate) * units + unit, row)


@inlined
def rnn_forward(tile, place, bias, drive, x, weight_ih, sample, numbers, units, unit, kept, slot):  # type: ignore[no-untyped-def]
    """The next h of the simple RNN."""
    h = tanh_beside(kept, _gate(tile, place, 0, bias, drive, x, weight_ih, sample, numbers, 1, units, unit))
    if present(kept):
        keep(kept, slot, h)
    return h


@inlined
def lstm_forward(tile, place, bias, drive, x, weight_ih, sample, numbers, units, unit, kept, slot, c, at):  # type: ignore[no-untyped-def]
    """The next h of the LSTM; c is brought up to date."""
    i = sigmoid_beside(
        kept, _gate(tile, place, 0, bias, drive, x, weight_ih, sample, numbers, 4, units, unit)
    )
    f = sigmoid_beside(
        kept, _gate(tile, place, 1, bias, drive, x, weight_ih, sample, numbers, 4, units, unit)
    )
    g = tanh_beside(kept, _gate(tile, place, 2, bias, drive, x, weight_ih, sample, numbers, 4, units, unit))
    o = sigmoid_beside(
        kept, _gate(tile, place, 3, bias, drive, x, weight_ih, sample, numbers, 4, units, unit)
    )
    memory = fma(f, load(c, at), i * g)
    store(c, at, memory)
    if present(kept):
        keep(kept, slot, i)
        keep(kept, slot + units, f)
        keep(kept, slot + 2 * units, g)
        keep(kept, slot + 3 * units, o)
        keep(kept, slot + 4 * units, memory)
    return o * tanh_beside(kept, memory)


@inlined
def gru_forward(  # type: ignore[no-untyped-def]
    tile, place, bias, drive, x, weight_ih, sample, numbers, units, unit, kept, slot, h, at, has_inputs
):  # fmt: skip
    """The next h of the GRU.

    The candidate's recurrent bias is the fourth row of ``bias``; what its inputs contribute is a fourth sum in
    ``tile``, if it ``has_inputs``.
    """
    r = sigmoid_beside(
        kept, _gate(tile, place, 0, bias, drive, x, weight_ih, sample, numbers, 3, units, unit)
    )
    z = sigmoid_beside(
        kept, _gate(tile, place, 1, bias, drive, x, weight_ih, sample, numbers, 3, units, unit)
    )
    q = load(tile, 2 * MOST_ROWS * 4 + place) + load(bias, 3 * units + unit)
    row = 2 * units + unit
    number = sample * numbers + numbers - 1
    driven = _driven(load(bias, row), drive, x, weight_ih, number, (sample * 3 + 2) * units + unit, row)
    if has_inputs:
        driven = driven + load(tile, 3 * MOST_ROWS * 4 + place)
    n = tanh_beside(kept, fma(r, q, driven))
    following = fma(z, load(h, at) - n, n)
    if present(kept):
        keep(kept, slot, r)
        keep(kept, slot + units, z)
        keep(kept, slot + 2 * units, n)
        keep(kept, slot + 3 * units, q)
        keep(kept, slot + 4 * units, following)
    return following


@inlined
def rnn_backward(deltas, first, gradient, kept, slot, before):  # type: ignore[no-untyped-def]
    """Delta of the simple RNN; ``before`` is where the step before was kept, or negative."""
    h, one = recall(kept, slot), splat(deltas, 1.0)
    store(deltas, first, gradient * (one - h * h))
    store(deltas, first + 1, recall(kept, before) if before >= 0 else splat(deltas, 0.0))


@inlined
def lstm_backward(deltas, first, gradient, kept, slot, before, at, units, grad_c, tanh_c):  # type: ignore[no-untyped-def]
    """Deltas of the LSTM. ``tanh_c`` holds tanh of this step's c and is left with the one before."""
    zero, one = splat(deltas, 0.0), splat(deltas, 1.0)
    i, f = recall(kept, slot), recall(kept, slot + units)
    g, o = recall(kept, slot + 2 * units), recall(kept, slot + 3 * units)
    squashed = load(tanh_c, at)
    grad_memory = fma(gradient * o, one - squashed * squashed, load(grad_c, at))
    memory, h = zero, zero
    if before >= 0:
        memory = recall(kept, before + 4 * units)
        store(tanh_c, at, tanh_beside(kept, memory))
        h = recall(kept, before + 3 * units) * load(tanh_c, at)
    store(deltas, first, grad_memory * g * i * (one - i))
    store(deltas, first + 1, grad_memory * memory * f * (one - f))
    store(deltas, first + 2, grad_memory * i * (one - g * g))
    store(deltas, first + 3, gradient * squashed * o * (one - o))
    store(deltas, first + 4, h)
    store(grad_c, at, grad_memory * f)


@inlined
def gru_backward(deltas, first, gradient, kept, slot, before, grad_h, at, units):  # type: ignore[no-untyped-def]
    """Deltas of the GRU; what passes by the gates stays in ``grad_h``."""
    one = splat(deltas, 1.0)
    r, z = recall(kept, slot), recall(kept, slot + units)
    n, q = recall(kept, slot + 2 * units), recall(kept, slot + 3 * units)
    h = recall(kept, before + 4 * units) if before >= 0 else splat(deltas, 0.0)
    candidate = gradient * (one - z) * (one - n * n)
    store(deltas, first, candidate * q * r * (one - r))
    store(deltas, first + 1, gradient * (h - n) * z * (one - z))
    store(deltas, first + 2, candidate * r)
    store(deltas, first + 3, h)
    store(deltas, first + 4, candidate)
    store(grad_h, at, gradient * z)
