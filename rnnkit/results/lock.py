"""One run of a chapter at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rnnkit.errors import UserError

_HELD = {errno.EWOULDBLOCK, errno.EACCES}


@contextmanager
def run_lock(folder: Path, name: str) -> Iterator[None]:
    """Hold ``<folder>/<name>.lock`` while the body runs.

    The operating system holds the lock, not the file: it ends with the process, however that ends, and a file
    that is left behind locks nothing.

    Parameters
    ----------
    folder : Path
        Created if it is missing.
    name : str
        What is locked, such as a chapter.

    Raises
    ------
    UserError
        If another run holds the lock (the message says which process, since when and what to do), or the
        folder cannot be written.
    """
    path = folder / f"{name}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UserError(
            f"cannot write the lock file ({error.strerror})",
            value=str(path),
            hint="Make the folder writable, or name another one.",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _refusal(path, name, error) from error
        try:
            _sign(handle)
            yield
        finally:
            os.ftruncate(handle, 0)
            # Closing is not enough: a forked worker that lives on shares the lock.
            fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        os.close(handle)


def _sign(handle: int) -> None:
    """Write into the lock file who holds it, for the message that the next one gets."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": since}
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(holder).encode(), 0)


def _refusal(path: Path, name: str, error: OSError) -> UserError:
    if error.errno not in _HELD:
        return UserError(
            f"this file system cannot lock files ({error.strerror})",
            value=str(path),
            hint="Work in a folder on a local disk.",
        )
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        who = f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
        stop = f"stop it there with `kill {holder['pid']}`"
    except (OSError, ValueError, KeyError, TypeError):  # it has the lock and has not signed yet
        who, stop = "another process", "stop it"
    return UserError(
        f"{name} is being run already, by {who}",
        value=str(path),
        hint=f"Wait until it is done, or {stop}; it keeps what it has finished.",
    )
