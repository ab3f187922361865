"""The cores of this machine, which the jobs of a run have in common."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any


class Cores:
    """Counts the jobs under way and lends each its share of the cores.

    Parameters
    ----------
    count : int
        Cores that these jobs may use.
    across_processes : bool
        Whether jobs are in processes of their own, which are handed this object as they are started.
    """

    def __init__(self, count: int, *, across_processes: bool = False) -> None:
        self.count = count
        shared: Any = multiprocessing.get_context("spawn").Value("i", 0) if across_processes else None
        self._busy = SimpleNamespace(value=0) if shared is None else shared
        self._lock = threading.Lock() if shared is None else shared.get_lock()

    @contextmanager
    def share(self) -> Iterator[Share]:
        """One more job is under way: what it may take."""
        self._add(1)
        try:
            yield Share(self)
        finally:
            self._add(-1)

    def _add(self, change: int) -> None:
        with self._lock:
            self._busy.value += change

    def per_job(self) -> int:
        """The same number for each job under way, at least 1."""
        return max(1, self.count // max(1, self._busy.value))


class Share:
    """Cores for one job, asked for again and again while other jobs come and go.

    Attributes
    ----------
    most : int
        The most that was ever taken.
    """

    def __init__(self, cores: Cores) -> None:
        self._cores, self.most = cores, 1

    def __call__(self, most: int) -> int:
        """As many as there are for this job at the moment, and no more than ``most``."""
        taken = min(self._cores.per_job(), most)
        self.most = max(self.most, taken)
        return taken
