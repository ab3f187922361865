"""Controls, and what they change in a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Control:
    """A slider or a select with its printed positions.

    Parameters
    ----------
    name : str
        By which bindings refer to it.
    kind : {"slider", "select"}
        How it is shown.
    label : str
        What a reader sees beside it.
    values : tuple of str
        One printed label per position.
    start : int
        The position shown first.

    Raises
    ------
    ValueError
        When a field cannot be.
    """

    name: str
    kind: str
    label: str
    values: tuple[str, ...]
    start: int = 0

    def __post_init__(self) -> None:
        if not self.name or not self.label.strip():
            raise ValueError("a control needs a name and a label")
        if not self.values:
            raise ValueError(f"{self.kind} {self.name!r} has no values")
        if not 0 <= self.start < len(self.values):
            raise ValueError(
                f"{self.kind} {self.name!r} cannot start at {self.start}; allowed: 0..{len(self.values) - 1}"
            )


@dataclass(frozen=True)
class Binding:
    """One attribute of a trace (or of the layout, when ``trace`` is None) that follows controls.

    Parameters
    ----------
    trace : int or None
        Index of the trace; None for the layout.
    attr : str
        Path of the attribute: ``"x"``, ``"marker.color"``, ``"annotations[0].text"``.
    over : tuple of str
        Names of the controls that index the leading axes of ``values``.
    values : numpy.ndarray or nested list
        An array (its remaining axes are the attribute), or literals.
    """

    trace: int | None
    attr: str
    over: tuple[str, ...]
    values: Any

    @property
    def is_array(self) -> bool:
        """Whether the values are an array, stored as a payload, rather than literals."""
        return isinstance(self.values, np.ndarray)

    def at(self, state: Mapping[str, int]) -> Any:
        """Value of the attribute in a state of the controls."""
        value = self.values
        for name in self.over:
            value = value[state[name]]
        return value.item() if isinstance(value, np.generic) else value


def check_lengths(what: str, lengths: Sequence[int], over: Sequence[Control]) -> None:
    """Require one leading axis per control, as long as the control has positions.

    Raises
    ------
    ValueError
        Naming the axis, its length and the control.
    """
    if len(lengths) < len(over):
        names = ", ".join(control.name for control in over)
        raise ValueError(
            f"{what}: {len(over)} leading axes are needed ({names}), the array has {len(lengths)}"
        )
    for axis, (length, control) in enumerate(zip(lengths, over, strict=False)):
        if length != len(control.values):
            raise ValueError(
                f"{what}: axis {axis} has length {length}, "
                f"but {control.kind} {control.name!r} has {len(control.values)} values"
            )


def literal(value: Any) -> Any:
    """JSON value of a literal that may hold numpy numbers, arrays and tuples.

    Raises
    ------
    ValueError
        When something in it has no JSON form.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [literal(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"a literal must be a number, text, list or mapping, not {type(value).__name__}")
