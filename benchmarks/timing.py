"""Rivals timed in turns, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

WARM_UP = 3


def race(rivals: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, np.ndarray]:
    """Time every rival once a round, starting with another one each round.

    Parameters
    ----------
    rivals : mapping of str to callable
    repeats : int
        Rounds that count; a few that do not come before.

    Returns
    -------
    dict of str to ndarray (repeats,)
        Seconds, round by round.
    """
    names = list(rivals)
    seconds = {name: np.zeros(repeats) for name in names}
    for turn in range(-WARM_UP, repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            start = time.perf_counter()
            rivals[name]()
            if turn >= 0:
                seconds[name][turn] = time.perf_counter() - start
    return seconds


def ratio(slow: np.ndarray, fast: np.ndarray) -> dict[str, float]:
    """How many times as long ``slow`` takes: median and quartiles of the ratios within rounds."""
    low, middle, high = np.percentile(slow / fast, [25, 50, 75])
    return {"median": float(middle), "low": float(low), "high": float(high)}


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def machine() -> dict[str, Any]:
    """What the timings were made on, and how busy it was with other work (runnable processes, last minute)."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": load,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
