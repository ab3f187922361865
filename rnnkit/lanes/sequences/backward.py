"""Back-propagation through a whole sequence, for one micro-batch, from right to left."""

from __future__ import annotations

from rnnkit.lanes.compiling import compiled, inlined
from rnnkit.lanes.sequences.amx import begin_tiles, end_tiles
from rnnkit.lanes.sequences.forward import BLOCK
from rnnkit.lanes.sequences.gates import (
    GRU,
    LSTM,
    NUM_DELTAS,
    RNN,
    gru_backward,
    lstm_backward,
    num_kept,
    rnn_backward,
)
from rnnkit.lanes.sequences.operands import (
    masked,
    put_operand,
    put_steps,
    recall,
    tanh_beside,
    tiled,
    turn,
    width,
)
from rnnkit.lanes.sequences.products import (
    add_column,
    add_product_4,
    column_rows,
    outer_rows,
    product_4,
    tile_rows,
)
from rnnkit.lanes.subnormals import flush_subnormals, restore_mode
from rnnkit.lanes.vectors import LANES, bare, fma, load, present, splat, store


@compiled
def backward(  # type: ignore[no-untyped-def]
    sizes, kept, x, inputs, right, masks, grad_states, grad_h, grad_c, tanh_c, grad_drive, grad_weight, grad_bias,
    grad_input, grad_inputs, left, deltas, summands, states, taken, tile, num_slots,
):  # fmt: skip
    """Run all steps backwards.

    Buffers beside those of :func:`forward`: ``right``: weight_hh for the way back, (H / BLOCK, G, H, BLOCK) in steps;
    ``grad_states`` (seq_len, batch, H) or empty; ``grad_h``, ``grad_c``: the last states' gradients (padded, H);
    ``grad_drive`` (seq_len, batch, G * H) or None; ``grad_weight`` (G * H, H), ``grad_bias`` (G or 4, H) and
    ``grad_input`` (G, H), the gradient of ``weight_ih``, and ``grad_inputs`` (input_steps, G, I / LANES, H / LANES,
    LANES, LANES), that of the inputs' weights, are added to. ``left``: zeros (padded, G * H); ``summands``: zeros
    (G * H / LANES, num_slots * padded, LANES) in steps, of a GRU with inputs H / LANES more; ``states``: (G or 1,
    H / BLOCK, num_slots * padded, BLOCK) in steps; they collect ``num_slots`` time steps for one product. ``taken``:
    zeros (I / LANES, padded, LANES) in steps, for the inputs of a chunk of steps.
    """
    _backward(
        sizes, bare(kept), bare(x), bare(inputs), bare(right), bare(masks), bare(grad_states), bare(grad_h),
        bare(grad_c), bare(tanh_c), bare(grad_drive), bare(grad_weight), bare(grad_bias), bare(grad_input),
        bare(grad_inputs), bare(left), bare(deltas), bare(summands), bare(states), bare(taken), bare(tile), num_slots,
    )  # fmt: skip


