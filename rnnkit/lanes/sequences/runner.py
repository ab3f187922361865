"""A recurrence of a batch: cut into micro-batches that stay in cache, which threads work on side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from rnnkit.lanes.compiling import compiled
from rnnkit.lanes.sequences import amx
from rnnkit.lanes.sequences.backward import backward
from rnnkit.lanes.sequences.forward import BLOCK, Sizes, forward
from rnnkit.lanes.sequences.gates import GRU, NUM_DELTAS, NUM_GATES, num_kept
from rnnkit.lanes.sequences.operands import processor_has
from rnnkit.lanes.sequences.products import MOST_ROWS, TILE_ROWS
from rnnkit.lanes.vectors import LANES

ROWS = 96  # samples of a micro-batch at most: its states and the weights share the second-level cache
ROWS_OF_TILES, ROWS_OF_INPUTS = 128, 256  # and where tiles are multiplied, without and with inputs of chunks
DEPTH = 256  # samples times steps in one product of the weights' gradient
ALIGNMENT = 64
PAIRS = processor_has("avx512bf16")  # whether rounded operands are multiplied in pairs
TILES = PAIRS and amx.usable()  # and those in tiles


@dataclass(frozen=True)
class Problem:
    """A recurrence and its operands; arrays are C-contiguous float32.

    Attributes
    ----------
    cell : {"rnn", "lstm", "gru"}
    weight_hh : ndarray (G * H, H)
    bias_hh : ndarray (G * H,) or None
    seq_len, batch : int
    drive : ndarray (seq_len, batch, G * H) or None
        The input's contribution, its bias included.
    x, weight_ih, bias_ih : ndarray (seq_len, batch) or (seq_len, batch, G), (G * H,), (G * H,), or None
        One number of input a step, or one for each gate, where there is no drive.
    inputs, weight_inputs : ndarray (ceil(seq_len / P), batch, I), (P, G * H, I), or None
        More inputs beside x, read in P steps with other weights in each; I is a multiple of `LANES`. The backward pass
        needs no weights.
    masks : ndarray (G, batch, H) or (seq_len, G, batch, H), or None
        Constant over time, or those of each step; or, of uint16, (.., H / LANES) with a bit for each.
    mask_scale : float
        What is kept is multiplied by it, where masks are bits.
    bf16 : bool
        Whether operands of products are rounded to bfloat16, and what is kept to half precision.
    """

    cell: str
    weight_hh: np.ndarray
    bias_hh: np.ndarray | None
    seq_len: int
    batch: int
    drive: np.ndarray | None = None
    x: np.ndarray | None = None
    weight_ih: np.ndarray | None = None
    bias_ih: np.ndarray | None = None
    inputs: np.ndarray | None = None
    weight_inputs: np.ndarray | None = None
    masks: np.ndarray | None = None
    mask_scale: float = 1.0
    bf16: bool = False

    @property
    def hidden_size(self) -> int:
        """Hidden units."""
        return int(self.weight_hh.shape[1])

    @property
    def num_gates(self) -> int:
        """Gates of the cell."""
        return NUM_GATES[self.cell]

    @property
    def num_inputs(self) -> int:
        """Inputs beside x."""
        return 0 if self.inputs is None else int(self.inputs.shape[2])

    @property
    def numbers(self) -> int:
        """Numbers of x in a step and sample."""
        return 1 if self.x is None or self.x.ndim == 2 else int(self.x.shape[2])

    @property
    def mask_stride(self) -> int:
        """Vectors between the masks of two steps."""
        varies = self.masks is not None and self.masks.ndim == 4
        return self.num_gates * self.batch * self.hidden_size // LANES if varies else 0

    @property
    def operand_dtype(self) -> type:
        """What operands of products are stored as."""
        if not self.bf16:
            return np.float32
        if TILES and self.num_inputs % (2 * amx.DEPTH) == 0:
            return np.int16
        return np.uint16 if PAIRS else np.uint32

    @property
    def tile_rows(self) -> int:
        """Samples whose sums are made together."""
        return MOST_ROWS if self.operand_dtype is np.int16 else TILE_ROWS

    @property
    def micro_batches(self) -> list[tuple[int, int]]:
        """First row and number of rows of each.

        Larger ones where products are made of tiles: those take less time than fetching what they are added to.
        """
        most = ROWS
        if self.operand_dtype is np.int16:
            most = ROWS_OF_INPUTS if self.num_inputs else ROWS_OF_TILES
        return micro_batches(self.batch, self.tile_rows, most)

    @property
    def kept_dtype(self) -> type:
        """What numbers for the way back are stored as."""
        return np.uint16 if self.bf16 else np.float32

    def biases(self) -> np.ndarray:
        """Bias of each gate, (G, H); of the GRU, four rows: the candidate's recurrent bias is the last."""
        size, extra = self.hidden_size, 1 if self.cell == "gru" else 0
        bias = np.zeros((self.num_gates + extra, size), np.float32)
        if self.bias_hh is not None:
            parts = self.bias_hh.reshape(-1, size)
            bias[: self.num_gates - extra] = parts[: self.num_gates - extra]
            bias[self.num_gates - 1 + extra] = parts[-1]
        if self.bias_ih is not None:
            bias[: self.num_gates] += self.bias_ih.reshape(-1, size)
        return bias


