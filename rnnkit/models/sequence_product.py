"""The product of a sequence with weights, some steps at a time: masked for each gate, in bfloat16 on any processor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from rnnkit.models._fused import bf16_is_native

_ROWS_AT_ONCE = 8192


class SequenceProduct(torch.autograd.Function):
    """``rows @ weight.T``, or ``(rows * masks[g]) @ weight[g].T`` for each gate g, side by side.

    ``apply(rows, weight, masks, dtype)`` takes rows (seq_len, batch, features), weight (G * hidden_size, features)
    and masks (G, batch, features), those of each step (seq_len, G, batch, features), or None, and returns (seq_len,
    batch, G * hidden_size). Operands and results are rounded to `dtype`. Masked rows are made some steps at a
    time, and made anew in the backward pass; of rows without masks the rounded ones are kept.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, masks: Tensor | None, dtype: torch.dtype) -> Tensor:
        """Fill the result some steps at a time, one gate after another."""
        result = rows.new_empty(*rows.shape[:2], len(weight))
        rows = rows.to(dtype) if masks is None else rows
        ctx.save_for_backward(rows, weight, masks)
        ctx.dtype, ctx.wide = dtype, result.dtype
        parts = weight.to(dtype).chunk(1 if masks is None else masks.shape[-3])
        width = len(parts[0])
        for some in _pieces(rows):
            for g, part in enumerate(parts):
                result[some, :, g * width : (g + 1) * width] = _multiply(
                    _read(rows, masks, g, some, dtype), part.t()
                )
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Sum the weights' gradient over pieces of the sequence, in the weights' own precision."""
        (gradient,) = gradients
        rows, weight, masks = ctx.saved_tensors
        grad_weight = torch.zeros_like(weight)
        grad_rows = torch.zeros_like(rows, dtype=ctx.wide) if ctx.needs_input_grad[0] else None
        count = 1 if masks is None else masks.shape[-3]
        width = len(weight) // count
        for some in _pieces(rows):
            for g in range(count):
                gate = slice(g * width, (g + 1) * width)
                delta = gradient[some, :, gate].to(ctx.dtype)  # (steps, B, H)
                read = _read(rows, masks, g, some, ctx.dtype)
                grad_weight[gate] += _multiply(delta.flatten(0, 1).t(), read.flatten(0, 1))
                if grad_rows is not None:
                    back = _multiply(delta, weight[gate].to(ctx.dtype))
                    grad_rows[some] += back if masks is None else back * _mask(masks, g, some)
        return grad_rows, grad_weight, None, None


def _read(rows: Tensor, masks: Tensor | None, gate: int, some: slice, dtype: torch.dtype) -> Tensor:
    """Some steps of what a gate reads."""
    return rows[some] if masks is None else (rows[some] * _mask(masks, gate, some)).to(dtype)


def _mask(masks: Tensor, gate: int, some: slice) -> Tensor:
    return masks[gate] if masks.dim() == 3 else masks[some, gate]


def multiplies_in(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether a device takes products of this dtype without a detour that makes them slower than those of float32."""
    return dtype != torch.bfloat16 or device.type != "cpu" or bf16_is_native()


def _multiply(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b``; of the same operands in float32 where the processor has no products of bfloat16."""
    return a @ b if multiplies_in(a.dtype, a.device) else (a.float() @ b.float()).to(a.dtype)


def _pieces(rows: Tensor) -> Iterator[slice]:
    """Slices of the time axis with some `_ROWS_AT_ONCE` rows each."""
    steps = max(1, _ROWS_AT_ONCE // rows.shape[1])
    for start in range(0, rows.shape[0], steps):
        yield slice(start, start + steps)
