"""Pairs of binary numbers and their sums, bit by bit, as a network reads and writes them.

Bits are arrays whose index is the power of two: the least significant bit first, the order in which a network meets
them. Text is written as on paper, the most significant bit first. Numbers of ``length`` bits are read in
``length + 1`` steps: a zero of each is added at the end, for the carry. The report draws 500 batches of 100 pairs of 5
bits and keeps every fifth part for the test (Section 2.1.3, lab report); its bits are uniform here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnkit.datasets._checks import check_integer, check_memory, check_seed, is_integer
from rnnkit.errors import UserError

__all__ = ["LENGTH", "Pairs", "carries", "draw", "inputs", "parse", "targets", "to_bits", "to_int", "to_text"]

LENGTH = 5
LONGEST = 10_000
_STREAM = (302,)  # of a seed, beside all others; part of every published result


class Pairs(NamedTuple):
    """Bits of two numbers each, (..., length) uint8, the least significant first."""

    a: NDArray[np.uint8]
    b: NDArray[np.uint8]


def draw(num_batches: int, batch_size: int, *, length: int = LENGTH, seed: int) -> Pairs:
    """Draw pairs of numbers, uniform over those of ``length`` bits; fewer batches are the first ones of more.

    Returns
    -------
    Pairs
        ``a`` and ``b``, (num_batches, batch_size, length) uint8 each.

    Raises
    ------
    UserError
        A size, a length or a seed that cannot be used, or a draw that would fill the memory.
    """
    num_batches = check_integer("num_batches", num_batches, 1)
    batch_size = check_integer("batch_size", batch_size, 1)
    length = check_integer("length", length, 1, LONGEST)
    check_memory("these numbers", 2 * num_batches * batch_size * length)
    generator = np.random.default_rng(np.random.SeedSequence(check_seed(seed), spawn_key=_STREAM))
    bits = generator.integers(0, 2, (num_batches, batch_size, 2, length), np.uint8)
    return Pairs(bits[:, :, 0], bits[:, :, 1])


def inputs(a: ArrayLike, b: ArrayLike) -> NDArray[np.float32]:
    """What a network reads: bits (..., length) of two numbers -> (..., length + 1, 2) float32.

    Raises
    ------
    UserError
        What is no bits, or two numbers of other shapes. So do `targets` and `carries`.
    """
    a, b = _checked_pair(a, b)
    x = np.zeros((*a.shape[:-1], a.shape[-1] + 1, 2), np.float32)
    x[..., :-1, 0], x[..., :-1, 1] = a, b
    return x


def targets(a: ArrayLike, b: ArrayLike) -> NDArray[np.uint8]:
    """The bits of the sums: (..., length) of two numbers -> (..., length + 1) uint8."""
    a, b = _checked_pair(a, b)
    total = carries(a, b)
    total[..., :-1] ^= a ^ b
    return total


def carries(a: ArrayLike, b: ArrayLike) -> NDArray[np.uint8]:
    """The carry into each step: (..., length) of two numbers -> (..., length + 1) uint8, the first ones 0.

    The carry out of step t is the one into step t + 1; none leaves the last step.
    """
    a, b = _checked_pair(a, b)
    carry = np.zeros((*a.shape[:-1], a.shape[-1] + 1), np.uint8)
    for t in range(a.shape[-1]):
        carry[..., t + 1] = (a[..., t] + b[..., t] + carry[..., t]) >> 1
    return carry


def _checked_pair(a: ArrayLike, b: ArrayLike) -> Pairs:
    a, b = _checked(a), _checked(b)
    if a.shape != b.shape:
        raise UserError(
            "two numbers that are added have as many bits",
            value=f"{a.shape} and {b.shape}",
            allowed="one shape",
        )
    return Pairs(a, b)


def _checked(bits: ArrayLike) -> NDArray[np.uint8]:
    """Bits as uint8 (..., length >= 1)."""
    array = np.asarray(bits)
    if array.ndim == 0 or array.shape[-1] == 0 or array.dtype.kind not in "iub":
        raise UserError(
            "these are no bits",
            value=f"{array.dtype} {array.shape}",
            allowed="integers 0 and 1 (..., length >= 1)",
        )
    if array.size and (array.min() < 0 or array.max() > 1):
        wrong = array[(array < 0) | (array > 1)]
        raise UserError("this is no bit", value=int(wrong.flat[0]), allowed="0 and 1")
    return array.astype(np.uint8)


def parse(text: str) -> NDArray[np.uint8]:
    """Read a binary number as it is written: ``"00110"`` -> its bits (5,) uint8, the least significant first.

    Raises
    ------
    UserError
        If there is no digit, one that is neither 0 nor 1, or more than `LONGEST`.
    """
    if not isinstance(text, str):
        raise UserError("a binary number is typed as text", value=text, allowed="such as 00110")
    digits = text.strip()
    if not digits:
        raise UserError("there is no digit in this number", value=text, allowed="such as 00110")
    if strange := [digit for digit in digits if digit not in "01"]:
        raise UserError("this is no digit of a binary number", value=strange[0], allowed="0 and 1")
    if len(digits) > LONGEST:
        raise UserError("this number is too long", value=len(digits), allowed=f"up to {LONGEST} bits")
    return np.array([digit == "1" for digit in reversed(digits)], np.uint8)


def to_bits(number: str | int, length: int) -> NDArray[np.uint8]:
    """The bits (length,) uint8 of a number, the least significant first.

    Parameters
    ----------
    number : str or int
        Text as `parse` reads it, or an integer of at least 0 and of any size.
    length : int
        How many bits; zeros are added where the number is shorter.

    Raises
    ------
    UserError
        What is no number, a length that is none, or a number that does not fit.
    """
    length = check_integer("length", length, 1, LONGEST)
    if is_integer(number) and number >= 0:  # type: ignore[operator]
        value = int(number)
        if value.bit_length() > length:
            shown = value if value.bit_length() <= 64 else f"a number of {value.bit_length()} bits"
            raise UserError("this number does not fit", value=shown, allowed=f"up to {length} bits")
        return np.array([value >> t & 1 for t in range(length)], np.uint8)
    if not isinstance(number, str):
        raise UserError("this is no number to add", value=number, allowed="an integer of at least 0, or text")
    bits = parse(number)
    if bits[length:].any():
        raise UserError("this number does not fit", value=number, allowed=f"up to {length} bits")
    return np.pad(bits[:length], (0, max(0, length - len(bits))))


def to_text(bits: ArrayLike) -> str:
    """Write bits (length,) as a binary number, the most significant first; `parse` reads it back."""
    return "".join("01"[bit] for bit in _one_number(bits)[::-1])


def to_int(bits: ArrayLike) -> int:
    """The number that bits (length,) stand for, exact at any length."""
    return int(to_text(bits), 2)


def _one_number(bits: ArrayLike) -> NDArray[np.uint8]:
    array = _checked(bits)
    if array.ndim != 1:
        raise UserError("a number has one axis, its bits", value=array.shape, allowed="(length,)")
    return array
