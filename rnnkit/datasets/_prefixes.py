"""The distinct beginnings of many sentences: a recurrent net has one state for each of them, not for each sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnnkit.datasets._words import VOCABULARY_SIZE, checked
from rnnkit.errors import UserError


@dataclass(frozen=True)
class Trie:
    """The distinct prefixes of n sentences of length seq_len, level by level.

    Attributes
    ----------
    parents : tuple of np.ndarray
        Level t, (num_prefixes_t,) int32, never falling: the place on level t - 1 of the prefix one word shorter.
        On level 0 it is 0, the empty prefix.
    words : tuple of np.ndarray
        Level t, (num_prefixes_t,) uint8: the last word of each prefix of t + 1 words.
    leaves : np.ndarray
        (n,) int32: the place of each sentence on the last level.
    """

    parents: tuple[np.ndarray, ...]
    words: tuple[np.ndarray, ...]
    leaves: np.ndarray

    @property
    def num_nodes(self) -> int:
        """The number of distinct prefixes of one word or more."""
        return sum(len(level) for level in self.words)


def prefixes(words: ArrayLike) -> Trie:
    """Gather the distinct prefixes of the sentences; each level is in the order of the alphabet.

    Parameters
    ----------
    words : np.ndarray
        (n, seq_len) integers of 0 to 9.

    Raises
    ------
    UserError
        If there is an unknown word, or `words` has another shape.
    """
    sentences = checked(words)
    if sentences.ndim != 2 or sentences.shape[1] == 0:
        raise UserError("these are not sentences", value=sentences.shape, allowed="(n, seq_len) words")
    place = np.zeros(len(sentences), np.int64)  # of each sentence's prefix on the level above
    parents, last = [], []
    for word in sentences.T:
        codes, place = np.unique(place * VOCABULARY_SIZE + word, return_inverse=True)
        parents.append((codes // VOCABULARY_SIZE).astype(np.int32))
        last.append((codes % VOCABULARY_SIZE).astype(np.uint8))
    return Trie(tuple(parents), tuple(last), place.astype(np.int32))
