"""Where records lie: found by their key, saved as a whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from rnnkit.errors import UserError
from rnnkit.results.atomic import remove_folder, replace_folder, settle, standstill, temporary_folder
from rnnkit.results.keys import RecordKey
from rnnkit.results.records import DamagedRecord, Record, ReplacedRecord, read_record, write_record

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LOOKS_WITHOUT_LOCKS = 10
_Seen = TypeVar("_Seen")


@dataclass(frozen=True)
class RecordInfo:
    """What `Store.scan` says of a record.

    `state` is ``"ok"``, ``"damaged"`` or ``"stale"`` (of a version other than the current one), `reason` says
    why in words. Of a damaged record only what its folder's name tells is known.
    """

    path: Path
    kind: str
    label: str
    id: str
    version: int | None
    budget: str | None
    state: str
    reason: str
    seed: int | None = None
    device: str | None = None


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a message for the user."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise UserError(
                "the disk is full; the record was not saved",
                value=str(folder),
                hint="Make room and run the command again: it goes on from its last checkpoint.",
            ) from error
        raise UserError(
            f"cannot write records ({error.strerror or error})",
            value=str(folder),
            hint="Make the folder writable, or name another one.",
        ) from error


class Store:
    """Records in folders ``<root>/<chapter>/<kind>-<label>-<id>/``.

    Parameters
    ----------
    write : Path
        The root where records are saved, and looked for first.
    read : sequence of Path
        Further roots to look in, such as the committed records.
    """

    def __init__(self, write: Path, read: Sequence[Path] = ()) -> None:
        self.write = Path(write)
        self.read = tuple(Path(root) for root in read)

    def find(self, key: RecordKey) -> Record | None:
        """Return the record that answers `key`, or None.

        Raises
        ------
        DamagedRecord
            If there is one, and its files are not what was saved.
        """

        def look(parent: Path) -> Record | None:
            exact = parent / key.folder
            same = [exact] if exact.is_dir() else self._same(parent, key)
            return read_record(same[0]) if same else None

        for root in (self.write, *self.read):
            parent = root / key.chapter
            record = _look_twice(parent, partial(look, parent)) if parent.is_dir() else None
            if record is not None:
                return record
        return None

    def load(self, key: RecordKey) -> Record:
        """Return the record that answers `key`.

        Raises
        ------
        UserError
            If there is none; the message names other versions that were found.
        DamagedRecord
            If there is one, and its files are not what was saved.
        """
        record = self.find(key)
        if record is not None:
            return record
        others = sorted(
            {
                info.version
                for info in self.scan(key.chapter, verify=False)
                if (info.kind, info.label) == (key.kind, key.label) and info.version is not None
            }
            - {key.version}
        )
        what = f"there is no record of {key.chapter}'s {key.kind} {key.label}"
        if others:
            found = ", ".join(map(str, others))
            what += f" by version {key.version} of the study (found: version {found})"
        raise UserError(what, value=key.id, hint=f"Compute it with `python -m rnnkit run {key.chapter}`.")

    def save(
        self,
        key: RecordKey,
        *,
        arrays: Mapping[str, np.ndarray],
        weights: Mapping[str, np.ndarray] | None = None,
        metrics: Mapping[str, Any],
        provenance: Mapping[str, Any],
    ) -> Record:
        """Save a record, in the place of one with the same key; nothing half-written is ever found.

        Raises
        ------
        UserError
            If the disk is full or the folder cannot be written; what was there before is still there.
        TypeError, ValueError
            If an array holds objects, or a metric has no JSON form.
        """
        parent = self.write / key.chapter
        with _writing(parent):
            parent.mkdir(parents=True, exist_ok=True)
            settle(parent)
            with temporary_folder(parent) as folder:
                write_record(
                    folder, key, arrays=arrays, weights=weights, metrics=metrics, provenance=provenance
                )
                replace_folder(folder, parent / key.folder)
            for path in self._same(parent, key):
                if path.name != key.folder:  # the same question under an older label
                    remove_folder(path)
        return self.load(key)

    def discard(self, key: RecordKey) -> None:
        """Remove the record from the root that is written to; a missing one is fine.

        Raises
        ------
        UserError
            If the folder cannot be written.
        """
        parent = self.write / key.chapter
        with _writing(parent):
            settle(parent)
            for path in self._same(parent, key):
                remove_folder(path)

    def scan(
        self, chapter: str, current: Mapping[str, int] | None = None, *, verify: bool = True
    ) -> list[RecordInfo]:
        """List the chapter's records, sorted by kind and label; the one that `find` would return of each id.

        Parameters
        ----------
        chapter : str
            The study.
        current : mapping, optional
            The current version of each kind: records of other versions and of unknown kinds are stale.
        verify : bool
            Read every file and compare checksums, not only sizes.
        """
        found: dict[str, RecordInfo] = {}
        for root in (self.write, *self.read):
            parent = root / chapter
            _settle_if_allowed(parent)
            with standstill(parent):
                paths = sorted(parent.glob("[a-z]*-*-*"))
            for path in paths:
                info = _inspect(path, current, verify)
                if info is not None:
                    found.setdefault(info.id, info)
        return sorted(found.values(), key=lambda info: (info.kind, info.label, info.version or 0, info.id))

    @staticmethod
    def _same(parent: Path, key: RecordKey) -> list[Path]:
        """Return the folders in `parent` with the key's id, whatever their labels."""
        names = os.listdir(parent) if parent.is_dir() else []
        same = (name for name in names if name.startswith(f"{key.kind}-") and name.endswith(f"-{key.id}"))
        return [parent / name for name in sorted(same)]


