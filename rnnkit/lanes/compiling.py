"""How functions of this room are compiled, and where the machine code is kept for the next process."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numba

LOCK = threading.RLock()
"""Held while a function is set up: numba's settings are the process's, and jobs may run in its threads."""


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """A folder of this version of the room in the user's cache; None where it cannot be written.

    numba looks only at the file of the function itself before it takes machine code from its cache; what that
    calls in other files of the room would go unnoticed.
    """
    from platformdirs import user_cache_path

    sources = sorted(Path(__file__).parent.rglob("*.py"))
    version = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    folder = user_cache_path("rnnkit") / "compiled" / version
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called, without the GIL and without Python's checks of divisions.

    No fast-math: a result is the same whatever lane and tile a model lies in.
    """
    return _compiled(function)


def inlined(function: Callable[..., Any]) -> Any:
    """As :func:`compiled`, for a part of an innermost loop: its buffers are never handed over by a call."""
    return _compiled(function, forceinline=True)


def _compiled(function: Callable[..., Any], *, forceinline: bool = False) -> Any:
    folder, config = cache_folder(), cast(Any, numba.config)
    with LOCK:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(folder or before)
        try:
            compiler = numba.njit(
                nogil=True, error_model="numpy", cache=folder is not None, forceinline=forceinline
            )
            return compiler(function)
        finally:
            config.CACHE_DIR = before
