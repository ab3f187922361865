"""How often random settings of the parameters, untrained, reach an accuracy (Figs. 7 and 8, Mehta).

An accuracy distribution is an array of counts ``(..., n + 1)``: entry k is the number of settings with k of n
sentences right. Leading axes, such as the scales S of the weights, are worked on one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes
from rnnkit.probes._shares import Shares, shares


@dataclass(frozen=True)
class Boxes:
    """The numbers of a box plot for each distribution, as accuracies (fractions); all are (...,).

    Attributes
    ----------
    minimum, whisker_low, lower, median, upper, whisker_high, maximum : ndarray (...,)
        `lower` and `upper` are the quartiles. The whiskers end at the outermost accuracies within 1.5 times
        the distance of the quartiles from the box.
    outliers : ndarray (...,)
        How many settings lie beyond the whiskers.
    """

    minimum: NDArray[np.float64]
    whisker_low: NDArray[np.float64]
    lower: NDArray[np.float64]
    median: NDArray[np.float64]
    upper: NDArray[np.float64]
    whisker_high: NDArray[np.float64]
    maximum: NDArray[np.float64]
    outliers: NDArray[np.int64]


def share_at_least(counts: NDArray[Any], thresholds: NDArray[Any]) -> Shares:
    """Return the share of settings whose accuracy reaches each threshold, with Wilson intervals.

    Parameters
    ----------
    counts : ndarray (..., n + 1)
    thresholds : ndarray (K,)
        Accuracies, as fractions.

    Returns
    -------
    Shares (..., K)

    Raises
    ------
    UserError
        If the counts are not whole numbers of settings, or a threshold is not a fraction.
    """
    counts = _check_counts(counts)
    thresholds = check_axes(np.asarray(thresholds, dtype=np.float64), "thresholds", ("K",))
    if thresholds.min() < 0 or thresholds.max() > 1:
        raise UserError("thresholds are out of range", value=thresholds.tolist(), allowed="fractions, 0 to 1")
    # 0.95 times 2000 is a little above 1900 in floating point, and 1900 of 2000 are 0.95.
    needed = np.ceil(thresholds * (counts.shape[-1] - 1) - 1e-9).astype(np.int64)
    reached = counts[..., ::-1].cumsum(axis=-1)[..., ::-1][..., needed]
    return shares(reached, counts.sum(axis=-1, keepdims=True))


def quantiles(counts: NDArray[Any], levels: NDArray[Any]) -> NDArray[np.float64]:
    """Return quantiles of the accuracies: what ``numpy.quantile`` gives for one number per setting.

    Parameters
    ----------
    counts : ndarray (..., n + 1)
    levels : ndarray (Q,)
        From 0 to 1.

    Returns
    -------
    ndarray (..., Q)

    Raises
    ------
    UserError
        If the counts are not whole numbers of settings, or a level is out of range.
    """
    counts = _check_counts(counts)
    levels = check_axes(np.asarray(levels, dtype=np.float64), "levels", ("Q",))
    if levels.min() < 0 or levels.max() > 1:
        raise UserError("levels are out of range", value=levels.tolist(), allowed="0 to 1")
    flat = counts.reshape(-1, counts.shape[-1])
    found = np.empty((len(flat), len(levels)))
    for row, histogram in enumerate(flat):
        settings_up_to = histogram.cumsum()
        place = (settings_up_to[-1] - 1) * levels
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, settings_up_to[-1] - 1)
        low, high = (np.searchsorted(settings_up_to, index, side="right") for index in (below, above))
        found[row] = _between(low / (len(histogram) - 1), high / (len(histogram) - 1), place - below)
    return found.reshape(*counts.shape[:-1], len(levels))


def boxes(counts: NDArray[Any]) -> Boxes:
    """Return the numbers of a box plot of the accuracies (Fig. 8, Mehta).

    Parameters
    ----------
    counts : ndarray (..., n + 1)

    Returns
    -------
    Boxes (...,)
    """
    counts = _check_counts(counts)
    accuracies = accuracies_of(counts)
    lower, median, upper = np.moveaxis(quantiles(counts, np.array([0.25, 0.5, 0.75])), -1, 0)
    reach = 1.5 * (upper - lower)
    present = counts > 0
    inside = (accuracies >= (lower - reach)[..., None]) & (accuracies <= (upper + reach)[..., None])
    # A whisker never ends within the box: where no accuracy lies outside it, there is no whisker.
    low, high = _extremes(accuracies, present & inside)
    minimum, maximum = _extremes(accuracies, present)
    whisker_low, whisker_high = np.minimum(low, lower), np.maximum(high, upper)
    beyond = (accuracies < whisker_low[..., None]) | (accuracies > whisker_high[..., None])
    outliers = np.where(beyond, counts, 0).sum(axis=-1)
    return Boxes(minimum, whisker_low, lower, median, upper, whisker_high, maximum, outliers)


def accuracies_of(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Return the accuracy that each entry of the counts stands for, shape (n + 1,)."""
    return np.arange(np.shape(counts)[-1]) / (np.shape(counts)[-1] - 1)


