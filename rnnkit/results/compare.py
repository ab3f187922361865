"""What changed between two sets of measurements, such as a new run and the committed records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnkit.results.intervals import Interval, student

_ROWS = 15


@dataclass(frozen=True)
class Change:
    """A measurement that is not what it was.

    Parameters
    ----------
    measure : str
        Its name.
    new, committed : Interval or None
        Mean and 95 % interval; None where it is missing on that side, or is not one finite number per seed.
    difference : float or None
        New mean minus committed mean.
    overlap : bool or None
        Whether the two intervals share a point; None where there are not two.
    """

    measure: str
    new: Interval | None
    committed: Interval | None
    difference: float | None
    overlap: bool | None

    @property
    def size(self) -> float:
        """The difference as a fraction of the larger mean, 0 to 2; 0 where there is none."""
        if self.new is None or self.committed is None or not self.difference:
            return 0.0
        return abs(self.difference) / max(abs(self.new.value), abs(self.committed.value))


def compare(new: Mapping[str, np.ndarray], committed: Mapping[str, np.ndarray]) -> list[Change]:
    """List the measurements that differ, the largest change first.

    Intervals that do not overlap come first, then the others, each by size relative to the mean; what is on
    one side only comes last. Equal values, seed by seed, are no change.

    Parameters
    ----------
    new, committed : mapping of str to array, shape (n_seeds,) or ()
        Measurements by name.
    """
    changes = [
        _change(name, new.get(name), committed.get(name))
        for name in sorted({*new, *committed})
        if not _equal(new.get(name), committed.get(name))
    ]
    return sorted(
        changes, key=lambda change: (change.difference is None, change.overlap is not False, -change.size)
    )


def _equal(first: np.ndarray | None, second: np.ndarray | None) -> bool:
    if first is None or second is None:
        return False
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return np.array_equal(a, b, equal_nan=True)


def _change(name: str, new: np.ndarray | None, committed: np.ndarray | None) -> Change:
    here, there = _interval(new), _interval(committed)
    if here is None or there is None:
        return Change(name, here, there, None, None)
    return Change(name, here, there, here.value - there.value, here.overlaps(there))


def _interval(values: np.ndarray | None) -> Interval | None:
    if values is None:
        return None
    try:
        return student(values)
    except ValueError:
        return None


def changes_text(changes: Sequence[Change], rows: int = _ROWS) -> str:
    """Return the changes as an aligned table, at most `rows` of them, or ``nothing changed``."""
    if not changes:
        return "nothing changed"
    table = [("measurement", "now", "committed", "difference", "intervals")]
    table += [_row(change) for change in changes[:rows]]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    if len(changes) > rows:
        lines.append(f"and {len(changes) - rows} more")
    return "\n".join(lines)


def _row(change: Change) -> tuple[str, str, str, str, str]:
    overlap = {True: "overlap", False: "apart", None: "-"}[change.overlap]
    difference = "-" if change.difference is None else f"{change.difference:+.4g}"
    return change.measure, _cell(change.new), _cell(change.committed), difference, overlap


def _cell(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    if interval.ends is None or interval.n == 0:
        return f"{interval.value:.4g}"
    return f"{interval.value:.4g} [{interval.ends[0]:.4g}, {interval.ends[1]:.4g}]"
