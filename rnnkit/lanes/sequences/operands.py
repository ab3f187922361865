"""Operands of matrix products, in float32 or rounded to bfloat16, and what is kept for the way back.

An *operand* is a flat buffer whose numbers a product takes in steps of its depth:

- ``float32``: one number a step;
- ``uint32``: one number a step, rounded to bfloat16 and stored as the bits of a float32;
- ``uint16``: pairs of bfloat16, for processors that multiply them;
- ``int16``: the same pairs, for processors that multiply tiles of them (`rnnkit.lanes.sequences.amx`).

In the right operand the numbers of a step lie side by side for one column, column by column: ``[step][column][width]``.

Buffers that keep numbers from the forward pass for the backward pass are ``float32``, or ``uint16`` that holds IEEE
half precision: gates lie between -1 and 1, where half precision is eight times as fine as bfloat16.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from rnnkit.lanes.sequences.amx import is_tiled, transposed
from rnnkit.lanes.vectors import (
    LANES,
    Vector,
    call_llvm,
    emit_sigmoid,
    emit_tanh,
    is_flat,
    spread,
    start_of,
)

_F32, _I16, _I32, _I64 = ir.FloatType(), ir.IntType(16), ir.IntType(32), ir.IntType(64)
_FLOATS = ir.VectorType(_F32, LANES)
_INTS = ir.VectorType(_I32, LANES)
_SHORTS = ir.VectorType(_I16, LANES)
_HALVES = ir.VectorType(ir.HalfType(), LANES)
_SIXTEEN = ir.Constant(_INTS, [16] * LANES)


def processor_has(feature: str) -> bool:
    """Whether this processor, and the compiler, know a set of instructions, by LLVM's name for it."""
    return bool(llvmlite.binding.get_host_cpu_features().get(feature, False))


def is_operand(kind: Any) -> bool:
    """Whether a type is that of an operand."""
    return is_flat(kind) and kind.dtype in (types.float32, types.uint16, types.int16, types.uint32)


def _is_kept(kind: Any) -> bool:
    return is_flat(kind) and kind.dtype in (types.float32, types.uint16)


def step_width(kind: Any) -> int:
    """Numbers in one step of the depth of an operand of this type."""
    return 2 if kind.dtype in (types.uint16, types.int16) else 1


@intrinsic
def width(typing: Any, operand: Any) -> Any:
    """Numbers of an operand in one step of a product's depth."""
    if not is_operand(operand):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(_I64, step_width(signature.args[0]))

    return types.intp(operand), generate


@intrinsic
def tiled(typing: Any, operand: Any) -> Any:
    """Whether products of an operand are made of tiles."""
    if not is_operand(operand):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(ir.IntType(1), int(is_tiled(signature.args[0])))

    return types.boolean(operand), generate


def pointer(context: Any, builder: Any, kind: Any, array: Any, element: Any, target: Any) -> Any:
    """Pointer to a buffer's numbers from ``element`` on, as one to ``target``."""
    data = start_of(context, builder, kind, array)
    return builder.bitcast(builder.gep(data, [element]), target.as_pointer())


def _to_bfloat16(builder: Any, value: Any) -> Any:
    """Round to nearest, ties to even; NaN stays NaN."""
    if processor_has("avx512bf16"):
        rounded = call_llvm(builder, "x86.avx512bf16.cvtneps2bf16.512", bfloats(), value)
        return builder.bitcast(rounded, _SHORTS)
    bits = builder.bitcast(value, _INTS)

    def constant(number: int) -> Any:
        return ir.Constant(_INTS, [number] * LANES)

    odd = builder.and_(builder.lshr(bits, constant(16)), constant(1))
    up = builder.lshr(builder.add(bits, builder.add(odd, constant(0x7FFF))), constant(16))
    nan = builder.fcmp_unordered("uno", value, value)
    return builder.trunc(builder.select(nan, constant(0x7FC0), up), _SHORTS)


