"""A recurrence over a whole sequence, for one micro-batch, from left to right."""

from __future__ import annotations

from typing import NamedTuple

from rnnkit.lanes.compiling import compiled
from rnnkit.lanes.sequences.gates import LSTM, RNN, gru_forward, lstm_forward, rnn_forward
from rnnkit.lanes.sequences.operands import put_operand, width
from rnnkit.lanes.sequences.products import TILE_ROWS, product_4
from rnnkit.lanes.subnormals import flush_subnormals, restore_mode
from rnnkit.lanes.vectors import LANES, bare, load, present, store

BLOCK = 4 * LANES  # hidden units whose sums are made together


class Sizes(NamedTuple):
    """Sizes of a job: rows ``first`` to ``first + rows`` of a batch."""

    cell: int
    num_gates: int
    num_kept: int
    seq_len: int
    batch: int
    first: int
    rows: int
    padded: int
    hidden_size: int


@compiled
def forward(sizes, kept, states, drive, x, weight_ih, bias, right, masks, left, tile, h, c):  # type: ignore[no-untyped-def]
    """Run all steps.

    Every buffer is flat. ``kept`` (seq_len, padded, num_kept, H) or empty, ``states`` (seq_len, batch, H) or empty,
    ``drive`` (seq_len, batch, G * H), or empty with ``x`` (seq_len, batch) and ``weight_ih`` (G * H,) in its place;
    ``right``: weight_hh as (H / BLOCK, G, H, BLOCK) in steps; ``masks`` (G, batch, H) or empty; ``left``: zeros
    (2, G or 1, padded, H); ``h`` and ``c``: zeros (padded, H), left with the last states.
    """
    _forward(
        sizes, bare(kept), bare(states), bare(drive), bare(x), bare(weight_ih),
        bare(bias), bare(right), bare(masks), bare(left), bare(tile), bare(h), bare(c)
    )  # fmt: skip


@compiled
def _forward(sizes, kept, states, drive, x, weight_ih, bias, right, masks, left, tile, h, c):  # type: ignore[no-untyped-def]
    mode = flush_subnormals()
    cell, num_gates, size = sizes.cell, sizes.num_gates, sizes.hidden_size
    units, step = size // LANES, width(left)
    num_left = num_gates if present(masks) else 1
    for t in range(sizes.seq_len):
        now, following = t % 2 * num_left, (t + 1) % 2 * num_left
        for block in range(size // BLOCK):
            for top in range(0, sizes.rows, TILE_ROWS):
                for gate in range(num_gates):
                    source = (now + (gate if num_left > 1 else 0)) * sizes.padded + top
                    product_4(
                        tile, gate * TILE_ROWS * BLOCK, BLOCK, left, source * size, size, step,
                        right, (block * num_gates + gate) * size * BLOCK, size // step,
                    )  # fmt: skip
                for row in range(top, min(top + TILE_ROWS, sizes.rows)):
                    sample = t * sizes.batch + sizes.first + row
                    for vector in range(4):
                        place, unit = (row - top) * 4 + vector, block * 4 + vector
                        at = row * units + unit
                        slot = (t * sizes.padded + row) * sizes.num_kept * units + unit
                        if cell == RNN:
                            value = rnn_forward(
                                tile, place, bias, drive, x, weight_ih, sample, units, unit, kept, slot
                            )
                        elif cell == LSTM:
                            value = lstm_forward(
                                tile, place, bias, drive, x, weight_ih, sample, units, unit, kept, slot, c, at
                            )
                        else:
                            value = gru_forward(
                                tile, place, bias, drive, x, weight_ih, sample, units, unit, kept, slot, h, at
                            )
                        store(h, at, value)
                        if present(states):
                            store(states, sample * units + unit, value)
                        if not present(masks):
                            put_operand(left, (following * sizes.padded + row) * units + unit, value)
                        else:
                            for gate in range(num_gates):
                                mask = load(masks, (gate * sizes.batch + sizes.first + row) * units + unit)
                                where = ((following + gate) * sizes.padded + row) * units + unit
                                put_operand(left, where, value * mask)
    restore_mode(mode)
