"""What an engine of populations does, and the checks of what it is given."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnkit.errors import UserError
from rnnkit.models.population.architecture import VOCABULARY_SIZE, Architecture
from rnnkit.models.population.parameters import PopulationState

DTYPES = ("float32", "float64")
BETAS, EPSILON = (0.9, 0.999), 1e-8


class Engine(Protocol):
    """Trains and evaluates all models of a population; NumPy arrays in and out, no state of its own.

    Throughout, ``words`` are integers (n, seq_len) in 0..9 and ``labels`` (n,) are 1 for positive and 0 for
    negative; what does not fit is a UserError.
    """

    name: str

    def train_epoch(
        self,
        state: PopulationState,
        words: NDArray,
        labels: NDArray,
        order: NDArray,
        batch_size: int,
        learning_rate: NDArray,
    ) -> None:
        """One pass over the sentences with Adam, ``state`` updated in place.

        The loss is the mean cross-entropy of a batch, the update torch.optim.Adam's with its default betas
        and eps, each model with its own ``learning_rate`` (num_models,). ``order`` (n,) holds the sentences of
        all models in turn, or (num_models, n) those of each; the last batch may be smaller.
        """
        ...

    def gradients(
        self, architecture: Architecture, parameters: NDArray, words: NDArray, labels: NDArray
    ) -> tuple[NDArray, NDArray]:
        """The mean cross-entropy (num_models,) and its gradient (num_models, num_parameters)."""
        ...

    def margins(self, architecture: Architecture, parameters: NDArray, words: NDArray) -> NDArray:
        """Positive minus negative logit, (num_models, n): above 0 where the sentence is called positive."""
        ...

    def hidden_states(self, architecture: Architecture, parameters: NDArray, words: NDArray) -> NDArray:
        """All states (num_models, n, seq_len + 1, hidden_size), beginning with the zero state."""
        ...

    def count_right(
        self, architecture: Architecture, parameters: NDArray, words: NDArray, labels: NDArray
    ) -> NDArray[np.int64]:
        """How many sentences each model calls right, (num_models,); a margin that is nan is wrong."""
        ...


def check_words(words: ArrayLike) -> NDArray[np.uint8]:
    """Return sentences as contiguous uint8 (n, seq_len); UserError where they are none."""
    array = np.asarray(words)
    if array.ndim != 2 or array.dtype.kind not in "iu" or array.size == 0:
        raise UserError(
            "these are no sentences",
            value=f"{array.dtype} {array.shape}",
            allowed="integers (n >= 1, seq_len >= 1)",
        )
    if array.min() < 0 or array.max() >= VOCABULARY_SIZE:
        wrong = array[(array < 0) | (array >= VOCABULARY_SIZE)]
        raise UserError(
            "a word is not in the vocabulary", value=int(wrong[0]), allowed=f"0 to {VOCABULARY_SIZE - 1}"
        )
    return np.ascontiguousarray(array, np.uint8)


def check_labels(labels: ArrayLike, num: int) -> NDArray[np.uint8]:
    """Return the labels of ``num`` sentences as uint8 (num,); UserError where they are none."""
    array = np.asarray(labels)
    if array.shape != (num,) or array.dtype.kind not in "iub":
        raise UserError(
            f"these are no labels of {num} sentences",
            value=f"{array.dtype} {array.shape}",
            allowed=f"integers ({num},)",
        )
    if array.min() < 0 or array.max() > 1:
        wrong = array[(array < 0) | (array > 1)]
        raise UserError("this is no label", value=int(wrong[0]), allowed="0 (negative) and 1 (positive)")
    return np.ascontiguousarray(array, np.uint8)


def check_order(order: ArrayLike, num_models: int, num: int) -> NDArray[np.int64]:
    """Return the order of ``num`` sentences as int64 (num,) or (num_models, num); UserError otherwise."""
    array = np.asarray(order)
    if array.shape not in {(num,), (num_models, num)} or array.dtype.kind not in "iu":
        raise UserError(
            f"this is no order of {num} sentences",
            value=f"{array.dtype} {array.shape}",
            allowed=f"integers ({num},) or (num_models, n) = ({num_models}, {num})",
        )
    if array.size and (array.min() < 0 or array.max() >= num):
        raise UserError(
            "the order names a sentence that there is not",
            value=int(array.min() if array.min() < 0 else array.max()),
            allowed=f"0 to {num - 1}",
        )
    return np.ascontiguousarray(array, np.int64)


def check_learning_rate(learning_rate: ArrayLike, num_models: int) -> NDArray[np.float64]:
    """Return the learning rate of each model as float64 (num_models,); UserError otherwise."""
    array = np.asarray(learning_rate)
    if (
        array.shape != (num_models,)
        or array.dtype.kind != "f"
        or not (np.isfinite(array) & (array >= 0)).all()
    ):
        raise UserError(
            "these learning rates cannot be used",
            value=array if array.size < 9 else f"{array.dtype} {array.shape}",
            allowed=f"finite floats of at least 0, one for each of the {num_models} models",
        )
    return array.astype(np.float64)


def check_batch_size(batch_size: object) -> int:
    """Return the batch size; UserError where it is not a positive integer."""
    if not isinstance(batch_size, int | np.integer) or isinstance(batch_size, bool) or batch_size < 1:
        raise UserError("batch_size cannot be used", value=batch_size, allowed="an integer of at least 1")
    return int(batch_size)


def check_dtype(dtype: object) -> str:
    """Return the name of the numbers that an engine computes with; UserError where it is unknown."""
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise UserError("unknown dtype", value=dtype, allowed=DTYPES)
    return dtype
