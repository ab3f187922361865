"""Somebody who looks at the clock and at the memory while a kernel runs."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress

from rnnkit.labs.limits import Limits

_EVERY = 0.2  # seconds
_GRADER_BYTES = 2 * 2**30  # what the grader itself may grow to by what a kernel sends it


class Watch(threading.Thread):
    """Kill a kernel and all that it started once it overruns a limit.

    Parameters
    ----------
    pid : int
        The kernel's process, the leader of its group.
    limits : Limits

    Attributes
    ----------
    reason : str
        Why it was killed, in a sentence; empty if it was not.
    peak_bytes : int
        The most memory that was seen.
    """

    def __init__(self, pid: int, limits: Limits) -> None:
        super().__init__(daemon=True)
        self._pid, self._limits, self._over = pid, limits, threading.Event()
        self._seen: set[tuple[int, float]] = set()
        self.reason, self.peak_bytes = "", 0

    def run(self) -> None:
        """Look until the end."""
        deadline = time.monotonic() + self._limits.submission_seconds
        while not self._over.wait(_EVERY):
            if time.monotonic() > deadline:
                self.kill(f"All cells together took more than {self._limits.submission_seconds} s.")
            elif self._memory() > self._limits.memory_bytes:
                self.kill(f"It needed more than {self._limits.memory_gb:g} GB of memory.")
            elif self._own_memory() > _GRADER_BYTES:
                self.kill("It sent more than can be held.")

    def kill(self, reason: str) -> None:
        """Kill the kernel's group and every process that was ever seen below it; the first reason stands."""
        import psutil

        self.reason = self.reason or reason
        self._memory()  # for the newest children
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        for pid, born in self._seen:
            try:
                process = psutil.Process(pid)
                if process.create_time() == born:
                    process.kill()
            except psutil.Error:
                continue

    def end(self) -> None:
        """Stop watching; whatever the kernel has left behind is killed."""
        self._over.set()
        before = self.reason
        self.kill("")
        self.reason = before

    def _memory(self) -> int:
        """Resident bytes of the kernel and all below it."""
        import psutil

        total = 0
        try:
            root = psutil.Process(self._pid)
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            return 0
        for process in family:
            try:
                total += process.memory_info().rss
                self._seen.add((process.pid, process.create_time()))
            except psutil.Error:
                continue
        self.peak_bytes = max(self.peak_bytes, total)
        return total

    def _own_memory(self) -> int:
        import psutil

        return int(psutil.Process().memory_info().rss)
