"""The recurrences in plain torch with a hand-written way back through time, on any device.

Against autograd over `stepwise.recur` it keeps less (the states and what the gates put out, in half precision where
products are in bfloat16), and takes the gradient of the weights as one product over many steps instead of one a step.
Nothing in it waits for the device or reads a number back, so that a CUDA graph can hold it.

Tested on the CPU, in float64 against the stepwise form; on CUDA only by the check in front of
``python -m benchmarks psmnist_cuda``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnkit.models.options import NUM_GATES
from rnnkit.models.recurrence import pointwise
from rnnkit.models.recurrence.entry import entries
from rnnkit.models.recurrence.stepwise import masks_at

_ROWS_AT_ONCE = {"cpu": 2048, "cuda": 65536}  # rows of deltas that are collected for a product


@dataclass(frozen=True)
class _Tape:
    """What a way forward leaves behind; without a way back, room for one step that all steps share.

    Attributes
    ----------
    gates : Tensor (seq_len or 1, NUM_KEPT, batch, hidden_size)
    h, c : Tensor (seq_len + 1 or 1, batch, hidden_size)
        The states, that before the first step included; c is empty but in an LSTM.
    """

    gates: Tensor
    h: Tensor
    c: Tensor

    @classmethod
    def blank(cls, cell: str, like: Tensor, seq_len: int, hidden_size: int, narrow: torch.dtype) -> _Tape:
        """An empty one for so many steps; 0 steps make a shared one."""
        batch, slots = like.shape[1], pointwise.NUM_KEPT[cell]
        return cls(
            like.new_empty(max(1, seq_len), slots, batch, hidden_size, dtype=narrow),
            like.new_zeros(seq_len + 1, batch, hidden_size, dtype=narrow),
            like.new_zeros(seq_len + 1 if cell == "lstm" else 0, batch, hidden_size, dtype=narrow),
        )

    def cell_state(self, t: int) -> Tensor | None:
        """That of an LSTM before step t, or the shared room; None in other cells."""
        return self.c[t % len(self.c)] if len(self.c) else None


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        cell: str,
        source: Tensor,
        weight_ih: Tensor | None,
        bias_ih: Tensor | None,
        weight_hh: Tensor,
        bias_hh: Tensor | None,
        masks: Tensor | None,
        precision: str,
        states: bool,
        tracked: bool,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        ctx.set_materialize_grads(False)
        (seq_len, batch), hidden_size, gates = source.shape[:2], weight_hh.shape[1], NUM_GATES[cell]
        narrow = torch.bfloat16 if precision == "bf16" else source.dtype
        source = (
            source.contiguous()
        )  # numbers of a step side by side: compiled code copies what is not aligned
        tape = _Tape.blank(cell, source, seq_len if tracked else 0, hidden_size, narrow)
        weights = _by_mask(weight_hh.to(narrow), masks).transpose(1, 2)  # (1, H, G H) or (G, H, H)
        masked = None if masks is None else source.new_zeros(masks.shape[-3:], dtype=narrow)
        by_gate = [
            None if v is None else v.reshape(gates, 1, hidden_size) for v in (weight_ih, bias_ih, bias_hh)
        ]
        h = source.new_zeros(batch, hidden_size)
        c = torch.zeros_like(h)
        filled = source.new_empty(seq_len, batch, hidden_size) if states else None
        step = pointwise.on_device(pointwise.step_forward, source.device)
        for t in range(seq_len):
            operand = tape.h[t % len(tape.h)].unsqueeze(0) if masked is None else masked
            product = _gates_first(_multiply(operand, weights), gates)
            given = _by_gate(source[t], gates) if weight_ih is None else source[t].unsqueeze(1)
            after = (t + 1) % len(tape.h)
            kept = tape.gates[t % len(tape.gates)]
            step(
                cell,
                product,
                given,
                *by_gate,
                h,
                c,
                kept.unbind(0),
                tape.h[after],
                tape.cell_state(after),
                masks_at(masks, min(t + 1, seq_len - 1)),
                None if masked is None else masked.unbind(0),
            )
            if filled is not None:
                filled[t] = h
        if tracked:
            x = source if weight_ih is not None else None
            ctx.save_for_backward(x, weight_hh, masks, tape.gates, tape.h, tape.c)
            ctx.cell, ctx.has_bias, ctx.dtype = cell, bias_hh is not None, source.dtype
        return h, c, filled

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        x, weight_hh, masks, *kept = ctx.saved_tensors
        tape, cell = _Tape(*kept), ctx.cell
        sums = _Sums(
            cell, tape, weight_hh, masks, x, ctx.dtype, with_drive=x is None and ctx.needs_input_grad[1]
        )
        _back_through_time(cell, tape, weight_hh, masks, gradients, sums)
        return (
            None,
            sums.drive,
            sums.weight_ih,
            sums.bias_ih,
            sums.weight_hh,
            sums.bias_hh if ctx.has_bias else None,
            *4 * (None,),
        )


# With ``bf16`` what is kept for the way back is in bfloat16 too. Products in float32 on CUDA are in TF32 where torch is
# told so (``torch.set_float32_matmul_precision("high")``).
recur, recur_numbers = entries(_Recurrence)


class _Sums:
    """The gradients of parameters and drive, gathered from the deltas of some steps at a time."""

    def __init__(
        self,
        cell: str,
        tape: _Tape,
        weight_hh: Tensor,
        masks: Tensor | None,
        x: Tensor | None,
        dtype: torch.dtype,
        *,
        with_drive: bool,
    ) -> None:
        self.cell, self.tape, self.masks, self.x = cell, tape, masks, x
        seq_len, (_, batch, hidden_size) = len(tape.h) - 1, tape.h.shape
        width = weight_hh.shape[0]
        rows = _ROWS_AT_ONCE.get(weight_hh.device.type, _ROWS_AT_ONCE["cuda"])
        self.num_steps = max(1, min(seq_len, rows // batch))
        self.deltas = tape.h.new_empty(self.num_steps, batch, pointwise.NUM_DELTAS[cell], hidden_size)
        self.weight_hh = weight_hh.new_zeros(weight_hh.shape)
        self.bias_hh = weight_hh.new_zeros(width)
        self.weight_ih = None if x is None else weight_hh.new_zeros(width)
        self.bias_ih = None if x is None else weight_hh.new_zeros(width)
        self.drive = tape.h.new_empty(seq_len, batch, width, dtype=dtype) if with_drive else None

    def at(self, t: int) -> Tensor:
        """Room for the deltas of step t, gates first."""
        return self.deltas[t % self.num_steps].transpose(0, 1)

    def take(self, first: int, last: int) -> None:
        """Add what steps ``first <= t < last`` contribute; their deltas are all there."""
        deltas = self.deltas[: last - first]  # (K, B, S, H)
        low, high = pointwise.FROM_STATE[self.cell]
        by_state = deltas[:, :, low:high]
        h = self.tape.h[first:last].flatten(0, 1)  # (K B, H)
        if self.masks is None:
            rows = by_state.flatten(0, 1).flatten(1)  # (K B, G H)
            self.weight_hh += _multiply(rows.t().unsqueeze(0), h.unsqueeze(0))[0]
        else:
            masks = self.masks[first:last].transpose(0, 1) if self.masks.dim() == 4 else self.masks
            parts = self.weight_hh.view(len(masks), -1, self.weight_hh.shape[1])
            for g, mask in enumerate(masks):
                rows = by_state[:, :, g].flatten(0, 1)  # (K B, H)
                masked = (self.tape.h[first:last] * mask).to(h.dtype).flatten(0, 1)
                parts[g] += _multiply(rows.t().unsqueeze(0), masked.unsqueeze(0))[0]
        self.bias_hh += by_state.sum((0, 1), dtype=self.bias_hh.dtype).flatten()
        for g, slot in enumerate(pointwise.FROM_INPUT[self.cell]):
            self._take_input(g, deltas[:, :, slot], first, last)

    def _take_input(self, g: int, delta: Tensor, first: int, last: int) -> None:
        hidden_size = delta.shape[-1]
        gate = slice(g * hidden_size, (g + 1) * hidden_size)
        if self.drive is not None:
            self.drive[first:last, :, gate] = delta
        if self.x is not None and self.weight_ih is not None and self.bias_ih is not None:
            numbers = self.x[first:last].flatten().to(self.weight_ih.dtype)
            self.weight_ih[gate] += numbers @ delta.flatten(0, 1).to(numbers.dtype)
            self.bias_ih[gate] += delta.sum((0, 1), dtype=self.bias_ih.dtype)


def _back_through_time(
    cell: str,
    tape: _Tape,
    weight_hh: Tensor,
    masks: Tensor | None,
    gradients: tuple[Tensor | None, ...],
    sums: _Sums,
) -> None:
    grad_h_n, grad_c_n, grad_states = gradients
    weights = _by_mask(weight_hh.to(tape.h.dtype), masks)  # (1, G H, H) or (G, H, H)
    grad_h = weight_hh.new_zeros(tape.h.shape[1:]) if grad_h_n is None else grad_h_n.clone()
    grad_c = torch.zeros_like(grad_h) if grad_c_n is None else grad_c_n.clone()
    low, high = pointwise.FROM_STATE[cell]
    step = pointwise.on_device(pointwise.step_backward, weight_hh.device)
    parts = None
    last = len(tape.h) - 1
    last_step = last - 1
    for t in range(last - 1, -1, -1):
        deltas = sums.at(t)
        step(
            cell,
            grad_h,
            grad_c,
            parts,
            masks_at(masks, min(t + 1, last_step)),
            None if grad_states is None else grad_states[t],
            tape.gates[t].unbind(0),
            tape.h[t],
            tape.h[t + 1],
            tape.cell_state(t),
            tape.cell_state(t + 1),
            deltas.unbind(0),
        )
        if t > 0:
            by_state = deltas[low:high]  # (G, B, H)
            operand = by_state.transpose(0, 1).flatten(1).unsqueeze(0) if masks is None else by_state
            parts = _multiply(operand, weights)
        if t % sums.num_steps == 0:
            sums.take(t, last)
            last = t


def _multiply(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b`` of stacks of matrices; operands in bfloat16 are summed, and the result is, in float32."""
    if a.dtype == torch.bfloat16 and a.device.type == "cuda":
        return torch.bmm(a, b, out_dtype=torch.float32)
    if a.dtype == torch.bfloat16:
        a, b = a.float(), b.float()
    return torch.bmm(a, b) if len(a) > 1 else torch.mm(a[0], b[0]).unsqueeze(0)  # bmm of one is slow on CPUs


def _by_mask(weight_hh: Tensor, masks: Tensor | None) -> Tensor:
    """The weights that read the state through one mask: (G, H, H); all of them (1, G H, H) where there is none."""
    return weight_hh.reshape(1 if masks is None else masks.shape[-3], -1, weight_hh.shape[1])


def _gates_first(product: Tensor, gates: int) -> Tensor:
    """(1, B, G H) or (G, B, H) -> (G, B, H)."""
    return product if len(product) == gates else _by_gate(product[0], gates)


def _by_gate(rows: Tensor, gates: int) -> Tensor:
    """(B, G H) -> (G, B, H), without a copy."""
    return rows.view(len(rows), gates, -1).transpose(0, 1)
