"""How a measured number is printed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rnnkit.results.intervals import Interval

_MORE_DIGITS = 4


@dataclass(frozen=True)
class Unit:
    """A way to print numbers: ``{before}{scale * value:.{decimals}f}{after}``.

    `possible` is where a number of this unit can lie, and its interval with it; a difference of two may lie elsewhere.
    """

    scale: float
    decimals: int
    before: str
    after: str
    difference_after: str
    possible: tuple[float, float] = (-math.inf, math.inf)

    def constant(self, value: float) -> str:
        """Print a number of the ledger with the digits that it was given: ``93 %``."""
        return f"{self.before}{self._counted(value, self.after)}"

    def around(self, value: float, tolerance: float) -> str:
        """Print a number of the ledger with its tolerance: ``93 ± 1 %``."""
        return f"{self.before}{self._digits(value)} ± {self._digits(tolerance)}{self.after}"

    def measured(self, interval: Interval, bounds: Sequence[float] = ()) -> str:
        """Print a number and its interval, ``94.80 % [94.10, 95.50]``, in digits that tell it from `bounds`."""
        decimals = self._decimals(interval, bounds)
        return self._with_ends(self.alone(interval.value, decimals), interval, decimals)

    def alone(self, value: float, decimals: int | None = None) -> str:
        """Print a measured number without an interval: ``94.80 %``."""
        decimals = self.decimals if decimals is None else decimals
        return f"{self.before}{value * self.scale:.{decimals}f}{self.after}"

    def difference(self, interval: Interval, bounds: Sequence[float] = ()) -> str:
        """Print a difference and its interval: ``+2.10 points [+1.80, +2.40]``."""
        decimals = self._decimals(interval, bounds)
        text = f"{interval.value * self.scale:+.{decimals}f}{self.difference_after}"
        return self._with_ends(text, interval, decimals, sign="+")

    def margin(self, value: float) -> str:
        """Print a difference of the ledger: ``2 points``."""
        return self._counted(value, self.difference_after if value else "")

    def within(self, tolerance: float) -> str:
        """Print a tolerance of the ledger around no difference: ``± 5 points``."""
        return f"± {self._digits(tolerance)}{self.difference_after}"

    def _counted(self, value: float, after: str) -> str:
        digits = self._digits(value)
        return digits + (after.removesuffix("s") if digits == "1" and after != " s" else after)

    def _digits(self, value: float) -> str:
        return f"{value * self.scale:.10g}"

    def _with_ends(self, text: str, interval: Interval, decimals: int, sign: str = "") -> str:
        if interval.ends is None or interval.exact:
            return text
        low, high = (f"{end * self.scale:{sign}.{decimals}f}" for end in interval.ends)
        return f"{text} [{low}, {high}]"

    def _decimals(self, interval: Interval, bounds: Sequence[float]) -> int:
        """Return the digits at which no end looks equal to a bound that it differs from."""
        ends = interval.ends or (interval.value, interval.value)
        pairs = [(end * self.scale, bound * self.scale) for end in ends for bound in bounds if end != bound]
        for decimals in range(self.decimals, self.decimals + _MORE_DIGITS):
            if all(f"{end:.{decimals}f}" != f"{bound:.{decimals}f}" for end, bound in pairs):
                return decimals
        return self.decimals + _MORE_DIGITS


UNITS = {
    "percent": Unit(100, 2, "", " %", " points", possible=(0.0, 1.0)),
    "points": Unit(100, 2, "", " points", " points"),
    "fraction": Unit(1, 3, "", "", ""),
    "loss": Unit(1, 3, "", "", "", possible=(0.0, math.inf)),
    "count": Unit(1, 1, "", "", ""),
    "whole": Unit(1, 0, "", "", ""),
    "steps": Unit(1, 1, "", " steps", " steps"),
    "seconds": Unit(1, 2, "", " s", " s"),
    "ratio": Unit(1, 2, "x", "", ""),
}
