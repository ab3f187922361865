"""What every probe asks of its arrays, said in one way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError


def check_states(states: NDArray[Any], name: str = "states") -> NDArray[Any]:
    """Return `states` as an array of shape (n, H) with n and H at least 1.

    Raises
    ------
    UserError
        If there are not two axes, one is empty, or the values are not finite real numbers.
    """
    return check_axes(states, name, ("n", "H"))


def check_hidden_states(hidden_states: NDArray[Any], name: str = "hidden_states") -> NDArray[Any]:
    """Return `hidden_states` as an array of shape (n, S, H), no axis empty.

    Raises
    ------
    UserError
        If there are not three axes, one is empty, or the values are not finite real numbers.
    """
    return check_axes(hidden_states, name, ("n", "S", "H"))


def check_labels(labels: NDArray[Any], num_samples: int, name: str = "labels") -> NDArray[Any]:
    """Return `labels` as an array of shape (num_samples,).

    Raises
    ------
    UserError
        If there is not exactly one label per sample.
    """
    labels = np.asarray(labels)
    if labels.shape != (num_samples,):
        raise UserError(
            f"{name} do not fit the samples",
            value=labels.shape,
            allowed=f"shape (n,) = ({num_samples},), one label per sample",
        )
    return labels


def check_fraction(value: float, name: str) -> float:
    """Return `value` if it lies strictly between 0 and 1, else raise UserError."""
    if not 0 < value < 1:
        raise UserError(f"{name} is out of range", value=value, allowed="a fraction strictly between 0 and 1")
    return float(value)


def check_axes(array: NDArray[Any], name: str, axes: tuple[str, ...]) -> NDArray[Any]:
    """Return `array` if it has these axes, none of them empty, and holds finite real numbers.

    Parameters
    ----------
    array : ndarray
    name : str
        What the array is called in the message.
    axes : tuple of str
        One name for each axis; a first ``"..."`` stands for any number of leading axes.

    Raises
    ------
    UserError
        If the number of axes is another, one is empty, or the values are not finite real numbers.
    """
    array = np.asarray(array)
    wanted = f"a non-empty array of shape ({', '.join(axes)}{',' * (len(axes) == 1)})"
    leading = array.ndim - len(axes) + 1 if axes[0] == "..." else 0
    if leading < 0 or (axes[0] != "..." and array.ndim != len(axes)) or 0 in array.shape:
        raise UserError(f"{name} has the wrong shape", value=array.shape, allowed=wanted)
    if array.dtype.kind not in "fiub":
        raise UserError(f"{name} is not numeric", value=str(array.dtype), allowed=f"{wanted} of real numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(
            f"{name} has values that are not finite",
            value=array.shape,
            allowed=f"{wanted} of finite numbers",
            hint="A net whose training diverged has such states",
        )
    return array


def check_same_shape(first: NDArray[Any], second: NDArray[Any], names: str) -> None:
    """Raise UserError unless two arrays have one shape; `names` says which: "first and second"."""
    if first.shape != second.shape:
        raise UserError(
            f"{names} differ in shape", value=(first.shape, second.shape), allowed="the same shape for both"
        )


def check_kinds(kinds: NDArray[Any]) -> NDArray[np.int8]:
    """Return `kinds` (V,), the kind of each word: 0 stop, 1 positive, -1 negative; each occurs.

    Raises
    ------
    UserError
        If there is not one axis, another number occurs, or one of the three is missing.
    """
    kinds = np.asarray(kinds)
    if kinds.ndim != 1 or set(kinds.tolist()) != {-1, 0, 1}:
        raise UserError(
            "kinds do not say what the words are",
            value=kinds.tolist(),
            allowed="shape (V,), one of 0 (stop), 1 (positive), -1 (negative) for each word, each at least once",
        )
    return kinds.astype(np.int8)


def check_words(words: NDArray[Any], num_words: int) -> NDArray[np.int64]:
    """Return `words` (n, T) as indices below `num_words`.

    Raises
    ------
    UserError
        If there are not two axes, one is empty, or a word is not in the vocabulary.
    """
    words = check_axes(words, "words", ("n", "T"))
    if words.dtype.kind not in "iu" or words.min() < 0 or words.max() >= num_words:
        raise UserError(
            "words are not in the vocabulary",
            value=f"{words.dtype}, {words.min()} to {words.max()}",
            allowed=f"whole numbers from 0 to {num_words - 1}",
        )
    return words.astype(np.int64)


def check_bits(
    bits: NDArray[Any], name: str = "bits", num_and_steps: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Return `bits` (n, T, 2), the bits of two numbers at each step, as uint8.

    Parameters
    ----------
    bits : ndarray
    name : str
    num_and_steps : (int, int), optional
        n and T, where other arrays say them already.

    Raises
    ------
    UserError
        If the shape is another, or a value is neither 0 nor 1.
    """
    bits = check_axes(bits, name, ("n", "T", "2"))
    if bits.shape[2] != 2 or bits.shape[:2] != (num_and_steps or bits.shape[:2]):
        n, steps = num_and_steps or ("n", "T")
        raise UserError(f"{name} has the wrong shape", value=bits.shape, allowed=f"shape ({n}, {steps}, 2)")
    if not ((bits == 0) | (bits == 1)).all():
        raise UserError(f"{name} holds other values", value=np.unique(bits)[:5].tolist(), allowed="0 and 1")
    return bits.astype(np.uint8)
