"""Choosing between the forms of a recurrence."""

from __future__ import annotations

import os

from torch import Tensor

from rnnkit.errors import UserError
from rnnkit.models.recurrence import fused, stepwise

FORMS = ("auto", "fused", "stepwise")
VARIABLE = "RNNKIT_RECURRENCE"


def recur(
    cell: str,
    drive: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    *,
    masks: Tensor | None = None,
    precision: str = "fp32",
    states: bool = False,
    form: str | None = None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Run a recurrence in the fastest form that can.

    Arguments and results are those of :func:`rnnkit.models.recurrence.stepwise.recur`.

    Parameters
    ----------
    form : {"auto", "fused", "stepwise"}, optional
        ``fused`` is compiled and runs on the CPU, in float32, with hidden_size a multiple of 64. Left out, the
        environment's RNNKIT_RECURRENCE decides, or else ``auto``: fused where it can and the processor suits it.

    Raises
    ------
    UserError
        As the stepwise form; an unknown form, or ``fused`` where it cannot run.
    """
    stepwise.check_arguments(cell, drive, weight_hh, bias_hh, masks, precision)
    one = fused if _takes_fused(form, [drive, weight_hh, bias_hh, masks], weight_hh.shape[1]) else stepwise
    return one.recur(cell, drive, weight_hh, bias_hh, masks=masks, precision=precision, states=states)


def recur_numbers(
    cell: str,
    x: Tensor,
    weight_ih: Tensor,
    bias_ih: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    *,
    masks: Tensor | None = None,
    precision: str = "fp32",
    states: bool = False,
    form: str | None = None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Run a recurrence whose input is one number a step: x (seq_len, batch).

    As :func:`recur` of ``drive = x[..., None] * weight_ih + bias_ih`` with weight_ih and bias_ih (G * hidden_size,),
    but the fused form does not lay out the drive, which is larger than all that it has to keep; it does so only
    where a gradient for x is wanted.
    """
    given = [x, weight_ih, bias_ih, weight_hh, bias_hh, masks]
    if not x.requires_grad and _takes_fused(form, given, weight_hh.shape[1]):
        return fused.recur_numbers(
            cell, x, weight_ih, bias_ih, weight_hh, bias_hh, masks=masks, precision=precision, states=states
        )
    drive = x.unsqueeze(2) * weight_ih + bias_ih
    return recur(cell, drive, weight_hh, bias_hh, masks=masks, precision=precision, states=states, form=form)


def _takes_fused(form: str | None, tensors: list[Tensor | None], hidden_size: int) -> bool:
    form = os.environ.get(VARIABLE, "auto") if form is None else form
    if form not in FORMS:
        raise UserError("unknown form of the recurrence", value=form, allowed=FORMS)
    if form == "stepwise":
        return False
    reason = fused.reason_against([tensor for tensor in tensors if tensor is not None], hidden_size)
    if form == "fused" and reason is not None:
        raise UserError(f"the fused recurrence cannot run: {reason}", hint="Choose the form auto or stepwise")
    return reason is None and (form == "fused" or fused.is_fast_here())
