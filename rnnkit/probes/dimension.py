"""Linear dimension of hidden states: how many principal components hold a share of the variance.

Everything is read from the spectrum of the covariance, which is computed once per step and class, so
another variance threshold costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.probes._checks import check_fraction, check_hidden_states, check_labels, check_states

# "At least 90 %" should hold for a spectrum that reaches exactly 90 % on paper and 0.9 - 1e-16 in floats.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class DimensionThroughTime:
    """Spectra of the hidden states at each step, over all samples and per class.

    Attributes
    ----------
    thresholds : ndarray (T,)
        Shares of variance that were asked for.
    classes : ndarray (C,)
        The labels, sorted; empty when no labels were given.
    overall : ndarray (T, S) of int
        Components needed over all samples.
    per_class : ndarray (T, C, S) of int
        Components needed within each class.
    cumulative : ndarray (S, H)
        Cumulative share of variance over all samples; zeros where the variance is zero.
    cumulative_per_class : ndarray (C, S, H)
        The same within each class.
    participation : ndarray (S,)
        Participation ratio over all samples, `participation_ratio`.
    participation_per_class : ndarray (C, S)
        The same within each class.
    """

    thresholds: NDArray[np.float64]
    classes: NDArray[Any]
    overall: NDArray[np.int64]
    per_class: NDArray[np.int64]
    cumulative: NDArray[np.float64]
    cumulative_per_class: NDArray[np.float64]
    participation: NDArray[np.float64]
    participation_per_class: NDArray[np.float64]


def pca_dimension(states: NDArray[Any], *, threshold: float = 0.9) -> int:
    """Count the principal components that explain at least a share of the variance.

    Parameters
    ----------
    states : ndarray (n, H)
        One row per sample.
    threshold : float
        Share of the variance, strictly between 0 and 1.

    Returns
    -------
    int
        Between 1 and H; 0 if the states do not vary at all (all samples equal, or one sample).

    Raises
    ------
    UserError
        If the shape or the threshold is wrong.

    Notes
    -----
    Section 2, Horoi et al.: the components "necessary to explain at least 90% of the variance".
    """
    check_fraction(threshold, "threshold")
    return int(components_needed(cumulative_share(variance_spectrum(states)), threshold))


def dimension_through_time(
    hidden_states: NDArray[Any],
    labels: NDArray[Any] | None = None,
    thresholds: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.99),
) -> DimensionThroughTime:
    """Measure the linear dimension at every step, over all samples and within each class.

    Parameters
    ----------
    hidden_states : ndarray (n, S, H)
        Hidden states of n samples over S steps.
    labels : ndarray (n,), optional
        Class of each sample; without it the arrays per class are empty.
    thresholds : sequence of float
        Shares of variance to read off, each strictly between 0 and 1.

    Returns
    -------
    DimensionThroughTime

    Raises
    ------
    UserError
        If a shape or a threshold is wrong.

    Notes
    -----
    Fig. 3, Horoi et al. A class is centred on its own mean, so its dimension is that of its own cloud.
    """
    hidden_states = check_hidden_states(hidden_states)
    num_samples, num_steps, hidden_size = hidden_states.shape
    levels = np.array([check_fraction(threshold, "threshold") for threshold in thresholds], dtype=np.float64)
    classes = np.empty(0) if labels is None else np.unique(check_labels(labels, num_samples))
    spectra = np.empty((len(classes) + 1, num_steps, hidden_size))
    for step in range(num_steps):
        states = hidden_states[:, step]
        spectra[0, step] = variance_spectrum(states)
        for index, cls in enumerate(classes, start=1):
            spectra[index, step] = variance_spectrum(states[labels == cls])
    cumulative = cumulative_share(spectra)
    needed = np.stack([components_needed(cumulative, level) for level in levels])
    participation = participation_ratio(spectra)
    return DimensionThroughTime(
        thresholds=levels,
        classes=classes,
        overall=needed[:, 0],
        per_class=needed[:, 1:],
        cumulative=cumulative[0],
        cumulative_per_class=cumulative[1:],
        participation=participation[0],
        participation_per_class=participation[1:],
    )


def variance_spectrum(states: NDArray[Any]) -> NDArray[np.float64]:
    """Return the eigenvalues of the covariance of `states` (n, H), largest first, shape (H,).

    The covariance divides by n, so the eigenvalues add up to the mean squared distance from the mean.
    """
    states = check_states(states)
    # Shifting by one sample first makes the variance of equal samples exactly zero, not 1e-34.
    centred = states.astype(np.float64) - states[0]
    centred -= centred.mean(axis=0)
    covariance = centred.T @ centred / len(centred)
    return np.clip(np.linalg.eigvalsh(covariance)[::-1], 0, None)


def cumulative_share(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cumulative share of variance along the last axis (..., H); zeros for a zero spectrum."""
    total = spectrum.sum(axis=-1, keepdims=True)
    return np.cumsum(np.divide(spectrum, total, out=np.zeros_like(spectrum), where=total > 0), axis=-1)


def components_needed(cumulative: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    """Count the components whose cumulative share (..., H) first reaches `threshold`; 0 for zero variance."""
    reached = cumulative >= threshold - _ROUNDING
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1) + 1, 0)


def participation_ratio(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (sum of eigenvalues)^2 / sum of squared eigenvalues along the last axis (..., H).

    A dimension without a threshold: k for k equal eigenvalues, 0 for a zero spectrum. It is the measure
    behind the expansion and compression that Horoi et al. compare with (Recanatesi et al., 2019).
    """
    # Dividing by the largest first keeps the squares of tiny spectra from underflowing.
    largest = spectrum.max(axis=-1, keepdims=True)
    scaled = np.divide(spectrum, largest, out=np.zeros_like(spectrum), where=largest > 0)
    squares = (scaled**2).sum(axis=-1)
    return np.divide(scaled.sum(axis=-1) ** 2, squares, out=np.zeros_like(squares), where=squares > 0)
