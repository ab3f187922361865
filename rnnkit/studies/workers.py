"""How many worker processes a machine bears."""

from __future__ import annotations

import os
from pathlib import Path

from rnnkit.errors import UserError

BYTES_PER_WORKER = 2.5 * 2**30
_MEMORY = Path("/proc/meminfo")


def default_workers(device: str) -> int:
    """Processes to compute in where the user names no number.

    One per core that this process may use, as far as the free memory reaches; one on a GPU, and one while a
    page is being made (``RNNKIT_STATIC``).
    """
    if device != "cpu":
        return 1
    cores = num_cores()
    memory = available_memory()
    return cores if memory is None else max(1, min(cores, int(memory / BYTES_PER_WORKER)))


def num_cores() -> int:
    """Cores that a run may use, no more than ``RNNKIT_CORES``; one while a page is being made, beside which others are.

    Raises
    ------
    UserError
        ``RNNKIT_CORES`` is no number of cores.
    """
    if os.environ.get("RNNKIT_STATIC") == "1":
        return 1
    asked = os.environ.get("RNNKIT_CORES", "").strip()
    if not asked:
        return _cores()
    if not (asked.isascii() and asked.isdigit() and int(asked)):
        raise UserError("RNNKIT_CORES is no number of cores", value=asked, allowed="an integer of at least 1")
    return min(_cores(), int(asked))


def _cores() -> int:
    # A container or a batch system may give fewer cores than the machine has; macOS cannot say.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def available_memory() -> int | None:
    """Bytes of memory that can be had without swapping; None where the system does not say."""
    try:
        for line in _MEMORY.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None
