"""The files of a record: arrays, weights, and their checksums."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

_FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]*")


def checked_arrays(arrays: Mapping[str, np.ndarray], what: str) -> dict[str, np.ndarray]:
    """Return the arrays in C order, sorted by name.

    Raises
    ------
    TypeError
        If one holds Python objects, which could only be stored by pickling them.
    ValueError
        If a name cannot be used in a file.
    """
    checked = {}
    for name in sorted(arrays):
        if not _ARRAY_NAME.fullmatch(name) or name.endswith(".npy"):
            raise ValueError(f"{what} {name!r}: use letters, digits and _ . + - / in names")
        array = np.asarray(arrays[name], order="C")
        if array.dtype.hasobject:
            raise TypeError(f"{what} {name!r} has the dtype {array.dtype}; objects cannot be stored")
        checked[name] = array
    return checked


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed npz whose bytes depend on nothing but the arrays, and flush it to the disk."""
    with path.open("wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name in sorted(arrays):
                entry = zipfile.ZipInfo(f"{name}.npy", _FIRST_ZIP_DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system, entry.external_attr = 3, 0o644 << 16
                with archive.open(entry, "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, arrays[name], allow_pickle=False)
        flush(file)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file and flush it to the disk."""
    with path.open("wb") as file:
        file.write(content)
        flush(file)


def flush(file: IO[Any]) -> None:
    """Wait until the disk has what was written."""
    file.flush()
    os.fsync(file.fileno())


def describe(path: Path) -> dict[str, object]:
    """Return the SHA-256 and the size in bytes of a file."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": sha256(file)}


def sha256(file: IO[bytes]) -> str:
    """Return the SHA-256 of an open file from its beginning, and rewind it."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    file.seek(0)
    return digest


class StoredArrays(Mapping[str, np.ndarray]):
    """The arrays of an npz file, each read when it is first asked for; read-only, since they are shared.

    The file's checksum is verified at the first access, and again whenever another file has taken its place.

    Parameters
    ----------
    path : Path
        The npz file.
    checksum : str
        The SHA-256 that it must have.
    damaged : callable
        Makes the exception to raise from the file's path and what is wrong with it.
    """

    def __init__(self, path: Path, checksum: str, damaged: Callable[[Path, str], Exception]) -> None:
        self._path, self._checksum, self._damaged = path, checksum, damaged
        self._verified: tuple[int, int, int] | None = None
        self._names: tuple[str, ...] | None = None
        self._read: dict[str, np.ndarray] = {}

    def _open(self) -> IO[bytes]:
        try:
            file = self._path.open("rb")
        except OSError as error:
            raise self._damaged(self._path, f"it cannot be read: {error.strerror}") from error
        status = os.fstat(file.fileno())
        identity = (status.st_ino, status.st_size, status.st_mtime_ns)
        if identity != self._verified:
            if sha256(file) != self._checksum:
                file.close()
                raise self._damaged(self._path, "its SHA-256 differs from the one in run.json")
            self._verified = identity
        return file

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names():
            raise KeyError(f"{name}; there are: {', '.join(self.names())}")
        if name not in self._read:
            with self._open() as file, np.load(file, allow_pickle=False) as archive:
                array = archive[name]
            array.flags.writeable = False
            self._read[name] = array
        return self._read[name]

    def names(self) -> tuple[str, ...]:
        """Return the sorted names of the arrays."""
        if self._names is None:
            with self._open() as file, np.load(file, allow_pickle=False) as archive:
                self._names = tuple(sorted(archive.files))
        return self._names

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())
