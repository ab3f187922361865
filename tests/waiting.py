"""An end to every wait, and to every process: what a test waits for may never come."""

from __future__ import annotations

import faulthandler
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

_Answer = TypeVar("_Answer")


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Fail the test, and show where each thread stands, unless the body ends in time; may be nested."""
    begin = time.monotonic()

    def give_up(*_: object) -> None:
        import pytest  # workers import this module too

        faulthandler.dump_traceback(file=sys.__stderr__, all_threads=True)
        pytest.fail(f"{what}: not over within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, give_up)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - begin)))


def wait_for(condition: Callable[[], _Answer], what: str, seconds: float = 120.0) -> _Answer:
    """What the condition answers as soon as that is true."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(0.02)
    return answer


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """A process that does not outlive the body: one that is left to run is a warning in whatever test comes next."""
    with process:  # waits, and closes the pipes
        try:
            yield process
        finally:
            process.kill()
