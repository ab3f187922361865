"""What a record is called: the hash of the question that it answers."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rnnkit.errors import UserError

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,79}")


def plain_json(value: Any, where: str, *, finite: bool = True) -> Any:
    """Return a deep copy of `value` in JSON's own types: tuples become lists, NumPy scalars Python numbers.

    Parameters
    ----------
    value : object
        ``None``, a bool, a number, a string, or lists, tuples and mappings of these.
    where : str
        The name that an error gives to the value.
    finite : bool
        Refuse NaN and infinities; where False they become ``None``, since JSON has no word for them.

    Raises
    ------
    TypeError
        If something in `value` has no JSON form, or a key is not a string.
    ValueError
        If a number is not finite and `finite` is set.
    """
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        if finite:
            raise ValueError(f"{where} is {value}, which JSON cannot hold")
        return None
    if isinstance(value, list | tuple):
        return [plain_json(item, f"{where}[{i}]", finite=finite) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        if strange := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"{where} has the key {strange[0]!r}; JSON keys are strings")
        return {key: plain_json(item, f"{where}.{key}", finite=finite) for key, item in value.items()}
    raise TypeError(f"{where} is a {type(value).__name__}, which JSON cannot hold")


def canonical_json(value: Any) -> bytes:
    """Return the one spelling of `value` that is hashed: sorted keys, no spaces, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")


def _matching(pattern: re.Pattern[str], what: str, value: str, allowed: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise UserError(f"a record's {what} cannot be used as a name", value=value, allowed=allowed)


@dataclass(frozen=True)
class RecordKey:
    """The question that a record answers.

    Parameters
    ----------
    chapter, kind : str
        The study (``"geometry"``) and which of its computations (``"train"``): lower case, digits, ``_``.
    config : mapping
        Everything that the result depends on, in JSON's types. 1 and 1.0 are different configs.
    version : int
        Raised by an author when the meaning of the study changes.
    label : str
        For people who look into the folder; not part of the identity.
    """

    chapter: str
    kind: str
    config: Mapping[str, Any]
    version: int
    label: str

    def __post_init__(self) -> None:
        _matching(_NAME, "chapter", self.chapter, "lower-case letters, digits and _")
        _matching(_NAME, "kind", self.kind, "lower-case letters, digits and _")
        _matching(_LABEL, "label", self.label, "up to 80 letters, digits and _ . + -")
        if not isinstance(self.version, int) or isinstance(self.version, bool):
            raise TypeError(f"version is {self.version!r}; it is an integer")
        if not isinstance(self.config, Mapping):
            raise TypeError(f"config is a {type(self.config).__name__}; it is a mapping")
        object.__setattr__(self, "config", plain_json(self.config, "config"))

    def __hash__(self) -> int:
        return hash(self.id)

    @cached_property
    def id(self) -> str:
        """16 hex digits: SHA-256 of the canonical JSON of chapter, kind, config and version."""
        question = [self.chapter, self.kind, self.config, self.version]
        return hashlib.sha256(canonical_json(question)).hexdigest()[:16]

    @property
    def folder(self) -> str:
        """The name of the record's folder inside its chapter's."""
        return f"{self.kind}-{self.label}-{self.id}"
