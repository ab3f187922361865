"""What a reader may type for a number, and how two numbers are added on paper.

The page's script reads and adds by the same rules (rnnkit-adder-walk.js); a test holds the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

MAX_BITS = 64
BASES = ("decimal", "binary")
_SEPARATORS = re.compile(r"[\s_]+")
_DIGITS = {"decimal": re.compile(r"[0-9]+"), "binary": re.compile(r"[01]+")}
_LONGEST_DECIMAL = len(str(2**MAX_BITS - 1))


@dataclass(frozen=True)
class Number:
    """A number as it was understood.

    Attributes
    ----------
    value : int
    length : int
        Bits that the net reads of it; leading zeros of a binary number count. 0 when there is no number.
    fault : str
        Why there is none; empty when there is one.
    """

    value: int
    length: int
    fault: str = ""


def read_number(text: str, base: str) -> Number:
    """Read a whole number of at most ``MAX_BITS`` bits; blanks and ``_`` only separate, ``0b`` is binary in any base.

    Parameters
    ----------
    text : str
        As typed.
    base : {"decimal", "binary"}
        How a number without ``0b`` is read.
    """
    bare = _SEPARATORS.sub("", text)
    if bare[:2].lower() == "0b":
        bare, base = bare[2:], "binary"
    if not bare:
        return Number(0, 0, "Type a number.")
    if not _DIGITS[base].fullmatch(bare):
        shown = f"“{text.strip()[:30]}” is"
        wanted = (
            "no binary number: 0s and 1s only" if base == "binary" else "no whole number: digits 0 to 9 only"
        )
        return Number(0, 0, f"{shown} {wanted}.")
    if base == "binary":
        value, length = int(bare[-MAX_BITS:], 2), len(bare)
    else:
        bare = bare.lstrip("0") or "0"
        value = int(bare[: _LONGEST_DECIMAL + 1])
        length = max(1, value.bit_length())
    if length > MAX_BITS:
        return Number(0, 0, f"Too long: a number may have {MAX_BITS} bits.")
    return Number(value, length)


@dataclass(frozen=True)
class Sum:
    """Two numbers added on paper, least significant bit first.

    Attributes
    ----------
    a, b : int
    length : int
        Number of columns T: one more than the longer number has bits, for the last carry.
    """

    a: int
    b: int
    length: int

    @classmethod
    def of(cls, a: Number, b: Number) -> Sum:
        """Sum of two numbers; without columns where one is missing."""
        faulty = a.fault or b.fault
        return cls(a.value, b.value, 0 if faulty else max(a.length, b.length) + 1)

    def bits(self, value: int) -> np.ndarray:
        """Bits of a value in the columns, (T,) of 0 and 1."""
        return np.array([value >> t & 1 for t in range(self.length)], dtype=np.int64)

    @property
    def inputs(self) -> np.ndarray:
        """What the net reads, (T, 2)."""
        return np.stack([self.bits(self.a), self.bits(self.b)], axis=1)

    @property
    def right(self) -> np.ndarray:
        """Bits of the right sum, (T,)."""
        return self.bits(self.a + self.b)

    @property
    def carries(self) -> np.ndarray:
        """Carry before the first column and after each, (T + 1,)."""
        columns, carry = self.inputs.sum(axis=1), [0]
        for column in columns:
            carry.append(int(column + carry[-1] > 1))
        return np.array(carry)
