"""An executed notebook's account of itself: the same bytes for the same inputs, and why it failed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rnnkit

INJECTED_TAG = "injected-parameters"
ERROR_MARKER_TAG = "papermill-error-cell-tag"
ERROR_LINES = 5
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def library_hash() -> str:
    """Return the SHA-256 of every Python file of rnnkit, names included."""
    package = Path(rnnkit.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def render_key(source: bytes, parameters: Mapping[str, Any], fingerprint: str, library: str) -> str:
    """Return the hash of everything that an executed notebook hangs on.

    Parameters
    ----------
    source : bytes
        The source notebook's file.
    parameters : mapping
        The papermill parameters.
    fingerprint : str
        What the caller says stands for the records (and the ledger) that the notebook reads.
    library : str
        ``library_hash()``.
    """
    digest = hashlib.sha256()
    for part in (
        source,
        json.dumps(dict(parameters), sort_keys=True).encode(),
        fingerprint.encode(),
        library.encode(),
    ):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def stored_key(executed: Path) -> str | None:
    """Return the key kept in an executed notebook, or None when it is missing or damaged."""
    try:
        return str(json.loads(executed.read_text(encoding="utf-8"))["metadata"]["rnnkit"]["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def clean(node: Any, *, key: str, parameters: Mapping[str, Any], source_path: str) -> None:
    """Strip an executed notebook, in place, of times, random ids, absolute paths and widget state.

    Parameters
    ----------
    node : nbformat.NotebookNode
        As papermill wrote it.
    key : str
        ``render_key(...)``, kept in the notebook's metadata.
    parameters : mapping
        The papermill parameters.
    source_path : str
        The source notebook, relative to the repository root.
    """
    node.metadata.pop("widgets", None)
    node.metadata["papermill"] = {"input_path": source_path, "parameters": dict(parameters)}
    node.metadata["rnnkit"] = {"key": key}
    for cell in node.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
        if INJECTED_TAG in cell.metadata.get("tags", ()):
            cell["id"] = INJECTED_TAG


def describe_failure(output: Path, log: Path) -> str:
    """Say in one line or a few where and why a notebook failed: ``cell 5: ValueError: ...``.

    Parameters
    ----------
    output : Path
        The half-executed notebook that papermill left, if it left one.
    log : Path
        What the process that ran it printed; its last line is the reason when no cell holds one.
    """
    number, error = _failed_cell(output)
    if not error:
        printed = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
        spoken = [line for line in printed if line.strip()]
        error = spoken[-1] if spoken else "its process ended without a word (killed, or out of memory?)"
    error = _ANSI.sub("", error)
    return f"cell {number}: {error}" if number else error


def _failed_cell(output: Path) -> tuple[int | None, str]:
    """Return the number, from 1 in the source notebook, of the last cell that was started, and its error."""
    try:
        cells = json.loads(output.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return None, ""
    number, last = 0, None
    for cell in cells:
        metadata = cell["metadata"]
        # Papermill adds a cell for the parameters and two that announce the failure: not the author's.
        if {INJECTED_TAG, ERROR_MARKER_TAG} & set(metadata.get("tags", ())):
            continue
        number += 1
        if cell["cell_type"] == "code" and metadata.get("papermill", {}).get("start_time"):
            last = number
        for item in cell.get("outputs", ()):
            if item["output_type"] == "error":
                lines = item["evalue"].strip().splitlines()[-ERROR_LINES:]
                return number, f"{item['ename']}: " + "\n".join(lines)
    return last, ""
