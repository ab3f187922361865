"""Where things lie: the repository's book and the user's own results."""

from __future__ import annotations

import os
from pathlib import Path


def repository() -> Path:
    """The checkout that holds ``book/``: the one this package lies in, else the current folder."""
    beside = Path(__file__).resolve().parent.parent
    return beside if (beside / "book").is_dir() else Path.cwd()


def home() -> Path:
    """Where results and checkpoints of this checkout's user lie: ``RNNKIT_HOME``, else ``.rnnkit`` (never committed)."""
    given = os.environ.get("RNNKIT_HOME")
    return Path(given).expanduser().resolve() if given else repository() / ".rnnkit"


def committed_results() -> Path:
    """The records that the published book is drawn from."""
    return repository() / "book" / "results"


def local_results() -> Path:
    """Records computed here; they come before committed ones of the same config. ``RNNKIT_RESULTS`` names another folder."""
    given = os.environ.get("RNNKIT_RESULTS")
    return Path(given).expanduser().resolve() if given else home() / "results"


def checkpoints() -> Path:
    """Where interrupted runs resume from."""
    return home() / "checkpoints"
