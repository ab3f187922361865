"""Intel's Advanced Matrix Extensions: sums of 16 by 16 numbers from 16 by 32 of bfloat16, in registers of their own.

A *tile* has 16 rows of 64 bytes: 16 sums of float32, 32 numbers of a left operand's row, or 16 pairs of a right
operand. Registers 0 to 3 hold sums, 4 and 5 left tiles, 6 and 7 right ones.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any, NamedTuple

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rnnkit.lanes.vectors import call_llvm

ROWS = 16
DEPTH = 16  # pairs in a tile's rows
NUM_TILES = 8

_I8, _I16, _I32, _I64 = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)
_BYTES = _I8.as_pointer()
_CONFIG = ir.ArrayType(_I8, 64)
_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18  # of Linux on x86-64


@cache
def usable() -> bool:
    """Whether this processor and the compiler know the instructions, and the kernel lets this process use them."""
    features = llvmlite.binding.get_host_cpu_features()
    if not (sys.platform == "linux" and features.get("amx-tile") and features.get("amx-bf16")):
        return False
    # Tiles are 8 KiB that every switch of threads has to keep: a process asks for them once, for all its threads.
    return ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) == 0


def is_tiled(kind: Any) -> bool:
    """Whether products of operands of this type are made of tiles."""
    return bool(kind.dtype == types.int16)


def _call(builder: Any, name: str, *arguments: Any) -> None:
    call_llvm(builder, f"x86.{name}", ir.VoidType(), *arguments)


@intrinsic
def begin_tiles(typing: Any, operand: Any) -> Any:
    """Shape this thread's tiles, if products of this operand want them; returns what :func:`end_tiles` takes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        before = builder.bitcast(cgutils.alloca_once(builder, _CONFIG), _BYTES)
        if is_tiled(signature.args[0]):
            _call(builder, "sttilecfg", before)
            shape = bytearray(64)
            shape[0] = 1
            shape[16 : 16 + 2 * NUM_TILES : 2] = bytes([64] * NUM_TILES)  # bytes in a row
            shape[48 : 48 + NUM_TILES] = bytes([ROWS] * NUM_TILES)
            place = cgutils.alloca_once(builder, _CONFIG)
            builder.store(ir.Constant(_CONFIG, shape), place)
            _call(builder, "ldtilecfg", builder.bitcast(place, _BYTES))
        return before

    return types.voidptr(operand), generate


@intrinsic
def end_tiles(typing: Any, operand: Any, before: Any) -> Any:
    """Undo :func:`begin_tiles`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if is_tiled(signature.args[0]):
            _call(builder, "ldtilecfg", arguments[1])
        return context.get_dummy_value()

    return types.void(operand, before), generate


class Grid(NamedTuple):
    """Where the tiles of a matrix lie, in bytes: of its rows, of the next tile below, beside, and along the depth."""

    start: Any
    row: Any
    below: Any = None
    beside: Any = None
    step: Any = None

    def tile(self, builder: Any, below: int, beside: int) -> Any:
        """Pointer to a tile."""
        at = _I64(0)
        for count, stride in ((below, self.below), (beside, self.beside)):
            if count:
                at = builder.add(at, builder.mul(stride, _I64(count)))
        return builder.gep(self.start, [at])


def multiply(
    builder: Any, out: Grid, left: Grid, right: Grid, steps: Any, *, shape: tuple[int, int], adds: bool
) -> None:
    """Code for ``shape`` (rows, columns) of up to four tiles of sums, over ``steps`` tiles of the depth."""
    rows, columns = shape
    places = [(row, column) for row in range(rows) for column in range(columns)]
    for number, place in enumerate(places):
        if adds:
            _call(builder, "tileloadd64", _I8(number), out.tile(builder, *place), out.row)
        else:
            _call(builder, "tilezero", _I8(number))
    before = builder.basic_block
    loop, after = builder.append_basic_block("tiles"), builder.append_basic_block("tiles.end")
    builder.branch(loop)
    builder.position_at_end(loop)
    step = builder.phi(_I64)

    def load(register: int, grid: Grid, below: int, beside: int) -> None:
        where = builder.gep(grid.tile(builder, below, beside), [builder.mul(step, grid.step)])
        _call(builder, "tileloadd64", _I8(register), where, grid.row)

    for column in range(columns):
        load(6 + column, right, 0, column)
    for row in range(rows):
        load(4 + row % 2, left, row, 0)
        for column in range(columns):
            _call(builder, "tdpbf16ps", _I8(row * columns + column), _I8(4 + row % 2), _I8(6 + column))
    following = builder.add(step, _I64(1))
    step.add_incoming(_I64(0), before)
    step.add_incoming(following, loop)
    builder.cbranch(builder.icmp_signed("<", following, steps), loop, after)
    builder.position_at_end(after)
    for number, place in enumerate(places):
        _call(builder, "tilestored64", _I8(number), out.tile(builder, *place), out.row)


def transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Sixteen vectors of sixteen numbers, transposed: blocks of 8, 4, 2 and 1 change places."""
    for block in (8, 4, 2, 1):
        into = list(rows)
        for i in range(16):
            if i & block:
                continue
            one, two = rows[i], rows[i + block]
            # from each of both: the lanes whose number lacks this bit, then those that have it
            low = [lane if not lane & block else 16 + lane - block for lane in range(16)]
            high = [lane + block if not lane & block else 16 + lane for lane in range(16)]
            for place, mask in ((i, low), (i + block, high)):
                into[place] = builder.shuffle_vector(one, two, ir.Constant(ir.VectorType(_I32, 16), mask))
        rows = into
    return rows
