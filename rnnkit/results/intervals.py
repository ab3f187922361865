"""What several seeds or models say about a number: mean, share, median or best, with a 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.95
RESAMPLES = 10_000
_BOOTSTRAP_SEED = 1979  # of Efron's paper: a page drawn twice shows the same interval


_COUNTED = {"share": "share over ", "median": "median of ", "best": "best of "}


def plural(n: int, of: str) -> str:
    """``1 seed``, ``2 seeds``."""
    return f"{n} {of.removesuffix('s') if n == 1 else of}"


@dataclass(frozen=True)
class Interval:
    """A number with the interval that holds it at the level of 95 %.

    Parameters
    ----------
    value : float
        The number.
    low, high : float or None
        The interval; None for what one seed or model says, which has none.
    n : int
        How many values stand behind it; 0 marks an exact number that does not hang on a seed.
    word : str
        What the number is: ``"mean"``, ``"share"``, ``"median"``, ``"best"``, or a difference of two of them.
    n_other : int or None
        How many values stand behind what is subtracted, where these are not paired with the `n`.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    word: str = "mean"
    n_other: int | None = None

    @property
    def ends(self) -> tuple[float, float] | None:
        """Low and high, or None where there is no interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def exact(self) -> bool:
        """Whether the number is known without an interval: a property of the data, or the best of those made."""
        return not self.sizes or self.word == "best"

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values stand behind it, of one or two samples; nothing for an exact number."""
        return tuple(size for size in (self.n, self.n_other) if size)

    def counted(self, of: str) -> str:
        """Say how many of what stand behind it: ``5 seeds``, ``median of 200 models``; nothing if it is exact."""
        if not self.sizes:
            return ""
        *others, last = self.sizes
        return _COUNTED.get(self.word, "") + "".join(f"{size} and " for size in others) + plural(last, of)

    def within(self, low: float, high: float) -> Interval:
        """Return it without what lies outside of [low, high], where the true number cannot be, such as a share over 1.

        The interval that is left holds the true number exactly as often as the whole one.

        Raises
        ------
        ValueError
            If the value itself lies outside.
        """
        if not low <= self.value <= high:
            raise ValueError(f"is {self.value:g}, which is not in {low:g} to {high:g}")
        if self.ends is None:
            return self
        return replace(self, low=max(self.ends[0], low), high=min(self.ends[1], high))

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
    return Interval(share, low, high, len(array), "share")


def newcombe(first: Interval, second: Interval) -> Interval:
    """Return the difference of two shares, unpaired, with its hybrid score interval (Newcombe 1998, method 10).

    Parameters
    ----------
    first, second : Interval
        As `wilson` gives them.
    """
    if first.ends is None or second.ends is None:
        raise ValueError("a share has its interval")
    difference = first.value - second.value
    down = math.hypot(first.value - first.ends[0], second.ends[1] - second.value)
    up = math.hypot(first.ends[1] - first.value, second.value - second.ends[0])
    ends = difference - down, difference + up
    return Interval(difference, *ends, first.n, "difference of shares", second.n)


def median(values: ArrayLike) -> Interval:
    """Return the median with the percentile interval of its bootstrap (Efron 1979), the same in every run.

    Parameters
    ----------
    values : array, shape (n,) or ()
        One number per seed or model; an array without axes is an exact number.

    Raises
    ------
    ValueError
        As `student` does.
    """
    array = finite(values)
    value = float(np.median(array))
    if array.ndim == 0:
        return Interval(value, value, value, 0, "median")
    if len(array) == 1:
        return Interval(value, None, None, 1, "median")
    return Interval(value, *_percentiles(_medians(array, _generator())), len(array), "median")


def median_difference(first: ArrayLike, second: ArrayLike) -> Interval:
    """Return the first median less the second; both are resampled on their own, as nothing pairs their values.

    Parameters
    ----------
    first, second : array, shape (n,) or ()
        As for `median`; their lengths may differ.
    """
    arrays = finite(first), finite(second)
    value = float(np.median(arrays[0]) - np.median(arrays[1]))
    n, n_other = (array.size if array.ndim else 0 for array in arrays)
    word = "difference of medians"
    if n == 0 and n_other == 0:
        return Interval(value, value, value, 0, word)
    if 1 in (n, n_other):
        return Interval(value, None, None, n, word, n_other)
    generator = _generator()
    resampled = [_medians(array, generator) if array.ndim else array for array in arrays]
    return Interval(value, *_percentiles(resampled[0] - resampled[1]), n, word, n_other)


def best(values: ArrayLike) -> Interval:
    """Return the largest value: an exact number, of those that were made."""
    array = finite(values)
    value = float(array.max())
    return Interval(value, value, value, array.size if array.ndim else 0, "best")


SUMMARIES: dict[str, Callable[[ArrayLike], Interval]] = {
    "mean": student,
    "share": wilson,
    "median": median,
    "best": best,
}


def _generator() -> np.random.Generator:
    return np.random.default_rng(_BOOTSTRAP_SEED)


def _medians(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The medians of `RESAMPLES` resamples with replacement."""
    return np.median(values[generator.integers(0, len(values), (RESAMPLES, len(values)))], axis=1)


def _percentiles(resampled: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(resampled, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)


def finite(values: ArrayLike, of: str = "seeds") -> np.ndarray:
    """Return the values as float64, refusing more than one axis, no value at all, NaN and infinities."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim > 1:
        raise ValueError(f"has the shape {array.shape}; it is one number per {of.removesuffix('s')}")
    if array.size == 0:
        raise ValueError("has no values")
    if bad := int(np.sum(~np.isfinite(array))):
        raise ValueError(f"is not a finite number for {bad} of {plural(array.size, of)}")
    return array
