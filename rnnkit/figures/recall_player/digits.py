"""What a reader may type for a sequence of digits.

The page's script reads by the same rules (rnnkit-recall.js); a test holds the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_DIGITS = 30
_TOKEN = re.compile(r"([0-9])|([^\s0-9.,;:|/-]+)")


@dataclass(frozen=True)
class Typed:
    """What was understood of a text.

    Attributes
    ----------
    digits : tuple of int
        At most ``MAX_DIGITS``.
    unknown : tuple of str
        What was not understood, once each, in the order of the text.
    cut : bool
        Whether the text had more digits.
    """

    digits: tuple[int, ...]
    unknown: tuple[str, ...] = ()
    cut: bool = False


def read_digits(text: str) -> Typed:
    """Read digits leniently: each stands for itself, blanks, commas and the like only separate."""
    found = [token.groups() for token in _TOKEN.finditer(text)]
    digits = tuple(int(digit) for digit, _ in found if digit)
    unknown = tuple(dict.fromkeys(rest for _, rest in found if rest))
    return Typed(digits[:MAX_DIGITS], unknown, len(digits) > MAX_DIGITS)


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``4th`` ..."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