class _BFloat(ir.Type):
    """LLVM's bfloat, which llvmlite has no name for."""

    def __str__(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


def bfloats(lanes: int = LANES) -> ir.VectorType:
    """A vector of bfloat16."""
    return ir.VectorType(_BFloat(), lanes)


@intrinsic
def put_operand(typing: Any, operand: Any, row: Any, value: Any) -> Any:
    """Put a vector into row ``row`` of an operand, rounded to what the operand holds."""
    if not is_operand(operand):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        operand, row, value = arguments
        if step_width(signature.args[0]) == 1:
            _put_single(context, builder, signature.args[0], operand, row, value)
        else:
            at = builder.mul(row, _I64(LANES))
            where = pointer(context, builder, signature.args[0], operand, at, _SHORTS)
            builder.store(_to_bfloat16(builder, value), where, align=2)
        return context.get_dummy_value()

    return types.void(operand, types.intp, Vector(types.float32)), generate


def _put_single(context: Any, builder: Any, kind: Any, operand: Any, row: Any, value: Any) -> None:
    """Put a vector of single numbers, in float32 or rounded."""
    if kind.dtype == types.uint32:
        bits = builder.shl(builder.zext(_to_bfloat16(builder, value), _INTS), _SIXTEEN)
        value = builder.bitcast(bits, _FLOATS)
    at = builder.mul(row, _I64(LANES))
    builder.store(value, pointer(context, builder, kind, operand, at, _FLOATS), align=4)


@intrinsic
def put_steps(typing: Any, operand: Any, row: Any, columns: Any, first: Any, second: Any) -> Any:
    """Put two consecutive depths of ``LANES`` columns: rows ``row`` and ``row + columns``, or pairs side by side.

    ``columns`` counts vectors in one step of the depth. Pairs fill rows ``row`` and ``row + 1``.
    """
    if not is_operand(operand):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, (row, columns, *values) = signature.args[0], arguments[1:]
        if step_width(kind) == 1:
            for at, value in zip((row, builder.add(row, columns)), values, strict=True):
                _put_single(context, builder, kind, arguments[0], at, value)
            return context.get_dummy_value()
        low, high = (builder.zext(_to_bfloat16(builder, value), _INTS) for value in values)
        pairs = builder.or_(low, builder.shl(high, _SIXTEEN))
        at = builder.mul(row, _I64(LANES))
        builder.store(pairs, pointer(context, builder, kind, arguments[0], at, _INTS), align=2)
        return context.get_dummy_value()

    vector = Vector(types.float32)
    return types.void(operand, types.intp, types.intp, vector, vector), generate


@intrinsic
def turn(typing: Any, operand: Any, row: Any) -> Any:
    """Turn ``LANES`` steps of ``LANES`` columns, from row ``row`` on, into rows of a left operand: tiles want those."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if is_tiled(signature.args[0]):
            first = builder.mul(arguments[1], _I64(LANES))
            places = [
                pointer(
                    context,
                    builder,
                    signature.args[0],
                    arguments[0],
                    builder.add(first, _I64(k * 2 * LANES)),
                    _INTS,
                )
                for k in range(LANES)
            ]
            turned = transposed(builder, [builder.load(place, align=4) for place in places])
            for place, vector in zip(places, turned, strict=True):
                builder.store(vector, place, align=4)
        return context.get_dummy_value()

    return types.void(operand, types.intp), generate


@intrinsic
def keep(typing: Any, kept: Any, row: Any, value: Any) -> Any:
    """Put a vector into row ``row`` of a buffer for the backward pass: whole, or rounded to half precision."""
    if not _is_kept(kept):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, value = signature.args[0], arguments[2]
        whole = kind.dtype == types.float32
        at = builder.mul(arguments[1], _I64(LANES))
        where = pointer(context, builder, kind, arguments[0], at, _FLOATS if whole else _HALVES)
        builder.store(value if whole else builder.fptrunc(value, _HALVES), where, align=4 if whole else 2)
        return context.get_dummy_value()

    return types.void(kept, types.intp, Vector(types.float32)), generate


@intrinsic
def recall(typing: Any, kept: Any, row: Any) -> Any:
    """Row ``row`` of a buffer that was filled with :func:`keep`, as a vector of float32."""
    if not _is_kept(kept):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        whole = kind.dtype == types.float32
        at = builder.mul(arguments[1], _I64(LANES))
        where = pointer(context, builder, kind, arguments[0], at, _FLOATS if whole else _HALVES)
        value = builder.load(where, align=4 if whole else 2)
        return value if whole else builder.fpext(value, _FLOATS)

    return Vector(types.float32)(kept, types.intp), generate


@intrinsic
def masked(typing: Any, value: Any, masks: Any, row: Any, scale: Any) -> Any:
    """A vector behind its masks: times row ``row`` of them, or times ``scale`` where a bit of ``masks[row]`` is set."""
    if not (
        is_flat(masks) and masks.dtype in (types.float32, types.uint16) and value == Vector(types.float32)
    ):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, masks, row, scale = arguments
        kind = signature.args[1]
        if kind.dtype == types.float32:
            where = pointer(context, builder, kind, masks, builder.mul(row, _I64(LANES)), _FLOATS)
            return builder.fmul(value, builder.load(where, align=4))
        bits = builder.load(pointer(context, builder, kind, masks, row, _I16), align=2)
        kept = builder.bitcast(bits, ir.VectorType(ir.IntType(1), LANES))
        scaled = builder.fmul(value, spread(builder, _FLOATS, scale))
        return builder.select(kept, scaled, ir.Constant(_FLOATS, [0.0] * LANES))

    return value(value, masks, types.intp, types.float32), generate


def _divided_by_estimate(builder: Any, dtype: types.Float, above: Any, below: Any) -> Any:
    """A quotient in an eighth of a division's time, to about 1e-7: an estimate of 14 bits, and one step of Newton's."""

    nothing, one = (ir.Constant(_FLOATS, [number] * LANES) for number in (0.0, 1.0))
    estimate = call_llvm(builder, "x86.avx512.rcp14.ps.512", _FLOATS, below, nothing, ir.Constant(_I16, -1))
    error = call_llvm(builder, f"fma.v{LANES}f32", _FLOATS, builder.fneg(below), estimate, one)
    return builder.fmul(above, call_llvm(builder, f"fma.v{LANES}f32", _FLOATS, estimate, error, estimate))


def _squashing(emit: Any, doc: str) -> Any:
    """An intrinsic of a buffer that keeps numbers, and a vector."""

    def typed(typing: Any, kept: Any, value: Any) -> Any:
        if not (_is_kept(kept) and value == Vector(types.float32)):
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = signature.return_type.dtype
            if signature.args[0].dtype == types.uint16 and processor_has("avx512f"):
                return emit(builder, kind, arguments[1], _divided_by_estimate)
            return emit(builder, kind, arguments[1])

        return value(kept, value), generate

    typed.__doc__ = doc
    return intrinsic(typed)


tanh_beside = _squashing(emit_tanh, "tanh, whose quotient is estimated if half precision is what is kept.")
sigmoid_beside = _squashing(emit_sigmoid, "Logistic function, as :func:`tanh_beside`.")
