"""What is done with a tile of ``LANES`` models: training steps, gradients, margins, states."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnnkit.lanes import gru, vanilla
from rnnkit.lanes.compiling import compiled
from rnnkit.lanes.layout import GROUP, offsets, word_table, word_table_backward
from rnnkit.lanes.vectors import LANES, fma, load, sigmoid, splat, sqrt, store


class Sizes(NamedTuple):
    """What a tile's models and sentences have in common."""

    vocabulary_size: int
    input_size: int
    hidden_size: int
    gates: int
    seq_len: int
    num_parameters: int


class Scratch(NamedTuple):
    """Buffers that a thread keeps for its tiles; contents mean nothing between calls."""

    table: np.ndarray
    table_gradients: np.ndarray
    states: np.ndarray
    gates: np.ndarray
    state_gradients: np.ndarray
    unit_gradients: np.ndarray
    gradients: np.ndarray
    targets: np.ndarray
    logit_gradients: np.ndarray
    word_rows: np.ndarray


def make_scratch(sizes: Sizes, dtype: np.dtype) -> Scratch:
    """Buffers for models and sentences of these sizes."""

    def rows(count: int) -> np.ndarray:
        return np.zeros(count * LANES, dtype)

    table = sizes.vocabulary_size * sizes.gates * sizes.hidden_size
    group = GROUP * sizes.hidden_size
    return Scratch(
        table=rows(table),
        table_gradients=rows(table),
        states=rows((sizes.seq_len + 1) * group),
        gates=rows(sizes.seq_len * group * 4 if sizes.gates == 3 else 1),
        state_gradients=rows(group),
        unit_gradients=rows(sizes.gates * group),
        gradients=rows(sizes.num_parameters),
        targets=rows(GROUP),
        logit_gradients=rows(GROUP),
        word_rows=np.zeros(GROUP * sizes.seq_len * LANES, np.int64),
    )


@compiled
def _read(parameters, scratch, sizes, shared):  # type: ignore[no-untyped-def]
    """Run the group whose words are in the scratch."""
    _, weight_hh, _, bias_hh, _, _ = offsets(
        sizes.vocabulary_size, sizes.input_size, sizes.hidden_size, sizes.gates
    )
    if sizes.gates == 1:
        vanilla.forward(
            parameters,
            weight_hh,
            scratch.table,
            scratch.states,
            shared,
            scratch.word_rows,
            sizes.seq_len,
            sizes.hidden_size,
        )
    else:
        gru.forward(
            parameters,
            weight_hh,
            bias_hh + 2 * sizes.hidden_size,
            scratch.table,
            scratch.states,
            scratch.gates,
            shared,
            scratch.word_rows,
            sizes.seq_len,
            sizes.hidden_size,
        )


@compiled
def _margin(parameters, scratch, sizes, sentence):  # type: ignore[no-untyped-def]
    """Logit of class 1 less that of class 0 after the last word (Eq. 2, Mehta)."""
    size = sizes.hidden_size
    _, _, _, _, weight_out, bias_out = offsets(
        sizes.vocabulary_size, sizes.input_size, sizes.hidden_size, sizes.gates
    )
    last = (sizes.seq_len * GROUP + sentence) * size
    negative, positive = load(parameters, bias_out), load(parameters, bias_out + 1)
    for j in range(size):
        state = load(scratch.states, last + j)
        negative = fma(load(parameters, weight_out + j), state, negative)
        positive = fma(load(parameters, weight_out + size + j), state, positive)
    return positive - negative


@compiled
def _take(words, labels, order, first, end, scratch, sizes):  # type: ignore[no-untyped-def]
    """Put the words and labels of a group into the scratch; past the end, the first sentence again."""
    units = sizes.gates * sizes.hidden_size
    shared = order.shape[0] == 1
    for sentence in range(GROUP):
        place = first + sentence if first + sentence < end else first
        for lane in range(LANES):
            row = order[0 if shared else lane, place]
            scratch.targets[sentence * LANES + lane] = labels[row]
            if shared and lane > 0:
                continue
            for step in range(sizes.seq_len):
                at = step * GROUP + sentence
                scratch.word_rows[at if shared else at * LANES + lane] = words[row, step] * units


