"""Where an adder goes wrong, and what fails at length: carry, clock or read-out (Figs. 50 to 55, lab report)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes, check_bits
from rnnkit.probes.additions import Adder, carries, carries_in, check_adder, holds, totals
from rnnkit.probes.lengths import LeadIns, lead_ins

KINDS = ("none", "untaught", "clock", "carry", "read-out")


@dataclass(frozen=True)
class Errors:
    """Where the wrong answers of some additions are.

    Attributes
    ----------
    first : ndarray (n,)
        The first wrong step of each addition; -1 where all are right.
    by_step : ndarray (T,)
        Share of wrong answers at each step.
    by_total : ndarray (4,)
        The same for each total 0 to 3 of bits and carry; nan where there is none.
    by_hold : ndarray (2, T)
        The same for carry 0 and 1 after each number of steps held; nan where there is none.
    num_by_hold : ndarray (2, T)
        How many answers stand behind each.
    """

    first: NDArray[np.int64]
    by_step: NDArray[np.float64]
    by_total: NDArray[np.float64]
    by_hold: NDArray[np.float64]
    num_by_hold: NDArray[np.int64]

    @property
    def share(self) -> float:
        """Share of the additions with a wrong answer."""
        return float((self.first >= 0).mean())


@dataclass(frozen=True)
class Failure:
    """How one net fails at length.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    short_error, long_error : float
        Share of the short and of the long additions with a wrong answer.
    lost, misread : int
        First wrong answers of the long additions at which the carry was lost, and at which it was not.
    false_alarms : float
        Control: share of the steps of right long additions at which the net's votes deny the carry; nan if no
        addition is right.
    agreement : float
        Control: share of the first wrong answers for which `decode` tells lost from misread as the votes do; nan
        without `decode` or errors.
    lead_ins : LeadIns
        The short additions after other steps.
    """

    kind: str
    short_error: float
    long_error: float
    lost: int
    misread: int
    false_alarms: float
    agreement: float
    lead_ins: LeadIns


def errors(outputs: NDArray[Any], bits: NDArray[Any]) -> Errors:
    """Say where the answers are wrong.

    Parameters
    ----------
    outputs : ndarray (n, T)
        The net's answers, 0 or 1.
    bits : ndarray (n, T, 2)

    Returns
    -------
    Errors

    Raises
    ------
    UserError
        If the answers do not fit the bits.
    """
    outputs = check_axes(outputs, "outputs", ("n", "T"))
    bits = check_bits(bits, "bits", (outputs.shape[0], outputs.shape[1]))
    total, carry, held = totals(bits), carries_in(bits), holds(bits)
    wrong = outputs != total % 2
    num_by_hold = _histogram((carry, held), np.ones_like(wrong), (2, wrong.shape[1]))
    wrong_by_hold = _histogram((carry, held), wrong, (2, wrong.shape[1]))
    by_total = _histogram((total,), wrong, (4,)), _histogram((total,), np.ones_like(wrong), (4,))
    with np.errstate(invalid="ignore"):
        return Errors(
            first=np.where(wrong.any(axis=1), wrong.argmax(axis=1), -1),
            by_step=wrong.mean(axis=0),
            by_total=by_total[0] / by_total[1],
            by_hold=wrong_by_hold / num_by_hold,
            num_by_hold=num_by_hold,
        )


def failure(
    adder: Adder,
    short_bits: NDArray[Any],
    long_bits: NDArray[Any],
    *,
    generator: np.random.Generator,
    decode: Callable[[NDArray[np.float64]], NDArray[Any]] | None = None,
    learned: float = 0.01,
    tolerated: float = 0.01,
    clock: float = 0.05,
    carry: float = 0.5,
    lead_in_lengths: Sequence[int] = (1, 2, 4, 8, 16, 32, 58),
    num_lead_ins: int = 25,
) -> Failure:
    """Tell how a net fails on long numbers that adds short ones.

    The first of these that holds is the kind:

    1. ``untaught``: more than `learned` of the short additions have a wrong answer.
    2. ``none``: at most `tolerated` of the long additions have one.
    3. ``clock``: for more than `clock` of the short additions, nearly all random lead-ins of some length bring
       one answer that is not the one from the start: the answer hangs on the number of the step.
    4. ``carry``: of the first wrong answers of the long additions, at least a share of `carry` comes with a
       lost carry: the net's votes deny the true carry into or out of that step.
    5. ``read-out``: else; the net has the carry, at any step, and some answer is wrong nonetheless.

    Parameters
    ----------
    adder : Adder
    short_bits : ndarray (n, S, 2)
        Additions of the length of training, the padded step included.
    long_bits : ndarray (m, T, 2)
        Random numbers, or `chains`.
    generator : numpy.random.Generator
        Draws the lead-ins.
    decode : callable, optional
        ``decode(states (k, D)) -> carry (k,)``, such as a linear probe's: a second opinion on lost carries.
    learned, tolerated, clock, carry : float
        Thresholds, see above.
    lead_in_lengths, num_lead_ins : sequence of int, int
        As in `rnnkit.probes.lengths.lead_ins`.

    Returns
    -------
    Failure

    Notes
    -----
    A long run of 0 + 0 is no test for a clock: a net without one may drift under it to a rest of its own, and
    many do that are right on all random numbers. What hangs on the step alone comes out after random steps too,
    whatever they were; what hangs on the history does not. See `LeadIns`.

    Votes are answers: where a clock turns all answers round, they deny a carry that may still be there. So the
    clock is asked for before the carry, and only `decode` can tell for such a net.
    """
    check_adder(adder)
    for name, value in [("learned", learned), ("tolerated", tolerated), ("clock", clock), ("carry", carry)]:
        if not 0 <= value <= 1:
            raise UserError(f"{name} is out of range", value=value, allowed="a fraction, 0 to 1")
    short_error = errors(adder.run(short_bits)[1], short_bits).share
    states, outputs = adder.run(long_bits)
    found = errors(outputs, long_bits)
    led = lead_ins(adder, short_bits, lead_in_lengths, generator=generator, num_lead_ins=num_lead_ins)
    wrong = np.flatnonzero(found.first >= 0)
    lost = _lost(adder.votes, adder, states, long_bits, wrong, found.first[wrong])
    agreement = float("nan")
    if decode is not None and len(wrong):
        seconded = _lost(decode, adder, states, long_bits, wrong, found.first[wrong])
        agreement = float((seconded == lost).mean())
    if short_error > learned:
        kind = "untaught"
    elif found.share <= tolerated:
        kind = "none"
    elif led.changed.max() > clock:
        kind = "clock"
    else:
        kind = "carry" if lost.mean() >= carry else "read-out"
    return Failure(
        kind=kind,
        short_error=short_error,
        long_error=found.share,
        lost=int(lost.sum()),
        misread=int((~lost).sum()),
        false_alarms=_false_alarms(adder, states, long_bits, found.first < 0),
        agreement=agreement,
        lead_ins=led,
    )


def count_kinds(failures: Iterable[Failure]) -> dict[str, int]:
    """Count nets by the kind of their failure, all of `KINDS` in order."""
    kinds = [one.kind for one in failures]
    return {kind: kinds.count(kind) for kind in KINDS}


def _lost(
    says: Callable[[NDArray[np.float64]], NDArray[Any]],
    adder: Adder,
    states: NDArray[np.float64],
    bits: NDArray[Any],
    which: NDArray[np.int64],
    step: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Say for some additions, at one step each, whether the carry into or out of it is denied; (k,)."""
    if not len(which):
        return np.zeros(0, dtype=bool)
    before = np.where((step > 0)[:, None], states[which, step - 1], adder.initial)
    into = np.abs(says(before) - carries_in(bits)[which, step].astype(np.float64)) >= 0.5
    out = np.abs(says(states[which, step]) - carries(bits)[which, step].astype(np.float64)) >= 0.5
    return np.asarray(into | out)


def _false_alarms(
    adder: Adder, states: NDArray[np.float64], bits: NDArray[Any], right: NDArray[np.bool_]
) -> float:
    if not right.any():
        return float("nan")
    votes = adder.votes(states[right].reshape(-1, states.shape[2]))
    return float((np.abs(votes - carries(bits)[right].ravel()) >= 0.5).mean())


def _histogram(
    index: tuple[NDArray[Any], ...], weights: NDArray[Any], shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Sum weights (n, T) by index (n, T) on each axis of the shape."""
    found = np.zeros(shape, dtype=np.int64)
    np.add.at(found, index, weights.astype(np.int64))
    return found
