"""One record: what was asked, what came out, and where it was computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rnnkit.errors import UserError
from rnnkit.results.atomic import standstill
from rnnkit.results.files import StoredArrays, checked_arrays, describe, flush, write_arrays, write_bytes
from rnnkit.results.keys import RecordKey, canonical_json, plain_json
from rnnkit.results.provenance import is_tracked

RUN, ARRAYS, WEIGHTS = "run.json", "arrays.npz", "weights.safetensors"
_FORMAT = 1  # of the files, not of what a study means


class DamagedRecord(UserError):
    """A record whose files are missing, cut short or altered."""


class ReplacedRecord(UserError):
    """A record in whose place another one was saved while it was being read."""


def damaged(path: Path, reason: str) -> DamagedRecord:
    """Return the error for a damaged file of a record, with the way out that fits the place where it lies."""
    if is_tracked(path):
        way_out = f"Restore it with `git checkout -- {path.parent}`, or compute it anew with --fresh."
    else:
        way_out = "Compute it anew with --fresh (on the make command line FRESH=1)."
    return DamagedRecord(f"damaged record: {reason}", value=str(path), hint=way_out)


@dataclass(frozen=True)
class Record:
    """The answer to a `RecordKey`.

    Parameters
    ----------
    key : RecordKey
        The question.
    run : dict
        What run.json holds: config, metrics and provenance.
    path : Path
        The record's folder.
    """

    key: RecordKey
    run: dict[str, Any]
    path: Path

    @property
    def metrics(self) -> dict[str, Any]:
        """The numbers that fit in run.json; one that was NaN or infinite is ``None``."""
        return self.run["metrics"]

    @cached_property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """The arrays, verified and read when asked for; read-only.

        Raises
        ------
        DamagedRecord
            By any access, if the file is missing or is not the one that was saved.
        """
        return StoredArrays(self.path / ARRAYS, self.run["files"][ARRAYS]["sha256"], self._damaged)

    @property
    def weights_checksum(self) -> str | None:
        """SHA-256 of the weights' file as it was saved; None for a record without weights."""
        file = self.run["files"].get(WEIGHTS)
        return None if file is None else str(file["sha256"])

    @cached_property
    def weights(self) -> Mapping[str, np.ndarray]:
        """The weights, verified and read when first asked for; empty if the record has none.

        Raises
        ------
        DamagedRecord
            If the file is missing or is not the one that was saved.
        """
        from safetensors.numpy import load

        if WEIGHTS not in self.run["files"]:
            return {}
        path = self.path / WEIGHTS
        try:
            content = path.read_bytes()
        except OSError as error:
            raise self._damaged(path, f"it cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != self.run["files"][WEIGHTS]["sha256"]:
            raise self._damaged(path, "its SHA-256 differs from the one in run.json")
        return load(content)

    def verify(self) -> None:
        """Read every file of the record.

        Raises
        ------
        DamagedRecord
            If one is missing or is not the one that was saved.
        """
        for name, expected in self.run["files"].items():
            path = self.path / name
            try:
                found = describe(path)
            except OSError as error:
                raise self._damaged(path, f"it cannot be read: {error.strerror}") from error
            if found != expected:
                raise self._damaged(path, "its SHA-256 differs from the one in run.json")

    def _damaged(self, path: Path, reason: str) -> UserError:
        """Return the error for a file that does not fit run.json: damage, or both have been replaced."""
        with standstill(self.path.parent):
            try:
                replaced = read_run(self.path) != self.run
            except FileNotFoundError:
                replaced = True
            except DamagedRecord:
                replaced = False
        if replaced:
            return ReplacedRecord(
                "another process replaced the record while it was being read",
                value=str(self.path),
                hint="Run the command again.",
            )
        return damaged(path, reason)


def write_record(
    folder: Path,
    key: RecordKey,
    *,
    arrays: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray] | None,
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Fill an empty folder with the files of a record, run.json last, and flush them to the disk.

    Raises
    ------
    TypeError, ValueError
        If an array holds objects, or a metric has no JSON form.
    """
    from safetensors.numpy import save

    arrays = checked_arrays(arrays, "array")
    write_arrays(folder / ARRAYS, arrays)
    if weights:
        write_bytes(folder / WEIGHTS, save(checked_arrays(weights, "weight")))
    written = (ARRAYS, WEIGHTS) if weights else (ARRAYS,)
    run = {
        "format": _FORMAT,
        "chapter": key.chapter,
        "kind": key.kind,
        "label": key.label,
        "version": key.version,
        "id": key.id,
        "config": key.config,
        "metrics": plain_json(metrics, "metrics", finite=False),
        "arrays": {name: f"{array.dtype.name} {array.shape}" for name, array in arrays.items()},
        "files": {name: describe(folder / name) for name in written},
    }
    more = plain_json(provenance, "provenance", finite=False)
    if clash := sorted(set(more) & {*run, "sha256"}):
        raise ValueError(f"provenance has a field of the record's own: {clash[0]}")
    run.update(more)
    run["sha256"] = _digest(run)
    with (folder / RUN).open("w", encoding="utf-8", newline="\n") as file:
        json.dump(run, file, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        file.write("\n")
        flush(file)


def read_record(path: Path) -> Record:
    """Read the record in a folder; its arrays and weights are verified when they are asked for.

    Beside a writer that replaces the folder either error may be a mistake: then look again at a `standstill`.

    Raises
    ------
    FileNotFoundError
        If there is no such folder (any more).
    DamagedRecord
        If run.json is not what was saved, another file is missing or has another size, or the record does
        not belong into a folder of this name.
    """
    run = read_run(path)
    for name, expected in run["files"].items():
        _check_size(path / name, expected["bytes"])
    key = RecordKey(run["chapter"], run["kind"], run["config"], run["version"], run["label"])
    if not path.name.endswith(f"-{key.id}"):
        raise damaged(path / RUN, f"it is the run of {key.folder}")
    return Record(key=key, run=run, path=path)


def _check_size(path: Path, expected: int) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise damaged(path, f"it cannot be read: {error.strerror}") from error
    if size != expected:
        raise damaged(path, f"it has {size} bytes instead of {expected}")


def read_run(path: Path) -> dict[str, Any]:
    """Read run.json of the record in a folder, and check that nobody altered it.

    Raises
    ------
    FileNotFoundError
        If there is no such folder (any more).
    DamagedRecord
        If run.json is missing, is not JSON, or is not what was saved.
    """
    file = path / RUN
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not path.exists():
            raise
        raise damaged(file, "it is missing") from error
    except (OSError, ValueError) as error:
        raise damaged(file, f"it cannot be read: {error}") from error
    if not isinstance(run, dict) or run.get("sha256") != _digest(run):
        raise damaged(file, "its content does not fit its own checksum")
    if run["format"] != _FORMAT:
        raise damaged(file, f"it has the file format {run['format']}, and this rnnkit reads {_FORMAT}")
    return run


def _digest(run: Mapping[str, Any]) -> str:
    """Return the SHA-256 of everything in run.json but the digest itself."""
    return hashlib.sha256(canonical_json({k: v for k, v in run.items() if k != "sha256"})).hexdigest()
