"""Verdicts: what the measurements say about the claims, by rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np

from rnnkit.results import rules
from rnnkit.results.claims import Claim, Control
from rnnkit.results.intervals import Interval, finite, student, wilson
from rnnkit.results.units import UNITS, Unit

REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_RUN = "reproduced", "partly", "not reproduced", "not run"
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_RUN)
_JUDGED_BUDGET = "paper"

Measurements = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Finding:
    """What one rule finds: a verdict, why, and the number it hangs on.

    `text` prints the number; `number` is None for a rule over several others, and where nothing was measured.
    """

    verdict: str
    reason: str
    text: str
    number: Interval | None = None
    parts: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ClaimResult:
    """A claim beside what was found here.

    Parameters
    ----------
    id, chapter, where, claim, page : str
        As in the ledger.
    paper : str or float
        As in the ledger; `paper_text` is how it is printed.
    here : float or None
        Mean over seeds of the rule's measure (of the difference, for a rule between two measures); None where
        nothing was measured or several rules are joined. `here_text` is how it is printed, with its interval.
    interval : tuple of two floats or None
        95 % interval of `here`.
    n_seeds : int
        How many values stand behind `here` (the fewest, for joined rules); 0 for an exact number or none.
    budget, device : str
        Where the measurements come from.
    verdict : str
        One of `VERDICTS`.
    reason : str
        Why, in words, from the rule.
    measured : str or None
        The ledger's sentence that says what the number is.
    why : str or None
        The ledger's sentence for claims that do not fully reproduce; None for the others.
    controls : tuple of (label, text)
        The measurements printed beside it.
    """

    id: str
    chapter: str
    where: str
    claim: str
    page: str
    paper: str | float
    paper_text: str
    here: float | None
    here_text: str
    interval: tuple[float, float] | None
    n_seeds: int
    budget: str
    device: str
    verdict: str
    reason: str
    measured: str | None
    why: str | None
    controls: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields in JSON's types."""
        out = asdict(self)
        out["interval"] = None if self.interval is None else list(self.interval)
        out["controls"] = [{"label": label, "value": text} for label, text in self.controls]
        return out


def evaluate(
    ledger: Sequence[Claim], measurements: Measurements, *, budget: str, device: str
) -> list[ClaimResult]:
    """Settle every claim of a ledger.

    Parameters
    ----------
    ledger : sequence of Claim
        See `load_claims`.
    measurements : mapping of str to array, shape (n_seeds,) or ()
        One number per seed, in the same order of seeds throughout; an array without axes is an exact number.
    budget : str
        At which the measurements were made; only those at the paper's budget are judged.
    device : str
        On which they were made.
    """
    return [_settle(claim, measurements, budget, device) for claim in ledger]


def _settle(claim: Claim, measurements: Measurements, budget: str, device: str) -> ClaimResult:
    unit = UNITS[claim.unit]
    finding = judge(claim.rule, measurements, claim.unit)
    verdict, reason = finding.verdict, finding.reason
    if budget != _JUDGED_BUDGET and finding.text:
        verdict = NOT_RUN
        reason = f"measured at the {budget} budget; only the paper budget is held against the paper"
    number = finding.number
    return ClaimResult(
        id=claim.id,
        chapter=claim.chapter,
        where=claim.where,
        claim=claim.claim,
        page=claim.page,
        paper=claim.paper,
        paper_text=claim.paper if isinstance(claim.paper, str) else unit.constant(claim.paper),
        here=None if number is None else number.mean,
        here_text=finding.text,
        interval=None if number is None else number.ends,
        n_seeds=_fewest(finding),
        budget=budget,
        device=device,
        verdict=verdict,
        reason=reason,
        measured=claim.measured,
        why=claim.why if verdict in (PARTLY, NOT_REPRODUCED) else None,
        controls=tuple((control.label, _print(control, claim, measurements)) for control in claim.control),
    )


def _fewest(finding: Finding) -> int:
    if finding.parts:
        return min(_fewest(part) for part in finding.parts)
    return finding.number.n if finding.number else 0


def _print(control: Control, claim: Claim, measurements: Measurements) -> str:
    try:
        number = student(_measured(control.measure, measurements))
    except _NotRun as error:
        return str(error)
    return UNITS[control.unit or claim.unit].mean(number)


class _NotRun(Exception):
    """There is no number to judge."""


def _measured(name: str, measurements: Measurements) -> np.ndarray:
    if name not in measurements:
        raise _NotRun(f"{name} is not measured")
    try:
        return finite(measurements[name])
    except ValueError as error:
        raise _NotRun(f"{name} {error}") from error


def judge(rule: rules.Rule, measurements: Measurements, unit: str = "fraction") -> Finding:
    """Apply a rule to the measurements, whatever the budget."""
    if isinstance(rule, rules.All | rules.Any):
        return _judge_several(rule, measurements, rule.unit or unit)
    printed = UNITS[rule.unit or unit]
    try:
        test = _test(rule, measurements, printed)
        if rule.label is not None and not test.difference:
            test = replace(test, name=f"{rule.label}: {test.name}")
    except _NotRun as error:
        return Finding(NOT_RUN, str(error), "")
    return test.judge(printed)


def spoken(measure: str) -> str:
    """A measure's name as words: ``paper.six_recall`` becomes ``paper: six recall``."""
    return measure.replace(".", ": ").replace("_", " ")