@compiled
def _backward(  # type: ignore[no-untyped-def]
    sizes, kept, x, inputs, right, masks, grad_states, grad_h, grad_c, tanh_c, grad_drive, grad_weight, grad_bias,
    grad_input, grad_inputs, left, deltas, summands, states, taken, tile, num_slots,
):  # fmt: skip
    mode, shape = flush_subnormals(), begin_tiles(left)
    cell, size = len(sizes.gates), sizes.hidden_size
    units = size // LANES
    stride = num_kept(cell) * units
    if cell == LSTM:
        for row in range(sizes.rows):
            for unit in range(units):
                slot = ((sizes.seq_len - 1) * sizes.padded + row) * stride + 4 * units + unit
                store(tanh_c, row * units + unit, tanh_beside(kept, recall(kept, slot)))
    filled = 0
    for t in range(sizes.seq_len - 1, -1, -1):
        for row in range(0, sizes.rows, 2):
            for unit in range(units):
                for half in range(2):
                    _deltas(
                        sizes, t, row + half, unit, half * NUM_DELTAS, deltas, kept, grad_states, grad_h, grad_c, tanh_c
                    )  # fmt: skip
                _sum_up(sizes, t, row, unit, deltas, x, grad_drive, grad_bias, grad_input)
                _collect(
                    sizes, t, row, unit, filled, num_slots, deltas, masks, left, summands, states, inputs is not None
                )  # fmt: skip
        _turn(sizes, filled, num_slots, deltas, summands, inputs is not None)
        if inputs is not None:
            if t == sizes.seq_len - 1 or (t + 1) % sizes.input_steps == 0:
                _take_inputs(sizes, t // sizes.input_steps, inputs, taken)
            _add_weights_of_inputs(
                sizes, t % sizes.input_steps, filled, num_slots, summands, taken, grad_inputs
            )
        filled += 1
        if filled == num_slots or t == 0:
            _add_weights(sizes, filled, num_slots, present(masks), summands, states, grad_weight)
            filled = 0
        if t > 0:
            _step_back(sizes, t, left, right, masks, tile, grad_h)
    end_tiles(left, shape)
    restore_mode(mode)


@inlined
def _deltas(sizes, t, row, unit, first, deltas, kept, grad_states, grad_h, grad_c, tanh_c):  # type: ignore[no-untyped-def]
    """Deltas of one sample and one vector of units, into rows of ``deltas``; zeros where there is no such row."""
    cell, units = len(sizes.gates), sizes.hidden_size // LANES
    if row >= sizes.rows:
        for index in range(NUM_DELTAS):
            store(deltas, first + index, splat(deltas, 0.0))
        return
    at, sample = row * units + unit, t * sizes.batch + sizes.first + row
    gradient = load(grad_h, at)
    if present(grad_states):
        gradient = gradient + load(grad_states, sample * units + unit)
    stride = num_kept(cell) * units
    slot = (t * sizes.padded + row) * stride + unit
    before = ((t - 1) * sizes.padded + row) * stride + unit if t > 0 else -1
    if cell == RNN:
        rnn_backward(deltas, first, gradient, kept, slot, before)
    elif cell == LSTM:
        lstm_backward(deltas, first, gradient, kept, slot, before, at, units, grad_c, tanh_c)
    else:
        gru_backward(deltas, first, gradient, kept, slot, before, grad_h, at, units)


@inlined
def _sum_up(sizes, t, row, unit, deltas, x, grad_drive, grad_bias, grad_input):  # type: ignore[no-untyped-def]
    """Hand the deltas of two samples to the drive, or add them to the gradients of what the input is multiplied by."""
    cell, units = len(sizes.gates), sizes.hidden_size // LANES
    sample = t * sizes.batch + sizes.first + row
    has_other = row + 1 < sizes.rows
    for gate in range(cell):
        one, two = load(deltas, gate), load(deltas, NUM_DELTAS + gate)
        where = gate * units + unit
        if cell == GRU and gate == 2:
            store(grad_bias, where + units, load(grad_bias, where + units) + (one + two))
            one, two = load(deltas, 4), load(deltas, NUM_DELTAS + 4)
        store(grad_bias, where, load(grad_bias, where) + (one + two))
        if grad_drive is not None:
            store(grad_drive, (sample * cell + gate) * units + unit, one)
            if has_other:
                store(grad_drive, ((sample + 1) * cell + gate) * units + unit, two)
        elif x is not None:
            number = sample * sizes.numbers + min(gate, sizes.numbers - 1)
            total = fma(splat(x, x[number]), one, load(grad_input, where))
            if has_other:
                total = fma(splat(x, x[number + sizes.numbers]), two, total)
            store(grad_input, where, total)


@inlined
def _collect(  # type: ignore[no-untyped-def]
    sizes, t, row, unit, filled, num_slots, deltas, masks, left, summands, states, has_inputs
):  # fmt: skip
    """Round the deltas and states of two samples to operands: of the way back, and of the weights' gradient."""
    num_gates, units = len(sizes.gates), sizes.hidden_size // LANES
    depth, total = filled * sizes.padded + row, num_slots * sizes.padded
    for gate in range(num_gates):
        one, two = load(deltas, gate), load(deltas, NUM_DELTAS + gate)
        where = gate * units + unit
        put_operand(left, row * num_gates * units + where, one)
        put_operand(left, (row + 1) * num_gates * units + where, two)
        put_steps(summands, where * total + depth, 1, one, two)
    if has_inputs and num_gates == GRU:
        one, two = load(deltas, 4), load(deltas, NUM_DELTAS + 4)
        put_steps(summands, (3 * units + unit) * total + depth, 1, one, two)
    one, two = load(deltas, num_gates), load(deltas, NUM_DELTAS + num_gates)
    block, vector = unit // 4, unit % 4
    column = vector * width(states)
    if not present(masks):
        put_steps(states, (block * total + depth) * 4 + column, 4, one, two)
        return
    sample = sizes.first + row
    other = min(sample + 1, sizes.batch - 1)  # of a row that is not there, which is zero
    for gate in range(num_gates):
        where = (gate * units // 4 + block) * total + depth
        first = t * sizes.mask_stride + gate * sizes.batch * units + unit
        read = masked(one, masks, first + sample * units, sizes.mask_scale)
        read_two = masked(two, masks, first + other * units, sizes.mask_scale)
        put_steps(states, where * 4 + column, 4, read, read_two)


@inlined
def _turn(sizes, slot, num_slots, deltas, summands, has_inputs):  # type: ignore[no-untyped-def]
    """Turn the summands in one slot into rows of a left operand, where products are made of tiles."""
    if not tiled(summands):
        return
    num_gates, units = len(sizes.gates), sizes.hidden_size // LANES
    parts = num_gates + 1 if has_inputs and num_gates == GRU else num_gates
    zero = splat(deltas, 0.0)
    for where in range(parts * units):
        first = (where * num_slots + slot) * sizes.padded
        for row in range(sizes.rows + sizes.rows % 2, sizes.padded, 2):
            put_steps(summands, first + row, 1, zero, zero)  # where steps of the last time were turned
        for row in range(0, sizes.padded, 2 * LANES):
            turn(summands, first + row)


@inlined
def _take_inputs(sizes, chunk, inputs, taken):  # type: ignore[no-untyped-def]
    """Round the inputs of a chunk of steps to an operand of their weights' gradient."""
    vectors = sizes.num_inputs // LANES
    for row in range(0, sizes.rows, 2):
        sample = chunk * sizes.batch + sizes.first + row
        for vector in range(vectors):
            one, two = load(inputs, sample * vectors + vector), splat(inputs, 0.0)
            if row + 1 < sizes.rows:
                two = load(inputs, (sample + 1) * vectors + vector)
            put_steps(taken, vector * sizes.padded + row, 1, one, two)


@inlined
def _add_weights(sizes, filled, num_slots, masked, summands, states, grad_weight):  # type: ignore[no-untyped-def]
    """Add the outer products of deltas and states of the steps collected."""
    for gate in range(len(sizes.gates)):
        first = gate * (sizes.hidden_size // BLOCK) if masked else 0
        _add_outer(sizes, filled, num_slots, gate, summands, states, first, grad_weight)


@inlined
def _add_weights_of_inputs(sizes, phase, slot, num_slots, summands, taken, grad_inputs):  # type: ignore[no-untyped-def]
    """Add the outer products of the deltas in one slot and inputs, to the weights of this step of their chunk."""
    num_gates = len(sizes.gates)
    for gate in range(num_gates):
        source = 3 if num_gates == GRU and gate == 2 else gate  # what the candidate hands to its input
        _add_columns(sizes, slot, num_slots, phase * num_gates + gate, source, summands, taken, grad_inputs)


@compiled
def _add_columns(sizes, slot, num_slots, part, source, summands, taken, result):  # type: ignore[no-untyped-def]
    """Add to part ``part`` of ``result`` the outer product of summands of gate ``source`` and inputs.

    In the order in which it is gone through, (.., I / LANES, H / LANES, LANES, LANES): all parts together are larger
    than the second-level cache, and are fetched ahead only as long as they are read one line after the other.
    """
    step, units, vectors = width(taken), sizes.hidden_size // LANES, sizes.num_inputs // LANES
    total, first = num_slots * sizes.padded, slot * sizes.padded
    for vector in range(vectors):
        for row in range(0, sizes.hidden_size, column_rows(taken)):
            unit, lane = row // LANES, row % LANES
            add_column(
                result, ((part * vectors + vector) * sizes.hidden_size + row) * LANES, LANES,
                summands, ((source * units + unit) * total + first) * LANES + lane * step, step, LANES * step,
                total * LANES, taken, vector * sizes.padded * LANES, sizes.padded // step,
            )  # fmt: skip


@compiled
def _add_outer(sizes, filled, num_slots, gate, summands, columns, first, result):  # type: ignore[no-untyped-def]
    """Add to a gate's rows of ``result`` one product over the steps collected: columns from block ``first`` on."""
    step, size, total = width(columns), sizes.hidden_size, num_slots * sizes.padded
    units = size // LANES
    for block in range(size // BLOCK):
        for row in range(0, size, outer_rows(columns)):
            unit, lane = row // LANES, row % LANES
            add_product_4(
                result, (gate * size + row) * size + block * BLOCK, size,
                summands, (gate * units + unit) * total * LANES + lane * step, step, LANES * step, total * LANES,
                columns, (first + block) * total * BLOCK, filled * sizes.padded // step,
            )  # fmt: skip


@compiled
def _step_back(sizes, t, left, right, masks, tile, grad_h):  # type: ignore[no-untyped-def]
    """What comes back through the gates as the state's gradient, of a GRU beside what passed by them."""
    num_gates, size, step = len(sizes.gates), sizes.hidden_size, width(left)
    units, width_left, num_rows = size // LANES, num_gates * size, tile_rows(left)
    parts = num_gates if present(masks) else 1
    depth = width_left // parts
    for block in range(size // BLOCK):
        for top in range(0, sizes.rows, num_rows):
            for part in range(parts):
                product_4(
                    tile, 0, BLOCK, left, top * width_left + part * depth, width_left, step,
                    LANES * width_left, right, (block * width_left + part * depth) * BLOCK, depth // step,
                )  # fmt: skip
                for row in range(top, min(top + num_rows, sizes.rows)):
                    for vector in range(4):
                        unit = block * 4 + vector
                        value = load(tile, (row - top) * 4 + vector)
                        if present(masks):
                            at_mask = (
                                t * sizes.mask_stride
                                + (part * sizes.batch + sizes.first + row) * units
                                + unit
                            )
                            value = masked(value, masks, at_mask, sizes.mask_scale)
                        if num_gates == GRU or part > 0:
                            value = value + load(grad_h, row * units + unit)
                        store(grad_h, row * units + unit, value)