@compiled
def _gradients(parameters, words, labels, order, first, end, scratch, sizes, losses):  # type: ignore[no-untyped-def]
    """Gradients of the mean cross-entropy over ``order[first:end]``, into the scratch; losses are added up."""
    size = sizes.hidden_size
    _, weight_hh, _, bias_hh, weight_out, bias_out = offsets(
        sizes.vocabulary_size, sizes.input_size, size, sizes.gates
    )
    shared = order.shape[0] == 1
    word_table(parameters, 0, scratch.table, sizes.vocabulary_size, sizes.input_size, size, sizes.gates)
    scratch.table_gradients[:] = 0
    scratch.gradients[:] = 0
    gradients = scratch.gradients
    for start in range(first, end, GROUP):
        _take(words, labels, order, start, end, scratch, sizes)
        _read(parameters, scratch, sizes, shared)
        for sentence in range(GROUP):
            margin = _margin(parameters, scratch, sizes, sentence)
            target = load(scratch.targets, sentence)
            share = 1.0 / (end - first) if start + sentence < end else 0.0
            if losses.size > 0 and start + sentence < end:
                store(scratch.logit_gradients, sentence, margin)
                for lane in range(LANES):
                    value = scratch.logit_gradients[sentence * LANES + lane]
                    if scratch.targets[sentence * LANES + lane] > 0:
                        value = -value
                    losses[lane] += (max(value, 0.0) + np.log1p(np.exp(-abs(value)))) * share
            of_positive = (sigmoid(margin) - target) * splat(parameters, share)
            last = (sizes.seq_len * GROUP + sentence) * size
            zero = splat(parameters, 0.0)
            of_negative = zero - of_positive
            for j in range(size):
                state = load(scratch.states, last + j)
                row = weight_out + j
                store(gradients, row, fma(of_negative, state, load(gradients, row)))
                store(gradients, row + size, fma(of_positive, state, load(gradients, row + size)))
                apart = load(parameters, row + size) - load(parameters, row)
                store(scratch.state_gradients, sentence * size + j, of_positive * apart)
            store(gradients, bias_out, load(gradients, bias_out) + of_negative)
            store(gradients, bias_out + 1, load(gradients, bias_out + 1) + of_positive)
        if sizes.gates == 1:
            vanilla.backward(
                parameters,
                weight_hh,
                gradients,
                scratch.table_gradients,
                scratch.states,
                scratch.state_gradients,
                scratch.unit_gradients,
                shared,
                scratch.word_rows,
                sizes.seq_len,
                size,
            )
        else:
            gru.backward(
                parameters,
                weight_hh,
                gradients,
                bias_hh + 2 * size,
                scratch.table_gradients,
                scratch.states,
                scratch.gates,
                scratch.state_gradients,
                scratch.unit_gradients,
                shared,
                scratch.word_rows,
                sizes.seq_len,
                size,
            )
    word_table_backward(
        scratch.table_gradients,
        parameters,
        gradients,
        sizes.vocabulary_size,
        sizes.input_size,
        size,
        sizes.gates,
    )


@compiled
def _adam(parameters, first_moment, second_moment, gradients, step, learning_rate, num_parameters):  # type: ignore[no-untyped-def]
    """One step of Adam (Kingma & Ba 2015) as torch.optim.Adam writes it, a learning rate per lane."""
    rise, spread = splat(parameters, 1.0 - 0.9), splat(parameters, 1.0 - 0.999)
    keep = splat(parameters, 0.999)
    small = splat(parameters, 1e-8)
    correction = splat(parameters, 1.0 / np.sqrt(1.0 - 0.999**step))
    rate = load(learning_rate, 0) * splat(parameters, -1.0 / (1.0 - 0.9**step))
    for row in range(num_parameters):
        gradient = load(gradients, row)
        mean = load(first_moment, row)
        mean = fma(gradient - mean, rise, mean)
        square = fma(gradient * spread, gradient, load(second_moment, row) * keep)
        store(first_moment, row, mean)
        store(second_moment, row, square)
        length = fma(sqrt(square), correction, small)
        store(parameters, row, fma(rate, mean / length, load(parameters, row)))


@compiled
def train_tile(  # type: ignore[no-untyped-def]
    parameters,
    first_moment,
    second_moment,
    step,
    words,
    labels,
    order,
    batch_size,
    learning_rate,
    scratch,
    sizes,
):
    """One pass over ``order`` (1 or LANES, n) in batches; parameters and moments are updated."""
    number = order.shape[1]
    losses = np.zeros(0)
    for first in range(0, number, batch_size):
        end = min(first + batch_size, number)
        _gradients(parameters, words, labels, order, first, end, scratch, sizes, losses)
        step += 1
        _adam(
            parameters,
            first_moment,
            second_moment,
            scratch.gradients,
            step,
            learning_rate,
            sizes.num_parameters,
        )


@compiled
def gradient_tile(parameters, words, labels, order, scratch, sizes, losses):  # type: ignore[no-untyped-def]
    """Loss (added to ``losses``, one per lane) and, in the scratch, its gradients over all of ``order``."""
    _gradients(parameters, words, labels, order, 0, order.shape[1], scratch, sizes, losses)


@compiled
def margins_tile(parameters, words, scratch, sizes, margins):  # type: ignore[no-untyped-def]
    """Fill row ``n`` of ``margins`` for every sentence."""
    number = words.shape[0]
    order = np.arange(number).reshape(1, number)
    labels = np.zeros(number, np.uint8)
    word_table(
        parameters,
        0,
        scratch.table,
        sizes.vocabulary_size,
        sizes.input_size,
        sizes.hidden_size,
        sizes.gates,
    )
    for first in range(0, number, GROUP):
        _take(words, labels, order, first, number, scratch, sizes)
        _read(parameters, scratch, sizes, True)
        for sentence in range(min(GROUP, number - first)):
            store(margins, first + sentence, _margin(parameters, scratch, sizes, sentence))


@compiled
def states_tile(parameters, words, scratch, sizes, states):  # type: ignore[no-untyped-def]
    """Fill row ``(sentence * (seq_len + 1) + step) * hidden_size + unit`` of ``states``."""
    number, size = words.shape[0], sizes.hidden_size
    order = np.arange(number).reshape(1, number)
    labels = np.zeros(number, np.uint8)
    word_table(parameters, 0, scratch.table, sizes.vocabulary_size, sizes.input_size, size, sizes.gates)
    for first in range(0, number, GROUP):
        _take(words, labels, order, first, number, scratch, sizes)
        _read(parameters, scratch, sizes, True)
        for sentence in range(min(GROUP, number - first)):
            for step in range(sizes.seq_len + 1):
                target = ((first + sentence) * (sizes.seq_len + 1) + step) * size
                for i in range(size):
                    store(states, target + i, load(scratch.states, (step * GROUP + sentence) * size + i))
