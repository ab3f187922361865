"""The cores of this machine, which the jobs under way have in common."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager


class Cores:
    """Counts the jobs under way, in all processes that it is handed to as they start.

    Parameters
    ----------
    count : int
        Cores that these jobs may use.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.busy = multiprocessing.get_context("spawn").Value("i", 0)

    @contextmanager
    def share(self) -> Iterator[Share]:
        """One more job is under way: what it may take of the cores."""
        self._add(1)
        try:
            yield Share(self)
        finally:
            self._add(-1)

    def _add(self, change: int) -> None:
        with self.busy.get_lock():
            self.busy.value += change


class Share:
    """Cores for one job, asked for again and again while other jobs come and go.

    Attributes
    ----------
    most : int
        The most that was ever handed out.
    """

    def __init__(self, cores: Cores) -> None:
        self._cores, self.most = cores, 1

    def __call__(self) -> int:
        """The same number for each job under way, at least 1."""
        now = max(1, self._cores.count // max(1, self._cores.busy.value))
        self.most = max(self.most, now)
        return now
