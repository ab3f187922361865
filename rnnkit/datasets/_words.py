"""The vocabulary of the sentences: ten words of three kinds, and how they are typed and spelt."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike

from rnnkit.errors import UserError

STOP_WORDS = (0, 1, 2, 3, 4, 5)
POSITIVE_WORDS = (6, 7)
NEGATIVE_WORDS = (8, 9)
VOCABULARY_SIZE = 10
NAMES = ("the", "a", "it", "was", "and", "of", "good", "great", "bad", "awful")

_KIND_OF = np.array([0] * len(STOP_WORDS) + [1] * len(POSITIVE_WORDS) + [-1] * len(NEGATIVE_WORDS), np.int8)
_ALIASES = {
    ("stop", "."): STOP_WORDS[0],
    ("positive", "pos", "+"): POSITIVE_WORDS[0],
    ("negative", "neg", "-", "−", "–"): NEGATIVE_WORDS[0],  # keyboards turn a typed minus into these
}
_WORD_OF = {name: word for word, name in enumerate(NAMES)} | {
    alias: word for aliases, word in _ALIASES.items() for alias in aliases
}
_TOKEN = re.compile(r"[^\W\d_]+|\S")  # a run of letters, or one sign


def checked(words: ArrayLike) -> np.ndarray:
    """`words` as an array of uint8, of the same shape.

    Raises
    ------
    UserError
        If they are not integers of 0 to 9.
    """
    array = np.asarray(words)
    if array.size == 0:
        return array.astype(np.uint8)
    if not np.issubdtype(array.dtype, np.integer):
        raise UserError("words are integers", value=str(array.dtype), allowed=_range())
    unknown = array[(array < 0) | (array >= VOCABULARY_SIZE)]
    if unknown.size:
        raise UserError("unknown word", value=int(unknown[0]), allowed=_range())
    return array.astype(np.uint8)


def _range() -> str:
    return f"0 to {VOCABULARY_SIZE - 1}"


def kinds(words: ArrayLike) -> np.ndarray:
    """Tell stop words (0), positive words (+1) and negative words (-1) apart: int8, of the same shape."""
    return _KIND_OF[checked(words)]


def parse(text: str) -> np.ndarray:
    """Read a typed sentence, such as ``"+ . . -"``, ``"+..-"`` or ``"good the the bad"``.

    A word is one of `NAMES`; ``.`` or ``stop`` is the first stop word, ``+``, ``pos`` or ``positive`` the first
    positive one, ``-``, ``neg`` or ``negative`` the first negative one. Signs need no blanks between them;
    upper and lower case are the same.

    Returns
    -------
    np.ndarray
        (seq_len,) uint8.

    Raises
    ------
    UserError
        If there is no word, or one that is unknown.
    """
    tokens = _TOKEN.findall(text.casefold())
    if not tokens:
        raise UserError("the sentence has no word", value=text, allowed=_typed())
    for token in tokens:
        if token not in _WORD_OF:
            raise UserError("unknown word", value=token, allowed=_typed())
    return np.array([_WORD_OF[token] for token in tokens], np.uint8)


def _typed() -> str:
    return ". + - stop pos neg " + " ".join(NAMES)


def spell(words: ArrayLike) -> str:
    """Write a sentence (seq_len,) in the names of its words; `parse` reads it back."""
    array = checked(words)
    if array.ndim != 1:
        raise UserError("a sentence has one axis, its words", value=array.shape, allowed="(seq_len,)")
    return " ".join(NAMES[word] for word in array)