@dataclass
class Tape:
    """What the forward pass leaves for the backward pass: one entry for each micro-batch."""

    sizes: list[Sizes] = field(default_factory=list)
    kept: list[np.ndarray] = field(default_factory=list)


@dataclass
class Gradients:
    """What the backward pass returns; shapes as in :class:`Problem`, ``bias_ih`` of drives left out."""

    weight_hh: np.ndarray
    bias_hh: np.ndarray
    drive: np.ndarray | None
    weight_ih: np.ndarray | None
    bias_ih: np.ndarray | None
    weight_inputs: np.ndarray | None


def micro_batches(batch: int, tile_rows: int, most: int) -> list[tuple[int, int]]:
    """First row and number of rows of each: whole tiles but for the last; an even number of them, from two tiles up."""
    count = -(-batch // most)
    if batch > 2 * tile_rows:
        count += count % 2
    tiles = -(-batch // tile_rows)
    ends = [min((tiles * k // count) * tile_rows, batch) for k in range(count + 1)]
    return [(first, end - first) for first, end in pairwise(ends)]


def run_forward(
    problem: Problem, *, keep: bool, states: np.ndarray | None = None, threads: int = 1
) -> tuple[np.ndarray, np.ndarray, Tape]:
    """Run all steps from zero states.

    Parameters
    ----------
    problem : Problem
    keep : bool
        Whether a backward pass is to follow.
    states : ndarray (seq_len, batch, H), optional
        Filled with the states.
    threads : int

    Returns
    -------
    h, c : ndarray (batch, H)
        Last states; c is zero but for the LSTM.
    tape : Tape
    """
    num_gates, size = problem.num_gates, problem.hidden_size
    right = _right_operand(problem, problem.weight_hh[None])
    right_inputs = None if problem.weight_inputs is None else _right_operand(problem, problem.weight_inputs)
    bias, masks = problem.biases().ravel(), _flat_masks(problem.masks)
    num_left = num_gates if problem.masks is not None else 1
    h, c = (np.zeros((problem.batch, size), np.float32) for _ in range(2))
    tape = Tape()

    def job(sizes: Sizes, kept: np.ndarray) -> None:
        left = aligned(2 * num_left * sizes.padded * size, problem.operand_dtype)
        left_inputs = aligned(sizes.padded * sizes.num_inputs, problem.operand_dtype)
        tile = aligned((num_gates + 1) * MOST_ROWS * BLOCK, np.float32)
        rows_h, rows_c = (aligned(sizes.padded * size, np.float32) for _ in range(2))
        forward(
            sizes, kept, _flat(states), _source(problem.drive), _source(problem.x), _source(problem.weight_ih),
            _source(problem.inputs), bias, right, right_inputs, masks, left, left_inputs, tile, rows_h, rows_c,
        )  # fmt: skip
        part = slice(sizes.first, sizes.first + sizes.rows)
        h[part] = rows_h.reshape(-1, size)[: sizes.rows]
        c[part] = rows_c.reshape(-1, size)[: sizes.rows]

    for first, rows in problem.micro_batches:
        padded = -(-rows // problem.tile_rows) * problem.tile_rows
        gates = tuple(range(num_gates))
        steps = 1 if problem.weight_inputs is None else len(problem.weight_inputs)
        sizes = Sizes(
            gates,
            problem.seq_len,
            problem.batch,
            first,
            rows,
            padded,
            size,
            problem.num_inputs,
            steps,
            problem.numbers,
            problem.mask_stride,
            np.float32(problem.mask_scale),
        )
        tape.sizes.append(sizes)
        count = problem.seq_len * padded * num_kept(num_gates) * size if keep else 0
        tape.kept.append(np.empty(count, problem.kept_dtype))
    for _ in _side_by_side(job, threads, tape.sizes, tape.kept):
        pass
    return h, c, tape


def run_backward(
    problem: Problem,
    tape: Tape,
    *,
    grad_h: np.ndarray | None,
    grad_c: np.ndarray | None,
    grad_states: np.ndarray | None,
    with_drive: bool = False,
    threads: int = 1,
) -> Gradients:
    """Gradients of the last states and of all states, each (..., batch, H) or None, back to the operands.

    ``with_drive`` asks for the gradient of a drive. Micro-batches are summed in their order: bits do not depend on
    ``threads``.
    """
    size, num_gates = problem.hidden_size, problem.num_gates
    right = _backward_operand(problem)
    masks, x = _flat_masks(problem.masks), _source(problem.x)
    num_states = num_gates if problem.masks is not None else 1
    shape = (problem.seq_len, problem.batch, num_gates * size)
    grad_drive = np.empty(shape, np.float32) if with_drive else None
    num_biases = num_gates + (problem.cell == "gru")
    num_summands = num_biases if problem.num_inputs else num_gates

    def job(sizes: Sizes, kept: np.ndarray) -> tuple[np.ndarray, ...]:
        part = slice(sizes.first, sizes.first + sizes.rows)
        num_slots = max(1, DEPTH // sizes.padded)

        def rows_of(gradient: np.ndarray | None) -> np.ndarray:
            filled = aligned(sizes.padded * size, np.float32)
            if gradient is not None:
                filled.reshape(-1, size)[: sizes.rows] = gradient[part]
            return filled

        weight, left = aligned(num_gates * size * size, np.float32), sizes.padded * num_gates * size
        bias, weight_ih = aligned(num_biases * size, np.float32), aligned(num_gates * size, np.float32)
        weight_inputs = aligned(sizes.input_steps * num_gates * size * sizes.num_inputs, np.float32)
        depth = num_slots * sizes.padded
        backward(
            sizes, kept, x, _source(problem.inputs), right, masks, _flat(grad_states), rows_of(grad_h), rows_of(grad_c),
            rows_of(None), _source(grad_drive), weight, bias, weight_ih, weight_inputs,
            aligned(left, problem.operand_dtype), aligned(2 * NUM_DELTAS * LANES, np.float32),
            aligned(depth * num_summands * size, problem.operand_dtype),
            aligned(depth * size * num_states, problem.operand_dtype),
            aligned(sizes.padded * sizes.num_inputs, problem.operand_dtype),
            aligned(MOST_ROWS * BLOCK, np.float32), num_slots,
        )  # fmt: skip
        return weight, bias, weight_ih, weight_inputs

    parts = _side_by_side(job, threads, tape.sizes, tape.kept)
    weight, bias, weight_ih, weight_inputs = totals = next(parts)
    for part in parts:
        for total, summand in zip(totals, part, strict=True):
            total += summand
    bias = bias.reshape(-1, size)
    recurrent = bias[[0, 1, 3]] if num_gates == GRU else bias
    driven = problem.x is None
    return Gradients(
        weight.reshape(-1, size),
        recurrent.ravel(),
        grad_drive,
        None if driven else weight_ih,
        None if driven else bias[:num_gates].ravel(),
        _untiled(weight_inputs, num_gates, size, problem.num_inputs) if problem.num_inputs else None,
    )


def aligned(count: int, dtype: Any) -> np.ndarray:
    """Zeros that begin at a cache line."""
    whole = np.zeros(count + ALIGNMENT, dtype)
    start = -whole.ctypes.data % ALIGNMENT // whole.itemsize
    return whole[start : start + count]


def _side_by_side(job: Callable[..., Any], threads: int, *arguments: list[Any]) -> Iterator[Any]:
    """Results in the order of their arguments, each as soon as it and those before it are there."""
    if threads == 1 or len(arguments[0]) == 1:
        yield from map(job, *arguments)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(job, *arguments)


def _untiled(tiles: np.ndarray, num_gates: int, size: int, num_inputs: int) -> np.ndarray:
    """Tiles in the order of the backward pass, (P, G, I / LANES, H / LANES, LANES, LANES), as (P, G * H, I)."""
    tiles = tiles.reshape(-1, num_gates, num_inputs // LANES, size // LANES, LANES, LANES)
    return tiles.transpose(0, 1, 3, 4, 2, 5).reshape(-1, num_gates * size, num_inputs)


def _flat(array: np.ndarray | None) -> np.ndarray:
    return np.empty(0, np.float32) if array is None else array.reshape(-1)


def _flat_masks(masks: np.ndarray | None) -> np.ndarray:
    """As :func:`_flat`; none are an empty array of bits, for which there are loops already where there is training."""
    return np.empty(0, np.uint16) if masks is None else masks.reshape(-1)


def _source(array: np.ndarray | None) -> np.ndarray | None:
    """As :func:`_flat`, but None stays: what a recurrence reads is known while it is compiled."""
    return None if array is None else array.reshape(-1)


def _right_operand(problem: Problem, weights: np.ndarray) -> np.ndarray:
    """Weights (P, G * H, I) as right operand of ``rows @ weight.T``: (P, H / BLOCK, G, I / step, BLOCK, step)."""
    numbers = _rounded(weights, problem.operand_dtype)
    if numbers.dtype.itemsize == 2:
        numbers = numbers.view(np.uint32)  # pairs stay together
    blocks = problem.num_gates, problem.hidden_size // BLOCK, BLOCK
    parts = numbers.reshape(len(weights), *blocks, -1)
    return _laid_out(parts.transpose(0, 2, 1, 4, 3), problem.operand_dtype)


def _backward_operand(problem: Problem) -> np.ndarray:
    """weight_hh (G * H, H) as right operand of ``delta @ weight_hh``: (H / BLOCK, G, H / step, BLOCK, step)."""
    numbers, size = _rounded(problem.weight_hh, problem.operand_dtype), problem.hidden_size
    step = 2 if numbers.dtype.itemsize == 2 else 1
    parts = numbers.reshape(problem.num_gates, size // step, step, size // BLOCK, BLOCK)
    return _laid_out(parts.transpose(3, 0, 1, 4, 2), problem.operand_dtype)


def _rounded(numbers: np.ndarray, dtype: type) -> np.ndarray:
    """Numbers of float32 as those of an operand of this type, in their order."""
    if dtype is np.float32:
        return numbers
    rounded = np.empty(numbers.shape, np.uint16)
    _round(numbers.reshape(-1).view(np.uint32), rounded.reshape(-1))
    return rounded.astype(np.uint32) << 16 if dtype is np.uint32 else rounded.view(dtype)


def _laid_out(panels: np.ndarray, dtype: type) -> np.ndarray:
    """The same numbers one after the other, from a cache line on."""
    operand = aligned(panels.nbytes // np.dtype(dtype).itemsize, dtype)
    operand.view(panels.dtype).reshape(panels.shape)[...] = panels
    return operand


@compiled
def _round(bits, rounded):  # type: ignore[no-untyped-def]
    """Round the bits of float32 to bfloat16: to nearest, ties to even; subnormals stay, unlike in `put_operand`."""
    for i in range(bits.size):
        number = bits[i]
        if number & 0x7FFFFFFF > 0x7F800000:  # not a number, which rounding could make infinite
            rounded[i] = 0x7FC0
        else:
            rounded[i] = (number + 0x7FFF + (number >> 16 & 1)) >> 16
