"""A run that computes all anew remembers what is still due, so that it can be interrupted like any other."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError


class FreshRun:
    """The ids of the records that a fresh run has still to compute, in a small file.

    Parameters
    ----------
    path : Path
        The file; it is there from the start of a fresh run to its end.
    settings : mapping
        What was asked for, as JSON values; a file of other settings does not count.
    ids : iterable of str
        Every record of the run.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], ids: Iterable[str]) -> None:
        self._path, self._settings, self._ids = path, dict(settings), list(ids)
        self.due: set[str] = set()

    def resume(self) -> bool:
        """Take up an interrupted run of the same settings; False where there is none."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            same = found["settings"] == self._settings and found["ids"] == self._ids
            due = set(found["due"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if not same or not due <= set(self._ids):
            return False
        self.due = due
        return True

    def start(self) -> None:
        """Everything is due."""
        self.due = set(self._ids)
        self._write()

    def done(self, identity: str) -> None:
        """One record has been computed and saved."""
        self.due.discard(identity)
        self._write()

    def end(self) -> None:
        """Nothing is due any more: forget the run."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._refused(error) from error

    def _write(self) -> None:
        state = {"settings": self._settings, "ids": self._ids, "due": sorted(self.due)}
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                aside.write_text(json.dumps(state), encoding="utf-8")
                aside.replace(self._path)
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> UserError:
        return UserError(
            f"the state of the fresh run cannot be written ({error.strerror or error})",
            value=str(self._path),
            hint="Free some space or set RNNKIT_HOME to a folder that can be written, then run again; "
            "what was finished is kept",
        )
