"""Where a record comes from: code, libraries, machine, data, time."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import rnnkit

_PACKAGE = Path(rnnkit.__file__).parent
_LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "openTSNE", "numba", "safetensors")
_GIT_TIMEOUT = 20.0  # seconds


def provenance(
    device: str,
    seed: int,
    data_checksums: Mapping[str, str],
    wall_seconds: float,
    peak_memory_bytes: int,
    budget: str,
    revision: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what run.json says of a record's origin.

    Parameters
    ----------
    device : str
        Where it was computed, such as ``"cpu"`` or ``"cuda (NVIDIA H200)"``.
    seed : int
        The seed of all of its generators.
    data_checksums : mapping of str to str
        SHA-256 of each data file.
    wall_seconds : float
        Time that the computation took.
    peak_memory_bytes : int
        See `peak_memory_bytes`.
    budget : str
        ``"quick"`` or ``"paper"``.
    revision : mapping, optional
        As by `git_revision` when the computation began; left out: now.

    Returns
    -------
    dict
        The arguments, and ``git``, ``libraries``, ``rnnkit``, ``python``, ``platform``, ``cpus`` and
        ``created`` (UTC, ISO 8601).
    """
    return {
        "budget": budget,
        "seed": int(seed),
        "device": device,
        "wall_seconds": round(float(wall_seconds), 3),
        "peak_memory_bytes": int(peak_memory_bytes),
        "data_checksums": dict(data_checksums),
        "git": git_revision() if revision is None else dict(revision),
        "rnnkit": rnnkit.__version__,
        "libraries": library_versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def library_versions() -> dict[str, str]:
    """Return the versions of the installed libraries that a result may hang on, without importing them."""
    versions = {}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def peak_memory_bytes() -> int:
    """Return the largest resident memory of this process so far, in bytes."""
    # On Linux, getrusage hands the peak of the process that started this one down to it.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def git_revision(package: Path = _PACKAGE) -> dict[str, Any]:
    """Return the commit of the repository that tracks the package.

    Returns
    -------
    dict
        ``revision`` (40 hex digits) and ``dirty`` (whether a file of the package differs from it, or is
        new). Both None where the package is not in a repository or git is missing.
    """
    unknown = {"revision": None, "dirty": None}
    # A package installed below some other repository is not part of it.
    if not is_tracked(package / "__init__.py"):
        return unknown
    revision = _git(package, "rev-parse", "HEAD")
    changes = _git(package, "status", "--porcelain", "--", ".")
    if revision is None or changes is None:
        return unknown
    return {"revision": revision.strip(), "dirty": bool(changes.strip())}


def is_tracked(path: Path) -> bool:
    """Tell whether a file is under version control; False where git is missing."""
    return _git(path.parent, "ls-files", "--error-unmatch", "--", path.name) is not None


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, or None if it fails or is not there."""
    # Inside a git hook these variables point git at the repository of the hook.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), "--no-optional-locks", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_GIT_TIMEOUT,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None
