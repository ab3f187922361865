"""Activations by class, through time: which units and directions tell the classes apart, and from when on.

Section IV, Irisarri, names this as work to be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_hidden_states, check_labels
from rnnkit.probes.trajectory import class_means, trajectories


@dataclass(frozen=True)
class ClassPaths:
    """Mean path of each class, in principal axes that hold for all steps.

    Attributes
    ----------
    classes : ndarray (C,)
        The labels, sorted.
    paths : ndarray (C, S, K)
        Mean of the states of each class at each step, in the axes.
    spread : ndarray (C, S, K)
        Standard deviation of the states of each class about that mean, along each axis.
    components, mean, explained : ndarray (K, H), (H,), (K,)
        As in `rnnkit.probes.trajectory.Trajectories`. Means by class that are known at more steps go into the same
        axes by ``(means - mean) @ components.T``.
    """

    classes: NDArray[Any]
    paths: NDArray[np.float64]
    spread: NDArray[np.float64]
    components: NDArray[np.float64]
    mean: NDArray[np.float64]
    explained: NDArray[np.float64]


@dataclass(frozen=True)
class ClassUnits:
    """The units that tell the classes apart best.

    Attributes
    ----------
    classes : ndarray (C,)
        The labels, sorted.
    index : ndarray (K,)
        The units, the most selective first.
    share : ndarray (K,)
        Share of each unit's variance that lies between the classes, over all steps.
    activation : ndarray (C, S, K)
        Mean activation of each by class and step.
    """

    classes: NDArray[Any]
    index: NDArray[np.int64]
    share: NDArray[np.float64]
    activation: NDArray[np.float64]


def class_paths(
    hidden_states: NDArray[Any],
    labels: NDArray[Any],
    *,
    n_components: int = 3,
    fit_on: NDArray[Any] | None = None,
) -> ClassPaths:
    """Follow the mean state of each class in the axes of the largest variance.

    Parameters
    ----------
    hidden_states : ndarray (n, S, H)
        Hidden states of n samples over S steps.
    labels : ndarray (n,)
        Class of each sample.
    n_components : int
        Number of axes K, from 1 to H.
    fit_on : ndarray (m, R, H), optional
        Hidden states that define the axes instead.

    Returns
    -------
    ClassPaths

    Raises
    ------
    UserError
        If a shape is wrong or `n_components` is out of range.
    """
    hidden_states = check_hidden_states(hidden_states)
    labels = check_labels(labels, len(hidden_states))
    found = trajectories(hidden_states, n_components=n_components, fit_on=fit_on)
    classes = np.unique(labels)
    return ClassPaths(
        classes=classes,
        paths=class_means(found.projected, labels),
        spread=np.stack([found.projected[labels == cls].std(axis=0, dtype=np.float64) for cls in classes]),
        components=found.components,
        mean=found.mean,
        explained=found.explained,
    )


def between_share(hidden_states: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Measure at each step the share of the states' variance that lies between the classes.

    Parameters
    ----------
    hidden_states : ndarray (n, S, H)
    labels : ndarray (n,)

    Returns
    -------
    ndarray (S,)
        Variance of the class means (weighted by class size) over variance of the states, both summed over units. 0
        where the states do not vary; about (C - 1) / (n - 1) for labels that mean nothing.

    Raises
    ------
    UserError
        If the shapes do not fit each other.
    """
    between, total = _variances(hidden_states, labels)
    return _share(between.sum(axis=1), total.sum(axis=1))


def unit_shares(hidden_states: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Measure the same for each unit alone: (n, S, H) and (n,) -> (S, H); see `between_share`."""
    return _share(*_variances(hidden_states, labels))


def selective_units(hidden_states: NDArray[Any], labels: NDArray[Any], *, num_units: int = 32) -> ClassUnits:
    """Find the units that tell the classes apart best, and what they do for each class.

    Parameters
    ----------
    hidden_states : ndarray (n, S, H)
    labels : ndarray (n,)
    num_units : int
        K, from 1 to H.

    Returns
    -------
    ClassUnits
        Ranked by variance between the classes over variance about the mean of each step, both summed over the
        steps: a step counts by how much the unit varies there. Of equal units the first comes first.

    Raises
    ------
    UserError
        If the shapes do not fit each other or `num_units` is out of range.
    """
    between, total = _variances(hidden_states, labels)
    hidden_size = between.shape[1]
    if not 1 <= num_units <= hidden_size:
        raise UserError("num_units is out of range", value=num_units, allowed=f"1 to {hidden_size}")
    share = _share(between.sum(axis=0), total.sum(axis=0))
    index = np.argsort(-share, kind="stable")[:num_units]
    activation = class_means(np.asarray(hidden_states)[:, :, index], labels)
    return ClassUnits(np.unique(labels), index, share[index], activation)


def _variances(
    hidden_states: NDArray[Any], labels: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variance between the classes and in all, of each unit at each step, both (S, H)."""
    hidden_states = check_hidden_states(hidden_states)
    labels = check_labels(labels, len(hidden_states))
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    mean_by_class = np.eye(len(sizes))[codes].T / sizes[:, None]  # (C, n)
    between, total = np.empty((2, *hidden_states.shape[1:]))
    # One step at a time: all states in float64 at once would take twice their memory again.
    for step in range(hidden_states.shape[1]):
        # Shifting by one sample first makes the variance of equal samples exactly zero.
        shifted = hidden_states[:, step].astype(np.float64) - hidden_states[0, step]
        shifted -= shifted.mean(axis=0)
        total[step] = (shifted**2).mean(axis=0)
        between[step] = sizes @ (mean_by_class @ shifted) ** 2 / len(labels)
    return between, total


def _share(between: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(between, total, out=np.zeros_like(total), where=total > 0)
