"""What a step of a recurrence does beside its matrix product, forward and back, on buffers that it fills.

Gates lie first: (G, batch, hidden_size), in the order of torch.nn. What is filled is handed over slot by slot: of one
tensor with all slots, compiled code would make kernels that work out every gate for each slot. On a CUDA device each of
the two functions is a kernel or two where Triton is installed and a dozen small ones where it is not; compiled or not,
they mean the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor

COMPILE = "RNNKIT_COMPILE"
_MOST_VARIANTS = 256
# What the way back needs of each step beside the states: LSTM i, f, g, o; GRU r, z, n and what n read of the state.
NUM_KEPT = {"rnn": 0, "lstm": 4, "gru": 4}
# Where the gradients of each step lie: of the sums that the state adds to, and of those that the input adds to.
FROM_STATE = {"rnn": (0, 1), "lstm": (0, 4), "gru": (1, 4)}
FROM_INPUT = {"rnn": (0,), "lstm": (0, 1, 2, 3), "gru": (1, 2, 0)}
NUM_DELTAS = {
    "rnn": 1,
    "lstm": 4,
    "gru": 4,
}  # the GRU's: n as the input reaches it, r, z, n as the state does


def step_forward(
    cell: str,
    product: Tensor,
    drive: Tensor,
    weight_ih: Tensor | None,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    h: Tensor,
    c: Tensor,
    kept: Sequence[Tensor],
    h_kept: Tensor,
    c_kept: Tensor | None,
    masks: Tensor | None,
    operand: Sequence[Tensor] | None,
) -> None:
    """One step.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
    product : Tensor (G, batch, hidden_size)
        ``W_hh h``.
    drive : Tensor (G, batch, hidden_size), or (batch, 1) where `weight_ih` is given
        The input's part, or the one number of which ``drive * weight_ih + bias_ih`` is the input's part.
    weight_ih, bias_ih, bias_hh : Tensor (G, 1, hidden_size), optional
    h, c : Tensor (batch, hidden_size)
        Updated in place; c only in an LSTM.
    kept : NUM_KEPT Tensors (batch, hidden_size)
    h_kept, c_kept : Tensor (batch, hidden_size)
        Filled with what the way back needs; the types may be narrower.
    masks : Tensor (G, batch, hidden_size), optional
    operand : G Tensors (batch, hidden_size), optional
        Filled with the state behind each mask, for the next product.
    """
    given = drive if weight_ih is None or bias_ih is None else drive * weight_ih + bias_ih
    if bias_hh is not None:
        product = product + bias_hh
    if cell == "rnn":
        h.copy_((given[0] + product[0]).tanh())
    elif cell == "lstm":
        sums = given + product
        i, f, g, o = sums[0].sigmoid(), sums[1].sigmoid(), sums[2].tanh(), sums[3].sigmoid()
        c.copy_(f * c + i * g)
        h.copy_(o * c.tanh())
        for slot, value in enumerate((i, f, g, o)):
            kept[slot].copy_(value)
    else:
        r, z = (given[0] + product[0]).sigmoid(), (given[1] + product[1]).sigmoid()
        n = (given[2] + r * product[2]).tanh()
        h.copy_(n + z * (h - n))
        for slot, value in enumerate((r, z, n, product[2])):
            kept[slot].copy_(value)
    h_kept.copy_(h)
    if c_kept is not None:
        c_kept.copy_(c)
    if masks is not None and operand is not None:
        for gate, mask in enumerate(
            masks.unbind(0)
        ):  # of one shape with all the rest, so that one kernel does it
            operand[gate].copy_(h * mask)


def step_backward(
    cell: str,
    grad_h: Tensor,
    grad_c: Tensor,
    parts: Tensor | None,
    masks: Tensor | None,
    grad_output: Tensor | None,
    kept: Sequence[Tensor],
    h_before: Tensor,
    h_after: Tensor,
    c_before: Tensor | None,
    c_after: Tensor | None,
    deltas: Sequence[Tensor],
) -> None:
    """One step back.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
    grad_h, grad_c : Tensor (batch, hidden_size)
        On entry, of the state after this step: what did not pass through the next step's product. On return, the same
        of the state before it.
    parts : Tensor (G or 1, batch, hidden_size), optional
        What passed through the next step's product, to be masked and summed.
    masks : Tensor (G, batch, hidden_size), optional
    grad_output : Tensor (batch, hidden_size), optional
        Of the state after this step, where states were asked for.
    kept, h_before, h_after, c_before, c_after
        As `step_forward` filled them.
    deltas : NUM_DELTAS Tensors (batch, hidden_size)
        Filled with the gradients of the sums in front of the gates; see FROM_STATE and FROM_INPUT.
    """
    total = grad_h
    if parts is not None:
        total = total + (parts.sum(0) if masks is None else (parts * masks).sum(0))
    if grad_output is not None:
        total = total + grad_output
    wide = total.dtype
    if cell == "rnn":
        h = h_after.to(wide)
        deltas[0].copy_(total * (1 - h * h))
        grad_h.zero_()
    elif cell == "lstm" and c_before is not None and c_after is not None:
        i, f, g, o = (kept[slot].to(wide) for slot in range(4))
        tanh_c = c_after.to(wide).tanh()
        whole = grad_c + total * o * (1 - tanh_c * tanh_c)
        deltas[0].copy_(whole * g * i * (1 - i))
        deltas[1].copy_(whole * c_before.to(wide) * f * (1 - f))
        deltas[2].copy_(whole * i * (1 - g * g))
        deltas[3].copy_(total * tanh_c * o * (1 - o))
        grad_c.copy_(whole * f)
        grad_h.zero_()
    else:
        r, z, n, read = (kept[slot].to(wide) for slot in range(4))
        delta_n = total * (1 - z) * (1 - n * n)
        deltas[0].copy_(delta_n)
        deltas[1].copy_(delta_n * read * r * (1 - r))
        deltas[2].copy_(total * (h_before.to(wide) - n) * z * (1 - z))
        deltas[3].copy_(delta_n * r)
        grad_h.copy_(total * z)


def on_device(function: Callable[..., None], device: torch.device) -> Callable[..., None]:
    """``function``, compiled into one kernel where the device is CUDA and Triton is there to compile for it.

    RNNKIT_COMPILE=0 in the environment leaves it as it is.
    """
    if device.type != "cuda" or os.environ.get(COMPILE) == "0" or not _has_triton():
        return function
    # Each cell, batch, and kind of masks and drive is compiled apart; past its limit torch would go on uncompiled
    # without a word that anybody reads. The limit is that of a thread, and autograd's own take the way back.
    torch._dynamo.config.recompile_limit = max(_MOST_VARIANTS, torch._dynamo.config.recompile_limit)
    return _compiled(function)


@cache
def _has_triton() -> bool:
    from torch.utils._triton import has_triton

    return bool(has_triton())


@cache
def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    # With sizes that may change, code for a second batch would also ask where in its buffer each step lies.
    return torch.compile(function, dynamic=False)