def by_percent(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Gather the counts by accuracy rounded to a whole percent, as in Fig. 7, Mehta.

    Parameters
    ----------
    counts : ndarray (..., n + 1)

    Returns
    -------
    ndarray (..., 101)
        A half percent goes up.
    """
    counts = _check_counts(counts)
    num = counts.shape[-1] - 1
    percent = (200 * np.arange(num + 1) + num) // (2 * num)
    return counts @ (percent[:, None] == np.arange(101)).astype(np.int64)


def total_variation(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Return the total variation distance of distributions: half the sum of |p - q|, 0 if equal, 1 if disjoint.

    Parameters
    ----------
    first, second : ndarray (..., n + 1)
        Counts or probabilities; each is divided by its sum.

    Returns
    -------
    ndarray (...,)
        Above 0 also for two samples of one distribution: see `total_variation_by_chance`.
    """
    p, q = _two_distributions(first, second)
    return np.abs(p - q).sum(axis=-1) / 2


def kolmogorov_smirnov(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Return the greatest difference between the cumulative distributions.

    Parameters
    ----------
    first, second : ndarray (..., n + 1)
        Counts or probabilities; each is divided by its sum.

    Returns
    -------
    ndarray (...,)
    """
    p, q = _two_distributions(first, second)
    return np.abs(p.cumsum(axis=-1) - q.cumsum(axis=-1)).max(axis=-1)


def total_variation_by_chance(
    first: NDArray[Any], second: NDArray[Any], *, generator: np.random.Generator, num_draws: int = 200
) -> NDArray[np.float64]:
    """Return the total variation distances that arise when the settings are dealt to the two at random.

    Parameters
    ----------
    first, second : ndarray (n + 1,)
        Counts.
    generator : numpy.random.Generator
    num_draws : int

    Returns
    -------
    ndarray (num_draws,)
        With these a permutation test: a distance above nearly all of them is more than chance.
    """
    first, second = check_axes(_check_counts(first), "first", ("n + 1",)), _check_counts(second)
    _two_distributions(first, second)
    pooled = first + second
    dealt = generator.multivariate_hypergeometric(pooled, first.sum(), size=num_draws, method="marginals")
    return total_variation(dealt, pooled - dealt)


def chance(num_sentences: int) -> NDArray[np.float64]:
    """Return the probability of each number right when every label is guessed: binomial, shape (n + 1,).

    Raises
    ------
    UserError
        If there is no sentence.
    """
    from scipy.stats import binom

    if num_sentences < 1:
        raise UserError("num_sentences is out of range", value=num_sentences, allowed="at least 1")
    return np.asarray(binom.pmf(np.arange(num_sentences + 1), num_sentences, 0.5))


def _between(low: NDArray[Any], high: NDArray[Any], share: NDArray[Any]) -> NDArray[np.float64]:
    """Interpolate from either end, whichever is nearer, as numpy does, so that the last digit agrees."""
    return np.where(share < 0.5, low + (high - low) * share, high - (high - low) * (1 - share))


def _extremes(
    accuracies: NDArray[np.float64], among: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest accuracy among those marked (..., n + 1)."""
    return accuracies[among.argmax(axis=-1)], accuracies[::-1][among[..., ::-1].argmax(axis=-1)]


def _check_counts(counts: NDArray[Any]) -> NDArray[np.int64]:
    counts = check_axes(counts, "counts", ("...", "n + 1"))
    if counts.shape[-1] < 2 or (counts < 0).any() or (counts != np.floor(counts)).any():
        raise UserError(
            "counts are not numbers of settings", value=counts.shape, allowed="whole numbers, 0 or above"
        )
    if (counts.sum(axis=-1) == 0).any():
        raise UserError("counts hold no setting", value=counts.shape, allowed="at least one setting in each")
    return counts.astype(np.int64)


def _two_distributions(
    first: NDArray[Any], second: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = (
        check_axes(first, "first", ("...", "n + 1")),
        check_axes(second, "second", ("...", "n + 1")),
    )
    if first.shape[-1] != second.shape[-1]:
        raise UserError(
            "distributions of different numbers of sentences",
            value=(first.shape, second.shape),
            allowed="the same last axis for both",
        )
    if min(first.min(), second.min()) < 0 or not (first.sum(-1).all() and second.sum(-1).all()):
        raise UserError("not a distribution", allowed="numbers 0 or above, not all of them 0")
    return first / first.sum(axis=-1, keepdims=True), second / second.sum(axis=-1, keepdims=True)
