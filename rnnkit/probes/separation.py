"""How far one class stands apart from all others, in the state space and on a map of it.

Behind Fig. 4, Horoi et al.: at step 4 the net "seems to 'know' that certain points are 6es (rightmost
cluster)".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_labels, check_states
from rnnkit.probes.neighbours import neighbour_shares


@dataclass(frozen=True)
class Separation:
    """How well one class separates from the rest at one step.

    Attributes
    ----------
    share : float
        Share of the class among all samples: precision and recall of a blind guess, for comparison.
    precision : float
        Of the samples most of whose neighbours are of the class, the share that is of it; nan if there are
        none.
    recall : float
        Of the samples of the class, the share most of whose neighbours are of it.
    auc : float
        Chance that a linear score ranks a sample of the class above one of the rest; 0.5 is no separation.
        Each half of the samples is scored by a ridge regression fitted to the other half.
    """

    share: float
    precision: float
    recall: float
    auc: float


@dataclass(frozen=True)
class ClusterPurity:
    """Clusters of a two-dimensional map and what they hold.

    Attributes
    ----------
    classes : ndarray (C,)
        The labels, sorted.
    assignment : ndarray (n,)
        Cluster of each point, 0..K-1 from the largest to the smallest; -1 where it is in none.
    sizes : ndarray (K,)
        Points in each cluster.
    counts : ndarray (K, C)
        Points of each class in each cluster.
    class_sizes : ndarray (C,)
        Points of each class in all.
    """

    classes: NDArray[Any]
    assignment: NDArray[np.int64]
    sizes: NDArray[np.int64]
    counts: NDArray[np.int64]
    class_sizes: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class in each cluster, shape (K, C)."""
        return self.counts / self.sizes[:, None]

    def best(self, cls: Any) -> tuple[int, float, float]:
        """Return the best cluster for a class, its precision and its recall; (-1, nan, 0.0) without clusters.

        Precision is the share of the cluster that is of the class, recall the share of the class that is in
        the cluster; the best has the highest harmonic mean of the two.
        """
        column = _column(self.classes, cls)
        if not len(self.sizes):
            return -1, float("nan"), 0.0
        hits = self.counts[:, column]
        best = int(np.argmax(2 * hits / (self.sizes + self.class_sizes[column])))
        return best, float(hits[best] / self.sizes[best]), float(hits[best] / self.class_sizes[column])


def one_class_separation(
    states: NDArray[Any], labels: NDArray[Any], cls: Any, *, k: int = 10, seed: int = 0
) -> Separation:
    """Measure how well one class separates from all others at one step.

    Parameters
    ----------
    states : ndarray (n, H)
        One state per sample.
    labels : ndarray (n,)
        Class of each sample.
    cls : label
        The class.
    k : int
        Neighbours, for precision and recall; a sample counts as found when more than half of them are of the
        class.
    seed : int
        Draws the two halves of the samples for the linear score.

    Returns
    -------
    Separation

    Raises
    ------
    UserError
        If the shapes do not fit, or fewer than two samples are of the class or of the rest.
    """
    states = check_states(states)
    labels = check_labels(labels, len(states))
    is_class = labels == cls
    if min(is_class.sum(), (~is_class).sum()) < 2:
        raise UserError(
            "class cannot be separated", value=cls, allowed="a label of at least two samples, and not of all"
        )
    shares, classes = neighbour_shares(states, labels, k)
    found = shares[:, _column(classes, cls)] > 0.5
    return Separation(
        share=float(is_class.mean()),
        precision=float(is_class[found].mean()) if found.any() else float("nan"),
        recall=float(found[is_class].mean()),
        auc=_cross_fitted_auc(states, is_class, seed),
    )


def cluster_purity(
    embedding: NDArray[Any],
    labels: NDArray[Any],
    *,
    min_cluster_size: int | None = None,
    finest: bool = False,
) -> ClusterPurity:
    """Find the clusters of a map by density and count the classes in each.

    Parameters
    ----------
    embedding : ndarray (n, 2)
        A map, such as t-SNE gives.
    labels : ndarray (n,)
        Class of each point.
    min_cluster_size : int, optional
        Fewest points in a cluster; 1 % of the points, and at least 5, unless told.
    finest : bool
        Take the finest clusters instead of the longest-lived ones. The longest-lived are the islands that the
        eye sees in an early map, but where islands touch, as in late maps, they take many for one.

    Returns
    -------
    ClusterPurity

    Raises
    ------
    UserError
        If the shapes do not fit each other or `min_cluster_size` is below 2.

    Notes
    -----
    HDBSCAN (Campello et al., 2013): the number of clusters is found, points between clusters stay in none. It
    looks at the map only, never at the labels.
    """
    from sklearn.cluster import HDBSCAN

    embedding = check_states(embedding, "embedding")
    labels = check_labels(labels, len(embedding))
    smallest = max(5, len(embedding) // 100) if min_cluster_size is None else min_cluster_size
    if smallest < 2:
        raise UserError("min_cluster_size is out of range", value=smallest, allowed="at least 2")
    classes, codes = np.unique(labels, return_inverse=True)
    if len(embedding) >= smallest:
        selection = "leaf" if finest else "eom"
        clusterer = HDBSCAN(min_cluster_size=smallest, cluster_selection_method=selection, copy=True)
        found = clusterer.fit_predict(embedding)
    else:
        found = np.full(len(embedding), -1)
    sizes = np.bincount(found[found >= 0])
    order = np.argsort(-sizes, kind="stable")
    renamed = np.append(np.argsort(order), -1)[found]
    counts = np.zeros((len(sizes), len(classes)), dtype=np.int64)
    inside = renamed >= 0
    np.add.at(counts, (renamed[inside], codes[inside]), 1)
    return ClusterPurity(classes, renamed, sizes[order], counts, np.bincount(codes))


def _column(classes: NDArray[Any], cls: Any) -> int:
    matches = np.flatnonzero(classes == cls)
    if not len(matches):
        raise UserError("unknown class", value=cls, allowed=[str(name) for name in classes])
    return int(matches[0])


def _cross_fitted_auc(states: NDArray[Any], is_class: NDArray[np.bool_], seed: int) -> float:
    """Return the mean AUC over two halves, each scored by a ridge regression on the other."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(seed)
    half = np.empty(len(states), dtype=bool)
    for members in (np.flatnonzero(is_class), np.flatnonzero(~is_class)):
        half[generator.permutation(members)] = np.arange(len(members)) % 2 == 0
    # One alpha for every net and step: it is small against the summed squares of any direction that matters.
    scale = np.sqrt(((states - states[0]).astype(np.float64) ** 2).mean()) or 1.0
    scaled = (states - states[0]).astype(np.float64) / scale
    scores = []
    for fitted in (half, ~half):
        model = Ridge(alpha=1.0).fit(scaled[fitted], is_class[fitted].astype(np.float64))
        scores.append(roc_auc_score(is_class[~fitted], model.predict(scaled[~fitted])))
    return float(np.mean(scores))
