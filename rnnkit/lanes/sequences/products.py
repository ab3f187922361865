"""Matrix products out of registers: operands as in `rnnkit.lanes.sequences.operands`, sums in float32."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from rnnkit.lanes.sequences import amx
from rnnkit.lanes.sequences.operands import bfloats, is_operand, pointer, processor_has, step_width
from rnnkit.lanes.vectors import LANES, call_llvm, spread

_F32, _I32, _I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_FLOATS, _INTS = ir.VectorType(_F32, LANES), ir.VectorType(_I32, LANES)

TILE_ROWS = 6
# Vectors of a tile whose sums are made together: six rows of them have to find room in the registers.
AT_ONCE = 4 if processor_has("avx512f") else 1


def _dot(builder: Any, total: Any, left: Any, right: Any, paired: bool) -> Any:
    """``total + left * right``, lane by lane; of pairs, the sum of both products."""
    if not paired:
        return call_llvm(builder, f"fma.v{LANES}f32", _FLOATS, left, right, total)
    if processor_has("avx512bf16"):
        pairs = [builder.bitcast(bits, bfloats(2 * LANES)) for bits in (left, right)]
        return call_llvm(builder, "x86.avx512bf16.dpbf16ps.512", _FLOATS, total, *pairs)
    sixteen, upper = ir.Constant(_INTS, [16] * LANES), ir.Constant(_INTS, [0xFFFF0000] * LANES)
    low = [builder.bitcast(builder.shl(bits, sixteen), _FLOATS) for bits in (left, right)]
    high = [builder.bitcast(builder.and_(bits, upper), _FLOATS) for bits in (left, right)]
    total = call_llvm(builder, f"fma.v{LANES}f32", _FLOATS, *low, total)
    return call_llvm(builder, f"fma.v{LANES}f32", _FLOATS, *high, total)


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
    out, out_at, out_row, left, left_at, left_row, left_step, _, right, right_at, depth = arguments
    kind = signature.args[3]
    paired = step_width(kind) == 2
    number, loaded = (_I32, _INTS) if paired else (_F32, _FLOATS)
    align = 2 if paired else 4

    def result(row: int, vector: int) -> Any:
        at = builder.add(out_at, builder.mul(out_row, _I64(row)))
        at = builder.add(at, _I64(vector * LANES))
        return pointer(context, builder, signature.args[0], out, at, _FLOATS)

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
    right_here = builder.add(right_at, builder.mul(step, _I64(columns * step_width(kind))))
    left_here = builder.add(left_at, builder.mul(step, left_step))
    rights = {}
    for vector in chosen:
        at = builder.add(right_here, _I64(vector * LANES * step_width(kind)))
        rights[vector] = builder.load(pointer(context, builder, kind, right, at, loaded), align=align)
    updated: list[Any] = []
    for row in range(rows):
        at = builder.add(left_here, builder.mul(left_row, _I64(row)))
        where = pointer(context, builder, kind, left, at, number)
        factor = spread(builder, loaded, builder.load(where, align=align))
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


def _product(rows: int, vectors: int, *, adds: bool, tiles: tuple[int, int], of_columns: bool = False) -> Any:
    """An intrinsic that multiplies one tile of ``rows`` by ``vectors * LANES`` numbers in registers.

    ``product(out, out_at, out_row, left, left_at, left_row, left_step, left_below, right, right_at, depth)``: positions
    and strides count numbers. Row ``r``, step ``k`` of the left operand is at ``left_at + r * left_row +
    k * left_step``; the right operand's steps follow each other from ``right_at``. Row ``r`` of the result goes to
    ``out_at + r * out_row``, or is added to what is there if the product ``adds``.

    Operands for tiles make ``tiles`` (rows, columns) of sums at once: rows of ``LANES`` samples each, which in the left
    operand lie ``left_below`` apart. A left operand ``of_columns``, whose depth is what rows are elsewhere, has been
    turned for it (:func:`rnnkit.lanes.sequences.operands.turn`): row and step follow from that.
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
        left_below: Any,
        right: Any,
        right_at: Any,
        depth: Any,
    ) -> Any:
        if not (is_operand(left) and left == right and out.dtype == types.float32):
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            if amx.is_tiled(signature.args[3]):
                _of_tiles(
                    context, builder, signature, arguments, vectors, tiles, adds=adds, of_columns=of_columns
                )
                return context.get_dummy_value()
            for first in range(0, vectors, AT_ONCE):
                chosen = range(first, min(first + AT_ONCE, vectors))
                _tile(context, builder, signature, arguments, rows, chosen, vectors * LANES, adds=adds)
            return context.get_dummy_value()

        index = types.intp
        numbers = (index, index, left, index, index, index, index, left, index, index)
        return types.void(out, *numbers), generate

    return intrinsic(typed)


