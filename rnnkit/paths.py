"""Where things lie: the repository's book and the user's own results."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from rnnkit.errors import UserError


def repository() -> Path:
    """The checkout that holds ``book/``: the one this package lies in, else the current folder."""
    beside = Path(__file__).resolve().parent.parent
    return beside if (beside / "book").is_dir() else Path.cwd()


def home() -> Path:
    """Where this user's results and checkpoints lie: ``RNNKIT_HOME``, else ``.rnnkit`` (never committed)."""
    given = os.environ.get("RNNKIT_HOME")
    return Path(given).expanduser().resolve() if given else repository() / ".rnnkit"


def committed_results() -> Path:
    """The records that the published book is drawn from."""
    return repository() / "book" / "results"


def local_results() -> Path:
    """Records computed here, which come before committed ones: ``RNNKIT_RESULTS``, else ``results`` in home."""
    given = os.environ.get("RNNKIT_RESULTS")
    return Path(given).expanduser().resolve() if given else home() / "results"


def checkpoints() -> Path:
    """Where interrupted runs resume from."""
    return home() / "checkpoints"


def packaged(package: str, path: str) -> Path:
    """A file inside an installed package, found without importing the package.

    Raises
    ------
    UserError
        If it is not there.
    """
    spec = find_spec(package)
    file = Path(spec.origin).parent / path if spec is not None and spec.origin else None
    if file is None or not file.is_file():
        raise UserError(
            "a script that the pages need is not installed",
            value=f"{package}/{path}",
            hint="Install the book's environment: make install",
        )
    return file


def mathjax() -> Path:
    """The script that sets formulas: ``tex-svg`` is one file without fonts, 2 MB, of a package of 24 MB."""
    return packaged("sphinx-mathjax-offline", "static/mathjax/tex-svg.js")
