"""The four files of MNIST: what they must hold, where they may lie, and whether they are intact."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from rnnkit.datasets._idx import REPLACE_HINT, read_idx
from rnnkit.errors import UserError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceFile:
    """One idx file of MNIST.

    Attributes
    ----------
    name : str
        File name without ``.gz``.
    shape : tuple of int
        (n, 28, 28) of images, (n,) of labels.
    checksum : str
        SHA-256 of the decompressed bytes.
    """

    name: str
    shape: tuple[int, ...]
    checksum: str

    def find(self, folder: Path) -> Path | None:
        """The file in `folder`, gzipped or plain, or None."""
        candidates = (folder / f"{self.name}.gz", folder / self.name)
        return next((path for path in candidates if os.path.isfile(path)), None)

    def read(self, path: Path) -> np.ndarray:
        """Content as uint8, of shape `shape`, checked against all that is known of it.

        Raises
        ------
        UserError
            If the file is not, byte for byte, the one of MNIST.
        """
        array, checksum = read_idx(path, self.shape)
        if len(self.shape) == 1 and array.max(initial=0) > 9:
            raise UserError(f"label {array.max()} in the file", value=str(path), allowed="0 to 9")
        if checksum != self.checksum:
            raise UserError(
                f"wrong checksum (SHA-256 of the decompressed bytes is {checksum[:12]}..., "
                f"MNIST has {self.checksum[:12]}...)",
                value=str(path),
                hint=REPLACE_HINT,
            )
        return array


MNIST_FILES = (
    SourceFile(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    SourceFile(
        "train-labels-idx1-ubyte",
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    SourceFile(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    SourceFile(
        "t10k-labels-idx1-ubyte",
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)


def cache_folder() -> Path:
    """Where downloads go: ``mnist`` in the user's cache of rnnkit (``~/.cache/rnnkit`` on Linux)."""
    try:
        from platformdirs import user_cache_path
    except ImportError:  # a bare compute node, where nothing is downloaded anyway
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnnkit" / "mnist"
    return user_cache_path("rnnkit", appauthor=False) / "mnist"


def given_folder() -> Path | None:
    """``$RNNKIT_DATA/mnist``, or None where the variable is unset, or the folder missing (which is said)."""
    root = os.environ.get("RNNKIT_DATA")
    if not root:
        return None
    folder = Path(root).expanduser() / "mnist"
    if os.path.isdir(folder):
        return folder
    _note_missing(folder)
    return None


@cache  # said once per process and folder
def _note_missing(folder: Path) -> None:
    _log.warning(
        "RNNKIT_DATA is set, but there is no folder %s; looking in %s instead", folder, cache_folder()
    )


def find_folder() -> Path | None:
    """The folder with all four files, or None where they would have to be downloaded.

    Raises
    ------
    UserError
        If ``$RNNKIT_DATA/mnist`` exists and is incomplete: what the user names is not passed over.
    """
    given = given_folder()
    if given is not None:
        missing = [source.name for source in MNIST_FILES if source.find(given) is None]
        if missing:
            raise UserError(
                f"the folder named by RNNKIT_DATA lacks {', '.join(missing)}",
                value=str(given),
                hint="Add the missing files (gzipped or plain), or unset RNNKIT_DATA to use downloaded ones",
            )
        return given
    cached = cache_folder()
    return cached if all(source.find(cached) for source in MNIST_FILES) else None


@dataclass(frozen=True)
class FileState:
    """What was found of one file: `state` is ``"ok"``, ``"missing"`` or ``"damaged"``; `detail` says more."""

    name: str
    state: str
    detail: str


@dataclass(frozen=True)
class Report:
    """State of the four files in one folder; ``str(report)`` is for the terminal."""

    folder: Path
    files: tuple[FileState, ...]

    @property
    def ok(self) -> bool:
        """Whether all files are there and intact."""
        return all(file.state == "ok" for file in self.files)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"MNIST in {self.folder}"
        for file in self.files:
            yield f"  {file.state:<8} {file.name:<24} {file.detail}".rstrip()
        if not self.ok:
            yield "Run `python -m rnnkit data fetch`, or set RNNKIT_DATA to a folder that holds mnist/"


def survey(folder: Path) -> Report:
    """Check each of the four files in `folder`, reading them whole."""
    return Report(folder, tuple(_state_of(source, folder) for source in MNIST_FILES))


def _state_of(source: SourceFile, folder: Path) -> FileState:
    path = source.find(folder)
    if path is None:
        return FileState(source.name, "missing", "")
    try:
        source.read(path)
    except UserError as error:
        return FileState(source.name, "damaged", str(error))
    return FileState(source.name, "ok", f"{path.name}, SHA-256 {source.checksum[:12]}...")
