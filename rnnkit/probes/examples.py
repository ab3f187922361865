"""The images behind a confusion matrix, and what it says of each class (Fig. 3, Irisarri).

The paper reads from it that the digit 1 is best predicted, 5 worst, and that 4 and 9 are confused most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes, check_labels
from rnnkit.probes._shares import Shares, shares


@dataclass(frozen=True)
class CellExamples:
    """Some samples of each cell of a confusion matrix.

    Attributes
    ----------
    matrix : ndarray (C, C) of int
        Samples of each true class (row) that were given each name (column).
    index : ndarray (C, C, K) int32
        Samples of each cell: off the diagonal those named with the most confidence, on it those named with the least,
        the most extreme first; -1 where a cell has fewer.
    confidence : ndarray (C, C, K) float32
        Probability that the net gave the name; nan where there is no sample.
    """

    matrix: NDArray[np.int64]
    index: NDArray[np.int32]
    confidence: NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """Two classes, the lower first, and how many samples of either were taken for the other."""

    classes: tuple[int, int]
    count: int


def cell_examples(logits: NDArray[Any], labels: NDArray[Any], *, num_examples: int = 8) -> CellExamples:
    """Find, for each true class and each name given, the samples to look at.

    Parameters
    ----------
    logits : ndarray (n, C)
        Or log-probabilities; any real type. The name is the class of the largest, of equal ones the lowest.
    labels : ndarray (n,) of int
        True classes, 0..C-1.
    num_examples : int
        K, samples a cell.

    Returns
    -------
    CellExamples
        Samples of equal confidence come in their order.

    Raises
    ------
    UserError
        If the shapes do not fit each other, a label is no class, or `num_examples` is below 1.
    """
    logits = check_axes(logits, "logits", ("n", "C")).astype(np.float64)
    num_samples, num_classes = logits.shape
    labels = check_labels(labels, num_samples)
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= num_classes:
        raise UserError(
            "labels are not classes of the logits",
            value=f"{labels.dtype}, {labels.min()} to {labels.max()}",
            allowed=f"whole numbers from 0 to {num_classes - 1}",
        )
    if num_examples < 1:
        raise UserError("num_examples is out of range", value=num_examples, allowed="at least 1")
    named = logits.argmax(axis=1)
    # The largest logit taken off, the probability of the name is 1 over the sum of exponentials.
    confidence = 1 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)
    matrix = confusion(labels, named, num_classes)
    index = np.full((num_classes, num_classes, num_examples), -1, dtype=np.int32)
    shown = np.full(index.shape, np.nan, dtype=np.float32)
    for true, name in np.argwhere(matrix):
        members = np.flatnonzero((labels == true) & (named == name))
        extreme = confidence[members] if true == name else -confidence[members]
        members = members[np.argsort(extreme, kind="stable")][:num_examples]
        index[true, name, : len(members)] = members
        shown[true, name, : len(members)] = confidence[members]
    return CellExamples(matrix, index, shown)


def confusion(labels: NDArray[Any], named: NDArray[Any], num_classes: int) -> NDArray[np.int64]:
    """Count samples by their class (rows) and by what they are named (columns): labels, named (n,) -> (C, C)."""
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(matrix, (labels, named), 1)
    return matrix


def recall(matrix: NDArray[Any]) -> Shares:
    """Return, for each class of a confusion matrix (C, C), the share of its samples named right, with intervals.

    The fields of the result have shape (C,); nan where a class has no samples.
    """
    matrix = _confusion(matrix)
    return shares(np.diag(matrix), matrix.sum(axis=1))


def precision(matrix: NDArray[Any]) -> Shares:
    """Return, for each name, the share of the samples given it that are of the class; nan where none was."""
    matrix = _confusion(matrix)
    return shares(np.diag(matrix), matrix.sum(axis=0))


def confused_pairs(matrix: NDArray[Any]) -> list[Pair]:
    """Rank all unordered pairs of classes by the samples of either that were taken for the other.

    Parameters
    ----------
    matrix : ndarray (C, C) of int
        Rows are true classes, columns names; C at least 2.

    Returns
    -------
    list of C (C - 1) / 2 Pair
        The most confused first; of equal counts, the pair of the lower classes.

    Raises
    ------
    UserError
        If the matrix is not square and made of counts, or has one class only.
    """
    matrix = _confusion(matrix)
    if len(matrix) < 2:
        raise UserError(
            "there is no pair of classes", value=matrix.shape, allowed="shape (C, C), C at least 2"
        )
    first, second = np.triu_indices(len(matrix), 1)
    counts = matrix[first, second] + matrix[second, first]
    order = np.argsort(-counts, kind="stable")
    return [Pair((int(first[at]), int(second[at])), int(counts[at])) for at in order]


def _confusion(matrix: NDArray[Any]) -> NDArray[np.int64]:
    matrix = check_axes(matrix, "confusion matrix", ("C", "C"))
    if matrix.shape[0] != matrix.shape[1] or (matrix < 0).any() or (matrix != np.round(matrix)).any():
        raise UserError(
            "this is no confusion matrix", value=matrix.shape, allowed="counts of shape (C, C), 0 or above"
        )
    return matrix.astype(np.int64)
