"""What the matrices of a small net make of the words (Fig. 1, Mehta).

Models have a leading axis M. The kind of each word is given as ``kinds`` (V,): 0 for a stop word, 1 for a
positive and -1 for a negative one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes, check_kinds, check_words


@dataclass(frozen=True)
class StopAndOther:
    """A mean for the stop words and one for the positive and negative words together, for each model.

    Attributes
    ----------
    stop, other : ndarray (...,)
    """

    stop: NDArray[np.float64]
    other: NDArray[np.float64]


def word_images(
    embedding: NDArray[Any], weight_ih: NDArray[Any], *, num_gates: int = 1
) -> NDArray[np.float64]:
    """Return W_ih x for every word vector x and every gate (Fig. 1b, Mehta).

    Parameters
    ----------
    embedding : ndarray (M, V, D)
        The word vectors.
    weight_ih : ndarray (M, G * H, D)
        Input matrices, gates stacked: one for a plain RNN; r, z, n for a GRU.
    num_gates : int
        G.

    Returns
    -------
    ndarray (M, G, V, H)

    Raises
    ------
    UserError
        If the shapes do not fit each other or the number of gates.
    """
    embedding = check_axes(embedding, "embedding", ("M", "V", "D"))
    weight_ih = check_axes(weight_ih, "weight_ih", ("M", "G * H", "D"))
    num_models, num_words, input_size = embedding.shape
    rows = weight_ih.shape[1]
    if weight_ih.shape != (num_models, rows, input_size) or num_gates < 1 or rows % num_gates:
        raise UserError(
            "weight_ih does not fit the word vectors and gates",
            value=weight_ih.shape,
            allowed=f"shape ({num_models}, {num_gates} * hidden_size, {input_size})",
        )
    images = np.einsum("mvd,mkd->mvk", embedding, weight_ih, dtype=np.float64)
    return images.reshape(num_models, num_words, num_gates, -1).transpose(0, 2, 1, 3)


def readout_images(images: NDArray[Any], weight_out: NDArray[Any], *, gate: int = -1) -> NDArray[np.float64]:
    """Return W_oh W_ih x for every word vector x (Fig. 1c and d, Mehta).

    Parameters
    ----------
    images : ndarray (M, G, V, H)
        From `word_images`.
    weight_out : ndarray (M, C, H)
        Output matrices.
    gate : int
        Which gate's images are read out; the last, the candidate of a GRU, unless told.

    Returns
    -------
    ndarray (M, V, C)

    Raises
    ------
    UserError
        If the shapes do not fit each other or there is no such gate.
    """
    images = check_axes(images, "images", ("M", "G", "V", "H"))
    weight_out = check_axes(weight_out, "weight_out", ("M", "C", "H"))
    num_models, num_gates, _, hidden_size = images.shape
    if weight_out.shape != (num_models, weight_out.shape[1], hidden_size):
        raise UserError(
            "weight_out does not fit the images",
            value=weight_out.shape,
            allowed=f"shape ({num_models}, C, {hidden_size})",
        )
    if not -num_gates <= gate < num_gates:
        raise UserError("unknown gate", value=gate, allowed=f"{-num_gates} to {num_gates - 1}")
    return np.einsum("mvh,mch->mvc", images[:, gate], weight_out, dtype=np.float64)


def mean_norms(vectors: NDArray[Any], kinds: NDArray[Any]) -> StopAndOther:
    """Average the lengths of the words' vectors by kind: near 0 for words in the null space of a matrix.

    Parameters
    ----------
    vectors : ndarray (..., V, K)
        One vector per word, such as its image.
    kinds : ndarray (V,)

    Returns
    -------
    StopAndOther (...,)

    Raises
    ------
    UserError
        If there is not one kind per word.
    """
    kinds = check_kinds(kinds)
    vectors = check_axes(vectors, "vectors", ("...", "V", "K"))
    if vectors.shape[-2] != len(kinds):
        raise UserError(
            "vectors do not fit the words", value=vectors.shape, allowed=f"(..., {len(kinds)}, K)"
        )
    norms = np.linalg.norm(vectors.astype(np.float64), axis=-1)
    return StopAndOther(norms[..., kinds == 0].mean(axis=-1), norms[..., kinds != 0].mean(axis=-1))


def step_sizes(hidden_states: NDArray[Any], words: NDArray[Any], kinds: NDArray[Any]) -> StopAndOther:
    """Average how far the state moves, |h_t - h_(t-1)|, when a stop word and when another word is read.

    Parameters
    ----------
    hidden_states : ndarray (M, n, T + 1, H)
        Before the first word and after each.
    words : ndarray (n, T)
    kinds : ndarray (V,)

    Returns
    -------
    StopAndOther (M,)
        nan where no word of the kind is read.

    Raises
    ------
    UserError
        If the shapes do not fit each other or a word is not in the vocabulary.
    """
    kinds = check_kinds(kinds)
    words = check_words(words, len(kinds))
    hidden_states = check_axes(hidden_states, "hidden_states", ("M", "n", "T + 1", "H"))
    num, length = words.shape
    if hidden_states.shape[1:3] != (num, length + 1):
        raise UserError(
            "hidden_states do not fit the words",
            value=hidden_states.shape,
            allowed=f"shape (M, {num}, {length + 1}, H): the state before the first word and after each",
        )
    is_stop = kinds[words] == 0
    sums = np.empty((2, len(hidden_states)))
    # One model at a time: the differences of all at once would take twice the memory of the states again.
    for model, states in enumerate(hidden_states):
        sizes = np.linalg.norm(np.diff(states.astype(np.float64), axis=1), axis=-1)
        sums[:, model] = sizes[is_stop].sum(), sizes[~is_stop].sum()
    with np.errstate(invalid="ignore"):
        return StopAndOther(sums[0] / is_stop.sum(), sums[1] / (~is_stop).sum())


def line_share(points: NDArray[Any]) -> NDArray[np.float64]:
    """Return the share of the variance of points that lies on their first principal axis.

    Parameters
    ----------
    points : ndarray (..., n, K)
        Clouds of n points.

    Returns
    -------
    ndarray (...,)
        1 where the points lie on one straight line, at least 1 / K; nan where they all coincide.
    """
    points = check_axes(points, "points", ("...", "n", "K")).astype(np.float64)
    centred = points - points.mean(axis=-2, keepdims=True)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    total = variances.sum(axis=-1)
    # What rounding leaves of points that coincide is not a line.
    varies = total > (1e-14 * np.abs(points).max(axis=(-2, -1))) ** 2 * points.shape[-2]
    return np.divide(variances[..., 0], total, out=np.full(total.shape, np.nan), where=varies)


def separable(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell whether a straight line (in the plane; else a hyperplane) has two sets of points on either side.

    Parameters
    ----------
    first : ndarray (..., n, K)
    second : ndarray (..., m, K)

    Returns
    -------
    ndarray (...,) of bool
        False also where the sets only touch.

    Raises
    ------
    UserError
        If the sets differ in dimension or in leading axes.

    Notes
    -----
    Decided, not fitted: w and b with w · x + b >= 1 on one set and <= -1 on the other exist, or they do not,
    and linear programming tells. A found w is tried on the points themselves before the answer is yes.
    """
    first = check_axes(first, "first", ("...", "n", "K")).astype(np.float64)
    second = check_axes(second, "second", ("...", "m", "K")).astype(np.float64)
    if first.shape[:-2] != second.shape[:-2] or first.shape[-1] != second.shape[-1]:
        raise UserError(
            "the two sets of points do not fit",
            value=(first.shape, second.shape),
            allowed="shapes (..., n, K) and (..., m, K)",
        )
    answers = np.empty(first.shape[:-2], dtype=bool)
    for index in np.ndindex(answers.shape):
        answers[index] = _separable(first[index], second[index])
    return answers


def _separable(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    from scipy.optimize import linprog

    points = np.concatenate([first, second])
    points = points - points.mean(axis=0)
    points /= np.abs(points).max() or 1.0
    sides = np.repeat([1.0, -1.0], [len(first), len(second)])
    constraints = -sides[:, None] * np.column_stack([points, np.ones(len(points))])
    size = constraints.shape[1]
    found = linprog(
        np.zeros(size),
        A_ub=constraints,
        b_ub=-np.ones(len(points)),
        bounds=[(None, None)] * size,
        method="highs",
    )
    if found.status not in (0, 2):
        raise UserError("separability could not be decided", value=found.message)
    if found.status == 2:
        return False
    scores = points @ found.x[:-1]
    return bool(scores[: len(first)].min() > scores[len(first) :].max())
