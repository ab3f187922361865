"""Paths of the hidden state in the plane or space of the largest variance, over all steps at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_hidden_states, check_labels


@dataclass(frozen=True)
class Trajectories:
    """Hidden states in principal axes that hold for all steps.

    Attributes
    ----------
    projected : ndarray (n, S, K) float32
        The states in the axes.
    components : ndarray (K, H)
        The axes, of unit length; the entry of largest size in each is positive.
    mean : ndarray (H,)
        The origin of the axes.
    explained : ndarray (K,)
        Share of the variance of the fitted states along each axis; zeros if they do not vary.
    """

    projected: NDArray[np.float32]
    components: NDArray[np.float64]
    mean: NDArray[np.float64]
    explained: NDArray[np.float64]


def trajectories(
    hidden_states: NDArray[Any], *, n_components: int = 3, fit_on: NDArray[Any] | None = None
) -> Trajectories:
    """Project hidden states on the principal components of all samples at all steps.

    Parameters
    ----------
    hidden_states : ndarray (n, S, H)
        Hidden states to project.
    n_components : int
        Number of axes K, from 1 to H.
    fit_on : ndarray (m, R, H), optional
        Hidden states that define the axes instead, so that several nets' inputs or lengths share one space.

    Returns
    -------
    Trajectories

    Raises
    ------
    UserError
        If a shape is wrong or `n_components` is out of range.
    """
    hidden_states = check_hidden_states(hidden_states)
    basis = hidden_states if fit_on is None else check_hidden_states(fit_on, "fit_on")
    hidden_size = hidden_states.shape[2]
    if basis.shape[2] != hidden_size:
        raise UserError(
            "fit_on differs in hidden size", value=basis.shape, allowed=f"shape (m, R, {hidden_size})"
        )
    if not 1 <= n_components <= hidden_size:
        raise UserError("n_components is out of range", value=n_components, allowed=f"1 to {hidden_size}")
    mean, components, explained = _principal_components(basis, n_components)
    projected = np.empty((*hidden_states.shape[:2], n_components), dtype=np.float32)
    for step in range(hidden_states.shape[1]):
        projected[:, step] = (hidden_states[:, step] - mean) @ components.T
    return Trajectories(projected, components, mean, explained)


def class_means(hidden_states: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Average paths over the samples of each class.

    Parameters
    ----------
    hidden_states : ndarray (n, S, K)
        Hidden states, or their projections.
    labels : ndarray (n,)
        Class of each sample.

    Returns
    -------
    ndarray (C, S, K)
        One mean path for each label present, in sorted order.

    Raises
    ------
    UserError
        If the shapes do not fit each other.
    """
    hidden_states = check_hidden_states(hidden_states)
    labels = check_labels(labels, len(hidden_states))
    return np.stack(
        [hidden_states[labels == cls].mean(axis=0, dtype=np.float64) for cls in np.unique(labels)]
    )


def _principal_components(
    hidden_states: NDArray[Any], n_components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return mean (H,), components (K, H) and shares of variance (K,) over all samples and steps."""
    num_samples, num_steps, hidden_size = hidden_states.shape
    mean = hidden_states.mean(axis=(0, 1), dtype=np.float64)
    scatter = np.zeros((hidden_size, hidden_size))
    # One step at a time: all states in float64 at once would take twice their memory again.
    for step in range(num_steps):
        centred = hidden_states[:, step] - mean
        scatter += centred.T @ centred
    variances, vectors = np.linalg.eigh(scatter / (num_samples * num_steps))
    variances, vectors = np.clip(variances[::-1], 0, None), vectors[:, ::-1]
    components = vectors[:, :n_components].T
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(n_components), largest])[:, None]
    total = variances.sum()
    share = variances[:n_components] / total if total > 0 else np.zeros(n_components)
    return mean, components, share
