"""How the state of a small net moves from word to word, for sentences that differ a little (Fig. 2, Mehta)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes, check_kinds, check_same_shape, check_words

Label = Callable[[NDArray[np.uint8]], NDArray[Any]]
"""``label(words (n, T)) -> (n,)``: 1, 0, or -1 where the rule decides nothing."""

MAX_DRAWS = 1000


@dataclass(frozen=True)
class PrefixPairs:
    """Pairs of sentences that differ in their first words only (Fig. 2a, b, e, f, k, l, Mehta).

    Attributes
    ----------
    stop : ndarray (P, T) uint8
        Those that begin with stop words.
    other : ndarray (P, T) uint8
        Those that begin with positive or negative words instead.
    labels : ndarray (P, 2)
        The labels of both.
    """

    stop: NDArray[np.uint8]
    other: NDArray[np.uint8]
    labels: NDArray[np.int8]

    @property
    def same_label(self) -> NDArray[np.bool_]:
        """Whether both sentences of a pair have one label, shape (P,)."""
        return self.labels[:, 0] == self.labels[:, 1]


@dataclass(frozen=True)
class SwapPairs:
    """Sentences with an adjacent positive and negative word, and the same with these two swapped (Fig. 2i, j).

    Attributes
    ----------
    sentence : ndarray (S,)
        Which of the given sentences have such a pair.
    place : ndarray (S,)
        Where the first such pair begins.
    original, swapped : ndarray (S, T) uint8
    """

    sentence: NDArray[np.int64]
    place: NDArray[np.int64]
    original: NDArray[np.uint8]
    swapped: NDArray[np.uint8]


def prefix_pairs(
    num: int,
    kinds: NDArray[Any],
    label: Label,
    *,
    generator: np.random.Generator,
    seq_len: int = 10,
    prefix_len: int = 3,
) -> PrefixPairs:
    """Draw pairs of sentences whose first words are stop words in one and others in the other.

    Parameters
    ----------
    num : int
        Number of pairs P.
    kinds : ndarray (V,)
        Kind of each word: 0 stop, 1 positive, -1 negative.
    label : callable
        The rule of the data set; pairs in which it decides nothing for one sentence are redrawn.
    generator : numpy.random.Generator
    seq_len, prefix_len : int
        Words in a sentence, and how many of them differ. The words after them are any, the same in both.

    Returns
    -------
    PrefixPairs

    Raises
    ------
    UserError
        If a length is out of range, or the rule decides nothing for nearly all pairs.
    """
    kinds = check_kinds(kinds)
    if not 1 <= prefix_len <= seq_len:
        raise UserError("prefix_len is out of range", value=prefix_len, allowed=f"1 to seq_len = {seq_len}")
    if num < 1:
        raise UserError("num is out of range", value=num, allowed="at least 1 pair")
    pairs = np.empty((2, num, seq_len), dtype=np.uint8)
    labels = np.empty((num, 2), dtype=np.int8)
    missing = np.arange(num)
    for _ in range(MAX_DRAWS):
        drawn = np.empty((2, len(missing), seq_len), dtype=np.uint8)
        drawn[:, :, prefix_len:] = generator.integers(len(kinds), size=drawn[0, :, prefix_len:].shape)
        for side, words in enumerate((np.flatnonzero(kinds == 0), np.flatnonzero(kinds))):
            drawn[side, :, :prefix_len] = generator.choice(words, size=(len(missing), prefix_len))
        pairs[:, missing] = drawn
        labels[missing] = np.stack([label(drawn[0]), label(drawn[1])], axis=1)
        missing = np.flatnonzero((labels < 0).any(axis=1))
        if not len(missing):
            return PrefixPairs(pairs[0], pairs[1], labels)
    raise UserError(
        "the rule decides nothing for nearly all pairs",
        value=f"seq_len {seq_len}, prefix_len {prefix_len}",
        allowed="sentences that have a label",
    )


def swap_pairs(words: NDArray[Any], kinds: NDArray[Any]) -> SwapPairs:
    """Swap the first adjacent pair of a positive and a negative word in every sentence that has one.

    Parameters
    ----------
    words : ndarray (n, T)
    kinds : ndarray (V,)

    Returns
    -------
    SwapPairs
        Of S <= n sentences; S may be 0.

    Raises
    ------
    UserError
        If a word is not in the vocabulary.
    """
    kinds = check_kinds(kinds)
    words = check_words(words, len(kinds))
    signs = kinds[words]
    opposite = signs[:, :-1] * signs[:, 1:] == -1
    sentence = np.flatnonzero(opposite.any(axis=1))
    place = opposite[sentence].argmax(axis=1) if len(sentence) else np.zeros(0, dtype=np.int64)
    original = words[sentence].astype(np.uint8)
    swapped = original.copy()
    rows = np.arange(len(sentence))
    swapped[rows, place], swapped[rows, place + 1] = original[rows, place + 1], original[rows, place]
    return SwapPairs(sentence, place, original, swapped)


def distances(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Return the distances between the states of the two sentences of each pair, after each word.

    Parameters
    ----------
    first, second : ndarray (..., H)
        Hidden states of either sentence, such as (M, P, T + 1, H).

    Returns
    -------
    ndarray (...,)
    """
    first, second = check_axes(first, "first", ("...", "H")), check_axes(second, "second", ("...", "H"))
    check_same_shape(first, second, "first and second states")
    return np.linalg.norm(first.astype(np.float64) - second, axis=-1)


def random_distance(
    states: NDArray[Any], *, generator: np.random.Generator, num_pairs: int = 10_000
) -> NDArray[np.float64]:
    """Average the distance of two states picked at random: the scale on which `distances` are small or not.

    Parameters
    ----------
    states : ndarray (M, n, H)
        States of each model, n at least 2.
    generator : numpy.random.Generator
        Picks the pairs, the same for all models; a state is never paired with itself.
    num_pairs : int

    Returns
    -------
    ndarray (M,)
    """
    states = check_axes(states, "states", ("M", "n", "H"))
    if states.shape[1] < 2 or num_pairs < 1:
        raise UserError(
            "too few states or pairs", value=(states.shape[1], num_pairs), allowed=">= 2 and >= 1"
        )
    first = generator.integers(states.shape[1], size=num_pairs)
    second = (first + generator.integers(1, states.shape[1], size=num_pairs)) % states.shape[1]
    return distances(states[:, first], states[:, second]).mean(axis=1)
