"""The vanilla recurrence over a whole sequence with a hand-written backward pass.

Three things make it fast on a CPU. The input and recurrent products are one product, because the input of
each step sits beside the state in one buffer ``z[t] = [h_t, x_t]``. tanh rides along as a post-operation of
oneDNN's matrix product instead of being a pass of its own. And the gradient of both weight matrices is one
product over several steps, taken while their deltas are still in cache.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor


@cache
def onednn_linear_available() -> bool:
    """Whether PyTorch was built with oneDNN's fused linear operator."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _uses_onednn(weight: Tensor) -> bool:
    if weight.device.type != "cpu" or not onednn_linear_available():
        return False
    return weight.dtype == torch.float32 or (weight.dtype == torch.bfloat16 and bf16_is_native())


@cache
def bf16_is_native() -> bool:
    """Whether oneDNN can take products in bfloat16 on this processor."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def tanh_linear(z: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``tanh(z @ weight.T + bias)``: z (batch, in), weight (out, in) -> (batch, out)."""
    if _uses_onednn(weight):
        return torch.ops.mkldnn._linear_pointwise(z, weight, bias, "tanh", [], "none")
    return torch.nn.functional.linear(z, weight, bias).tanh_()


def _linear(rows: Tensor, weight: Tensor) -> Tensor:
    """``rows @ weight.T``: rows (batch, in), weight (out, in) -> (batch, out)."""
    if _uses_onednn(weight):
        return torch.ops.mkldnn._linear_pointwise(rows, weight, None, "none", [], "none")
    return torch.nn.functional.linear(rows, weight)


def _add_outer(total: Tensor, delta: Tensor, z: Tensor) -> None:
    """``total += delta.T @ z``: delta (rows, out), z (rows, in), total (out, in) in float32 or wider."""
    if z.dtype == torch.bfloat16:
        total += delta.t() @ z
    elif _uses_onednn(total):
        total += torch.ops.mkldnn._linear_pointwise(delta.t(), z.t(), None, "none", [], "none")
    else:
        total.addmm_(delta.t(), z)


def _steps_per_product(batch: int) -> int:
    """Steps whose outer products are summed at once: some 512 rows are efficient and stay in cache."""
    return max(1, 512 // batch)


class FusedRecurrence(torch.autograd.Function):
    """Run ``h_t = tanh(W_ih x_t + W_hh h_{t-1} + b)`` over a sequence.

    ``apply(x, h_0, weight_ih, weight_hh, bias, last_only, precision)`` takes x (batch, seq_len, input_size),
    h_0 (batch, hidden_size), weight_ih (hidden_size, input_size), weight_hh (hidden_size, hidden_size) and
    bias (hidden_size,) or None. It returns the hidden states (batch, seq_len, hidden_size), or the last one
    (batch, hidden_size) where ``last_only`` is set. With ``precision="bf16"`` states and the operands of matrix
    products are rounded to bfloat16; products are summed, and tanh is taken, in float32, and so are weights and
    the sums of gradients over steps.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h_0: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias: Tensor | None,
        last_only: bool,
        precision: str,
    ) -> Tensor:
        """Fill ``z[t] = [h_t, x_t]`` from left to right."""
        batch, seq_len, _ = x.shape
        hidden_size = weight_hh.shape[0]
        dtype = torch.bfloat16 if precision == "bf16" else x.dtype
        weight = torch.cat([weight_hh, weight_ih], dim=1).to(dtype)  # (H, H + I)
        z = x.new_empty(seq_len + 1, batch, weight.shape[1], dtype=dtype)  # (T + 1, B, H + I)
        z[:seq_len, :, hidden_size:] = x.transpose(0, 1)
        z[0, :, :hidden_size] = h_0
        rows, states = z.unbind(0), z[:, :, :hidden_size].unbind(0)
        bias = bias if bias is None else bias.to(dtype)
        for t in range(seq_len):
            states[t + 1].copy_(tanh_linear(rows[t], weight, bias))
        ctx.save_for_backward(z, weight_ih, weight_hh)
        ctx.last_only, ctx.has_bias = last_only, bias is not None
        if last_only:
            return states[seq_len].to(x.dtype, copy=True)
        return z[1:, :, :hidden_size].transpose(0, 1).to(x.dtype).contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Back-propagate through time; the gradient of the weights is summed step by step, in cache."""
        (gradient,) = gradients
        z, weight_ih, weight_hh = ctx.saved_tensors
        seq_len, batch, hidden_size = z.shape[0] - 1, z.shape[1], weight_hh.shape[0]
        weight_t = weight_hh.t().to(z.dtype).contiguous()
        width = z.shape[2]
        grad_weight = weight_hh.new_zeros(hidden_size, width)
        grad_bias = weight_hh.new_zeros(hidden_size) if ctx.has_bias else None
        grad_x = weight_ih.new_empty(batch, seq_len, width - hidden_size) if ctx.needs_input_grad[0] else None
        chunk = _steps_per_product(batch)
        deltas = z.new_empty(chunk, batch, hidden_size)  # dL/d(pre-activation) of steps t .. t + chunk - 1
        slots, states = deltas.unbind(0), z[:, :, :hidden_size].unbind(0)
        grad_state = (gradient if ctx.last_only else gradient[:, -1]).to(z.dtype)  # dL/dh_t
        for t in range(seq_len - 1, -1, -1):
            delta = slots[t % chunk]
            torch.ops.aten.tanh_backward.grad_input(grad_state, states[t + 1], grad_input=delta)
            if t % chunk == 0:
                steps = min(chunk, seq_len - t)
                delta_rows = deltas[:steps].view(-1, hidden_size)
                _add_outer(grad_weight, delta_rows, z[t : t + steps].view(-1, width))
                if grad_bias is not None:
                    grad_bias += delta_rows.sum(0, dtype=grad_bias.dtype)
            if grad_x is not None:
                grad_x[:, t] = delta.to(weight_ih.dtype) @ weight_ih
            if t > 0:
                grad_state = _linear(delta, weight_t)
                if not ctx.last_only:
                    grad_state += gradient[:, t - 1]
        grad_h_0 = delta.to(weight_hh.dtype) @ weight_hh if ctx.needs_input_grad[1] else None
        return (
            grad_x,
            grad_h_0,
            grad_weight[:, hidden_size:],
            grad_weight[:, :hidden_size],
            grad_bias,
            None,
            None,
        )