def _judge_several(rule: rules.All | rules.Any, measurements: Measurements, unit: str) -> Finding:
    parts = tuple(judge(part, measurements, unit) for part in rule.rules)
    verdicts = [part.verdict for part in parts]
    if isinstance(rule, rules.Any) and REPRODUCED in verdicts:
        verdict = REPRODUCED
    elif NOT_RUN in verdicts:
        verdict = NOT_RUN
    elif len(set(verdicts)) == 1:
        verdict = verdicts[0]
    elif isinstance(rule, rules.All) and REPRODUCED not in verdicts:
        verdict = NOT_REPRODUCED  # a part fails, and none holds
    else:
        verdict = PARTLY
    held = sum(one == REPRODUCED for one in verdicts)
    reasons = "; ".join(part.reason for part in parts)
    if len(parts) > 1:
        doubt = sum(one == PARTLY for one in verdicts)
        in_doubt = f", {doubt} in doubt" if doubt else ""
        reasons = f"{held} of {len(parts)} hold{in_doubt}: {reasons}"
    return Finding(verdict, reasons, "; ".join(part.text for part in parts if part.text), parts=parts)


@dataclass(frozen=True)
class _Test:
    """A number, and the region [low, high] in which it must lie; an `open` region does not hold its ends."""

    number: Interval
    low: float
    high: float
    open: bool
    region: str  # the region in words, after "lies within" or "lies above"
    name: str = "mean"
    difference: bool = False

    def judge(self, unit: Unit) -> Finding:
        bounds = [bound for bound in (self.low, self.high) if math.isfinite(bound)]
        show = unit.difference if self.difference else unit.mean
        text = show(self.number, bounds)
        said = f"{self.name} {text}"
        if self.number.ends is None:
            return Finding(
                NOT_RUN, f"{said}: a single seed has no interval, and 2 are needed", text, self.number
            )
        verdict = self._verdict(*self.number.ends)
        return Finding(verdict, f"{said} {self._position(verdict, *self.number.ends)}", text, self.number)

    def _verdict(self, low: float, high: float) -> str:
        if self.open:
            inside, outside = low > self.low and high < self.high, high <= self.low or low >= self.high
        else:
            inside, outside = low >= self.low and high <= self.high, high < self.low or low > self.high
        return REPRODUCED if inside else NOT_REPRODUCED if outside else PARTLY

    def _position(self, verdict: str, low: float, high: float) -> str:
        if verdict == PARTLY:
            return f"reaches across {'the ends of ' if not self.open else ''}{self.region}"
        if self.open:
            side = "above" if math.isinf(self.high) else "below"
            return f"{'lies' if verdict == REPRODUCED else 'does not lie'} {side} {self.region}"
        if verdict == REPRODUCED:
            return f"lies within {self.region}"
        return f"lies {'above' if low > self.high else 'below'} {self.region}"


@singledispatch
def _test(rule: rules.Rule, measurements: Measurements, unit: Unit) -> _Test:
    """Return the number that a rule looks at and the region in which it must lie."""
    raise TypeError(f"no way to judge a {type(rule).__name__}")


@_test.register
def _(rule: rules.Close, measurements: Measurements, unit: Unit) -> _Test:
    number = student(_measured(rule.measure, measurements))
    low, high = rule.value - rule.tolerance, rule.value + rule.tolerance
    return _Test(number, low, high, False, unit.around(rule.value, rule.tolerance))


@_test.register
def _(rule: rules.Above, measurements: Measurements, unit: Unit) -> _Test:
    number = student(_measured(rule.measure, measurements))
    return _Test(number, rule.value, math.inf, True, unit.constant(rule.value))


@_test.register
def _(rule: rules.Below, measurements: Measurements, unit: Unit) -> _Test:
    number = student(_measured(rule.measure, measurements))
    return _Test(number, -math.inf, rule.value, True, unit.constant(rule.value))


@_test.register
def _(rule: rules.Between, measurements: Measurements, unit: Unit) -> _Test:
    number = student(_measured(rule.measure, measurements))
    region = f"{unit.constant(rule.low)} to {unit.constant(rule.high)}"
    return _Test(number, rule.low, rule.high, False, region)


@_test.register
def _(rule: rules.Rate, measurements: Measurements, unit: Unit) -> _Test:
    values = _measured(rule.measure, measurements)
    try:
        number = wilson(values, rule.trials)
    except ValueError as error:
        raise _NotRun(f"{rule.measure} {error}") from error
    region = f"{unit.constant(rule.low)} to {unit.constant(rule.high)}"
    return _Test(number, rule.low, rule.high, False, region, name="share")


@_test.register
def _(rule: rules.Greater, measurements: Measurements, unit: Unit) -> _Test:
    first, second = _measured(rule.measure, measurements), _measured(rule.than, measurements)
    if first.ndim and second.ndim and len(first) != len(second):
        raise _NotRun(
            f"{rule.measure} has {len(first)} seeds and {rule.than} has {len(second)}: they cannot be paired"
        )
    means = [unit.alone(float(values.mean())) for values in (first, second)]
    labels = rule.label or spoken(rule.measure), rule.than_label or spoken(rule.than)
    name = f"{labels[0]} ({means[0]}) minus {labels[1]} ({means[1]}): mean"
    number = student(first - second)
    return _Test(number, rule.margin, math.inf, True, unit.margin(rule.margin), name, difference=True)
