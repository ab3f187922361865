"""Folders that appear, and are replaced, as a whole.

A folder is filled under a temporary name and renamed into place. Where one of that name exists, the old one
is first renamed aside: POSIX cannot exchange two folders portably, so for an instant there is none.
Writers take turns by a lock on the parent folder. A reader looks without it, and looks again at a `standstill`
if it misses the folder or one of its files: what two looks see beside a writer need never have been there at
the same time. After a crash in that instant the folder aside is the last good one, and `settle` puts it back.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_TEMPORARY = ".tmp-"
_ASIDE = ".old-"
_ABANDONED_AFTER = 3600.0  # seconds without a write
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EINVAL}
_HOST = re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname()) or "host"


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder (new names, renames) survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _turn(parent: Path, how: int = fcntl.LOCK_EX) -> Iterator[bool]:
    """Hold the lock on a folder; on a file system without locks, go on without, and say so."""
    handle = os.open(parent, os.O_RDONLY)
    try:
        held = True
        try:
            fcntl.flock(handle, how)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            held = False
        yield held
    finally:
        os.close(handle)


@contextmanager
def standstill(parent: Path) -> Iterator[bool]:
    """Have all writers wait while the body reads; False where the folder or its file system has no lock to offer.

    Readers do not wait for each other.
    """
    with ExitStack() as stack:
        try:
            held = stack.enter_context(_turn(parent, fcntl.LOCK_SH))
        except OSError:  # there is no such folder, or it is somebody else's
            held = False
        yield held


def _temporary_name() -> str:
    return f"{_TEMPORARY}{_HOST}-{os.getpid()}-{uuid.uuid4().hex[:12]}"


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Create an empty folder beside the final one; whatever is left of it at the end is removed."""
    folder = parent / _temporary_name()
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replace_folder(new: Path, target: Path) -> None:
    """Rename the folder `new` to `target`, in the place of one that may be there.

    Whatever happens, `target` is afterwards the old folder or the new one, or `settle` makes it the old one.
    """
    sync_folder(new)
    aside = target.with_name(_ASIDE + target.name)
    with _turn(target.parent):
        _settle_one(aside)
        if target.exists():
            os.rename(target, aside)
        try:
            os.rename(new, target)
        except BaseException:
            _settle_one(aside)
            raise
        sync_folder(target.parent)
        shutil.rmtree(aside, ignore_errors=True)


def remove_folder(target: Path) -> None:
    """Remove a folder so that no reader sees half of it; a missing one is fine."""
    if not target.parent.is_dir():
        return
    doomed = target.with_name(_temporary_name())
    with _turn(target.parent):
        shutil.rmtree(target.with_name(_ASIDE + target.name), ignore_errors=True)
        if not target.exists():
            return
        os.rename(target, doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _settle_one(aside: Path) -> None:
    """End an interrupted replacement: put the old folder back, or remove it where a new one has its place."""
    if not aside.exists():
        return
    target = aside.with_name(aside.name.removeprefix(_ASIDE))
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.rename(aside, target)


def settle(parent: Path) -> None:
    """Wait for replacements under way, end interrupted ones, remove abandoned temporary folders."""
    if not parent.is_dir():
        return
    names = os.listdir(parent)
    aside = [parent / name for name in names if name.startswith(_ASIDE)]
    if aside:
        with _turn(parent):
            for folder in aside:
                _settle_one(folder)
    for folder in (parent / name for name in names if name.startswith(_TEMPORARY)):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """Tell whether nobody will finish a temporary folder: its process is dead, or an hour has passed."""
    host, _, pid = folder.name.removeprefix(_TEMPORARY).rpartition("-")[0].rpartition("-")
    if host == _HOST and pid.isdigit() and not _is_alive(int(pid)):
        return True
    try:
        touched = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:  # it is being filled or removed this very moment
        return False
    return time.time() - touched > _ABANDONED_AFTER


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process
        return True
    return True
