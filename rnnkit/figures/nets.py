"""Which nets have what a figure needs: a net that was not run is left out, and nothing is said of it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]
Nets = Mapping[str, Arrays | None]


def present(nets: Nets, *names: str) -> dict[str, Arrays]:
    """Keep the nets that have all these arrays, in their order.

    Parameters
    ----------
    nets : mapping of str to mapping or None
        By net, arrays by name; None, a missing name or an empty array is a net that was not run.

    Raises
    ------
    ValueError
        When no net is left.
    """
    kept = {
        net: arrays
        for net, arrays in nets.items()
        if arrays is not None and all(has(arrays.get(name)) for name in names)
    }
    if not kept:
        raise ValueError(f"no net has {', '.join(names)}; nets given: {', '.join(nets) or 'none'}")
    return kept


def given(values: Mapping[str, Any], what: str) -> dict[str, np.ndarray]:
    """Keep the nets that have an array, as float64 without infinities.

    Raises
    ------
    ValueError
        When no net is left.
    """
    kept = {net: finite(array) for net, array in values.items() if has(array)}
    if not kept:
        raise ValueError(f"no net has {what}; nets given: {', '.join(values) or 'none'}")
    return kept


def has(array: Any) -> bool:
    """Whether there is an array, and anything in it."""
    return array is not None and np.size(array) > 0


def require_axes(what: str, array: Any, *axes: str | int) -> np.ndarray:
    """Check that an array has these axes: a name for one of any length, a number for one of that length.

    Raises
    ------
    ValueError
        With the shape that is needed and the one that was given.
    """
    found = np.asarray(array)
    right = found.ndim == len(axes) and all(
        isinstance(axis, str) or axis == length for axis, length in zip(axes, found.shape, strict=True)
    )
    if not right:
        needed = ", ".join(map(str, axes)) + ("," if len(axes) == 1 else "")
        raise ValueError(f"{what}: an array of ({needed}) is needed, not one of {found.shape}")
    return found


def finite(array: Any) -> np.ndarray:
    """As float64, with NaN where a value is infinite, which no axis can show."""
    values = np.asarray(array, dtype=np.float64)
    return np.where(np.isinf(values), np.nan, values)


def mean(values: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Mean without missing values; NaN, without a warning, where nothing is left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(np.asarray(values, dtype=np.float64), axis=axis)


def number(value: Any, digits: int = 4) -> float | None:
    """A number for a table, rounded; None where it is missing."""
    return None if value is None or not np.isfinite(value) else round(float(value), digits)
