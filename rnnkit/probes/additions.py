"""Binary additions as a net reads them, and numbers made to try one thing at a time (Section 3.3, the lab report).

Bits are arrays (n, T, 2) of 0 and 1, the least significant first; T includes the step padded for the last
carry. A carry is always the one *out of* a step. While exactly one bit is set the old carry goes on: it is held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes, check_bits

Step = Callable[[NDArray[np.float64], NDArray[np.uint8]], NDArray[Any]]
"""``step(states (n, D), bits (n, 2)) -> states (n, D)``: everything the net keeps, for an LSTM h and c side by side."""

Read = Callable[[NDArray[np.float64]], NDArray[Any]]
"""``read(states (n, D)) -> bits (n,)``: the net's answer, 0 or 1, in the state after a step."""

PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.uint8)
# Each of the sums 0, 1 and 2 has one vote on what carry a state holds; two pairs share that of 1.
_VOTES = np.array([2, 1, 1, 2]) / 6


@dataclass(frozen=True)
class Adder:
    """A net that adds, as callables.

    Attributes
    ----------
    step : callable
        ``step(states (n, D), bits (n, 2)) -> states (n, D)``.
    read : callable
        ``read(states (n, D)) -> bits (n,)``.
    initial : ndarray (D,)
        The state before the first step.
    """

    step: Step
    read: Read
    initial: NDArray[Any]

    def run(
        self, bits: NDArray[Any], *, start: NDArray[Any] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Add numbers.

        Parameters
        ----------
        bits : ndarray (n, T, 2)
        start : ndarray (n, D), optional
            States to begin in; `initial` unless told.

        Returns
        -------
        states : ndarray (n, T, D)
            After each step.
        outputs : ndarray (n, T) uint8
        """
        bits = check_bits(bits, "bits")
        before = np.broadcast_to(self.initial, (len(bits), len(self.initial))) if start is None else start
        states = np.empty((*bits.shape[:2], len(self.initial)))
        outputs = np.empty(bits.shape[:2], dtype=np.uint8)
        for t in range(bits.shape[1]):
            states[:, t] = before = self.step(np.asarray(before, dtype=np.float64), bits[:, t])
            outputs[:, t] = self.read(states[:, t])
        return states, outputs

    def votes(self, states: NDArray[Any]) -> NDArray[np.float64]:
        """Ask the net itself what carry its states hold: how strongly its next answers say 1.

        The sum bit of the next step is the parity of its two bits if the carry is 0, and the other bit if it
        is 1; so each answer implies a carry. No probe is fitted for that.

        Parameters
        ----------
        states : ndarray (n, D)

        Returns
        -------
        ndarray (n,)
            0 to 1, the mean over next sums 0, 1 and 2; 0 or 1 where all next answers are those of one carry.
        """
        states = np.asarray(states, dtype=np.float64)
        implied = [
            np.asarray(self.read(self.step(states, np.broadcast_to(pair, (len(states), 2)))))
            != pair.sum() % 2
            for pair in PAIRS
        ]
        # Rounded, so that half the votes are exactly one half.
        return np.round(_VOTES @ np.stack(implied), 9)


def carries(bits: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the carry out of each step, shape (n, T)."""
    bits = check_bits(bits, "bits")
    carry = np.zeros(len(bits), dtype=np.uint8)
    found = np.empty(bits.shape[:2], dtype=np.uint8)
    for t in range(bits.shape[1]):
        found[:, t] = carry = (bits[:, t].sum(axis=1, dtype=np.uint8) + carry) // 2
    return found


def carries_in(bits: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the carry into each step, shape (n, T): that out of the step before, 0 at the first."""
    out = carries(bits)
    return np.concatenate([np.zeros_like(out[:, :1]), out[:, :-1]], axis=1)


def totals(bits: NDArray[Any]) -> NDArray[np.uint8]:
    """Return bits and carry into each step added up: 0 to 3, shape (n, T).

    The last binary digit of the total is the sum bit, the first the carry out of the step.
    """
    return np.asarray(check_bits(bits, "bits").sum(axis=2, dtype=np.uint8) + carries_in(bits))


def holds(bits: NDArray[Any]) -> NDArray[np.int64]:
    """Return through how many steps before each one the carry has been held by then, shape (n, T).

    0 where the step before had two equal bits, or there is none; 3 where the three before had one bit set each.
    """
    single = check_bits(bits, "bits").sum(axis=2) == 1
    found = np.zeros(single.shape, dtype=np.int64)
    for t in range(1, single.shape[1]):
        found[:, t] = np.where(single[:, t - 1], found[:, t - 1] + 1, 0)
    return found


def chains(num: int, length: int, *, carry: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Make numbers that set a carry of 1, or 0, and hold it through `length` steps; nothing else.

    Parameters
    ----------
    num : int
    length : int
        Steps with one bit set, in either number at random.
    carry : int
        1 begins with 1 + 1, 0 with 0 + 0.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray (num, length + 2, 2) uint8
        The last step is 0 + 0 and shows the carry.
    """
    if num < 1 or length < 0 or carry not in (0, 1):
        raise UserError(
            "no such chains", value=(num, length, carry), allowed="num >= 1, length >= 0, carry 0 or 1"
        )
    bits = np.zeros((num, length + 2, 2), dtype=np.uint8)
    bits[:, 0] = carry
    bits[:, 1:-1, 0] = generator.integers(2, size=(num, length))
    bits[:, 1:-1, 1] = 1 - bits[:, 1:-1, 0]
    return bits


def calm_numbers(num: int, length: int, *, longest: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw numbers in which no sum of two bits, 0, 1 or 2, comes more than `longest` times in a row.

    Parameters
    ----------
    num, length : int
        How many, and bits of each.
    longest : int
        With what the net met in training: length without long chains, nor any other long run.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray (num, length + 1, 2) uint8
        The last step is the padded one.
    """
    if min(num, length, longest) < 1:
        raise UserError("no such numbers", value=(num, length, longest), allowed="all at least 1")
    bits = np.zeros((num, length + 1, 2), dtype=np.uint8)
    run, last = np.zeros(num, dtype=np.int64), np.full(num, 3)
    for t in range(length):
        drawn = generator.integers(2, size=(num, 2), dtype=np.uint8)
        while (barred := (run == longest) & (drawn.sum(axis=1) == last)).any():
            drawn[barred] = generator.integers(2, size=(int(barred.sum()), 2), dtype=np.uint8)
        now = drawn.sum(axis=1)
        run, last = np.where(now == last, run + 1, 1), now
        bits[:, t] = drawn
    return bits


def check_adder(adder: Adder) -> int:
    """Return the size D of an adder's state.

    Raises
    ------
    UserError
        If its step or read-out gives arrays of another shape.
    """
    initial = check_axes(adder.initial, "initial", ("D",))
    after = np.asarray(adder.step(np.tile(np.asarray(initial, np.float64), (3, 1)), PAIRS[:3]))
    answers = np.asarray(adder.read(after.astype(np.float64)))
    if after.shape != (3, len(initial)) or answers.shape != (3,):
        raise UserError(
            "step or read gives another shape",
            value=(after.shape, answers.shape),
            allowed=f"(n, D) = (3, {len(initial)}) and (n,) = (3,) for three states",
        )
    return len(initial)
