"""Many dropout masks in one pass over memory, as numbers or as bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from rnnkit.lanes.compiling import compiled, inlined
from rnnkit.lanes.vectors import LANES, spread

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


@intrinsic
def _sixteen(typing: Any, seed: Any, place: Any, threshold: Any) -> Any:
    """``LANES`` masks from ``LANES * place`` on as bits, the first in the lowest: `_word` and `_mask` in vectors."""
    words = LANES // 4
    kind, shorts = ir.VectorType(ir.IntType(64), words), ir.VectorType(ir.IntType(16), LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def each(number: Any) -> Any:
            return ir.Constant(kind, [int(number)] * words)

        seed, place, threshold = arguments
        first = builder.add(seed, builder.mul(place, ir.IntType(64)(words * int(_STEP) % 2**64)))
        offsets = ir.Constant(kind, [(number + 1) * int(_STEP) % 2**64 for number in range(words)])
        word = builder.add(spread(builder, kind, first), offsets)
        for shift, factor in ((_30, _FIRST), (_27, _SECOND)):
            word = builder.mul(builder.xor(word, builder.lshr(word, each(shift))), each(factor))
        word = builder.xor(word, builder.lshr(word, each(_31)))
        least = spread(builder, shorts, builder.trunc(threshold, ir.IntType(16)))
        kept = builder.icmp_unsigned(">=", builder.bitcast(word, shorts), least)
        return builder.bitcast(kept, ir.IntType(16))

    return types.uint16(types.uint64, types.intp, types.uint64), generate


@compiled
def fill_bits(bits, seed, threshold):  # type: ignore[no-untyped-def]
    """Fill ``bits``, flat uint16, with what `fill_masks` makes of the same seed: a bit for each mask, 1 where kept."""
    for place in range(bits.size):
        bits[place] = _sixteen(seed, place, threshold)
