"""How forms of a recurrence with a backward pass of their own are called: with a drive, or with one number a step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rnnkit.models.recurrence.packed import PackedMasks

Found = tuple[Tensor, Tensor | None, Tensor | None]


def run(
    recurrence: type[torch.autograd.Function],
    cell: str,
    tensors: tuple[Tensor | None, ...],
    masks: Tensor | PackedMasks | None,
    precision: str,
    states: bool,
    inputs: tuple[Tensor, ...] = (),
) -> Found:
    """Apply a recurrence, which keeps what its way back needs where a gradient is wanted.

    ``tensors`` are source, weight_ih, bias_ih, weight_hh and bias_hh; ``inputs``, for a recurrence that takes more of
    them, these and their weights.
    """
    wanted = any(tensor is not None and tensor.requires_grad for tensor in (*tensors, *inputs))
    tracked = torch.is_grad_enabled() and wanted
    h, c, hidden_states = recurrence.apply(cell, *tensors, masks, precision, states, tracked, *inputs)
    return h, c if cell == "lstm" else None, hidden_states if states else None


def entries(recurrence: type[torch.autograd.Function]) -> tuple[Callable[..., Found], Callable[..., Found]]:
    """Make ``recur`` and ``recur_numbers`` of a form.

    Parameters
    ----------
    recurrence : type of torch.autograd.Function
        ``apply(cell, source, weight_ih, bias_ih, weight_hh, bias_hh, masks, precision, states, tracked)`` returns h, c
        and the states. ``source`` is a drive, and weight_ih and bias_ih are None, or x with one number a step.
    """

    def apply(
        cell: str,
        source: Tensor,
        weight_ih: Tensor | None,
        bias_ih: Tensor | None,
        weight_hh: Tensor,
        bias_hh: Tensor | None,
        masks: Tensor | PackedMasks | None,
        precision: str,
        states: bool,
    ) -> Found:
        tensors = (source, weight_ih, bias_ih, weight_hh, bias_hh)
        return run(recurrence, cell, tensors, masks, precision, states)

    def recur(
        cell: str,
        drive: Tensor,
        weight_hh: Tensor,
        bias_hh: Tensor | None,
        *,
        masks: Tensor | PackedMasks | None = None,
        precision: str = "fp32",
        states: bool = False,
    ) -> Found:
        """As :func:`rnnkit.models.recurrence.stepwise.recur`."""
        return apply(cell, drive, None, None, weight_hh, bias_hh, masks, precision, states)

    def recur_numbers(
        cell: str,
        x: Tensor,
        weight_ih: Tensor,
        bias_ih: Tensor,
        weight_hh: Tensor,
        bias_hh: Tensor | None,
        *,
        masks: Tensor | PackedMasks | None = None,
        precision: str = "fp32",
        states: bool = False,
    ) -> Found:
        """As ``recur`` where the input is one number a step, whose drive is never laid out.

        x (seq_len, batch) or, fused, (seq_len, batch, G); weight_ih and bias_ih (G * hidden_size,). Differentiable in
        all parameters, but not in x.
        """
        return apply(cell, x, weight_ih, bias_ih, weight_hh, bias_hh, masks, precision, states)

    return recur, recur_numbers
