"""t-SNE maps of hidden states, one per step, in which points can be followed from step to step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_hidden_states, check_states
from rnnkit.probes.neighbours import distinct_states

# Stages of (iterations, exaggeration, momentum). A first map is made as usual (Belkina et al., 2019).
_FROM_SCRATCH = ((250, 12.0, 0.5), (500, 1.0, 0.8))
# A map that starts from the last one needs less; the short mild exaggeration lets clusters regroup.
_FROM_LAST = ((50, 4.0, 0.5), (200, 1.0, 0.8))
# The last map is shrunk to this spread first. At full size (a spread of about 25) points that ought to join
# are too far apart to find each other, and the Kullback-Leibler divergence ends 20 to 40 % above that of a
# map made from scratch; at 1 it ends within 4 %, and most points still move by a fraction of the map's width.
_START_SPREAD = 1.0
_PCA_SPREAD = 1e-4
# Distance between equal states after jitter, in units of the spread of all states.
_JITTER = 1e-4


def tsne(
    states: NDArray[Any],
    *,
    perplexity: float = 30,
    seed: int,
    start: NDArray[Any] | None = None,
    n_jobs: int = 1,
) -> NDArray[np.float32]:
    """Map states to the plane by t-SNE.

    Parameters
    ----------
    states : ndarray (n, H)
        One state per sample, H at least 2.
    perplexity : float
        Effective number of neighbours, above 1 and below (n - 1) / 3.
    seed : int
        Draws the jitter. Equal inputs and seed give the same map bit by bit, whatever `n_jobs` is.
    start : ndarray (n, 2), optional
        A map to start from, which is then kept as far as the states allow; the first two principal components
        unless given.
    n_jobs : int
        Threads; -1 for all cores. More help on an idle machine only: on a busy one they wait for each other.

    Returns
    -------
    ndarray (n, 2) float32
        The map, its mean at the origin (if `start` is given: placed and turned to fit it).

    Raises
    ------
    UserError
        If a shape is wrong or the perplexity is out of range.

    Notes
    -----
    t-SNE cannot place many exactly equal states: their nearest neighbours would be whichever come first.
    States that occur more than once therefore get Gaussian jitter, 1e-4 of the spread of all states (or 1e-4
    if none differ). A group of equal states becomes a round cloud whose inner order means nothing.
    """
    try:
        from openTSNE import TSNEEmbedding
        from openTSNE.affinity import PerplexityBasedNN
    except ImportError as error:
        raise UserError(
            "t-SNE maps need a package that is not installed",
            value="openTSNE",
            hint="pip install openTSNE, or compute other kinds of record here: --kind train, --kind probes",
        ) from error

    states = check_states(states)
    num_samples, hidden_size = states.shape
    if hidden_size < 2:
        raise UserError("states cannot be mapped", value=states.shape, allowed="shape (n, H) with H >= 2")
    if not 1 < perplexity < (num_samples - 1) / 3:
        raise UserError(
            "perplexity is out of range",
            value=perplexity,
            allowed=f"above 1 and below {(num_samples - 1) / 3:g} for {num_samples} samples",
        )
    if start is not None and (np.shape(start) != (num_samples, 2) or not np.std(start) > 0):
        raise UserError(
            "start does not fit the states",
            value=np.shape(start),
            allowed=f"a map of shape ({num_samples}, 2) whose points differ",
        )
    generator = np.random.default_rng(seed)
    states = _tell_apart(states, generator)
    affinities = PerplexityBasedNN(
        states, perplexity=perplexity, method="exact", n_jobs=n_jobs, random_state=seed
    )
    init = _principal_plane(states, generator) if start is None else _shrink(start, _START_SPREAD)
    # Barnes-Hut gives each point's gradient its own sum, so that the number of threads leaves no trace.
    embedding = TSNEEmbedding(
        init, affinities, negative_gradient_method="bh", n_jobs=n_jobs, random_state=seed
    )
    for iterations, exaggeration, momentum in _FROM_SCRATCH if start is None else _FROM_LAST:
        embedding = embedding.optimize(n_iter=iterations, exaggeration=exaggeration, momentum=momentum)
    result = np.array(embedding, dtype=np.float64)
    result = result - result.mean(axis=0) if start is None else align_to(result, start)
    return result.astype(np.float32)


def tsne_through_time(
    hidden_states: NDArray[Any],
    *,
    perplexity: float = 30,
    seed: int,
    steps: Sequence[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
    n_jobs: int = 1,
) -> NDArray[np.float32]:
    """Map the hidden states of each step by t-SNE, each map started from the last.

    Parameters
    ----------
    hidden_states : ndarray (n, S, H)
        Hidden states of n samples over S steps, H at least 2.
    perplexity, seed, n_jobs : float, int, int
        As in `tsne`.
    steps : sequence of int, optional
        Steps to map, 0..S-1, in this order; all of them unless given.
    progress : callable, optional
        Called with (maps done, maps in all).

    Returns
    -------
    ndarray (n_steps, n, 2) float32
        The maps; each is turned and mirrored, never stretched, to lie as close to the last as it can.

    Raises
    ------
    UserError
        If a shape is wrong, a step does not exist or the perplexity is out of range.

    Notes
    -----
    Figs. 4 to 6, Horoi et al. The place of a point in one map depends on the maps before it; what each map
    claims about clusters should be held against `knn_purity` of the states themselves.
    """
    hidden_states = check_hidden_states(hidden_states)
    num_steps = hidden_states.shape[1]
    chosen = list(range(num_steps)) if steps is None else list(steps)
    unknown = [step for step in chosen if not 0 <= step < num_steps]
    if unknown or not chosen:
        raise UserError(
            "unknown steps", value=unknown or chosen, allowed=f"one or more of 0 to {num_steps - 1}"
        )
    maps = np.empty((len(chosen), len(hidden_states), 2), dtype=np.float32)
    for index, step in enumerate(chosen):
        start = maps[index - 1] if index else None
        maps[index] = tsne(
            hidden_states[:, step], perplexity=perplexity, seed=seed, start=start, n_jobs=n_jobs
        )
        if progress is not None:
            progress(index + 1, len(chosen))
    return maps


def align_to(embedding: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.float64]:
    """Turn, mirror and shift `embedding` (n, D) to lie as close to `reference` (n, D) as it can.

    Distances within the embedding stay as they are: orthogonal Procrustes (Schönemann, 1966), no scaling.

    Raises
    ------
    UserError
        If the shapes differ.
    """
    embedding = check_states(embedding, "embedding")
    reference = check_states(reference, "reference")
    if embedding.shape != reference.shape:
        raise UserError(
            "embedding and reference differ in shape", value=embedding.shape, allowed=str(reference.shape)
        )
    origin = reference.mean(axis=0, dtype=np.float64)
    centred = embedding - embedding.mean(axis=0, dtype=np.float64)
    left, _, right = np.linalg.svd(centred.T @ (reference - origin))
    return np.asarray(centred @ (left @ right) + origin)


def _tell_apart(states: NDArray[Any], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the states (n, H) in float64, with jitter on those that occur more than once."""
    _, group = distinct_states(states)
    repeated = np.bincount(group)[group] > 1
    states = states.astype(np.float64) - states[0]
    spread = np.sqrt(states.var(axis=0).sum()) or 1.0
    scale = _JITTER * spread / np.sqrt(states.shape[1])
    states[repeated] += scale * generator.standard_normal((int(repeated.sum()), states.shape[1]))
    return states


def _principal_plane(states: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the first two principal components (n, 2), tiny as t-SNE wants its start to be."""
    centred = states - states.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    plane = vectors[:, :-3:-1]
    largest = np.abs(plane).argmax(axis=0)
    plane = centred @ (plane * np.sign(plane[largest, [0, 1]]))
    # One per cent of noise lets states that lie on a line leave it.
    plane += 0.01 * plane[:, 0].std() * generator.standard_normal(plane.shape)
    return _shrink(plane, _PCA_SPREAD)


def _shrink(points: NDArray[Any], spread: float) -> NDArray[np.float64]:
    """Return the points (n, 2) around the origin, scaled to a standard deviation of `spread`."""
    centred = points - points.mean(axis=0, dtype=np.float64)
    return np.asarray(centred * (spread / centred.std()))
