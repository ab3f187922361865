"""The product of a masked sequence with the weights of several gates, without keeping a masked copy for each gate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

_ROWS_AT_ONCE = 8192


class MaskedProduct(torch.autograd.Function):
    """``(rows * masks[g]) @ weight[g].T`` for each gate g, side by side.

    ``apply(rows, weight, masks, dtype)`` takes rows (seq_len, batch, features), weight (G * hidden_size, features)
    and masks (G, batch, features), and returns (seq_len, batch, G * hidden_size). Operands are rounded to `dtype`.
    Masked rows are made some steps at a time, and made anew in the backward pass.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, masks: Tensor, dtype: torch.dtype) -> Tensor:
        """Fill the result some steps at a time, one gate after another."""
        ctx.save_for_backward(rows, weight, masks)
        ctx.dtype = dtype
        parts = weight.to(dtype).chunk(len(masks))
        result = rows.new_empty(*rows.shape[:2], len(weight))
        width = len(parts[0])
        for some in _pieces(rows):
            for g, (part, mask) in enumerate(zip(parts, masks, strict=True)):
                masked = (rows[some] * mask).to(dtype)
                result[some, :, g * width : (g + 1) * width] = masked @ part.t()
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Sum the weights' gradient over pieces of the sequence, in the weights' own precision."""
        (gradient,) = gradients
        rows, weight, masks = ctx.saved_tensors
        grad_weight = torch.zeros_like(weight)
        grad_rows = torch.zeros_like(rows) if ctx.needs_input_grad[0] else None
        width = len(weight) // len(masks)
        for some in _pieces(rows):
            for g, mask in enumerate(masks):
                gate = slice(g * width, (g + 1) * width)
                delta = gradient[some, :, gate].to(ctx.dtype)  # (steps, B, H)
                masked = (rows[some] * mask).to(ctx.dtype)
                grad_weight[gate] += delta.flatten(0, 1).t() @ masked.flatten(0, 1)
                if grad_rows is not None:
                    grad_rows[some] += (delta @ weight[gate].to(ctx.dtype)) * mask
        return grad_rows, grad_weight, None, None


def _pieces(rows: Tensor) -> Iterator[slice]:
    """Slices of the time axis with some `_ROWS_AT_ONCE` rows each."""
    steps = max(1, _ROWS_AT_ONCE // rows.shape[1])
    for start in range(0, rows.shape[0], steps):
        yield slice(start, start + steps)
