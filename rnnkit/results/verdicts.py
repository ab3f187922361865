"""Verdicts: what the measurements say about the claims, by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnnkit.results.claims import Claim, Control
from rnnkit.results.findings import Finding, after
from rnnkit.results.intervals import SUMMARIES, plural
from rnnkit.results.judging import (
    NOT_JUDGED,
    NOT_REPRODUCED,
    PARTLY,
    Measured,
    Measurements,
    NotRun,
    judge,
)
from rnnkit.results.units import UNITS

_JUDGED_BUDGET = "paper"


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
        The number that the rule looks at (the difference, for a rule between two measures): a mean over seeds
        or models, a share, a median, the best; None where nothing was measured or several rules are joined.
    here_labelled : tuple of (label, text)
        How it is printed, with its interval; for joined rules each number with its label. `here_text` is all of it
        in one line.
    interval : tuple of two floats or None
        95 % interval of `here`.
    n : int
        How many values stand behind `here` (the fewest, for joined rules or two measures that are not paired);
        0 for an exact number or none.
    of : str
        What they are: ``"seeds"`` or ``"models"``. `counted` says both in words, and what is done with them:
        ``5 seeds``, ``median of 200 models``, ``200 and 100 models``.
    budget, device : str
        Where the measurements come from.
    verdict : str
        One of `rnnkit.results.judging.VERDICTS`.
    reason : str
        Why, in words, from the rule. `reasons` says it in short lines, to be read beside `here_labelled`.
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
    here_labelled: tuple[tuple[str, str], ...]
    interval: tuple[float, float] | None
    n: int
    of: str
    counted: str
    budget: str
    device: str
    verdict: str
    reason: str
    reasons: tuple[str, ...]
    measured: str | None
    why: str | None
    controls: tuple[tuple[str, str], ...]

    @property
    def here_text(self) -> str:
        """What was measured, in one line; empty where nothing was."""
        return "; ".join(after(label, text) for label, text in self.here_labelled)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields in JSON's types."""
        out = asdict(self)
        out["interval"] = None if self.interval is None else list(self.interval)
        for field in ("here_labelled", "controls"):
            out[field] = [{"label": label, "value": text} for label, text in getattr(self, field)]
        return out


def evaluate(
    ledger: Sequence[Claim], measurements: Measurements, *, budget: str, device: str
) -> list[ClaimResult]:
    """Settle every claim of a ledger.

    Parameters
    ----------
    ledger : sequence of Claim
        See `load_claims`.
    measurements : mapping of str to array, shape (n,) or ()
        One number per seed, in the same order of seeds throughout, or per model, as the claim says with `of`; an
        array without axes is an exact number.
    budget : str
        At which the measurements were made; only those at the paper's budget are judged.
    device : str
        On which they were made.
    """
    return [_settle(claim, measurements, budget, device) for claim in ledger]


def _settle(claim: Claim, measurements: Measurements, budget: str, device: str) -> ClaimResult:
    unit = UNITS[claim.unit]
    finding = judge(claim.rule, measurements, claim.unit, claim.of)
    verdict, reason, reasons = finding.verdict, finding.reason, finding.reasons()
    labelled = tuple(finding.labelled())
    if budget != _JUDGED_BUDGET and labelled:
        verdict = NOT_JUDGED
        reason = f"made with less than the paper's effort (the {budget} budget), so not compared"
        reasons = [reason]
    number = finding.number
    return ClaimResult(
        id=claim.id,
        chapter=claim.chapter,
        where=claim.where,
        claim=claim.claim,
        page=claim.page,
        paper=claim.paper,
        paper_text=claim.paper if isinstance(claim.paper, str) else unit.constant(claim.paper),
        here=None if number is None else number.value,
        here_labelled=labelled,
        interval=None if number is None else number.ends,
        n=_fewest(finding),
        of=claim.of,
        counted=_counted(finding, claim.of),
        budget=budget,
        device=device,
        verdict=verdict,
        reason=reason,
        reasons=tuple(reasons),
        measured=claim.measured,
        why=claim.why if verdict in (PARTLY, NOT_REPRODUCED) else None,
        controls=tuple((control.label, _print(control, claim, measurements)) for control in claim.control),
    )


def _fewest(finding: Finding) -> int:
    if finding.parts:
        return min(_fewest(part) for part in finding.parts)
    return 0 if finding.number is None else min(finding.number.sizes, default=0)


def _counted(finding: Finding, of: str) -> str:
    """Say how many seeds or models stand behind all numbers of a finding."""
    numbers = [number for number in finding.numbers() if number.sizes]
    texts = {number.counted(of) for number in numbers}
    if len(texts) < 2:
        return "".join(texts)
    sizes = {size for number in numbers for size in number.sizes}
    return ("at least " if len(sizes) > 1 else "") + plural(min(sizes), of)


def _print(control: Control, claim: Claim, measurements: Measurements) -> str:
    """What a control was measured to be: no verdict hangs on it, so it may be there for some of the seeds alone."""
    values = np.asarray(measurements.get(control.measure, ()), dtype=np.float64)
    known = values[np.isfinite(values)]
    some = values.ndim == 1 and 0 < known.size < values.size
    if some:
        measurements = {**measurements, control.measure: known}
    unit = UNITS[control.unit or claim.unit]
    try:
        number = Measured(measurements, claim.of, unit).summary(control.measure, SUMMARIES[control.summary])
    except NotRun as error:
        return str(error)
    text = unit.measured(number)
    counted = number.counted(claim.of) if control.summary != "mean" else ""
    if some:
        counted = f"{known.size} of {plural(values.size, claim.of)}"
    return f"{text} ({counted})" if counted else text
