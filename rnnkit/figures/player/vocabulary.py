"""What a reader may type for a sentence, and the right answer under the Count rule.

The page's script reads sentences by the same rules (rnnkit-walk.js); a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_WORDS = 2000
STOP, POSITIVE, NEGATIVE = 0, 1, -1
_SIGNS = {STOP: (".", "stop"), POSITIVE: ("+", "positive", "pos"), NEGATIVE: ("-", "negative", "neg")}
_SAME = {"−": "-", "–": "-", "…": "."}
_TOKEN = re.compile(r"[xX×*]\s*([0-9]+)|([.…+\-−–])|([^\s.…+\-−–×*,;:!?]+)")
_REPEATED = re.compile(r"(.+?)x([0-9]+)")
_NAME = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Reading:
    """What was understood of a text.

    Attributes
    ----------
    words : tuple of int
        At most ``MAX_WORDS``.
    unknown : tuple of str
        What was not understood, once each, in the order of the text.
    cut : bool
        Whether the text had more words.
    """

    words: tuple[int, ...]
    unknown: tuple[str, ...] = ()
    cut: bool = False


class Vocabulary:
    """Words by number, each with a name and a kind.

    Parameters
    ----------
    names : sequence of str
        Letters only, all different, in any case.
    kinds : sequence of int
        0 for a stop word, 1 for a positive, -1 for a negative one; at least one of each.

    Raises
    ------
    ValueError
        When the two do not fit together, a name cannot be typed, or a kind is missing.
    """

    def __init__(self, names: Sequence[str], kinds: Sequence[int] | np.ndarray) -> None:
        self.names = tuple(str(name) for name in names)
        self.kinds = tuple(int(kind) for kind in kinds)
        if len(self.names) != len(self.kinds):
            raise ValueError(f"{len(self.names)} names for the kinds of {len(self.kinds)} words")
        if set(self.kinds) != set(_SIGNS):
            raise ValueError(f"kinds must be 0, 1 and -1, each at least once, not {sorted(set(self.kinds))}")
        if len({name.lower() for name in self.names}) != len(self.names):
            raise ValueError(f"two words have the same name: {', '.join(self.names)}")
        for name in self.names:
            if not _NAME.fullmatch(name):
                raise ValueError(f"the name of a word must be letters only, not {name!r}")

    def first(self, kind: int) -> int:
        """Number of the first word of a kind, which a sign such as ``+`` stands for."""
        return self.kinds.index(kind)

    @property
    def aliases(self) -> dict[str, int]:
        """Everything that stands for a word, in lower case; a word's own name comes before a sign's."""
        signs = {sign: self.first(kind) for kind, group in _SIGNS.items() for sign in group}
        return signs | {name.lower(): word for word, name in enumerate(self.names)}

    def parse(self, text: str) -> Reading:
        """Read a sentence leniently.

        ``.`` ``+`` ``-`` (or ``stop``, ``pos``, ``neg``) stand for the first word of a kind, a name for that very
        word; ``x30`` after a word repeats it; blanks, commas and the like only separate.
        """
        known, runs, unknown = self.aliases, [], []
        for token in _TOKEN.finditer(text):
            times, sign, name = token.groups()
            if times is None:
                key = _SAME.get(sign, sign) if sign else name.lower()
                count, repeated = (3 if sign == "…" else 1), _REPEATED.fullmatch(key)
                if key not in known and repeated and repeated[1] in known:
                    key, count = repeated[1], _count(repeated[2])
                runs.append([known.get(key, -1), count])
            if times is not None and runs and runs[-1][0] >= 0:
                runs[-1][1] = min(runs[-1][1] * _count(times), MAX_WORDS + 1)
            elif times is not None or runs[-1][0] < 0:
                unknown.append(token[0])
        words: list[int] = []
        for word, count in runs:
            if word >= 0:
                words += [word] * min(count, MAX_WORDS + 1 - len(words))
        return Reading(tuple(words[:MAX_WORDS]), tuple(dict.fromkeys(unknown)), len(words) > MAX_WORDS)

    def answers(self, words: Sequence[int] | np.ndarray) -> np.ndarray:
        """Right answer of the Count rule before the first word and after each: (T + 1,) int8.

        1 where more positive than negative words have been read, 0 where fewer, -1 where as many.
        """
        kinds = np.array(self.kinds, dtype=np.int64)[np.asarray(words, dtype=np.int64)]
        balance = np.concatenate([[0], np.cumsum(kinds)])
        return np.where(balance > 0, 1, np.where(balance < 0, 0, -1)).astype(np.int8)


def _count(digits: str) -> int:
    return min(int(digits[:6]), MAX_WORDS + 1)
