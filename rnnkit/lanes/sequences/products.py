"""Matrix products out of registers: operands in float32, or in pairs of bfloat16 that are summed in float32.

An *operand* is a flat buffer of ``float32``, or of ``uint16`` that holds bfloat16. The depth of a product goes in
steps of ``width(operand)`` numbers, 1 or 2. In the right operand the numbers of a step lie side by side for one
column, column by column: ``[step][column][width]``.

Buffers that keep numbers from the forward pass for the backward pass are ``float32``, or ``uint16`` that holds IEEE
half precision: gates lie between -1 and 1, where half precision is eight times as fine as bfloat16.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rnnkit.lanes.vectors import LANES, Vector, start_of

_F32, _I16, _I32, _I64 = ir.FloatType(), ir.IntType(16), ir.IntType(32), ir.IntType(64)
_FLOATS = ir.VectorType(_F32, LANES)
_INTS = ir.VectorType(_I32, LANES)
_SHORTS = ir.VectorType(_I16, LANES)
_HALVES = ir.VectorType(ir.HalfType(), LANES)

TILE_ROWS = 6
_FLUSH = 0x8040  # flush to zero, and take subnormal operands for zero


def processor_has(feature: str) -> bool:
    """Whether this processor, and the compiler, know a set of instructions, by LLVM's name for it."""
    return bool(llvmlite.binding.get_host_cpu_features().get(feature, False))


# Vectors of a tile whose sums are made together: six rows of them have to find room in the registers.
AT_ONCE = 4 if processor_has("avx512f") else 1


def _is_operand(kind: Any) -> bool:
    flat = isinstance(kind, types.CPointer) or (isinstance(kind, types.Array) and kind.ndim == 1)
    return flat and kind.dtype in (types.float32, types.uint16)


def _width(kind: Any) -> int:
    return 1 if kind.dtype == types.float32 else 2


@intrinsic
def width(typing: Any, operand: Any) -> Any:
    """Numbers of an operand in one step of a product's depth."""
    if not _is_operand(operand):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(_I64, _width(signature.args[0]))

    return types.intp(operand), generate


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
    called = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(ir.VoidType(), [byte]), f"llvm.x86.sse.{direction}mxcsr"
    )
    builder.call(called, [builder.bitcast(place, byte)])


def _pointer(context: Any, builder: Any, kind: Any, array: Any, element: Any, target: Any) -> Any:
    data = start_of(context, builder, kind, array)
    return builder.bitcast(builder.gep(data, [element]), target.as_pointer())


