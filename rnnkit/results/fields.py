"""The fields of a ledger, checked one by one: every complaint names the file, the claim and the field."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.results.units import UNITS

_MEASURE = re.compile(r"[A-Za-z0-9_]+(?:[./-][A-Za-z0-9_]+)*")


@dataclass(frozen=True)
class Place:
    """Where in a ledger something stands, for messages."""

    file: Path
    claim: str
    field: str = ""

    def at(self, field: str) -> Place:
        """Return the place of a field inside this one."""
        return Place(self.file, self.claim, f"{self.field}.{field}" if self.field else field)

    def error(
        self,
        what: str,
        value: object = None,
        allowed: str | Iterable[str] | None = None,
        hint: str | None = None,
    ) -> UserError:
        """Return what to raise about this place."""
        where = f"{self.file}, claim {self.claim}" + (f", field {self.field}" if self.field else "")
        return UserError(f"{where}: {what}", value=value, allowed=allowed, hint=hint)


def names(entry: Mapping[Any, Any], required: Sequence[str], allowed: Sequence[str], place: Place) -> None:
    """Refuse a field that is not allowed, and one that is missing."""
    for field in entry:
        if field not in allowed:
            hint = None
            if field == "verdict":
                hint = "No claim is settled by hand: its verdict is computed by its rule."
            raise place.error("unknown field", field, allowed, hint)
    for field in required:
        if field not in entry:
            raise place.error("a field is missing", field)


def text(value: object, place: Place) -> str:
    """Return a text without the blanks around it."""
    if not isinstance(value, str) or not value.strip():
        raise place.error("it is a text, and not an empty one", value)
    return value.strip()


def number(value: object, place: Place) -> float:
    """Return a finite number as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        hint = None
        if isinstance(value, str):
            hint = "YAML reads 1e-3 as a text: write 0.001 or 1.0e-3."
        raise place.error("it is a finite number", value, hint=hint)
    try:
        return float(value)
    except OverflowError:
        raise place.error("it is too large", f"{str(value)[:8]}...") from None


def text_or_number(value: object, place: Place) -> str | float:
    """Return a text, or a finite number."""
    return text(value, place) if isinstance(value, str) else number(value, place)


def count(value: object, place: Place) -> int:
    """Return a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise place.error("it is a positive integer", value)
    return value


def one_of(value: object, allowed: Iterable[str], place: Place) -> str:
    """Return a value that is one of those allowed."""
    if not isinstance(value, str) or value not in allowed:
        raise place.error("unknown value", value, allowed)
    return value


def unit(value: object, place: Place) -> str:
    """Return the name of one of `UNITS`."""
    if not isinstance(value, str) or value not in UNITS:
        raise place.error("unknown unit", value, UNITS)
    return value


def measure(value: object, place: Place) -> str:
    """Return the name of a measurement."""
    if not isinstance(value, str) or not _MEASURE.fullmatch(value):
        raise place.error("it is the name of a measurement", value, "such as paper.test_accuracy")
    return value
