"""The ledger of claims: what a paper says, where, and the rule that settles it.

A ledger is ``book/<chapter>/claims.yml``, a list of claims. It holds no verdicts: those are computed from
records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.results import fields as read
from rnnkit.results.fields import Place
from rnnkit.results.intervals import SUMMARIES
from rnnkit.results.rules import KINDS, Rule

_ID = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_REQUIRED = ("id", "where", "claim", "paper", "page", "rule")
_FIELDS = (*_REQUIRED, "unit", "of", "measured", "why", "control")
_COUNTABLE = ("seeds", "models", "architectures", "parts")


@dataclass(frozen=True)
class Control:
    """A measurement that is printed beside a claim's own, such as that of an untrained net.

    `summary`, one of `SUMMARIES`, is what is printed of its values; the ledger calls it ``as``.
    """

    measure: str
    label: str
    unit: str | None = None
    summary: str = "mean"


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
    of : str
        What its measurements hold one value of: seeds, models, architectures, or parts of a sample.
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
    of: str = "seeds"
    measured: str | None = None
    why: str | None = None
    control: tuple[Control, ...] = ()

    @property
    def measures(self) -> frozenset[str]:
        """The names of all measurements that the claim and its controls look at."""
        return frozenset(self.rule.measures()) | {control.measure for control in self.control}


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
        claim = _claim(entry, Place(path, f"number {number}"), chapter)
        if claim.id in {earlier.id for earlier in claims}:
            raise Place(path, repr(claim.id), "id").error("there is another claim with this id", claim.id)
        claims.append(claim)
    return claims


def _read_yaml(path: Path) -> Any:
    import yaml

    class Strict:
        """Of a safe loader: a second field of one name does not silently win."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the field {key.value!r} is given twice", key.start_mark
                    )
                seen.add(key.value)
            return super().construct_mapping(node, deep)  # type: ignore[misc]

    # libyaml's takes a tenth of the time, where PyYAML was built with it; only the other one quotes a wrong line.
    bases = [getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader]
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the ledger of claims cannot be read ({error})", value=str(path)) from error
    for base in bases:
        try:
            return yaml.load(text, type("Loader", (Strict, base), {}))
        except yaml.YAMLError as error:
            failure = error
    raise UserError(f"the ledger of claims is not YAML: {failure}", value=str(path)) from failure


def _claim(entry: object, place: Place, chapter: str) -> Claim:
    if not isinstance(entry, Mapping):
        raise place.error("a claim is a mapping of fields", type(entry).__name__, _FIELDS)
    if isinstance(entry.get("id"), str):
        place = Place(place.file, repr(entry["id"]))
    read.names(entry, _REQUIRED, _FIELDS, place)
    identity = read.text(entry["id"], place.at("id"))
    if not _ID.fullmatch(identity) or not identity.startswith(f"{chapter}-"):
        raise place.at("id").error("not the id of a claim of this chapter", identity, f"{chapter}-name-of-it")
    return Claim(
        id=identity,
        chapter=chapter,
        where=read.text(entry["where"], place.at("where")),
        claim=read.text(entry["claim"], place.at("claim")),
        paper=read.text_or_number(entry["paper"], place.at("paper")),
        page=read.text(entry["page"], place.at("page")),
        rule=_rule(entry["rule"], place.at("rule")),
        unit=read.unit(entry.get("unit", "fraction"), place.at("unit")),
        of=read.one_of(entry.get("of", "seeds"), _COUNTABLE, place.at("of")),
        **{
            name: None if entry.get(name) is None else read.text(entry[name], place.at(name))
            for name in ("measured", "why")
        },
        control=_controls(entry.get("control"), place.at("control")),
    )


def _rule(entry: object, place: Place) -> Rule:
    if not isinstance(entry, Mapping):
        raise place.error("a rule is a mapping", entry, "{kind: close, measure: ..., ...}")
    name = entry.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise place.at("kind").error("unknown kind of rule", name, KINDS)
    kind = KINDS[name]
    specification = {field.name: field for field in fields(kind)}
    required = [name for name, field in specification.items() if field.default is MISSING]
    read.names(entry, required, ["kind", *specification], place)
    values: dict[str, Any] = {
        name: _RULE_FIELDS[name](entry[name], place.at(name)) for name in specification if name in entry
    }
    rule = kind(**values)
    _check_order(values, rule, place)
    return rule


def _check_order(values: Mapping[str, Any], rule: Rule, place: Place) -> None:
    """Refuse bounds that nothing can satisfy, and a rule that lacks both, which everything satisfies."""
    low, high = getattr(rule, "low", None), getattr(rule, "high", None)
    if low is not None and high is not None and low > high:
        raise place.at("low").error("it is larger than high", low, f"at most {high}")
    for name in ("tolerance", "margin"):
        if values.get(name, 0.0) < 0:
            raise place.at(name).error("it is negative", values[name], "0 or more")
    if low is not None and high is not None and not {"low", "high"} & set(values):
        raise place.error("it needs a bound", None, "low, high or both")


def _rules(entry: object, place: Place) -> tuple[Rule, ...]:
    if not isinstance(entry, list) or not entry:
        raise place.error("it is a list of at least one rule", entry)
    return tuple(_rule(rule, place.at(str(number))) for number, rule in enumerate(entry, start=1))


def _controls(entry: object, place: Place) -> tuple[Control, ...]:
    if entry is None:
        return ()
    controls = []
    for control in entry if isinstance(entry, list) else [entry]:
        if not isinstance(control, Mapping):
            raise place.error("a control is a mapping", control, "{measure: ..., label: ...}")
        read.names(control, ["measure"], ["measure", "label", "unit", "as"], place)
        measure = read.measure(control["measure"], place.at("measure"))
        label = read.text(control.get("label", measure), place.at("label"))
        unit = read.unit(control["unit"], place.at("unit")) if "unit" in control else None
        summary = read.one_of(control.get("as", "mean"), SUMMARIES, place.at("as"))
        controls.append(Control(measure, label, unit, summary))
    return tuple(controls)


_RULE_FIELDS = {
    "unit": read.unit,
    "label": read.text,
    "than_label": read.text,
    "measure": read.measure,
    "than": read.measure,
    "value": read.number,
    "tolerance": read.number,
    "low": read.number,
    "high": read.number,
    "margin": read.number,
    "trials": read.count,
    "rules": _rules,
}