def _splat(builder: Any, number: Any) -> Any:
    one = builder.insert_element(
        ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined), number, _I32(0)
    )
    zeros = ir.Constant(_INTS, [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(one.type, ir.Undefined), zeros)


def _to_bfloat16(builder: Any, value: Any) -> Any:
    """Round to nearest, ties to even; NaN stays NaN."""
    if processor_has("avx512bf16"):
        kind = ir.VectorType(ir.IntType(16), LANES)
        rounded = ir.FunctionType(_bfloats(), [_FLOATS])
        name = "llvm.x86.avx512bf16.cvtneps2bf16.512"
        called = builder.module.globals.get(name) or ir.Function(builder.module, rounded, name)
        return builder.bitcast(builder.call(called, [value]), kind)
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


def _bfloats(lanes: int = LANES) -> ir.VectorType:
    return ir.VectorType(_BFloat(), lanes)


@intrinsic
def put_operand(typing: Any, operand: Any, row: Any, value: Any) -> Any:
    """Put a vector into row ``row`` of an operand, rounded to what the operand holds."""
    if not _is_operand(operand):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        at = builder.mul(arguments[1], _I64(LANES))
        if kind.dtype == types.float32:
            where = _pointer(context, builder, kind, arguments[0], at, _FLOATS)
            builder.store(arguments[2], where, align=4)
        else:
            where = _pointer(context, builder, kind, arguments[0], at, _SHORTS)
            builder.store(_to_bfloat16(builder, arguments[2]), where, align=2)
        return context.get_dummy_value()

    return types.void(operand, types.intp, Vector(types.float32)), generate


@intrinsic
def put_steps(typing: Any, operand: Any, row: Any, columns: Any, first: Any, second: Any) -> Any:
    """Put two consecutive depths of ``LANES`` columns: rows ``row`` and ``row + columns``, or pairs side by side.

    ``columns`` counts vectors in one step of the depth. Pairs fill rows ``row`` and ``row + 1``.
    """
    if not _is_operand(operand):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, (row, columns, *values) = signature.args[0], arguments[1:]
        if _width(kind) == 1:
            for at, value in zip((row, builder.add(row, columns)), values, strict=True):
                at = builder.mul(at, _I64(LANES))
                builder.store(value, _pointer(context, builder, kind, arguments[0], at, _FLOATS), align=4)
            return context.get_dummy_value()
        low, high = (builder.zext(_to_bfloat16(builder, value), _INTS) for value in values)
        pairs = builder.or_(low, builder.shl(high, ir.Constant(_INTS, [16] * LANES)))
        at = builder.mul(row, _I64(LANES))
        builder.store(pairs, _pointer(context, builder, kind, arguments[0], at, _INTS), align=2)
        return context.get_dummy_value()

    vector = Vector(types.float32)
    return types.void(operand, types.intp, types.intp, vector, vector), generate


@intrinsic
def keep(typing: Any, kept: Any, row: Any, value: Any) -> Any:
    """Put a vector into row ``row`` of a buffer for the backward pass: whole, or rounded to half precision."""
    if not _is_operand(kept):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, value = signature.args[0], arguments[2]
        whole = kind.dtype == types.float32
        at = builder.mul(arguments[1], _I64(LANES))
        where = _pointer(context, builder, kind, arguments[0], at, _FLOATS if whole else _HALVES)
        builder.store(value if whole else builder.fptrunc(value, _HALVES), where, align=4 if whole else 2)
        return context.get_dummy_value()

    return types.void(kept, types.intp, Vector(types.float32)), generate


@intrinsic
def recall(typing: Any, kept: Any, row: Any) -> Any:
    """Row ``row`` of a buffer that was filled with :func:`keep`, as a vector of float32."""
    if not _is_operand(kept):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        whole = kind.dtype == types.float32
        at = builder.mul(arguments[1], _I64(LANES))
        where = _pointer(context, builder, kind, arguments[0], at, _FLOATS if whole else _HALVES)
        value = builder.load(where, align=4 if whole else 2)
        return value if whole else builder.fpext(value, _FLOATS)

    return Vector(types.float32)(kept, types.intp), generate


def _dot(builder: Any, total: Any, left: Any, right: Any, paired: bool) -> Any:
    """``total + left * right``, lane by lane; of pairs, the sum of both products."""

    def library(name: str, kind: Any, *arguments: Any) -> Any:
        signature = ir.FunctionType(_FLOATS, [argument.type for argument in arguments])
        called = builder.module.globals.get(name) or ir.Function(builder.module, signature, name)
        return builder.call(called, arguments)

    if not paired:
        return library(f"llvm.fma.v{LANES}f32", _FLOATS, left, right, total)
    if processor_has("avx512bf16"):
        pairs = [builder.bitcast(bits, _bfloats(2 * LANES)) for bits in (left, right)]
        return library("llvm.x86.avx512bf16.dpbf16ps.512", _FLOATS, total, *pairs)
    sixteen, upper = ir.Constant(_INTS, [16] * LANES), ir.Constant(_INTS, [0xFFFF0000] * LANES)
    low = [builder.bitcast(builder.shl(bits, sixteen), _FLOATS) for bits in (left, right)]
    high = [builder.bitcast(builder.and_(bits, upper), _FLOATS) for bits in (left, right)]
    total = library(f"llvm.fma.v{LANES}f32", _FLOATS, *low, total)
    return library(f"llvm.fma.v{LANES}f32", _FLOATS, *high, total)


def _tile(
    context: Any,
    builder: Any,
    signature: Any,
    arguments: Any,
    rows: int,
    chosen: range,
    columns: int,
    *,
    adds: bool,
) -> None:
    """The code of one tile: the ``chosen`` vectors among ``columns`` numbers of a step of the right operand."""
    out, out_at, out_row, left, left_at, left_row, left_step, right, right_at, depth = arguments
    kind = signature.args[3]
    paired = _width(kind) == 2
    number, loaded = (_I32, _INTS) if paired else (_F32, _FLOATS)
    align = 2 if paired else 4

    def result(row: int, vector: int) -> Any:
        at = builder.add(out_at, builder.mul(out_row, _I64(row)))
        at = builder.add(at, _I64(vector * LANES))
        return _pointer(context, builder, signature.args[0], out, at, _FLOATS)

    tile = [(row, vector) for row in range(rows) for vector in chosen]
    start = [
        builder.load(result(*place), align=4) if adds else ir.Constant(_FLOATS, [0.0] * LANES)
        for place in tile
    ]
    before = builder.basic_block
    loop, after = builder.append_basic_block("product"), builder.append_basic_block("product.end")
    builder.branch(loop)
    builder.position_at_end(loop)
    step = builder.phi(_I64)
    sums = [builder.phi(_FLOATS) for _ in tile]
    right_here = builder.add(right_at, builder.mul(step, _I64(columns * _width(kind))))
    left_here = builder.add(left_at, builder.mul(step, left_step))
    rights = {}
    for vector in chosen:
        at = builder.add(right_here, _I64(vector * LANES * _width(kind)))
        rights[vector] = builder.load(_pointer(context, builder, kind, right, at, loaded), align=align)
    updated: list[Any] = []
    for row in range(rows):
        at = builder.add(left_here, builder.mul(left_row, _I64(row)))
        where = _pointer(context, builder, kind, left, at, number)
        factor = _splat(builder, builder.load(where, align=align))
        for vector in chosen:
            updated.append(_dot(builder, sums[len(updated)], factor, rights[vector], paired))
    following = builder.add(step, _I64(1))
    step.add_incoming(_I64(0), before)
    step.add_incoming(following, loop)
    for total, first, later in zip(sums, start, updated, strict=True):
        total.add_incoming(first, before)
        total.add_incoming(later, loop)
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
    builder.position_at_end(after)
    for place, total in zip(tile, updated, strict=True):
        builder.store(total, result(*place), align=4)


def _product(rows: int, vectors: int, *, adds: bool) -> Any:
    """An intrinsic that multiplies one tile of ``rows`` by ``vectors * LANES`` numbers in registers.

    ``product(out, out_at, out_row, left, left_at, left_row, left_step, right, right_at, depth)``: positions and
    strides count numbers. Row ``r``, step ``k`` of the left operand is at ``left_at + r * left_row + k * left_step``;
    the right operand's steps follow each other from ``right_at``. Row ``r`` of the result goes to
    ``out_at + r * out_row``, or is added to what is there if the product ``adds``.
    """

    def typed(
        typing: Any,
        out: Any,
        out_at: Any,
        out_row: Any,
        left: Any,
        left_at: Any,
        left_row: Any,
        left_step: Any,
        right: Any,
        right_at: Any,
        depth: Any,
    ) -> Any:
        if not (_is_operand(left) and left == right and out.dtype == types.float32):
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            for first in range(0, vectors, AT_ONCE):
                chosen = range(first, min(first + AT_ONCE, vectors))
                _tile(context, builder, signature, arguments, rows, chosen, vectors * LANES, adds=adds)
            return context.get_dummy_value()

        index = types.intp
        numbers = (index, index, left, index, index, index, left, index, index)
        return types.void(out, *numbers), generate

    return intrinsic(typed)


product_4 = _product(TILE_ROWS, 4, adds=False)
add_product_4 = _product(4, 4, adds=True)
