"""Checks of numbers that more than one kind of data is drawn with."""

from __future__ import annotations

import numpy as np

from rnnkit.errors import UserError

MOST_NUMBERS = 2 * 10**8  # of one draw, a byte each


def is_integer(value: object) -> bool:
    """Whether a value is an integer; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_integer(name: str, value: object, least: int, most: int | None = None) -> int:
    """Return an integer of ``least`` to ``most``; UserError, with its name, where it is none."""
    if not is_integer(value) or value < least or (most is not None and value > most):  # type: ignore[operator]
        up_to = f"an integer of at least {least}" if most is None else f"an integer of {least} to {most}"
        raise UserError(f"{name} cannot be used", value=value, allowed=up_to)
    return int(value)  # type: ignore[call-overload]


def check_seed(seed: object) -> int:
    """Return the seed; UserError where it is no integer of at least 0."""
    if not is_integer(seed) or seed < 0:  # type: ignore[operator]
        raise UserError("this is no seed", value=seed, allowed="an integer of at least 0")
    return int(seed)  # type: ignore[call-overload]


def check_memory(what: str, number: int) -> None:
    """UserError where a draw of so many numbers would fill the memory."""
    if number > MOST_NUMBERS:
        raise UserError(
            f"{what} would fill the memory",
            value=f"{number:,} numbers",
            allowed=f"up to {MOST_NUMBERS:,}",
            hint="Draw fewer batches at a time",
        )
