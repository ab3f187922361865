"""How functions of this room are compiled, and where the machine code is kept for the next process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba

from rnnkit import paths


@lru_cache(maxsize=1)
def cache_folder() -> Path:
    """A folder of this version of the room.

    numba looks only at the file of the function itself before it takes machine code from its cache; what that
    calls in other files of the room would go unnoticed.
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
    version = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    return paths.home() / "compiled" / version


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called, without the GIL and without Python's checks of divisions.

    No fast-math: a result is the same whatever lane and tile a model lies in.
    """
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())
    try:
        return numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    finally:
        numba.config.CACHE_DIR = before
