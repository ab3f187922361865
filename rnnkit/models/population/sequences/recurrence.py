"""Whole sequences through many small networks, forward and back, with a hand-written way back through time.

Small networks cost what their calls cost, so there are few. All that a step reads stands in one operand, the state, the
numbers and a 1, and all weights and biases in one matrix: a step is one batched product and its gates, a step back two
products. The batch is the last axis, so that the numbers of a gate lie side by side.

Throughout N is the number of networks, R the rows of the matrix (in a GRU, whose new state reads the state and the
numbers apart, 4 H; else those of torch), and K = H + I + 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input


def join(cell: str, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> Tensor:
    """One matrix (N, R, K) of the parameters of torch.nn (N, ...), differentiable.

    The rows of an LSTM are i, f, o, g, so that what goes through a sigmoid stands together; those of a GRU r, z, what
    the new state reads from the old one, and what it reads from the numbers.
    """
    if cell == "gru":
        rows = weight_hh.shape[2]
        from_state = torch.cat([weight_hh, torch.zeros_like(weight_ih), bias_hh.unsqueeze(2)], 2)
        from_input = torch.cat([torch.zeros_like(weight_hh), weight_ih, bias_ih.unsqueeze(2)], 2)
        gates = from_state[:, : 2 * rows] + from_input[:, : 2 * rows]
        return torch.cat([gates, from_state[:, 2 * rows :], from_input[:, 2 * rows :]], 1)
    joined = torch.cat([weight_hh, weight_ih, (bias_ih + bias_hh).unsqueeze(2)], 2)
    if cell == "rnn":
        return joined
    i, f, g, o = joined.chunk(4, 1)
    return torch.cat([i, f, o, g], 1)


class Read(NamedTuple):
    """What has become of the states: after the last step (N, H, batch), and after every step (T, N, H, batch).

    ``cells`` are those of an LSTM. What was not asked for is None.
    """

    h_n: Tensor
    states: Tensor | None
    cells: Tensor | None


def read(cell: str, weights: Tensor, x: Tensor, *, states: bool = False, cells: bool = False) -> Read:
    """Read sequences from a state of zeros; differentiable once, with respect to ``weights`` and ``x``.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
    weights : Tensor (N, R, K)
        As `join` makes them.
    x : Tensor (T, N, I, batch)
    states, cells : bool
        Whether the states, and the cell states of an LSTM, are wanted after every step.
    """
    return Read(*_Recurrence.apply(cell, weights, x, states, cells))


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, cell: str, weights: Tensor, x: Tensor, states: bool, cells: bool
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        ctx.set_materialize_grads(False)
        (seq_len, num, input_size, batch), rows = x.shape, weights.shape[1]
        hidden = weights.shape[2] - input_size - 1
        operands = x.new_empty(seq_len + 1, num, weights.shape[2], batch)
        operands[0, :, :hidden] = 0
        operands[:-1, :, hidden:-1] = x
        operands[:, :, -1] = 1
        gates = x.new_empty(seq_len, num, rows, batch)
        memory = x.new_zeros(seq_len + 1 if cell == "lstm" else 0, 2, num, hidden, batch)
        _FORWARD[cell](weights, operands, gates, memory)
        ctx.cell = cell
        ctx.save_for_backward(weights, operands, gates, memory)
        return (
            operands[-1, :, :hidden].clone(),
            operands[1:, :, :hidden].clone() if states else None,
            memory[1:, 0].clone() if cells else None,
        )

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        weights, operands, gates, memory = ctx.saved_tensors
        grad_h_n, grad_states, grad_cells = gradients
        hidden, seq_len = gates.shape[2] // (1 if ctx.cell == "rnn" else 4), len(gates)
        to_state, to_input = weights[:, :, :hidden].mT, weights[:, :, hidden:-1].mT
        grad_weights = torch.zeros_like(weights)
        grad_x = torch.empty_like(operands[:-1, :, hidden:-1]) if ctx.needs_input_grad[2] else None
        total = torch.zeros_like(operands[0, :, :hidden]) if grad_h_n is None else grad_h_n
        deltas = torch.empty_like(gates[0])
        step = _BACK[ctx.cell](deltas, operands, gates, memory, grad_cells)
        for t in range(seq_len - 1, -1, -1):
            if grad_states is not None:
                total = total + grad_states[t]
            around = step(t, total)
            grad_weights.baddbmm_(deltas, operands[t].mT)
            if grad_x is not None:
                torch.bmm(to_input, deltas, out=grad_x[t])
            if t:
                total = torch.bmm(to_state, deltas) if around is None else around.baddbmm_(to_state, deltas)
        return None, grad_weights, grad_x, None, None


def _forward_rnn(weights: Tensor, operands: Tensor, gates: Tensor, memory: Tensor) -> None:
    hidden = gates.shape[2]
    after = operands[1:, :, :hidden].unbind(0)
    for operand, sums, h in zip(operands[:-1].unbind(0), gates.unbind(0), after, strict=True):
        torch.bmm(weights, operand, out=sums)
        torch.tanh(sums, out=h)


def _forward_gru(weights: Tensor, operands: Tensor, gates: Tensor, memory: Tensor) -> None:
    """Gates become r, z, what n reads from the state, and n."""
    hidden = gates.shape[2] // 4
    steps = zip(
        operands[:-1].unbind(0),
        operands[:-1, :, :hidden].unbind(0),
        operands[1:, :, :hidden].unbind(0),
        gates.unbind(0),
        gates[:, :, : 2 * hidden].unbind(0),
        *(gate.unbind(0) for gate in gates.chunk(4, 2)),
        strict=True,
    )
    for operand, before, after, sums, r_and_z, r, z, read_state, n in steps:
        torch.bmm(weights, operand, out=sums)
        r_and_z.sigmoid_()
        n.addcmul_(r, read_state).tanh_()
        torch.lerp(n, before, z, out=after)


def _forward_lstm(weights: Tensor, operands: Tensor, gates: Tensor, memory: Tensor) -> None:
    """Gates become i, f, o, g; memory (T + 1, 2, N, H, batch) holds c and its tanh."""
    hidden = gates.shape[2] // 4
    steps = zip(
        operands[:-1].unbind(0),
        operands[1:, :, :hidden].unbind(0),
        memory[:-1, 0].unbind(0),
        memory[1:, 0].unbind(0),
        memory[1:, 1].unbind(0),
        gates.unbind(0),
        gates[:, :, : 3 * hidden].unbind(0),
        *(gate.unbind(0) for gate in gates.chunk(4, 2)),
        strict=True,
    )
    for operand, h, c_before, c, tanh_c, sums, i_f_o, i, f, o, g in steps:
        torch.bmm(weights, operand, out=sums)
        i_f_o.sigmoid_()
        g.tanh_()
        torch.mul(f, c_before, out=c).addcmul_(i, g)
        torch.tanh(c, out=tanh_c)
        torch.mul(o, tanh_c, out=h)


_FORWARD = {"rnn": _forward_rnn, "gru": _forward_gru, "lstm": _forward_lstm}


class _Back:
    """One step back: fills ``deltas`` (N, R, batch), the gradients of the sums, from that of the state after the step.

    Returned is what reaches the state before it around the product; None where nothing does.
    """

    def __init__(
        self, deltas: Tensor, operands: Tensor, gates: Tensor, memory: Tensor, grad_cells: Tensor | None
    ) -> None:
        self.deltas, self.operands, self.gates = deltas, operands, gates
        self.memory, self.grad_cells = memory, grad_cells

    def __call__(self, t: int, total: Tensor) -> Tensor | None:
        raise NotImplementedError


class _BackRNN(_Back):
    def __call__(self, t: int, total: Tensor) -> Tensor | None:
        h = self.operands[t + 1, :, : total.shape[1]]
        _tanh_backward(total, h, grad_input=self.deltas)
        return None


class _BackGRU(_Back):
    def __call__(self, t: int, total: Tensor) -> Tensor | None:
        hidden = total.shape[1]
        r, z, read_state, n = self.gates[t].chunk(4, 1)
        to_r, to_z, to_read_state, to_n = self.deltas.chunk(4, 1)
        around = total * z
        _tanh_backward(total - around, n, grad_input=to_n)
        torch.mul(to_n, r, out=to_read_state)
        torch.mul(to_n, read_state, out=to_r)
        torch.sub(self.operands[t, :, :hidden], n, out=to_z).mul_(total)
        to_r_and_z = self.deltas[:, : 2 * hidden]
        _sigmoid_backward(to_r_and_z, self.gates[t, :, : 2 * hidden], grad_input=to_r_and_z)
        return around


class _BackLSTM(_Back):
    total_c: Tensor | None = None

    def __call__(self, t: int, total: Tensor) -> Tensor | None:
        hidden = total.shape[1]
        i, f, o, g = self.gates[t].chunk(4, 1)
        to_i, to_f, to_o, to_g = self.deltas.chunk(4, 1)
        tanh_c = self.memory[t + 1, 1]
        torch.mul(total, tanh_c, out=to_o)
        total_c = total * o
        _tanh_backward(total_c, tanh_c, grad_input=total_c)
        if self.total_c is not None:
            total_c += self.total_c
        if self.grad_cells is not None:
            total_c += self.grad_cells[t]
        torch.mul(total_c, g, out=to_i)
        torch.mul(total_c, self.memory[t, 0], out=to_f)
        torch.mul(total_c, i, out=to_g)
        to_i_f_o = self.deltas[:, : 3 * hidden]
        _sigmoid_backward(to_i_f_o, self.gates[t, :, : 3 * hidden], grad_input=to_i_f_o)
        _tanh_backward(to_g, g, grad_input=to_g)
        self.total_c = total_c.mul_(f)
        return None


_BACK: dict[str, type[_Back]] = {"rnn": _BackRNN, "gru": _BackGRU, "lstm": _BackLSTM}
