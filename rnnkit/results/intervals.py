"""What several seeds say about a number: its mean and a 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean with the interval that holds it at the level of 95 %.

    `n` is the number of values; 0 marks an exact number that does not hang on a seed. `low` and `high` are
    None for a single value, which has no interval.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def ends(self) -> tuple[float, float] | None:
        """Low and high, or None where there is no interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def overlaps(self, other: Interval) -> bool | None:
        """Tell whether two intervals share a point; None where one of them is missing."""
        if self.ends is None or other.ends is None:
            return None
        return self.ends[0] <= other.ends[1] and other.ends[0] <= self.ends[1]


def student(values: ArrayLike) -> Interval:
    """Return the mean over seeds with its Student interval: mean ± t(0.975, n - 1) s / sqrt(n).

    Parameters
    ----------
    values : array, shape (n_seeds,) or ()
        One number per seed; an array without axes is an exact number, such as a property of the data.

    Raises
    ------
    ValueError
        If there are no values, more than one axis, or a value that is not finite.
    """
    array = finite(values)
    if array.ndim == 0:
        exact = float(array)
        return Interval(exact, exact, exact, 0)
    n = len(array)
    if n == 1:
        return Interval(float(array[0]), None, None, 1)
    if np.all(array == array[0]):  # exactly a point, where rounding of the mean would blur it
        same = float(array[0])
        return Interval(same, same, same, n)
    from scipy.special import stdtrit

    mean = float(array.mean())
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2) * array.std(ddof=1) / math.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def wilson(values: ArrayLike, trials: int = 1) -> Interval:
    """Return the share of successes with its Wilson score interval (Wilson 1927).

    Parameters
    ----------
    values : array, shape (n_seeds,) or ()
        The share of successes of each seed: 0 or 1 where `trials` is 1.
    trials : int
        How many trials stand behind each value.

    Raises
    ------
    ValueError
        If a value is not a whole number of successes out of `trials`.
    """
    array = np.atleast_1d(finite(values))
    counts = array * trials
    if np.any(array < 0) or np.any(array > 1) or np.any(np.abs(counts - np.round(counts)) > 1e-3):
        raise ValueError(f"holds values that are not a share of {trials} trials")
    n = trials * len(array)
    share = float(np.round(counts).sum() / n)
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At 0 and 1 the ends are exact, and rounding would put them a hair inside.
    low = 0.0 if share == 0 else centre - half
    high = 1.0 if share == 1 else centre + half
    return Interval(share, low, high, len(array))


def finite(values: ArrayLike) -> np.ndarray:
    """Return the values as float64, refusing more than one axis, no value at all, NaN and infinities."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim > 1:
        raise ValueError(f"has the shape {array.shape}; it is one number per seed")
    if array.size == 0:
        raise ValueError("has no values")
    if bad := int(np.sum(~np.isfinite(array))):
        raise ValueError(f"is not a finite number for {bad} of {array.size} seeds")
    return array
