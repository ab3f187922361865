"""How a rule is held against the measurements: the number it looks at, where it must lie, where it lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np

from rnnkit.results import rules
from rnnkit.results.findings import Finding, after
from rnnkit.results.intervals import (
    Interval,
    best,
    finite,
    median,
    median_difference,
    newcombe,
    plural,
    student,
    wilson,
)
from rnnkit.results.units import UNITS, Unit

REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_JUDGED = "reproduced", "partly", "not reproduced", "not judged"
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_JUDGED)

Measurements = Mapping[str, np.ndarray]


class NotRun(Exception):
    """There is no number to judge; `briefly` says why without naming the measurement."""

    def __init__(self, message: str, briefly: str | None = None) -> None:
        super().__init__(message)
        self.briefly = message if briefly is None else briefly


@dataclass(frozen=True)
class Measured:
    """Measurements that hold one value for each `of`, ``"seeds"`` or ``"models"``, and are to be printed in a unit."""

    values: Measurements
    of: str
    unit: Unit

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the values of a measurement: at most one axis, finite, float64."""
        if name not in self.values:
            raise NotRun(f"{name} is not measured", "not measured")
        return self._named(name, finite, self.values[name], self.of)

    def summary(self, name: str, of_values: Callable[..., Interval], *more: Any) -> Interval:
        """Return what a function of `intervals` says of a measurement, within what its unit allows."""
        return self._named(name, lambda: of_values(self[name], *more).within(*self.unit.possible))

    def _named(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except ValueError as error:
            raise NotRun(f"{name} {error}", str(error)) from error


def judge(rule: rules.Rule, measurements: Measurements, unit: str = "fraction", of: str = "seeds") -> Finding:
    """Apply a rule to the measurements, whatever the budget; `of` is what they hold one value of."""
    if isinstance(rule, rules.All | rules.Any):
        return _judge_several(rule, measurements, rule.unit or unit, of)
    printed = UNITS[rule.unit or unit]
    try:
        test = _test(rule, Measured(measurements, of, printed), printed)
    except NotRun as error:
        found = Finding(NOT_JUDGED, str(error), "", position=error.briefly)
    else:
        found = test.judge(printed, of, test.of_difference or rule.label or "")
    return replace(found, name=_name(rule), measures=tuple(rule.measures()))


def _name(rule: rules.Rule) -> str:
    """What a rule's number is, in words."""
    if isinstance(rule, rules.Pair):
        return " minus ".join(_sides(rule))
    return rule.label or ""


def _sides(rule: rules.Pair) -> tuple[str, str]:
    return rule.label or spoken(rule.measure), rule.than_label or spoken(rule.than)


def spoken(measure: str) -> str:
    """A measure's name as words: ``paper.six_recall`` becomes ``paper: six recall``."""
    return measure.replace(".", ": ").replace("_", " ")


def _judge_several(rule: rules.All | rules.Any, measurements: Measurements, unit: str, of: str) -> Finding:
    parts = tuple(judge(part, measurements, unit, of) for part in rule.rules)
    verdicts = [part.verdict for part in parts]
    if isinstance(rule, rules.Any) and REPRODUCED in verdicts:
        verdict = REPRODUCED
    elif NOT_JUDGED in verdicts:
        verdict = NOT_JUDGED
    elif len(set(verdicts)) == 1:
        verdict = verdicts[0]
    elif isinstance(rule, rules.All) and REPRODUCED not in verdicts:
        verdict = NOT_REPRODUCED  # a part fails, and none holds
    else:
        verdict = PARTLY
    held = sum(one == REPRODUCED for one in verdicts)
    reasons, counted = "; ".join(part.reason for part in parts), ""
    if len(parts) > 1 and set(verdicts) != {NOT_JUDGED}:
        doubt = sum(one == PARTLY for one in verdicts)
        counted = f"{held} of {len(parts)} hold" + (f", {doubt} in doubt" if doubt else "")
        reasons = f"{counted}: {reasons}"
    return Finding(verdict, reasons, "", parts=parts, held=counted)


@dataclass(frozen=True)
class _Test:
    """A number, and the region [low, high] in which it must lie; an `open` region does not hold its ends."""

    number: Interval
    low: float
    high: float
    open: bool
    region: str  # the region in words, after "lies within" or "lies above"
    of_difference: str = ""  # what is subtracted from what
    difference: bool = False

    def judge(self, unit: Unit, of: str, label: str) -> Finding:
        bounds = [bound for bound in (self.low, self.high) if math.isfinite(bound)]
        show = unit.difference if self.difference else unit.measured
        text = show(self.number, bounds)
        # The best of few is less than the best of many: without their number it says nothing.
        counted = self.number.counted(of) if self.number.word == "best" else ""
        word = counted or ("" if self.number.exact else self.number.word)
        said = after(label, f"{word} {text}" if word else text)
        if self.number.ends is None:
            verdict, position = (
                NOT_JUDGED,
                f"a single {of.removesuffix('s')} has no interval, and 2 are needed",
            )
            reason = f"{said}: {position}"
        else:
            verdict = self._verdict(*self.number.ends)
            position = self._position(verdict, *self.number.ends)
            reason = f"{said} {position}"
        return Finding(verdict, reason, text, self.number, label=label, position=position)

    def _verdict(self, low: float, high: float) -> str:
        if self.open:
            inside, outside = low > self.low and high < self.high, high <= self.low or low >= self.high
        else:
            inside, outside = low >= self.low and high <= self.high, high < self.low or low > self.high
        return REPRODUCED if inside else NOT_REPRODUCED if outside else PARTLY

    def _position(self, verdict: str, low: float, high: float) -> str:
        one_sided = math.isinf(self.low) or math.isinf(self.high)
        if verdict == PARTLY:
            return f"reaches across {'' if one_sided else 'the ends of '}{self.region}"
        if one_sided:
            side = ("" if self.open else "at or ") + ("above" if math.isinf(self.high) else "below")
            return f"{'lies' if verdict == REPRODUCED else 'does not lie'} {side} {self.region}"
        if verdict == REPRODUCED:
            return f"lies within {self.region}"
        return f"lies {'above' if low > self.high else 'below'} {self.region}"


@singledispatch
def _test(rule: rules.Rule, measured: Measured, unit: Unit) -> _Test:
    """Return the number that a rule looks at and the region in which it must lie."""
    raise TypeError(f"no way to judge a {type(rule).__name__}")


@_test.register
def _(rule: rules.Close, measured: Measured, unit: Unit) -> _Test:
    number = measured.summary(rule.measure, student)
    low, high = rule.value - rule.tolerance, rule.value + rule.tolerance
    return _Test(number, low, high, False, unit.around(rule.value, rule.tolerance))


@_test.register
def _(rule: rules.Above, measured: Measured, unit: Unit) -> _Test:
    number = measured.summary(rule.measure, student)
    return _Test(number, rule.value, math.inf, True, unit.constant(rule.value))


@_test.register
def _(rule: rules.Below, measured: Measured, unit: Unit) -> _Test:
    number = measured.summary(rule.measure, student)
    return _Test(number, -math.inf, rule.value, True, unit.constant(rule.value))


@_test.register
def _(rule: rules.Between, measured: Measured, unit: Unit) -> _Test:
    return _within(measured.summary(rule.measure, student), rule.low, rule.high, unit)


@_test.register
def _(rule: rules.Rate, measured: Measured, unit: Unit) -> _Test:
    return _within(measured.summary(rule.measure, wilson, rule.trials), rule.low, rule.high, unit)


@_test.register
def _(rule: rules.Median, measured: Measured, unit: Unit) -> _Test:
    return _within(measured.summary(rule.measure, median), rule.low, rule.high, unit)


@_test.register
def _(rule: rules.Best, measured: Measured, unit: Unit) -> _Test:
    return _within(measured.summary(rule.measure, best), rule.low, rule.high, unit)


def _within(number: Interval, low: float, high: float, unit: Unit) -> _Test:
    region = " to ".join(unit.constant(bound) for bound in (low, high) if math.isfinite(bound))
    return _Test(number, low, high, False, region)


@_test.register
def _(rule: rules.Greater, measured: Measured, unit: Unit) -> _Test:
    first, second = measured[rule.measure], measured[rule.than]
    if first.ndim and second.ndim and len(first) != len(second):
        of = measured.of
        raise NotRun(
            f"{rule.measure} has {plural(len(first), of)} and {rule.than} has {len(second)}: they cannot be paired"
        )
    means = [unit.alone(float(values.mean())) for values in (first, second)]
    return _beyond(rule, student(first - second), rule.margin, means, unit)


@_test.register
def _(rule: rules.MoreOften, measured: Measured, unit: Unit) -> _Test:
    number, shares = _shares(rule, measured, unit)
    return _beyond(rule, number, rule.margin, shares, unit)


@_test.register
def _(rule: rules.AsOften, measured: Measured, unit: Unit) -> _Test:
    number, shares = _shares(rule, measured, unit)
    region, label = unit.within(rule.tolerance), _minus(rule, shares)
    return _Test(number, -rule.tolerance, rule.tolerance, False, region, label, difference=True)


@_test.register
def _(rule: rules.MedianGreater, measured: Measured, unit: Unit) -> _Test:
    first, second = measured[rule.measure], measured[rule.than]
    medians = [f"median {_alone(np.median(sample), sample, measured.of, unit)}" for sample in (first, second)]
    return _beyond(rule, median_difference(first, second), rule.margin, medians, unit)


def _shares(rule: rules.Pair, measured: Measured, unit: Unit) -> tuple[Interval, list[str]]:
    """Return the difference of two shares, and each share in words."""
    for name in (rule.measure, rule.than):
        if measured[name].ndim == 0:
            raise NotRun(f"{name} is a single exact number; it is 0 or 1 for each of many {measured.of}")
    samples = measured[rule.measure], measured[rule.than]
    number = newcombe(*(measured.summary(name, wilson) for name in (rule.measure, rule.than)))
    return number, [_alone(sample.mean(), sample, measured.of, unit) for sample in samples]


def _alone(value: np.floating, sample: np.ndarray, of: str, unit: Unit) -> str:
    """Print a number without its interval, and of how many values it is: ``80.00 % of 70 models``."""
    return unit.alone(float(value)) + (f" of {plural(len(sample), of)}" if sample.ndim else "")


def _beyond(rule: rules.Pair, number: Interval, margin: float, values: Sequence[str], unit: Unit) -> _Test:
    """A difference that must exceed a margin."""
    label = _minus(rule, values)
    return _Test(number, margin, math.inf, True, unit.margin(margin), label, difference=True)


def _minus(rule: rules.Pair, values: Sequence[str]) -> str:
    """What is subtracted from what, each with its own value in words."""
    return " minus ".join(f"{side} ({value})" for side, value in zip(_sides(rule), values, strict=True))
