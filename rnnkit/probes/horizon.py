"""How long a net keeps one word in mind while nothing but stop words follow (Fig. 2c and d, Mehta)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes, check_kinds
from rnnkit.probes.plane import Step

Run = Callable[[NDArray[np.uint8]], NDArray[Any]]
"""``run(words (n, T)) -> hidden_states (M, n, T + 1, H)``: before the first word and after each."""

FORGOTTEN = 0.01


@dataclass(frozen=True)
class TailSentences:
    """Sentences of one positive or negative word and a tail of stop words; each tail follows every first word.

    Attributes
    ----------
    words : ndarray (F, R, T) uint8
        F first words and R tails.
    signs : ndarray (F,) int8
        1 where the first word is positive, -1 where it is negative.
    """

    words: NDArray[np.uint8]
    signs: NDArray[np.int8]


@dataclass(frozen=True)
class Memory:
    """What is left of the first word at every length.

    Attributes
    ----------
    right : ndarray (M, T)
        Share of the sentences of length 1, 2, ..., T that are classified right.
    distance : ndarray (M, T)
        Mean distance between the states after a positive and after a negative first word, the tail the same.
    """

    right: NDArray[np.float64]
    distance: NDArray[np.float64]

    @property
    def horizon(self) -> NDArray[np.int64]:
        """The greatest length up to which all sentences are right, shape (M,); T if they always are."""
        wrong = self.right < 1
        return np.where(wrong.any(axis=1), wrong.argmax(axis=1), wrong.shape[1])

    @property
    def forgets(self) -> NDArray[np.int64]:
        """The first length at which the distance is below 1 % of that at length 1, shape (M,); T + 1 if never.

        1 for a model whose state does not tell the first words apart at all.
        """
        first = self.distance[:, :1]
        lost = (self.distance < FORGOTTEN * first) | (first == 0)
        return np.where(lost.any(axis=1), lost.argmax(axis=1) + 1, lost.shape[1] + 1)

    def at(self, lengths: NDArray[Any]) -> Memory:
        """Keep only some lengths (L,), for a record: `right` and `distance` become (M, L).

        `horizon` and `forgets` are to be read before: they count every length.

        Raises
        ------
        UserError
            If a length is below 1 or above T.
        """
        lengths = np.asarray(lengths)
        longest = self.right.shape[1]
        if lengths.ndim != 1 or not len(lengths) or lengths.min() < 1 or lengths.max() > longest:
            raise UserError("lengths are out of range", value=lengths.tolist(), allowed=f"1 to {longest}")
        return Memory(self.right[:, lengths - 1], self.distance[:, lengths - 1])


def log_lengths(longest: int = 2000, *, every: int = 100, num: int = 60) -> NDArray[np.int64]:
    """Return all lengths up to `every` and `num` lengths of equal ratio from 1 to `longest`, sorted, once each."""
    if longest < 1 or num < 2:
        raise UserError("no lengths", value=(longest, num), allowed="longest at least 1, num at least 2")
    spaced = np.round(np.geomspace(1, longest, num)).astype(np.int64)
    return np.union1d(np.arange(1, min(every, longest) + 1), spaced)


def tail_sentences(
    kinds: NDArray[Any], *, generator: np.random.Generator, num_tails: int = 8, longest: int = 2000
) -> TailSentences:
    """Draw random tails of stop words and put every positive and every negative word before each.

    Parameters
    ----------
    kinds : ndarray (V,)
        Kind of each word: 0 stop, 1 positive, -1 negative.
    generator : numpy.random.Generator
    num_tails : int
        R.
    longest : int
        Length T of the sentences, the first word included; shorter ones are their beginnings.

    Returns
    -------
    TailSentences
        With F first words, in the order of the vocabulary.
    """
    kinds = check_kinds(kinds)
    if num_tails < 1 or longest < 1:
        raise UserError("no sentences", value=(num_tails, longest), allowed="at least 1 tail and length 1")
    first = np.flatnonzero(kinds)
    words = np.empty((len(first), num_tails, longest), dtype=np.uint8)
    words[:, :, 0] = first[:, None]
    words[:, :, 1:] = generator.choice(np.flatnonzero(kinds == 0), size=(num_tails, longest - 1))
    return TailSentences(words, kinds[first])


def memory(
    run: Run, weight: NDArray[Any], bias: NDArray[Any], sentences: TailSentences, *, block: int = 1
) -> Memory:
    """Read the sentences and see, after every word, what the state still says of the first one.

    Parameters
    ----------
    run : callable
        ``run(words (n, T)) -> hidden_states (M, n, T + 1, H)``; see `run_of` where there is only a step.
    weight : ndarray (M, H)
    bias : ndarray (M,)
        The readout: ``weight · h + bias`` is above 0 for positive (`rnnkit.probes.plane.margin_weights`).
    sentences : TailSentences
    block : int
        Tails at a time; memory grows with ``block * F * T * M * H``.

    Returns
    -------
    Memory

    Raises
    ------
    UserError
        If the readout or the hidden states do not fit.
    """
    weight, bias = check_axes(weight, "weight", ("M", "H")), check_axes(bias, "bias", ("M",))
    if bias.shape != weight.shape[:1]:
        raise UserError("bias does not fit weight", value=bias.shape, allowed=f"shape ({len(weight)},)")
    if block < 1:
        raise UserError("block is out of range", value=block, allowed="at least 1 tail")
    num_first, num_tails, longest = sentences.words.shape
    right, distance = np.zeros((2, len(weight), longest))
    for start in range(0, num_tails, block):
        words = sentences.words[:, start : start + block]
        states = check_axes(run(words.reshape(-1, longest)), "states of run", ("M", "n", "T + 1", "H"))
        wanted = (len(weight), num_first * words.shape[1], longest + 1, weight.shape[1])
        if states.shape != wanted:
            raise UserError(
                "run gives states of another shape", value=states.shape, allowed=f"shape {wanted}"
            )
        states = states[:, :, 1:].reshape(len(weight), num_first, words.shape[1], longest, weight.shape[1])
        right += _count_right(states, weight, bias, sentences.signs)
        distance += _sum_distances(states[:, sentences.signs > 0], states[:, sentences.signs < 0])
    num_pairs = (sentences.signs > 0).sum() * (sentences.signs < 0).sum() * num_tails
    return Memory(right / (num_first * num_tails), distance / num_pairs)


def run_of(step: Step, h_0: NDArray[Any]) -> Run:
    """Make a `run` of whole sentences from a step and the states before the first word.

    Parameters
    ----------
    step : callable
        ``step(states (M, n, H), words (n,)) -> states (M, n, H)``.
    h_0 : ndarray (M, H)
    """
    h_0 = check_axes(h_0, "h_0", ("M", "H"))

    def run(words: NDArray[np.uint8]) -> NDArray[Any]:
        states = np.broadcast_to(h_0[:, None], (len(h_0), len(words), h_0.shape[1])).copy()
        hidden_states = np.empty((len(h_0), words.shape[1] + 1, *states.shape[1:]), dtype=h_0.dtype)
        hidden_states[:, 0] = states
        for t in range(words.shape[1]):
            hidden_states[:, t + 1] = states = step(states, words[:, t])
        return hidden_states.transpose(0, 2, 1, 3)

    return run


def _count_right(
    states: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any], signs: NDArray[np.int8]
) -> NDArray[np.int64]:
    """Count right answers over first words and tails; states (M, F, R, T, H) give (M, T)."""
    margin = np.einsum("mfrth,mh->mfrt", states, weight) + bias[:, None, None, None]
    return ((margin > 0) == (signs > 0)[:, None, None]).sum(axis=(1, 2))


def _sum_distances(positive: NDArray[Any], negative: NDArray[Any]) -> NDArray[np.float64]:
    """Sum the distances over all pairs with one tail; states (M, F, R, T, H) give (M, T)."""
    total = np.zeros((positive.shape[0], positive.shape[3]))
    for first in range(positive.shape[1]):
        for second in range(negative.shape[1]):
            gap = positive[:, first].astype(np.float64) - negative[:, second]
            total += np.linalg.norm(gap, axis=-1).sum(axis=1)
    return total
