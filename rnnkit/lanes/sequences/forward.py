"""A recurrence over a whole sequence, for one micro-batch, from left to right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnnkit.lanes.compiling import compiled, inlined
from rnnkit.lanes.sequences.amx import begin_tiles, end_tiles
from rnnkit.lanes.sequences.gates import GRU, LSTM, RNN, gru_forward, lstm_forward, num_kept, rnn_forward
from rnnkit.lanes.sequences.operands import masked, put_operand, width
from rnnkit.lanes.sequences.products import MOST_ROWS, add_tile_4, product_4, tile_rows
from rnnkit.lanes.subnormals import flush_subnormals, restore_mode
from rnnkit.lanes.vectors import LANES, bare, load, present, store

BLOCK = 4 * LANES  # hidden units whose sums are made together


class Sizes(NamedTuple):
    """Sizes of a job: rows ``first`` to ``first + rows`` of a batch."""

    gates: tuple[int, ...]  # as many as the cell has: what is compiled knows a tuple's length by its type
    seq_len: int
    batch: int
    first: int
    rows: int
    padded: int
    hidden_size: int
    num_inputs: int
    input_steps: int  # in which the same inputs are read, with other weights in each
    numbers: int  # of x in a step and sample: one, or one for each gate
    mask_stride: int  # vectors from one step's masks to the next one's; 0 where they are constant over time
    mask_scale: np.float32  # of what is kept, where masks are bits


@compiled
def forward(  # type: ignore[no-untyped-def]
    sizes, kept, states, drive, x, weight_ih, inputs, bias, right, right_inputs, masks, left, left_inputs, tile, h, c
):  # fmt: skip
    """Run all steps.

    Every buffer is flat. ``kept`` (seq_len, padded, num_kept, H) or empty, ``states`` (seq_len, batch, H) or empty,
    ``drive`` (seq_len, batch, G * H), or None with ``x`` (seq_len, batch, numbers) and ``weight_ih`` (G * H,) in its
    place; beside which there may be ``inputs`` (seq_len / input_steps, rounded up, batch, I); ``right``: weight_hh as
    (H / BLOCK, G, H, BLOCK) in steps, ``right_inputs``: the inputs' weights likewise, I for the second H, for each of
    ``input_steps``; ``masks`` (seq_len or 1, G, batch, H) or empty, in float32 or, in uint16, as bits; ``left``: zeros
    (2, G or 1, padded, H), ``left_inputs`` (padded, I); ``h`` and ``c``: zeros (padded, H), left with the last states.
    """
    _forward(
        sizes, bare(kept), bare(states), bare(drive), bare(x), bare(weight_ih), bare(inputs), bare(bias), bare(right),
        bare(right_inputs), bare(masks), bare(left), bare(left_inputs), bare(tile), bare(h), bare(c)
    )  # fmt: skip


@compiled
def _forward(  # type: ignore[no-untyped-def]
    sizes, kept, states, drive, x, weight_ih, inputs, bias, right, right_inputs, masks, left, left_inputs, tile, h, c
):  # fmt: skip
    mode, shape = flush_subnormals(), begin_tiles(left)
    num_gates, size = len(sizes.gates), sizes.hidden_size
    units, step, num_rows = size // LANES, width(left), tile_rows(left)
    numbers = sizes.numbers
    num_left = num_gates if present(masks) else 1
    for t in range(sizes.seq_len):
        now, following = t % 2 * num_left, (t + 1) % 2 * num_left
        # Masks of the step that reads what this one makes.
        first_mask = min(t + 1, sizes.seq_len - 1) * sizes.mask_stride
        if inputs is not None and t % sizes.input_steps == 0:
            _take(sizes, t // sizes.input_steps, inputs, left_inputs)
        for block in range(size // BLOCK):
            for top in range(0, sizes.rows, num_rows):
                for gate in range(num_gates):
                    source = (now + (gate if num_left > 1 else 0)) * sizes.padded + top
                    product_4(
                        tile, gate * MOST_ROWS * BLOCK, BLOCK, left, source * size, size, step, LANES * size,
                        right, (block * num_gates + gate) * size * BLOCK, size // step,
                    )  # fmt: skip
                if inputs is not None:
                    _add_inputs(sizes, t % sizes.input_steps, block, top, tile, left_inputs, right_inputs)
                for row in range(top, min(top + num_rows, sizes.rows)):
                    sample = t * sizes.batch + sizes.first + row
                    for vector in range(4):
                        place, unit = (row - top) * 4 + vector, block * 4 + vector
                        at = row * units + unit
                        slot = (t * sizes.padded + row) * num_kept(num_gates) * units + unit
                        if num_gates == RNN:
                            value = rnn_forward(
                                tile, place, bias, drive, x, weight_ih, sample, numbers, units, unit, kept, slot
                            )  # fmt: skip
                        elif num_gates == LSTM:
                            value = lstm_forward(
                                tile, place, bias, drive, x, weight_ih, sample, numbers, units, unit, kept, slot, c, at
                            )  # fmt: skip
                        else:
                            value = gru_forward(
                                tile, place, bias, drive, x, weight_ih, sample, numbers, units, unit, kept, slot, h, at,
                                inputs is not None,
                            )  # fmt: skip
                        if num_gates == GRU or t == sizes.seq_len - 1:
                            store(h, at, value)
                        if present(states):
                            store(states, sample * units + unit, value)
                        if not present(masks):
                            put_operand(left, (following * sizes.padded + row) * units + unit, value)
                        else:
                            for gate in range(num_gates):
                                at_mask = (gate * sizes.batch + sizes.first + row) * units + unit
                                where = ((following + gate) * sizes.padded + row) * units + unit
                                read = masked(value, masks, first_mask + at_mask, sizes.mask_scale)
                                put_operand(left, where, read)
    end_tiles(left, shape)
    restore_mode(mode)


@inlined
def _take(sizes, chunk, inputs, left_inputs):  # type: ignore[no-untyped-def]
    """Round the inputs of a chunk of steps to a left operand."""
    vectors = sizes.num_inputs // LANES
    for row in range(sizes.rows):
        sample = chunk * sizes.batch + sizes.first + row
        for vector in range(vectors):
            put_operand(left_inputs, row * vectors + vector, load(inputs, sample * vectors + vector))


@inlined
def _add_inputs(sizes, phase, block, top, tile, left_inputs, right_inputs):  # type: ignore[no-untyped-def]
    """Add to the sums of a tile what the inputs contribute; of the GRU's candidate, whose sum is gated, beside it."""
    num_gates, depth, step = len(sizes.gates), sizes.num_inputs, width(left_inputs)
    first = (phase * (sizes.hidden_size // BLOCK) + block) * num_gates
    for gate in range(num_gates):
        source, panel = top * depth, (first + gate) * depth * BLOCK
        if num_gates == GRU and gate == 2:
            product_4(
                tile, 3 * MOST_ROWS * BLOCK, BLOCK, left_inputs, source, depth, step, LANES * depth, right_inputs,
                panel, depth // step,
            )  # fmt: skip
        else:
            add_tile_4(
                tile, gate * MOST_ROWS * BLOCK, BLOCK, left_inputs, source, depth, step, LANES * depth, right_inputs,
                panel, depth // step,
            )  # fmt: skip
