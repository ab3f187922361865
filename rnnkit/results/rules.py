"""The rules by which claims are settled: which numbers, and where they must lie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What all rules share.

    `unit` prints its numbers in another unit than the claim's; `label` says in words what the number is.
    """

    unit: str | None = None
    label: str | None = None

    def measures(self) -> Iterator[str]:
        """Yield the names of the measurements that the rule looks at."""
        for field in fields(self):
            if field.name in ("measure", "than"):
                yield getattr(self, field.name)


@dataclass(frozen=True, kw_only=True)
class Close(Rule):
    """The measure lies within `value` ± `tolerance`."""

    measure: str
    value: float
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class Above(Rule):
    """The measure is larger than `value`."""

    measure: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Below(Rule):
    """The measure is smaller than `value`."""

    measure: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Between(Rule):
    """The measure lies in [`low`, `high`]."""

    measure: str
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Pair(Rule):
    """What is measured is compared with the measure `than`.

    `than_label` says in words what the second number is.
    """

    measure: str
    than: str
    than_label: str | None = None


@dataclass(frozen=True, kw_only=True)
class Greater(Pair):
    """The measure is larger than the measure `than`, by more than `margin`, seed by seed."""

    margin: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Rate(Rule):
    """The share of successes lies in [`low`, `high`]; each value of the measure is a share of `trials`."""

    measure: str
    low: float = 0.0
    high: float = 1.0
    trials: int = 1


@dataclass(frozen=True, kw_only=True)
class MoreOften(Pair):
    """Both are 0 or 1 for each of many models: the share of ones exceeds that of `than` by more than `margin`.

    The models of the two are not paired and may differ in number.
    """

    margin: float = 0.0


@dataclass(frozen=True, kw_only=True)
class AsOften(Pair):
    """Both are 0 or 1 for each of many models: the two shares of ones differ by no more than `tolerance`."""

    tolerance: float


@dataclass(frozen=True, kw_only=True)
class Median(Rule):
    """The median lies in [`low`, `high`]."""

    measure: str
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, kw_only=True)
class MedianGreater(Pair):
    """The median exceeds that of `than` by more than `margin`; the values of the two are not paired."""

    margin: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Best(Rule):
    """The largest of the values lies in [`low`, `high`]."""

    measure: str
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, kw_only=True)
class _Several(Rule):
    rules: tuple[Rule, ...]

    def measures(self) -> Iterator[str]:
        """Yield the names of the measurements that the rules look at."""
        for rule in self.rules:
            yield from rule.measures()


@dataclass(frozen=True, kw_only=True)
class All(_Several):
    """Every one of the rules holds."""


@dataclass(frozen=True, kw_only=True)
class Any(_Several):
    """At least one of the rules holds."""


KINDS: dict[str, type[Rule]] = {
    "close": Close,
    "above": Above,
    "below": Below,
    "between": Between,
    "greater": Greater,
    "rate": Rate,
    "more_often": MoreOften,
    "as_often": AsOften,
    "median": Median,
    "median_greater": MedianGreater,
    "best": Best,
    "all": All,
    "any": Any,
}
