"""Sequences of digits of which one, at a known place, is to be remembered until the end.

The digits 0 to 9 are independent and uniform; the target is the digit at ``position``, counted from 0. A sequence has
3 to 10 digits, and all sequences of a batch have the same number of them. Source: Section 2.1.2, lab report, which
draws 1000 batches of 50 and keeps every fifth part for the test; how lengths are drawn is not said there: uniformly
here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnkit.datasets._checks import check_integer, check_memory, check_seed
from rnnkit.errors import UserError

__all__ = ["NUM_DIGITS", "PADDING", "POSITION", "SAMPLES", "Recall", "Sample", "draw", "one_hot", "parse"]

NUM_DIGITS = 10
POSITION = 1
PADDING = 255  # no digit, so that whoever reads past the end of a sequence is told
MOST_TYPED = 1000
_LONGEST = 10_000
# Streams of random numbers of a seed beside all others; the numbers are part of every published result.
_DIGITS, _LENGTHS = (301, 0), (301, 1)


class Sample(NamedTuple):
    """A sequence that the report prints, and the digit at position 1."""

    digits: tuple[int, ...]
    truth: int


SAMPLES = (
    Sample((3, 7, 5), 7),
    Sample((2, 4, 6), 4),
    Sample((8, 8, 7, 9), 8),
    Sample((8, 8, 0, 7), 8),
    Sample((7, 4, 7, 6, 8), 4),
    Sample((6, 9, 2, 2, 8), 9),
    Sample((0, 7, 2, 1, 8, 2), 7),
    Sample((8, 3, 0, 3, 8, 2), 3),
    Sample((5, 1, 8, 8, 9, 7, 3), 1),
    Sample((6, 1, 1, 2, 0, 3, 6), 1),
    Sample((4, 1, 5, 8, 2, 9, 5, 3), 1),
    Sample((5, 2, 5, 0, 4, 3, 8, 5), 2),
    Sample((2, 5, 8, 2, 1, 2, 9, 6, 9), 5),
    Sample((0, 0, 8, 8, 8, 4, 9, 7, 1), 0),
    Sample((2, 4, 2, 1, 4, 3, 1, 7, 9, 1), 4),
    Sample((1, 5, 6, 5, 2, 1, 1, 9, 7, 8), 5),
)
"""The sixteen test sequences of the report (Section 3.2.4), two of each length from 3 to 10."""


@dataclass(frozen=True)
class Recall:
    """Batches of sequences, each batch of one length.

    Attributes
    ----------
    digits : np.ndarray
        (num_batches, batch_size, max_length) uint8: 0 to 9, and `PADDING` after the end.
    lengths : np.ndarray
        (num_batches,) int64: digits of each sequence of a batch.
    position : int
        Where the digit to be remembered stands, counted from 0.
    """

    digits: NDArray[np.uint8]
    lengths: NDArray[np.int64]
    position: int = POSITION

    @property
    def targets(self) -> NDArray[np.uint8]:
        """The digits to be remembered, (num_batches, batch_size)."""
        return self.digits[:, :, self.position]

    def sequences(self, batch: int) -> NDArray[np.uint8]:
        """The digits of one batch without padding, (batch_size, length)."""
        return self.digits[batch, :, : self.lengths[batch]]

    def one_hot(self, batch: int) -> NDArray[np.float32]:
        """What a network reads of one batch: (batch_size, length, 10) float32."""
        return one_hot(self.sequences(batch))

    def split(self, num_train: int) -> tuple[Recall, Recall]:
        """The first ``num_train`` batches and the rest, as views."""
        num = check_integer("num_train", num_train, 0, len(self.lengths))
        parts = (slice(num), slice(num, None))
        first, rest = (Recall(self.digits[part], self.lengths[part], self.position) for part in parts)
        return first, rest


def draw(
    num_batches: int,
    batch_size: int,
    *,
    position: int = POSITION,
    min_length: int = 3,
    max_length: int = 10,
    seed: int,
    lengths_seed: int | None = None,
) -> Recall:
    """Draw batches of sequences.

    Networks that are trained together need sequences of one length at each step: with a ``lengths_seed`` in common,
    the draws of two seeds have the same lengths, batch by batch, and other digits. Whatever the lengths are, a seed's
    digits are the same up to where a sequence ends; and fewer batches are the first ones of more.

    Parameters
    ----------
    num_batches, batch_size : int
        At least 1.
    position : int
        Of the digit to be remembered, counted from 0; every sequence has one there.
    min_length, max_length : int
        Lengths are uniform between them, both included.
    seed : int
        Of the digits.
    lengths_seed : int, optional
        Of the lengths; otherwise ``seed``.

    Raises
    ------
    UserError
        A size, a position, a length or a seed that cannot be used, or a draw that would fill the memory.
    """
    num_batches = check_integer("num_batches", num_batches, 1)
    batch_size = check_integer("batch_size", batch_size, 1)
    min_length = check_integer("min_length", min_length, 1, _LONGEST)
    max_length = check_integer("max_length", max_length, min_length, _LONGEST)
    position = check_integer("position", position, 0)
    if position >= min_length:
        raise UserError(
            f"the shortest sequences, of {min_length}, have no digit at this position",
            value=position,
            allowed=f"0 to {min_length - 1}",
        )
    check_memory("these sequences", num_batches * batch_size * max_length)
    seed = check_seed(seed)
    lengths_seed = seed if lengths_seed is None else check_seed(lengths_seed)
    digits = _generator(seed, _DIGITS).integers(
        0, NUM_DIGITS, (num_batches, batch_size, max_length), np.uint8
    )
    lengths = _generator(lengths_seed, _LENGTHS).integers(min_length, max_length + 1, num_batches)
    past_end = np.arange(max_length) >= lengths[:, None]  # (num_batches, max_length)
    np.copyto(digits, PADDING, where=past_end[:, None])
    return Recall(digits, lengths, position)


def _generator(seed: int, stream: tuple[int, ...]) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=stream))


def one_hot(digits: ArrayLike) -> NDArray[np.float32]:
    """One of ten numbers is 1: digits (...,) of 0 to 9 -> float32 (..., 10).

    Raises
    ------
    UserError
        Where they are not integers of 0 to 9.
    """
    array = np.asarray(digits)
    if array.dtype.kind not in "iu":
        raise UserError("digits are integers", value=str(array.dtype), allowed="0 to 9")
    if array.size and (array.min() < 0 or array.max() >= NUM_DIGITS):
        wrong = array[(array < 0) | (array >= NUM_DIGITS)]
        raise UserError("this is no digit", value=int(wrong[0]), allowed="0 to 9")
    return np.eye(NUM_DIGITS, dtype=np.float32)[array]


def parse(text: str) -> NDArray[np.uint8]:
    """Read typed digits: ``"1,2,4"``, ``"1 2 4"`` or ``"124"``.

    Returns
    -------
    np.ndarray
        (length,) uint8.

    Raises
    ------
    UserError
        If there is no digit, something that is none, a number of two digits among others, or too much.
    """
    if not isinstance(text, str):
        raise UserError("digits are typed as text", value=text, allowed="such as 1,2,4 or 124")
    parts = re.findall(r"[^\s,;]+", text)
    if not parts:
        raise UserError("there is no digit in this sequence", value=text, allowed="such as 1,2,4 or 124")
    digits = list(parts[0]) if len(parts) == 1 else parts
    if len(digits) > MOST_TYPED:
        raise UserError("this sequence is too long", value=len(digits), allowed=f"up to {MOST_TYPED} digits")
    for digit in digits:
        if not re.fullmatch("[0-9]", digit):
            raise UserError("this is no digit", value=digit, allowed="0 to 9, such as 1,2,4 or 124")
    return np.array([int(digit) for digit in digits], np.uint8)
