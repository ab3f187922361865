"""Made-up arrays of the lab chapter, small, in the shapes of its records."""

from __future__ import annotations

import numpy as np

CELLS = ("rnn", "gru", "lstm")
LOSSES = ("bce", "mse-sigmoid", "mse-linear")
READOUTS = ("last", "final")
SIZES = (2, 5, 10)
SUM_KEYS = [(cell, size, loss) for cell in CELLS for size in SIZES for loss in LOSSES]
RECALL_KEYS = [(size, readout) for size in SIZES for readout in READOUTS]


def rng(seed=0):
    return np.random.default_rng(seed)


def seeds(keys, columns, count=4):
    """Random fractions (n_seeds, columns) by key."""
    draw = rng(len(keys) + columns)
    return {key: draw.random((count, columns)) for key in keys}


def sums(count=60, length=5, seed=0):
    """Bits (n, T, 2) of random sums, a zero at their end, and the carry (n, T) out of each step."""
    bits = rng(seed).integers(0, 2, size=(count, length + 1, 2))
    bits[:, -1] = 0
    carry = np.zeros(bits.shape[:2], dtype=int)
    for t in range(length + 1):
        before = carry[:, t - 1] if t else 0
        carry[:, t] = (bits[:, t].sum(axis=1) + before) // 2
    return bits, carry
