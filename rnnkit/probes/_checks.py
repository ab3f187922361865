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
    return _check_axes(states, name, ("n", "H"))


def check_hidden_states(hidden_states: NDArray[Any], name: str = "hidden_states") -> NDArray[Any]:
    """Return `hidden_states` as an array of shape (n, S, H), no axis empty.

    Raises
    ------
    UserError
        If there are not three axes, one is empty, or the values are not finite real numbers.
    """
    return _check_axes(hidden_states, name, ("n", "S", "H"))


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


def _check_axes(array: NDArray[Any], name: str, axes: tuple[str, ...]) -> NDArray[Any]:
    array = np.asarray(array)
    wanted = f"a non-empty array of shape ({', '.join(axes)})"
    if array.ndim != len(axes) or 0 in array.shape:
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
