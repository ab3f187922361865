"""Shares of a number of trials, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95


@dataclass(frozen=True)
class Shares:
    """Shares of successes with their Wilson score intervals at the level of 95 % (Wilson 1927).

    Attributes
    ----------
    share, low, high : ndarray (...,)
    trials : ndarray (...,)
        How many trials stand behind each share; where there are none, share, low and high are nan.
    """

    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    trials: NDArray[np.int64]


def shares(successes: NDArray[Any], trials: NDArray[Any] | int) -> Shares:
    """Divide `successes` by `trials` (arrays that broadcast) and give each share its interval."""
    successes, trials = np.broadcast_arrays(np.asarray(successes), np.asarray(trials))
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = successes / trials
        centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
        half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2.0))
    # At 0 and 1 the ends are exact, and rounding would put them a hair inside.
    low = np.where(share == 0, 0.0, centre - half)
    high = np.where(share == 1, 1.0, centre + half)
    return Shares(share, low, high, trials.astype(np.int64))
