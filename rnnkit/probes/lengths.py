"""What makes a long addition hard: its length, a long chain of carries, or a long run of one input.

Long chains are rare in random numbers: one that goes through k steps begins at a step with chance 2^-(k + 2).
So length and chains are tried apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_bits
from rnnkit.probes.additions import Adder, calm_numbers, chains, totals

LEAD_INS = ("random", "0 + 0", "0 + 1", "1 + 1")


@dataclass(frozen=True)
class LengthOrChain:
    """Share of wrong sums as length grows and as chains grow.

    Attributes
    ----------
    random : ndarray (L,)
        Share of random numbers of 1, 2, ..., L bits with a wrong answer among these bits.
    calm : ndarray (L,)
        The same for numbers without long runs: length alone.
    chain_lengths : ndarray (K,)
    chains : ndarray (2, K)
        Share of numbers with a wrong answer that are nothing but a carry, 0 or 1, held for that many steps.
    """

    random: NDArray[np.float64]
    calm: NDArray[np.float64]
    chain_lengths: NDArray[np.int64]
    chains: NDArray[np.float64]


@dataclass(frozen=True)
class LeadIns:
    """Additions after other steps: does the net add as it does from the start?

    Attributes
    ----------
    lengths : ndarray (K,)
        Steps before the addition; the last of them is 0 + 0 and clears the carry.
    fresh : float
        Share of the additions that are wrong from the start.
    wrong : ndarray (4, K)
        Share of them that are wrong after random bits, and after a run of 0 + 0, of 0 + 1, of 1 + 1 (`LEAD_INS`).
    changed : ndarray (K,)
        Share of them to which nearly all random lead-ins of that length bring one answer, and another than from
        the start: what hangs on the number of the step and not on what the steps were.
    """

    lengths: NDArray[np.int64]
    fresh: float
    wrong: NDArray[np.float64]
    changed: NDArray[np.float64]


def length_or_chain(
    adder: Adder,
    *,
    generator: np.random.Generator,
    length: int = 64,
    longest: int = 4,
    chain_lengths: Sequence[int] = (1, 2, 4, 8, 16, 32, 62),
    num: int = 500,
) -> LengthOrChain:
    """Add random numbers, numbers without long runs, and chains of carries.

    Parameters
    ----------
    adder : Adder
    generator : numpy.random.Generator
    length : int
        L, bits of the longest numbers.
    longest : int
        Longest run of one sum of bits in the calm numbers.
    chain_lengths : sequence of int
    num : int
        Numbers of each sort.

    Returns
    -------
    LengthOrChain
    """
    random = calm_numbers(num, length, longest=length, generator=generator)
    calm = calm_numbers(num, length, longest=longest, generator=generator)
    held = np.empty((2, len(chain_lengths)))
    for carry in (0, 1):
        for k, steps in enumerate(chain_lengths):
            made = chains(num, steps, carry=carry, generator=generator)
            held[carry, k] = _wrong(adder, made).any(axis=1).mean()
    return LengthOrChain(
        random=_share_by_length(_wrong(adder, random)),
        calm=_share_by_length(_wrong(adder, calm)),
        chain_lengths=np.array(chain_lengths, dtype=np.int64),
        chains=held,
    )


def lead_ins(
    adder: Adder,
    bits: NDArray[Any],
    lengths: Sequence[int],
    *,
    generator: np.random.Generator,
    num_lead_ins: int = 25,
    nearly_all: float = 0.9,
) -> LeadIns:
    """Try additions after random steps and after runs of one input.

    Parameters
    ----------
    adder : Adder
    bits : ndarray (n, S, 2)
        Additions of the length of training.
    lengths : sequence of int
        Steps before, each at least 1.
    generator : numpy.random.Generator
    num_lead_ins : int
        Random lead-ins of each length.
    nearly_all : float
        Share of the lead-ins after which an answer has to be the same to count as changed; above one half, so
        that a net that is often wrong after random steps does not look like one that counts them.

    Returns
    -------
    LeadIns

    Raises
    ------
    UserError
        If a length or the number of lead-ins is below 1, or `nearly_all` not above one half.
    """
    bits = check_bits(bits, "bits")
    if not len(lengths) or min(lengths) < 1 or num_lead_ins < 1 or not 0.5 < nearly_all <= 1:
        raise UserError(
            "no such lead-ins",
            value=(list(lengths), num_lead_ins, nearly_all),
            allowed="lengths of at least 1 step, at least 1 lead-in, nearly_all above 0.5 and at most 1",
        )
    from_start = adder.run(bits)[1]
    right = totals(bits) % 2
    wrong, changed = np.empty((len(LEAD_INS), len(lengths))), np.empty(len(lengths))
    for k, length in enumerate(lengths):
        before = _lead_in_bits(length, num_lead_ins, generator)
        answers = _after(adder, before, bits)  # (num_lead_ins + 3, n, S)
        missed = (answers != right).any(axis=2).mean(axis=1)
        wrong[:, k] = missed[:num_lead_ins].mean(), *missed[num_lead_ins:]
        turned = (answers[:num_lead_ins] != from_start).mean(axis=0) >= nearly_all
        changed[k] = turned.any(axis=1).mean()
    fresh = float((from_start != right).any(axis=1).mean())
    return LeadIns(np.array(lengths, dtype=np.int64), fresh, wrong, changed)


def _lead_in_bits(length: int, num_random: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return random lead-ins, then the three runs, shape (num_random + 3, length, 2)."""
    bits = np.zeros((num_random + 3, length, 2), dtype=np.uint8)
    bits[:num_random] = generator.integers(2, size=(num_random, length, 2))
    bits[-2], bits[-1] = (0, 1), (1, 1)
    bits[:, -1] = 0
    return bits


def _after(adder: Adder, before: NDArray[np.uint8], bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the answers (k, n, S) of additions (n, S, 2) that each follow each lead-in (k, length, 2)."""
    ends = adder.run(before)[0][:, -1]
    start = np.repeat(ends, len(bits), axis=0)
    answers = adder.run(np.tile(bits, (len(before), 1, 1)), start=start)[1]
    return answers.reshape(len(before), len(bits), -1)


def _wrong(adder: Adder, bits: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(adder.run(bits)[1] != totals(bits) % 2)


def _share_by_length(wrong: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of rows with an error among the first 1, 2, ... steps, the padded one left out."""
    return np.asarray(np.maximum.accumulate(wrong[:, :-1], axis=1).mean(axis=0))
