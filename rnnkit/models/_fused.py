"""The vanilla recurrence over a whole sequence with a hand-written backward pass.

Two things make it fast on a CPU. The input and recurrent products are one product, because the input of
each step sits beside the state in one buffer ``z[t] = [h_t, x_t]``; and tanh (forward) and its derivative
(backward) ride along as post-operations of oneDNN's matrix product instead of being passes of their own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def onednn_linear_available() -> bool:
    """Whether PyTorch was built with oneDNN's fused linear operator."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _uses_onednn(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and onednn_linear_available()


def _tanh_linear(z: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``tanh(z @ weight.T + bias)``: z (batch, in), weight (out, in) -> (batch, out)."""
    if _uses_onednn(weight):
        return torch.ops.mkldnn._linear_pointwise(z, weight, bias, "tanh", [], "none")
    return torch.nn.functional.linear(z, weight, bias).tanh_()


def _linear_times(gradient: Tensor, weight: Tensor, factor: Tensor) -> Tensor:
    """``(gradient @ weight.T) * factor``: gradient (batch, in), factor (batch, out)."""
    if _uses_onednn(weight):
        return torch.ops.mkldnn._linear_pointwise.binary(gradient, factor, weight, None, "mul")
    return torch.nn.functional.linear(gradient, weight).mul_(factor)


def _add_outer(total: Tensor, delta: Tensor, z: Tensor, precision: str) -> None:
    """``total += delta.T @ z``: delta (rows, out), z (rows, in), total (out, in)."""
    if precision == "bf16":
        total += delta.bfloat16().t() @ z.bfloat16()
    elif _uses_onednn(total):
        total += torch.ops.mkldnn._linear_pointwise(delta.t(), z.t(), None, "none", [], "none")
    else:
        total.addmm_(delta.t(), z)


def _steps_per_product(batch: int) -> int:
    """Steps whose outer products are summed at once: about 512 rows keep the product efficient and in cache."""
    return max(1, 512 // batch)


def _rounded(matrix: Tensor, precision: str) -> Tensor:
    return matrix.bfloat16() if precision == "bf16" else matrix


class FusedRecurrence(torch.autograd.Function):
    """Run ``h_t = tanh(W_ih x_t + W_hh h_{t-1} + b)`` over a sequence.

    ``apply(x, h_0, weight_ih, weight_hh, bias, last_only, precision)`` takes x (batch, seq_len, input_size),
    h_0 (batch, hidden_size), weight_ih (hidden_size, input_size), weight_hh (hidden_size, hidden_size) and bias
    (hidden_size,) or None. It returns the hidden states (batch, seq_len, hidden_size), or the last one
    (batch, hidden_size) where ``last_only`` is set. With ``precision="bf16"`` the operands and results of
    matrix products are rounded to bfloat16 while states, weights and sums of gradients stay in float32.
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
        weight = torch.cat([weight_hh, weight_ih], dim=1)  # (H, H + I)
        z = x.new_empty(seq_len + 1, batch, weight.shape[1])  # (T + 1, B, H + I)
        z[:seq_len, :, hidden_size:] = x.transpose(0, 1)
        z[0, :, :hidden_size] = h_0
        if precision == "bf16":
            weight = weight.bfloat16()
            for t in range(seq_len):
                product = torch.nn.functional.linear(z[t].bfloat16(), weight).float()
                z[t + 1, :, :hidden_size] = (product if bias is None else product.add_(bias)).tanh_()
        else:
            for t in range(seq_len):
                z[t + 1, :, :hidden_size] = _tanh_linear(z[t], weight, bias)
        ctx.save_for_backward(z, weight_ih, weight_hh)
        ctx.last_only, ctx.precision, ctx.has_bias = last_only, precision, bias is not None
        if last_only:
            return z[seq_len, :, :hidden_size].clone()
        return z[1:, :, :hidden_size].transpose(0, 1).contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Back-propagate through time; the gradient of the weights is summed step by step, in cache."""
        (gradient,) = gradients
        z, weight_ih, weight_hh = ctx.saved_tensors
        seq_len, hidden_size, precision = z.shape[0] - 1, weight_hh.shape[0], ctx.precision
        needs_x = ctx.needs_input_grad[0]
        weight_t = _rounded(weight_hh.t().contiguous(), precision)
        weight_shape = (hidden_size, hidden_size + weight_ih.shape[1])
        grad_weight = z.new_zeros(weight_shape)
        grad_bias = z.new_zeros(hidden_size) if ctx.has_bias else None
        grad_x = z.new_empty(z.shape[1], seq_len, weight_ih.shape[1]) if needs_x else None
        chunk = _steps_per_product(z.shape[1])
        deltas = z.new_empty(
            chunk, z.shape[1], hidden_size
        )  # dL/d(pre-activation) of steps t .. t + chunk - 1
        one = z.new_ones(())
        grad_state = gradient if ctx.last_only else gradient[:, -1]  # dL/dh_T
        delta = grad_state
        for t in range(seq_len - 1, -1, -1):
            h = z[t + 1, :, :hidden_size]
            slope = torch.addcmul(one, h, h, value=-1)
            if t == seq_len - 1:
                delta = grad_state * slope
            elif precision == "bf16":
                delta = torch.nn.functional.linear(delta.bfloat16(), weight_t).float()
                delta = (delta if ctx.last_only else delta.add_(gradient[:, t])).mul_(slope)
            else:
                delta = _linear_times(delta, weight_t, slope)
                if not ctx.last_only:
                    delta.addcmul_(gradient[:, t], slope)
            if chunk > 1:
                deltas[t % chunk] = delta
            if t % chunk == 0:
                steps = min(chunk, seq_len - t)
                delta_rows = deltas[:steps].view(-1, hidden_size) if chunk > 1 else delta
                _add_outer(grad_weight, delta_rows, z[t : t + steps].view(-1, weight_shape[1]), precision)
                if grad_bias is not None:
                    grad_bias += delta_rows.sum(0)
            if grad_x is not None:
                grad_x[:, t] = delta @ weight_ih
        grad_h_0 = delta @ weight_hh if ctx.needs_input_grad[1] else None
        return (
            grad_x,
            grad_h_0,
            grad_weight[:, hidden_size:],
            grad_weight[:, :hidden_size],
            grad_bias,
            None,
            None,
        )
