"""Sentences of stop words and of words of positive or negative sentiment, labelled by three rules.

Ten words: six stop words, two positive ones, two negative ones. The words of a sentence are independent and
uniform, given that the rule decides its label. Source: Section III-A, Mehta; the draw is not described there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnnkit.datasets._checks import check_seed, is_integer
from rnnkit.datasets._words import (
    NAMES,
    NEGATIVE_WORDS,
    POSITIVE_WORDS,
    STOP_WORDS,
    VOCABULARY_SIZE,
    checked,
    kinds,
    parse,
    spell,
)
from rnnkit.errors import UserError

__all__ = [
    "NAMES",
    "NEGATIVE_WORDS",
    "POSITIVE_WORDS",
    "RULES",
    "SEQ_LEN",
    "STOP_WORDS",
    "UNDECIDED",
    "VOCABULARY_SIZE",
    "Sentences",
    "Splits",
    "draw",
    "kinds",
    "label",
    "make",
    "parse",
    "spell",
]

SEQ_LEN = 10
UNDECIDED = -1
MOST_WORDS = 10**8  # of one set of sentences
_PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Sentences:
    """Sentences with their labels.

    Attributes
    ----------
    words : np.ndarray
        (n, seq_len) uint8, 0 to 9.
    labels : np.ndarray
        (n,) uint8: 1 is positive, 0 negative.
    """

    words: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Splits:
    """Three independent sets of sentences of one rule.

    Attributes
    ----------
    train, valid, test : Sentences
        Half of each is positive.
    rule : str
        One of `RULES`.
    seed : int
        It was made of.
    checksums : dict of str to str
        SHA-256 of each part, words before labels, for provenance.
    """

    train: Sentences
    valid: Sentences
    test: Sentences
    rule: str
    seed: int
    checksums: dict[str, str]


def _count(kind: np.ndarray) -> np.ndarray:
    """Which sentiment has more words: its sign, 0 for a tie."""
    return np.sign(kind.sum(-1, dtype=np.int64))


def _first(kind: np.ndarray) -> np.ndarray:
    """The sentiment of the first word that is not a stop word, 0 where there is none."""
    return _sentiment(kind, 1)


def _xor(kind: np.ndarray) -> np.ndarray:
    """+1 where the first two words that are not stop words differ, -1 where they agree, 0 for fewer than two."""
    return -_sentiment(kind, 1) * _sentiment(kind, 2)


def _sentiment(kind: np.ndarray, number: int) -> np.ndarray:
    """The kind of the word that is the `number`-th of those with a sentiment, 0 where there are fewer."""
    sentimental = kind != 0
    here = sentimental & (np.cumsum(sentimental, axis=-1) == number)  # one place at most
    return np.where(here, kind, 0).sum(-1)


_SIGN_OF: dict[str, Callable[[np.ndarray], np.ndarray]] = {"count": _count, "first": _first, "xor": _xor}
_SHORTEST = {"count": 1, "first": 1, "xor": 2}
RULES = tuple(_SIGN_OF)


def label(words: ArrayLike, rule: str) -> np.ndarray:
    """Label sentences by a rule.

    ``count``
        Positive where there are more positive than negative words, negative where there are fewer, undecided in
        a tie.
    ``first``
        The sentiment of the first word that is not a stop word; undecided where all are stop words.
    ``xor``
        Positive where the first two words that are not stop words differ in sentiment, negative where they
        agree; undecided where there are fewer than two.

    Parameters
    ----------
    words : np.ndarray
        (..., seq_len) integers of 0 to 9.
    rule : str
        One of `RULES`.

    Returns
    -------
    np.ndarray
        (...,) int8: 1 positive, 0 negative, -1 undecided.

    Raises
    ------
    UserError
        If the rule or a word is unknown, or `words` has no axis.
    """
    _check_rule(rule)
    kind = kinds(words)
    if kind.ndim == 0:
        raise UserError(
            "a sentence has an axis for its words", value=int(checked(words)), allowed="(..., seq_len)"
        )
    sign = _SIGN_OF[rule](kind)
    return np.where(sign == 0, UNDECIDED, sign > 0).astype(np.int8)


def draw(rule: str, num: int, *, generator: np.random.Generator, seq_len: int = SEQ_LEN) -> Sentences:
    """Draw sentences, half of them positive, in random order.

    Sentences of uniform words are drawn and labelled; those that the rule leaves undecided, and those of a label
    that has its half already, are drawn again. Each half is uniform over all sentences of its label.

    Parameters
    ----------
    rule : str
        One of `RULES`.
    num : int
        How many, an even number.
    generator : np.random.Generator
        What draws.
    seq_len : int
        Words of a sentence; ``xor`` needs two.

    Raises
    ------
    UserError
        If the rule is unknown, `num` odd or negative, or `seq_len` too short for the rule to decide anything.
    """
    _check_rule(rule)
    _check_num("num", num)
    if not is_integer(seq_len) or seq_len < _SHORTEST[rule]:
        allowed = f"an integer of at least {_SHORTEST[rule]} for the rule {rule!r}"
        raise UserError("seq_len is no length of a sentence", value=seq_len, allowed=allowed)
    if num * seq_len > MOST_WORDS:
        raise UserError(
            "these sentences would fill the memory",
            value=f"{num:,} sentences of {seq_len:,} words",
            allowed=f"up to {MOST_WORDS:,} words in all",
            hint="Draw them in parts, from one generator",
        )
    halves = [_draw_half(rule, wanted, num // 2, generator, seq_len) for wanted in (0, 1)]
    labels = np.repeat(np.array([0, 1], np.uint8), num // 2)
    order = generator.permutation(num)
    return Sentences(np.concatenate(halves)[order], labels[order])


def _draw_half(rule: str, wanted: int, num: int, generator: np.random.Generator, seq_len: int) -> np.ndarray:
    """Draw `num` sentences of one label, (num, seq_len) uint8, uniform over all that have it."""
    parts, missing = [np.empty((0, seq_len), np.uint8)], num
    while missing:
        # About half of what is drawn has the label, of the shortest sentences 2 in 25.
        words = generator.integers(0, VOCABULARY_SIZE, (3 * missing + 30, seq_len), np.uint8)
        parts.append(words[label(words, rule) == wanted][:missing])
        missing -= len(parts[-1])
    return np.concatenate(parts)


def make(
    rule: str,
    *,
    seed: int,
    seq_len: int = SEQ_LEN,
    num_train: int = 8000,
    num_valid: int = 2000,
    num_test: int = 3000,
) -> Splits:
    """Make the three sets of one rule; every set has a stream of its own, so that one's size changes no other.

    Parameters
    ----------
    rule : str
        One of `RULES`.
    seed : int
        Of the sentences; another rule draws others from it.
    seq_len : int
        Words of a sentence.
    num_train, num_valid, num_test : int
        Even numbers of sentences.

    Raises
    ------
    UserError
        If the rule, the seed, a number or the length is wrong.
    """
    _check_rule(rule)
    seed = check_seed(seed)
    nums = dict(zip(_PARTS, (num_train, num_valid, num_test), strict=True))
    for part, num in nums.items():
        _check_num(f"num_{part}", num)
    parts = {}
    for number, (part, num) in enumerate(nums.items()):
        stream = np.random.SeedSequence(seed, spawn_key=(RULES.index(rule), number))
        parts[part] = draw(rule, num, generator=np.random.default_rng(stream), seq_len=seq_len)
    checksums = {
        f"sentences-{rule}-s{seed}-{part}": _checksum(one) for part, one in parts.items() if len(one.labels)
    }
    return Splits(**parts, rule=rule, seed=seed, checksums=checksums)


def _checksum(sentences: Sentences) -> str:
    return hashlib.sha256(sentences.words.tobytes() + sentences.labels.tobytes()).hexdigest()


def _check_rule(rule: str) -> None:
    if rule not in RULES:
        raise UserError("unknown rule of labels", value=rule, allowed=RULES)


def _check_num(name: str, num: int) -> None:
    if not is_integer(num) or num < 0 or num % 2:
        allowed = "an even integer of at least 0, so that half of them can be positive"
        raise UserError(f"{name} is no number of sentences", value=num, allowed=allowed)
