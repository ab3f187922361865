"""Many dropout masks in one pass over memory."""

from __future__ import annotations

import numpy as np

from rnnkit.lanes.compiling import compiled, inlined

_STEP, _FIRST, _SECOND = (
    np.uint64(word) for word in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_30, _27, _31, _LOW = (np.uint64(number) for number in (30, 27, 31, 0xFFFF))


@inlined
def _word(seed, place):  # type: ignore[no-untyped-def]
    word = seed + np.uint64(place + 1) * _STEP
    word = (word ^ (word >> _30)) * _FIRST
    word = (word ^ (word >> _27)) * _SECOND
    return word ^ (word >> _31)


@inlined
def _mask(word, place, threshold, kept):  # type: ignore[no-untyped-def]
    return kept if word >> np.uint64(16 * place) & _LOW >= threshold else np.float32(0)


@compiled
def fill_masks(masks, seed, threshold, kept):  # type: ignore[no-untyped-def]
    """Fill ``masks``, flat float32, with zeros and ``kept``, as `rnnkit.models.dropout` says; the rest is uint64."""
    whole = masks.size // 4
    for group in range(whole):
        word = _word(seed, group)
        masks[4 * group] = _mask(word, 0, threshold, kept)
        masks[4 * group + 1] = _mask(word, 1, threshold, kept)
        masks[4 * group + 2] = _mask(word, 2, threshold, kept)
        masks[4 * group + 3] = _mask(word, 3, threshold, kept)
    for place in range(masks.size - 4 * whole):
        masks[4 * whole + place] = _mask(_word(seed, whole), place, threshold, kept)
