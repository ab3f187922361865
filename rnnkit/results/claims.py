"""The ledger of claims: what a paper says, where, and the rule that settles it.

A ledger is ``book/<chapter>/claims.yml``, a list of claims. It holds no verdicts: those are computed from
records.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.results.rules import KINDS, Rule
from rnnkit.results.units import UNITS

_ID = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_MEASURE = re.compile(r"[A-Za-z0-9_]+(?:[./-][A-Za-z0-9_]+)*")
_REQUIRED = ("id", "where", "claim", "paper", "page", "rule")
_FIELDS = (*_REQUIRED, "unit", "measured", "why", "control")


@dataclass(frozen=True)
class Control:
    """A measurement that is printed beside a claim's own, such as that of an untrained net."""

    measure: str
    label: str
    unit: str | None = None


@dataclass(frozen=True)
class Claim:
    """A number or a finding of a paper.

    Parameters
    ----------
    id, chapter : str
        The id begins with the chapter's name.
    where : str
        The place in the paper.
    claim : str
        What the paper says, in plain words of ours.
    paper : str or float
        The paper's value, as it gives it.
    page : str
        The page of the book that shows it.
    rule : Rule
        What settles it.
    unit : str
        How its numbers are printed, one of `UNITS`.
    measured : str or None
        What the number is, in a sentence that is always shown.
    why : str or None
        A sentence for the reader, shown when it does not fully reproduce.
    control : tuple of Control
        What is printed beside it.
    """

    id: str
    chapter: str
    where: str
    claim: str
    paper: str | float
    page: str
    rule: Rule
    unit: str
    measured: str | None = None
    why: str | None = None
    control: tuple[Control, ...] = ()

    @property
    def measures(self) -> frozenset[str]:
        """The names of all measurements that the claim and its controls look at."""
        return frozenset(self.rule.measures()) | {control.measure for control in self.control}


@dataclass(frozen=True)
class _Place:
    """Where in a ledger something stands, for messages."""

    file: Path
    claim: str
    field: str = ""

    def at(self, field: str) -> _Place:
        return _Place(self.file, self.claim, f"{self.field}.{field}" if self.field else field)

    def error(
        self,
        what: str,
        value: object = None,
        allowed: str | Iterable[str] | None = None,
        hint: str | None = None,
    ) -> UserError:
        where = f"{self.file}, claim {self.claim}" + (f", field {self.field}" if self.field else "")
        return UserError(f"{where}: {what}", value=value, allowed=allowed, hint=hint)


def load_claims(path: Path, chapter: str | None = None) -> list[Claim]:
    """Read and validate a ledger.

    Parameters
    ----------
    path : Path
        A ``claims.yml``.
    chapter : str, optional
        The chapter; the name of the file's folder if left out.

    Raises
    ------
    UserError
        If the file cannot be read, is not YAML, or a claim has a missing, unknown or wrong field; the message
        names the file, the claim and the field.
    """
    chapter = path.parent.name if chapter is None else chapter
    listed = _read_yaml(path)
    if not isinstance(listed, list):
        raise UserError(f"{path}: a ledger is a list of claims", value=type(listed).__name__)
    claims: list[Claim] = []
    for number, entry in enumerate(listed, start=1):
        claim = _claim(entry, _Place(path, f"number {number}"), chapter)
        if claim.id in {earlier.id for earlier in claims}:
            raise _Place(path, repr(claim.id), "id").error("there is another claim with this id", claim.id)
        claims.append(claim)
    return claims


