"""The stepwise recurrence against torch.nn, and its dropout against the definition."""

from __future__ import annotations

import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.models.recurrence import NUM_GATES, stepwise

TORCH = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def _arguments(cell, *, seq_len=7, batch=4, hidden_size=5, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    width = NUM_GATES[cell] * hidden_size
    return draw(seq_len, batch, width), draw(width, hidden_size) * 0.5, draw(width) * 0.5


@pytest.mark.parametrize("cell", TORCH)
def test_states_and_gradients_are_those_of_torch(cell):
    drive, weight_hh, bias_hh = (argument.requires_grad_() for argument in _arguments(cell))
    net = TORCH[cell](drive.shape[2], 5, dtype=torch.float64)
    with torch.no_grad():
        net.weight_ih_l0.copy_(torch.eye(drive.shape[2]))
        net.bias_ih_l0.zero_()
        net.weight_hh_l0.copy_(weight_hh)
        net.bias_hh_l0.copy_(bias_hh)
    h_n, c_n, states = stepwise.recur(cell, drive, weight_hh, bias_hh, states=True)
    x = drive.detach().clone().requires_grad_()
    output, last = net(x)
    torch.testing.assert_close(states, output)
    torch.testing.assert_close(h_n, output[-1])
    assert (c_n is None) == (cell != "lstm")
    if c_n is not None:
        torch.testing.assert_close(c_n, last[1][0])
    states.square().sum().backward()
    output.square().sum().backward()
    for ours, theirs in [(drive, x), (weight_hh, net.weight_hh_l0), (bias_hh, net.bias_hh_l0)]:
        torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("cell", TORCH)
def test_masks_of_ones_change_nothing_and_masks_of_zeros_cut_the_recurrence(cell):
    drive, weight_hh, bias_hh = _arguments(cell)
    masks = drive.new_ones(NUM_GATES[cell], 4, 5)
    plain = stepwise.recur(cell, drive, weight_hh, bias_hh)[0]
    torch.testing.assert_close(stepwise.recur(cell, drive, weight_hh, bias_hh, masks=masks)[0], plain)
    cut = stepwise.recur(cell, drive, weight_hh, bias_hh, masks=0 * masks)[0]
    torch.testing.assert_close(stepwise.recur(cell, drive, 0 * weight_hh, bias_hh)[0], cut)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_each_gate_reads_the_state_through_its_own_mask(cell):
    drive, weight_hh, bias_hh = _arguments(cell)
    gates = NUM_GATES[cell]
    for gate in range(gates):
        masks = drive.new_ones(gates, 4, 5)
        masks[gate] = 0
        weight = weight_hh.clone()
        weight[gate * 5 : (gate + 1) * 5] = 0
        masked = stepwise.recur(cell, drive, weight_hh, bias_hh, masks=masks)[0]
        torch.testing.assert_close(masked, stepwise.recur(cell, drive, weight, bias_hh)[0])


@pytest.mark.parametrize("cell", TORCH)
def test_bf16_rounds_operands_only(cell):
    drive, weight_hh, bias_hh = (argument.float() for argument in _arguments(cell))
    exact = stepwise.recur(cell, drive, weight_hh, bias_hh)[0]
    rounded = stepwise.recur(cell, drive, weight_hh, bias_hh, precision="bf16")[0]
    assert rounded.dtype == torch.float32
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "elman"}, "unknown cell: 'elman'"),
        ({"precision": "fp16"}, "unknown precision"),
        ({"drive": torch.zeros(3, 12)}, r"seq_len >= 1, batch, 3 \* hidden_size"),
        ({"drive": torch.zeros(0, 4, 15)}, "seq_len >= 1"),
        ({"drive": torch.zeros(7, 4, 12)}, r"drive does not fit a gru of 5 units: \(7, 4, 12\).*15"),
        ({"weight_hh": torch.zeros(20, 5)}, "weight_hh does not fit"),
        ({"bias_hh": torch.zeros(5)}, "bias_hh does not fit"),
        ({"masks": torch.ones(1, 4, 5)}, r"masks does not fit.*\(3, 4, 5\)"),
    ],
)
def test_arguments_that_do_not_fit_are_named(change, message):
    drive, weight_hh, bias_hh = _arguments("gru")
    given = {"cell": "gru", "drive": drive, "weight_hh": weight_hh, "bias_hh": bias_hh} | change
    with pytest.raises(UserError, match=message):
        stepwise.recur(**given)