def _of_tiles(
    context: Any,
    builder: Any,
    signature: Any,
    arguments: Any,
    vectors: int,
    tiles: tuple[int, int],
    *,
    adds: bool,
    of_columns: bool,
) -> None:
    """The code of a product made of tiles, as many at once as there are registers for."""
    out, out_at, out_row, left, left_at, left_row, left_step, left_below, right, right_at, depth = arguments
    byte = ir.IntType(8)

    def times(number: Any, count: int) -> Any:
        return builder.mul(number, _I64(count))

    row = _I64(2 * LANES * 2) if of_columns else times(left_row, 2)
    step = _I64(LANES * 2 * LANES * 2) if of_columns else times(left_step, 2 * amx.DEPTH)
    left_start = pointer(context, builder, signature.args[3], left, left_at, byte)
    of_left = amx.Grid(left_start, row, below=times(left_below, 2), step=step)
    steps = builder.sdiv(depth, _I64(amx.DEPTH))
    for first in range(0, vectors, tiles[1]):
        at = builder.add(right_at, _I64(first * LANES * 2))
        right_start = pointer(context, builder, signature.args[8], right, at, byte)
        wide = 2 * vectors * LANES * 2  # bytes in a step of the right operand
        of_right = amx.Grid(right_start, _I64(wide), beside=_I64(4 * LANES), step=_I64(amx.DEPTH * wide))
        at = builder.add(out_at, _I64(first * LANES))
        out_start = pointer(context, builder, signature.args[0], out, at, byte)
        of_out = amx.Grid(
            out_start, times(out_row, 4), below=times(out_row, 4 * LANES), beside=_I64(4 * LANES)
        )
        amx.multiply(builder, of_out, of_left, of_right, steps, shape=tiles, adds=adds)


def _rows(single: int, of_tiles: int, doc: str) -> Any:
    """An intrinsic that tells how many rows a product makes of an operand."""

    def typed(typing: Any, operand: Any) -> Any:
        if not is_operand(operand):
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return ir.Constant(_I64, of_tiles if amx.is_tiled(signature.args[0]) else single)

        return types.intp(operand), generate

    typed.__doc__ = doc
    return intrinsic(typed)


MOST_ROWS = 2 * amx.ROWS  # of any tile whose sums go to gates
product_4 = _product(TILE_ROWS, 4, adds=False, tiles=(2, 2))
add_tile_4 = _product(TILE_ROWS, 4, adds=True, tiles=(2, 2))
tile_rows = _rows(TILE_ROWS, MOST_ROWS, "Rows of a tile of `product_4` and `add_tile_4`.")
add_product_4 = _product(4, 4, adds=True, tiles=(2, 2), of_columns=True)
outer_rows = _rows(4, 2 * amx.ROWS, "Rows of a tile of `add_product_4`.")
add_column = _product(4 * AT_ONCE, 1, adds=True, tiles=(4, 1), of_columns=True)
column_rows = _rows(4 * AT_ONCE, 4 * amx.ROWS, "Rows of a tile of `add_column`.")