def _read_yaml(path: Path) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """A safe loader that does not let a second field of one name silently win."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen: set[str] = set()
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the field {key.value!r} is given twice", key.start_mark
                    )
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the ledger of claims cannot be read ({error})", value=str(path)) from error
    except yaml.YAMLError as error:
        raise UserError(f"the ledger of claims is not YAML: {error}", value=str(path)) from error


def _claim(entry: object, place: _Place, chapter: str) -> Claim:
    if not isinstance(entry, Mapping):
        raise place.error("a claim is a mapping of fields", type(entry).__name__, _FIELDS)
    if isinstance(entry.get("id"), str):
        place = _Place(place.file, repr(entry["id"]))
    _check_fields(entry, _REQUIRED, _FIELDS, place)
    identity = _text(entry["id"], place.at("id"))
    if not _ID.fullmatch(identity) or not identity.startswith(f"{chapter}-"):
        raise place.at("id").error("not the id of a claim of this chapter", identity, f"{chapter}-name-of-it")
    return Claim(
        id=identity,
        chapter=chapter,
        where=_text(entry["where"], place.at("where")),
        claim=_text(entry["claim"], place.at("claim")),
        paper=_text_or_number(entry["paper"], place.at("paper")),
        page=_text(entry["page"], place.at("page")),
        rule=_rule(entry["rule"], place.at("rule")),
        unit=_unit(entry.get("unit", "fraction"), place.at("unit")),
        **{
            name: None if entry.get(name) is None else _text(entry[name], place.at(name))
            for name in ("measured", "why")
        },
        control=_controls(entry.get("control"), place.at("control")),
    )


def _check_fields(
    entry: Mapping[Any, Any], required: Sequence[str], allowed: Sequence[str], place: _Place
) -> None:
    for field in entry:
        if field not in allowed:
            hint = None
            if field == "verdict":
                hint = "No claim is settled by hand: its verdict is computed by its rule."
            raise place.error("unknown field", field, allowed, hint)
    for field in required:
        if field not in entry:
            raise place.error("a field is missing", field)


def _rule(entry: object, place: _Place) -> Rule:
    if not isinstance(entry, Mapping):
        raise place.error("a rule is a mapping", entry, "{kind: close, measure: ..., ...}")
    name = entry.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise place.at("kind").error("unknown kind of rule", name, KINDS)
    kind = KINDS[name]
    specification = {field.name: field for field in fields(kind)}
    required = [name for name, field in specification.items() if field.default is MISSING]
    _check_fields(entry, required, ["kind", *specification], place)
    values: dict[str, Any] = {
        name: _RULE_FIELDS[name](entry[name], place.at(name)) for name in specification if name in entry
    }
    rule = kind(**values)
    _check_order(values, rule, place)
    return rule


def _check_order(values: Mapping[str, Any], rule: Rule, place: _Place) -> None:
    """Refuse bounds that nothing can satisfy, and a rate without bounds, which everything satisfies."""
    low, high = getattr(rule, "low", None), getattr(rule, "high", None)
    if low is not None and high is not None and low > high:
        raise place.at("low").error("it is larger than high", low, f"at most {high}")
    for name in ("tolerance", "margin"):
        if values.get(name, 0.0) < 0:
            raise place.at(name).error("it is negative", values[name], "0 or more")
    if rule.__class__ is KINDS["rate"] and not {"low", "high"} & set(values):
        raise place.error("a rate needs a bound", None, "low, high or both")


def _rules(entry: object, place: _Place) -> tuple[Rule, ...]:
    if not isinstance(entry, list) or not entry:
        raise place.error("it is a list of at least one rule", entry)
    return tuple(_rule(rule, place.at(str(number))) for number, rule in enumerate(entry, start=1))


def _controls(entry: object, place: _Place) -> tuple[Control, ...]:
    if entry is None:
        return ()
    controls = []
    for control in entry if isinstance(entry, list) else [entry]:
        if not isinstance(control, Mapping):
            raise place.error("a control is a mapping", control, "{measure: ..., label: ...}")
        _check_fields(control, ["measure"], ["measure", "label", "unit"], place)
        measure = _measure(control["measure"], place.at("measure"))
        label = _text(control.get("label", measure), place.at("label"))
        unit = _unit(control["unit"], place.at("unit")) if "unit" in control else None
        controls.append(Control(measure, label, unit))
    return tuple(controls)


def _text(value: object, place: _Place) -> str:
    if not isinstance(value, str) or not value.strip():
        raise place.error("it is a text, and not an empty one", value)
    return value.strip()


def _number(value: object, place: _Place) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        hint = None
        if isinstance(value, str):
            hint = "YAML reads 1e-3 as a text: write 0.001 or 1.0e-3."
        raise place.error("it is a finite number", value, hint=hint)
    try:
        return float(value)
    except OverflowError:
        raise place.error("it is too large", f"{str(value)[:8]}...") from None


def _text_or_number(value: object, place: _Place) -> str | float:
    return _text(value, place) if isinstance(value, str) else _number(value, place)


def _count(value: object, place: _Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise place.error("it is a positive integer", value)
    return value


def _unit(value: object, place: _Place) -> str:
    if not isinstance(value, str) or value not in UNITS:
        raise place.error("unknown unit", value, UNITS)
    return value


def _measure(value: object, place: _Place) -> str:
    if not isinstance(value, str) or not _MEASURE.fullmatch(value):
        raise place.error("it is the name of a measurement", value, "such as paper.test_accuracy")
    return value


_RULE_FIELDS = {
    "unit": _unit,
    "label": _text,
    "than_label": _text,
    "measure": _measure,
    "than": _measure,
    "value": _number,
    "tolerance": _number,
    "low": _number,
    "high": _number,
    "margin": _number,
    "trials": _count,
    "rules": _rules,
}
