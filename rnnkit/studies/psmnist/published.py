"""What others report on psMNIST, read from ``book/psmnist/published.yml``: nothing without a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnkit import paths
from rnnkit.errors import UserError

PROTOCOL = ("permutation", "split", "augmentation", "selection", "epochs")
SIZES = ("parameters", "seeds")
REQUIRED = ("name", "key", "accuracy", "n_test", "sources")
FIELDS = (*REQUIRED, *SIZES, *PROTOCOL, "protocol")
NOT_FOUND = "not found"


@dataclass(frozen=True)
class Published:
    """What was published elsewhere: `accuracies` of psMNIST with their protocols, and the paper's `epoch_seconds`.

    Seconds are by net. ``protocol`` has ours, in the same fields.
    """

    accuracies: list[dict[str, Any]]
    epoch_seconds: dict[str, float]
    protocol: dict[str, str]


def load(path: Path | None = None) -> Published:
    """Read and check the list.

    Raises
    ------
    UserError
        If it cannot be read or lacks one of its sections, or where a row has a field that is none, lacks one that it
        must have, gives a field without its source, or says nothing of its protocol and is not marked as such a row.
    """
    import yaml

    path = path or paths.repository() / "book" / "psmnist" / "published.yml"
    try:
        found = Published(**yaml.safe_load(path.read_text(encoding="utf-8")))
        if not (isinstance(found.accuracies, list) and isinstance(found.epoch_seconds, Mapping)):
            raise TypeError("accuracies is a list, epoch_seconds a mapping")
        if not isinstance(found.protocol, Mapping) or set(found.protocol) - set(PROTOCOL):
            raise TypeError(f"protocol is a mapping of {', '.join(PROTOCOL)}")
    except (OSError, TypeError, yaml.YAMLError) as error:
        raise UserError(
            f"the list of published results cannot be read ({error})",
            value=str(path),
            allowed="the sections accuracies, epoch_seconds and protocol",
        ) from error
    for number, entry in enumerate(found.accuracies, start=1):
        _check(entry, f"{path}, accuracies, row {number}")
    return found


def _check(entry: object, place: str) -> None:
    if not isinstance(entry, Mapping):
        raise UserError(f"{place}: a row is a mapping", value=entry, allowed=FIELDS)
    place += f" ({entry.get('name', 'without a name')})"
    for field in entry:
        if field not in FIELDS:
            raise UserError(f"{place}: unknown field", value=field, allowed=FIELDS)
    for field in REQUIRED:
        if entry.get(field) is None:
            raise UserError(f"{place}: {field} is missing", hint="Leave out only what was not found stated.")
    _check_sources(entry, place)
    known = [field for field in PROTOCOL if field in entry]
    if "protocol" in entry and (entry["protocol"] != NOT_FOUND or known):
        raise UserError(
            f"{place}: protocol",
            value=entry["protocol"],
            allowed=f"{NOT_FOUND!r} alone, in a row that has none of {', '.join(PROTOCOL)}",
        )
    if not known and "protocol" not in entry:
        raise UserError(
            f"{place}: nothing is said of how it was obtained",
            allowed=PROTOCOL,
            hint=f"Where it was looked for and not found, say `protocol: {NOT_FOUND}`.",
        )


def _check_sources(entry: Mapping[str, Any], place: str) -> None:
    sources = entry["sources"]
    needed = {"accuracy", *(field for field in (*SIZES, *PROTOCOL) if field in entry)}
    if not isinstance(sources, Mapping):
        raise UserError(f"{place}: sources: a source for each field", value=sources, allowed=sorted(needed))
    for field in sorted(needed):
        if not isinstance(sources.get(field), str) or not sources[field].strip():
            raise UserError(
                f"{place}: {field} has no source",
                value=sources.get(field),
                hint="Name a table or section of the paper, or a file of its repository.",
            )
    for field in sources:
        if field not in needed:
            raise UserError(f"{place}: a source of what is not given", value=field, allowed=sorted(needed))
