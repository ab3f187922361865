"""Numbers below float32's normal range, where arithmetic is slow by orders of magnitude."""

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rnnkit.lanes.vectors import call_llvm

_I32 = ir.IntType(32)
_FLUSH = 0x8040  # flush to zero, and take subnormal operands for zero


@intrinsic
def flush_subnormals(typing: Any) -> Any:
    """Let this thread take numbers below float32's normal range for zero; returns what :func:`restore_mode` takes.

    A gradient that vanishes over hundreds of steps ends there, where arithmetic is slow by orders of magnitude.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = cgutils.alloca_once(builder, _I32)
        if not _is_x86():
            return _I32(0)
        _mode(builder, "st", place)
        before = builder.load(place)
        builder.store(builder.or_(before, _I32(_FLUSH)), place)
        _mode(builder, "ld", place)
        return before

    return types.uint32(), generate


@intrinsic
def restore_mode(typing: Any, mode: Any) -> Any:
    """Undo :func:`flush_subnormals`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _is_x86():
            place = cgutils.alloca_once(builder, _I32)
            builder.store(arguments[0], place)
            _mode(builder, "ld", place)
        return context.get_dummy_value()

    return types.void(types.uint32), generate


def _is_x86() -> bool:
    return llvmlite.binding.get_default_triple().split("-")[0] in ("x86_64", "i686")


def _mode(builder: Any, direction: str, place: Any) -> None:
    byte = ir.IntType(8).as_pointer()
    call_llvm(builder, f"x86.sse.{direction}mxcsr", ir.VoidType(), builder.bitcast(place, byte))
