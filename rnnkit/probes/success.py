"""How often training succeeds over initialisations, and how good the best of some is (Figs. 3 to 6, Mehta)."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes
from rnnkit.probes._shares import Shares, shares


@dataclass(frozen=True)
class Spread:
    """How accuracies differ from initialisation to initialisation; all are (...,).

    Attributes
    ----------
    minimum, lower, median, upper, maximum : ndarray (...,)
        `lower` and `upper` are the quartiles.
    mean, deviation : ndarray (...,)
        `deviation` divides by M - 1; nan for one initialisation.
    """

    minimum: NDArray[np.float64]
    lower: NDArray[np.float64]
    median: NDArray[np.float64]
    upper: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def success(accuracy: NDArray[Any], thresholds: NDArray[Any]) -> Shares:
    """Return the share of models that reach each accuracy, with Wilson intervals.

    Parameters
    ----------
    accuracy : ndarray (..., M)
        Best accuracy of each model, a fraction.
    thresholds : ndarray (K,)

    Returns
    -------
    Shares (..., K)
    """
    accuracy = check_axes(accuracy, "accuracy", ("...", "M"))
    thresholds = check_axes(thresholds, "thresholds", ("K",))
    # A share of sentences kept as float32 may lie a hair below the fraction it stands for.
    reached = accuracy[..., None, :].astype(np.float64) >= thresholds[:, None] - 1e-6
    return shares(reached.sum(axis=-1), accuracy.shape[-1])


def best_of(accuracy: NDArray[Any], sizes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the expected best accuracy among n of the M initialisations, for every n.

    Parameters
    ----------
    accuracy : ndarray (..., M)
        Best accuracy of each model. With 0 and 1 for failed and solved, the result is the chance that at
        least one of n is solved.
    sizes : ndarray (K,)
        The numbers n, from 1 to M.

    Returns
    -------
    ndarray (..., K)
        The mean of the maximum over all subsets of n models: the i-th smallest of M is the maximum of
        C(i - 1, n - 1) of the C(M, n) subsets. Unlike the power of the empirical distribution, which draws
        with replacement, it is unbiased for new initialisations.

    Raises
    ------
    UserError
        If a number is not from 1 to M.
    """
    accuracy = check_axes(accuracy, "accuracy", ("...", "M"))
    sizes = np.asarray(sizes)
    num_models = accuracy.shape[-1]
    if sizes.ndim != 1 or sizes.dtype.kind not in "iu" or (sizes < 1).any() or (sizes > num_models).any():
        raise UserError(
            "sizes are out of range", value=sizes.tolist(), allowed=f"whole numbers, 1 to {num_models}"
        )
    weights = np.array(
        [[comb(i, int(n) - 1) / comb(num_models, int(n)) for i in range(num_models)] for n in sizes]
    ).reshape(len(sizes), num_models)
    return np.sort(accuracy.astype(np.float64), axis=-1) @ weights.T


def spread(accuracy: NDArray[Any]) -> Spread:
    """Return how accuracies (..., M) differ over the M initialisations."""
    accuracy = check_axes(accuracy, "accuracy", ("...", "M")).astype(np.float64)
    minimum, lower, median, upper, maximum = np.quantile(accuracy, [0, 0.25, 0.5, 0.75, 1], axis=-1)
    nothing = np.full(accuracy.shape[:-1], np.nan)
    deviation = accuracy.std(axis=-1, ddof=1) if accuracy.shape[-1] > 1 else nothing
    return Spread(minimum, lower, median, upper, maximum, accuracy.mean(axis=-1), deviation)
