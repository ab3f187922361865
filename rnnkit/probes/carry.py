"""What of the carry can be read linearly from the states of an adder (Section 3.3, the lab report).

Numbers are added from the least significant bit on; the carry meant here is the one *out of* each step. Where
both bits are equal it follows from them alone, and three quarters of all carries can be guessed so. Only where
one bit is set, where the old carry goes on, does a probe show that the net holds anything: see `held`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_bits, check_hidden_states
from rnnkit.probes.additions import carries
from rnnkit.probes.readout import linear_readout, linear_rule


@dataclass(frozen=True)
class CarryProbe:
    """A linear reader of the carry, fitted to short numbers, and how it does at each step of others.

    Attributes
    ----------
    direction : ndarray (H,)
        Unit vector along which the carry lies; zeros where the states or the carry do not vary.
    threshold : float
        The carry is read as 1 where ``state @ direction`` is above it.
    accuracy : ndarray (T,)
        Share of carries read right after each step of the test numbers.
    held : ndarray (T,)
        The same among the samples with exactly one bit set at the step; nan where there are none.
    from_input : ndarray (T,)
        First control: accuracy of the best guess from the bits of the step alone.
    shuffled : ndarray (T,)
        Second control: accuracy of the same probe fitted to carries dealt out among the samples of each step.
    parity : ndarray (T,)
        Accuracy of a linear probe, fitted in the same way, of a + b mod 2 of the step: whether the state tells
        the input as well.
    """

    direction: NDArray[np.float64]
    threshold: float
    accuracy: NDArray[np.float64]
    held: NDArray[np.float64]
    from_input: NDArray[np.float64]
    shuffled: NDArray[np.float64]
    parity: NDArray[np.float64]

    @property
    def by_length(self) -> NDArray[np.float64]:
        """Accuracy over all steps of numbers of 1, 2, ..., T bits, without the step padded for the last carry."""
        return self.accuracy.cumsum() / np.arange(1, len(self.accuracy) + 1)

    def margin(self, states: NDArray[Any]) -> NDArray[np.float64]:
        """Return how far states (..., H) lie on the side of carry 1, shape (...,)."""
        return np.asarray(np.asarray(states, dtype=np.float64) @ self.direction - self.threshold)

    def decode(self, states: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the carry read from states (..., H): 0 or 1, shape (...,)."""
        return (self.margin(states) > 0).astype(np.uint8)


def carry_probe(
    train_states: NDArray[Any],
    train_bits: NDArray[Any],
    test_states: NDArray[Any],
    test_bits: NDArray[Any],
    *,
    generator: np.random.Generator,
    penalty: float = 1.0,
) -> CarryProbe:
    """Fit a logistic regression of the carry to all steps of some numbers and read other numbers with it.

    Parameters
    ----------
    train_states : ndarray (n, S, H)
        States after each step of short numbers, such as the net was trained on.
    train_bits : ndarray (n, S, 2)
        The bits, 0 or 1, least significant first.
    test_states : ndarray (m, T, H)
        States of other numbers, as long as one likes: a net without a backward direction has after t steps
        the same state whatever the length, so that one long test holds every shorter one.
    test_bits : ndarray (m, T, 2)
    generator : numpy.random.Generator
        Deals out the carries of the control.
    penalty : float
        As in `linear_readout`.

    Returns
    -------
    CarryProbe

    Raises
    ------
    UserError
        If the bits do not fit the states, or the hidden sizes differ.

    Notes
    -----
    The third control is the same call with the states of an untrained net. An LSTM's states are its outputs h;
    with h and c side by side the probe reads the memory cell too.
    """
    train_states = check_hidden_states(train_states, "train_states")
    test_states = check_hidden_states(test_states, "test_states")
    train_bits = check_bits(train_bits, "train_bits", train_states.shape[:2])
    test_bits = check_bits(test_bits, "test_bits", test_states.shape[:2])
    if train_states.shape[2] != test_states.shape[2]:
        raise UserError(
            "train_states and test_states differ in hidden size",
            value=(train_states.shape, test_states.shape),
            allowed="shapes (n, S, H) and (m, T, H)",
        )
    train_carry, test_carry = carries(train_bits), carries(test_bits)
    train_sums, test_sums = train_bits.sum(axis=2), test_bits.sum(axis=2)
    flat = train_states.reshape(-1, train_states.shape[2])
    direction, threshold = linear_rule(flat, train_carry.ravel(), penalty=penalty)
    right = (test_states.astype(np.float64) @ direction > threshold) == test_carry
    dealt = generator.permuted(train_carry, axis=0)

    def read(labels: NDArray[Any]) -> NDArray[Any]:
        found = linear_readout(flat, labels.ravel(), test_states.reshape(-1, flat.shape[1]), penalty=penalty)
        return found.reshape(test_states.shape[:2])

    return CarryProbe(
        direction=direction,
        threshold=threshold,
        accuracy=right.mean(axis=0),
        held=_mean_where(right, test_sums == 1),
        from_input=(_guess(train_sums, train_carry)[test_sums] == test_carry).mean(axis=0),
        shuffled=(read(dealt) == test_carry).mean(axis=0),
        parity=(read(train_sums % 2) == test_sums % 2).mean(axis=0),
    )


def _guess(sums: NDArray[Any], carry: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the commonest carry for each sum 0, 1 and 2, shape (3,)."""
    counts = np.array([[np.sum(carry[sums == s] == value) for value in (0, 1)] for s in range(3)])
    return counts.argmax(axis=1).astype(np.uint8)


def _mean_where(values: NDArray[Any], among: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Average over the samples of each step that are among those marked, (n, T) -> (T,); nan where none is."""
    with np.errstate(invalid="ignore"):
        return np.asarray((values & among).sum(axis=0) / among.sum(axis=0))
