"""Do near states share a label? Exact nearest neighbours in the full state space, beside every t-SNE map.

Equal states are common: before the first ink all images share one. Whichever of many equally near samples a
search returns first is an artefact of their order in the file, so here they share the open places evenly: the
result is the exact expectation over random orders, and needs no seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_hidden_states, check_labels, check_states


@dataclass(frozen=True)
class Purity:
    """Share of neighbours with the sample's own label.

    Attributes
    ----------
    classes : ndarray (C,)
        The labels, sorted.
    overall : float or ndarray (S,)
        Mean over all samples.
    per_class : ndarray (C,) or (C, S)
        Mean over the samples of each class.
    chance : float
        What random neighbours would give: the sum of squared class shares.
    """

    classes: NDArray[Any]
    overall: Any
    per_class: NDArray[np.float64]
    chance: float


def distinct_states(states: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the distinct rows of `states` (n, H): states that are equal value by value.

    Returns
    -------
    first : ndarray (u,)
        Index of one sample for each distinct state.
    group : ndarray (n,)
        For each sample, the index into `first` of its state.
    """
    states = check_states(states)
    # Adding zero turns -0.0 into 0.0, which is equal to it but differs in its bytes.
    rows = np.ascontiguousarray(states + np.zeros((), states.dtype))
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    return first, group


def neighbour_shares(
    states: NDArray[Any], labels: NDArray[Any], k: int = 10
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return the share of each label among the k nearest other samples of every sample.

    Parameters
    ----------
    states : ndarray (n, H)
        One state per sample.
    labels : ndarray (n,)
        Class of each sample.
    k : int
        Number of neighbours, from 1 to n - 1.

    Returns
    -------
    shares : ndarray (n, C)
        Rows add up to 1; samples in equal states share the last places evenly.
    classes : ndarray (C,)
        The labels, sorted.

    Raises
    ------
    UserError
        If the shapes do not fit each other or k is out of range.
    """
    states = check_states(states)
    labels = check_labels(labels, len(states))
    if not 1 <= k < len(states):
        raise UserError("k is out of range", value=k, allowed=f"1 to {len(states) - 1}")
    classes, codes = np.unique(labels, return_inverse=True)
    first, group = distinct_states(states)
    counts = np.zeros((len(first), len(classes)))
    np.add.at(counts, (group, codes), 1)
    size = counts.sum(axis=1)

    from_own = np.minimum(k, size - 1)
    from_others = _taken_from_others(states[first], size, k - from_own) @ (counts / size[:, None])
    twins = counts[group]
    twins[np.arange(len(codes)), codes] -= 1
    own_share = twins * (from_own / np.maximum(size - 1, 1))[group, None]
    return (own_share + from_others[group]) / k, classes


def knn_purity(states: NDArray[Any], labels: NDArray[Any], k: int = 10) -> Purity:
    """Measure the share of same-label samples among the k nearest neighbours.

    Parameters
    ----------
    states : ndarray (n, H)
        One state, or one point of a map, per sample.
    labels : ndarray (n,)
        Class of each sample.
    k : int
        Number of neighbours, from 1 to n - 1.

    Returns
    -------
    Purity

    Raises
    ------
    UserError
        If the shapes do not fit each other or k is out of range.
    """
    shares, classes = neighbour_shares(states, labels, k)
    codes = np.searchsorted(classes, labels)
    own = shares[np.arange(len(codes)), codes]
    counts = np.bincount(codes, minlength=len(classes))
    per_class = np.bincount(codes, weights=own, minlength=len(classes)) / counts
    return Purity(classes, float(own.mean()), per_class, float(((counts / len(codes)) ** 2).sum()))


def knn_purity_through_time(
    hidden_states: NDArray[Any],
    labels: NDArray[Any],
    k: int = 10,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Purity:
    """Measure `knn_purity` at every step of `hidden_states` (n, S, H).

    Returns
    -------
    Purity
        With `overall` of shape (S,) and `per_class` of shape (C, S).

    Raises
    ------
    UserError
        If the shapes do not fit each other or k is out of range.
    """
    hidden_states = check_hidden_states(hidden_states)
    purities = []
    for step in range(hidden_states.shape[1]):
        purities.append(knn_purity(hidden_states[:, step], labels, k))
        if progress is not None:
            progress(step + 1, hidden_states.shape[1])
    return Purity(
        purities[0].classes,
        np.array([purity.overall for purity in purities]),
        np.stack([purity.per_class for purity in purities], axis=1),
        purities[0].chance,
    )


def _taken_from_others(distinct: NDArray[Any], size: NDArray[np.float64], wanted: NDArray[np.float64]) -> Any:
    """Return a sparse (u, u) matrix: how many samples each distinct state takes from each other one.

    The groups of samples are taken in order of distance until `wanted` (u,) is filled, the last in part.
    """
    from scipy.sparse import csr_array

    num_distinct = len(distinct)
    reach = min(int(wanted.max()), num_distinct - 1)
    if reach < 1:
        return csr_array((num_distinct, num_distinct))
    from sklearn.neighbors import NearestNeighbors

    # No query: each state leaves itself out. Brute force is exact, and in 200 dimensions no tree beats it.
    neighbours = NearestNeighbors(n_neighbors=reach, algorithm="brute" if distinct.shape[1] > 15 else "auto")
    nearest = neighbours.fit(distinct).kneighbors(return_distance=False)
    sizes = size[nearest]
    filled_before = np.cumsum(sizes, axis=1) - sizes
    taken = np.clip(wanted[:, None] - filled_before, 0, sizes)
    starts = np.arange(0, num_distinct * reach + 1, reach)
    return csr_array((taken.ravel(), nearest.ravel(), starts), shape=(num_distinct, num_distinct))
