"""Adders made by hand: one that adds exactly, and some that fail in one known way each."""

import numpy as np

from rnnkit.probes.additions import Adder

GAIN = 20.0


def tanh_adder(gain=GAIN):
    """Three tanh units that say whether the total of bits and carry is at least 1, 2 and 3; the second is the carry.

    From rest (0, 0, 0), which has to count as no carry, the second unit adds 0, else -1/2 or 1/2 to the sum.
    """
    weight_hh = np.zeros((3, 3))
    weight_hh[:, 1] = gain / 2
    bias = -gain * (np.array([1, 2, 3]) - 0.75)

    def step(states, bits):
        return np.tanh(states @ weight_hh.T + gain * bits.sum(axis=1)[:, None] + bias)

    return Adder(step, lambda states: (states @ [1, -1, 1] > 0).astype(np.uint8), np.zeros(3))


def level_adder(keep=1.0, *, steps=np.inf, twos=np.inf):
    """An adder whose state is (level, sum bit, steps so far, times 1 + 1 in a row).

    Parameters
    ----------
    keep : float
        What is left of a level of 1 at each step that holds it. The carry is 1 above 0.3: with 0.8 a carry
        lasts five such steps.
    steps : float
        A clock: all answers are turned round after that many steps.
    twos : float
        A misreading: the answer is turned round where 1 + 1 has come more often in a row.
    """

    def step(states, bits):
        sums = bits.sum(axis=1)
        level, _, count, run = states.T
        total = sums + (level > 0.3)
        run = np.where(sums == 2, run + 1, 0)
        new = np.select([sums == 0, sums == 2], [0.0, 1.0], keep * level)
        return np.stack([new, total % 2, count + 1, run], axis=1)

    def read(states):
        turned = (states[:, 2] > steps) ^ (states[:, 3] > twos)
        return (states[:, 1].astype(int) ^ turned).astype(np.uint8)

    return Adder(step, read, np.zeros(4))


def numbers(num, length, seed=0):
    """Random numbers with their padded step."""
    bits = np.random.default_rng(seed).integers(0, 2, (num, length + 1, 2), dtype=np.uint8)
    bits[:, -1] = 0
    return bits
