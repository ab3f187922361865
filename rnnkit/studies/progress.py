"""Progress on the terminal: one bar over the jobs, one over the steps of the jobs under way."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from tqdm import tqdm


class Steps(Protocol):
    """What a job may say of its progress."""

    def steps(self, total: int, name: str, *, start: int = 0) -> None:
        """Another ``total`` steps lie ahead, of which ``start`` are done."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """``count`` steps are done."""


def counting(steps: Steps) -> Callable[..., None]:
    """Report how much is done in all: a run that is taken up again begins where it stopped.

    Returns
    -------
    callable
        ``reached(done, note="")`` tells of the steps since the last call.
    """
    before = 0

    def reached(done: int, note: str = "") -> None:
        nonlocal before
        steps.advance(done - before, note)
        before = done

    return reached


class Progress:
    """Bars on stderr; silent where there is nothing to do or a page is being made (``RNNKIT_STATIC``).

    Several threads may report to it.

    Parameters
    ----------
    num_jobs : int
    title : str
        Shown beside the bar of the jobs.
    steps : bool
        Whether word of the steps will come; where it does not, there is no bar for them.
    """

    def __init__(self, num_jobs: int, title: str, *, steps: bool = True) -> None:
        quiet = num_jobs == 0 or os.environ.get("RNNKIT_STATIC") == "1"
        self._lock = threading.RLock()
        self._jobs = tqdm(
            total=num_jobs, desc=title, unit="record", file=sys.stderr, disable=quiet, position=0
        )
        self._steps = tqdm(
            total=0, leave=False, unit="step", file=sys.stderr, disable=quiet or not steps, position=1
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._steps.close()
        self._jobs.close()

    def begin(self, name: str) -> None:
        """A job of this name starts."""
        self._jobs.set_postfix_str(name)

    def steps(self, total: int, name: str, *, start: int = 0) -> None:
        """Another ``total`` steps lie ahead, of which ``start`` are done."""
        with self._lock:
            self._steps.total = (self._steps.total or 0) + total
            self._steps.set_description_str(f"  {name}")
            self._steps.update(start)

    def advance(self, count: int = 1, note: str = "") -> None:
        """``count`` steps are done."""
        with self._lock:
            if note:
                self._steps.set_postfix_str(note, refresh=False)
            self._steps.update(count)

    def end(self) -> None:
        """A job is finished."""
        self._jobs.update()

    def listen(self, queue: Any) -> None:
        """Show what worker processes put into the queue, until None comes."""
        while (event := queue.get()) is not None:
            method, arguments = event
            if method == "steps":
                self.steps(*arguments)
            else:
                self.advance(*arguments)


class RemoteProgress:
    """The worker's end of the queue."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    def steps(self, total: int, name: str, *, start: int = 0) -> None:
        """Another ``total`` steps lie ahead, of which ``start`` are done."""
        self._queue.put(("steps", (total - start, name)))

    def advance(self, count: int = 1, note: str = "") -> None:
        """``count`` steps are done."""
        self._queue.put(("advance", (count, note)))


class Abandoned(BaseException):
    """Nobody waits for the result any more; not an Exception, so that no job takes it for an error of its own."""


class StoppableSteps:
    """Steps of a job that cannot be killed: it ends with its next step once nobody waits for it any more.

    Parameters
    ----------
    steps : Steps, optional
        Who is told; left out: nobody.
    stopped : callable
        Whether to end.
    """

    def __init__(self, steps: Steps | None, stopped: Callable[[], bool]) -> None:
        self._steps, self._stopped = steps, stopped

    def steps(self, total: int, name: str, *, start: int = 0) -> None:
        """Another ``total`` steps lie ahead, of which ``start`` are done."""
        self._end_if_stopped()
        if self._steps is not None:
            self._steps.steps(total, name, start=start)

    def advance(self, count: int = 1, note: str = "") -> None:
        """``count`` steps are done."""
        self._end_if_stopped()
        if self._steps is not None:
            self._steps.advance(count, note)

    def _end_if_stopped(self) -> None:
        if self._stopped():
            raise Abandoned