def _settle_if_allowed(parent: Path) -> None:
    """Tidy up after interrupted writes; a folder that belongs to somebody else is left as it is."""
    with suppress(OSError):
        settle(parent)


def _look_twice(parent: Path, look: Callable[[], _Seen | None]) -> _Seen | None:
    """Return what `look` sees; where that is nothing or damage, what it sees while no writer replaces anything.

    A folder that is being replaced is away for an instant, and its files vanish under a reader's hands.

    Raises
    ------
    DamagedRecord
        If there is damage that no writer can account for.
    """
    doubts = (FileNotFoundError, DamagedRecord, ReplacedRecord)
    with suppress(*doubts):
        seen = look()
        if seen is not None:
            return seen
    _settle_if_allowed(parent)
    looks = 0
    while True:
        looks += 1
        with standstill(parent) as held:
            try:
                return look()
            except doubts as doubt:
                if not held and looks < _LOOKS_WITHOUT_LOCKS:
                    continue
                if isinstance(doubt, FileNotFoundError):
                    return None
                raise


def _inspect(path: Path, current: Mapping[str, int] | None, verify: bool) -> RecordInfo | None:
    """Describe the record in a folder; None if the folder went away meanwhile."""

    def look() -> Record:
        record = read_record(path)
        if verify:
            record.verify()
        return record

    try:
        record = _look_twice(path.parent, look)
    except DamagedRecord as error:
        kind, _, rest = path.name.partition("-")
        label, _, identity = rest.rpartition("-")
        return RecordInfo(path, kind, label, identity, None, None, "damaged", str(error))
    if record is None:
        return None
    key, run = record.key, record.run
    state, reason = "ok", ""
    if current is not None and current.get(key.kind) != key.version:
        state = "stale"
        reason = f"made by version {key.version} of the study; the current one is {current.get(key.kind)}"
    return RecordInfo(
        path=path,
        kind=key.kind,
        label=key.label,
        id=key.id,
        version=key.version,
        budget=run.get("budget"),
        state=state,
        reason=reason,
        seed=run.get("seed"),
        device=run.get("device"),
    )
