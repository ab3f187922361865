"""Choosing between the forms of a recurrence."""

from __future__ import annotations

import os

from torch import Tensor

from rnnkit.errors import UserError
from rnnkit.models.recurrence import fused, stepwise, unrolled
from rnnkit.models.recurrence.packed import PackedMasks

FORMS = ("auto", "fused", "unrolled", "stepwise")
VARIABLE = "RNNKIT_RECURRENCE"


def recur(
    cell: str,
    drive: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    *,
    masks: Tensor | PackedMasks | None = None,
    precision: str = "fp32",
    states: bool = False,
    form: str | None = None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Run a recurrence in the fastest form that can.

    Arguments and results are those of :func:`rnnkit.models.recurrence.stepwise.recur`.

    Parameters
    ----------
    form : {"auto", "fused", "unrolled", "stepwise"}, optional
        ``fused`` is compiled and runs on the CPU, in float32, with hidden_size a multiple of 64; ``unrolled`` is plain
        torch with a way back of its own, on any device. Left out, the environment's RNNKIT_RECURRENCE decides, or else
        ``auto``: on a CPU fused, where it can and the processor suits it, or else stepwise; unrolled on other devices.

    Raises
    ------
    UserError
        As the stepwise form; an unknown form, or ``fused`` where it cannot run.
    """
    stepwise.check_arguments(cell, drive, weight_hh, bias_hh, masks, precision)
    taken = _taken(form, [drive, weight_hh, bias_hh, masks], weight_hh.shape[1])
    one = {"fused": fused, "unrolled": unrolled, "stepwise": stepwise}[taken]
    masks = _read_by(taken, masks)
    return one.recur(cell, drive, weight_hh, bias_hh, masks=masks, precision=precision, states=states)


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
    form: str | None = None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Run a recurrence whose input is one number a step: x (seq_len, batch), or (seq_len, batch, G), one for each gate.

    As :func:`recur` of ``drive = x[..., None] * weight_ih + bias_ih`` with weight_ih and bias_ih (G * hidden_size,),
    but the fused form does not lay out the drive, which is larger than all that it has to keep, nor does the unrolled
    one where gates read the same number; they do so where a gradient for x is wanted.
    """
    given = [x, weight_ih, bias_ih, weight_hh, bias_hh, masks]
    taken = _taken(form, given, weight_hh.shape[1])
    by_gate = x.dim() == 3
    if taken == "stepwise" or x.requires_grad or (by_gate and taken == "unrolled"):
        weights = weight_ih.view(x.shape[2] if by_gate else 1, -1)
        drive = (x.view(*x.shape[:2], -1, 1) * weights).flatten(2) + bias_ih
        return recur(
            cell, drive, weight_hh, bias_hh, masks=masks, precision=precision, states=states, form=form
        )
    drive_of_none = x.new_empty(1).expand(*x.shape[:2], weight_ih.shape[0])
    stepwise.check_arguments(cell, drive_of_none, weight_hh, bias_hh, masks, precision)
    one = fused if taken == "fused" else unrolled
    masks = _read_by(taken, masks)
    return one.recur_numbers(
        cell, x, weight_ih, bias_ih, weight_hh, bias_hh, masks=masks, precision=precision, states=states
    )


def reads_inputs(x: Tensor, weight_hh: Tensor, form: str | None = None) -> bool:
    """Whether :func:`rnnkit.models.recurrence.fused.recur_inputs` is the form to be taken, and can be.

    It can where x wants no gradient; what is read beside it may want none either.
    """
    return not x.requires_grad and _taken(form, [x, weight_hh], weight_hh.shape[1]) == "fused"


def reads_packed_masks(weight_hh: Tensor, form: str | None = None) -> bool:
    """Whether the form that would be taken reads `PackedMasks` as they are."""
    return _taken(form, [weight_hh], weight_hh.shape[1]) == "fused"


def _read_by(form: str, masks: Tensor | PackedMasks | None) -> Tensor | PackedMasks | None:
    return masks.unpacked() if form == "unrolled" and isinstance(masks, PackedMasks) else masks


def _taken(form: str | None, operands: list[Tensor | PackedMasks | None], hidden_size: int) -> str:
    form = os.environ.get(VARIABLE, "auto") if form is None else form
    if form not in FORMS:
        raise UserError("unknown form of the recurrence", value=form, allowed=FORMS)
    if form in ("unrolled", "stepwise"):
        return form
    given = [operand for operand in operands if isinstance(operand, Tensor)]
    if form == "auto" and given[0].device.type != "cpu":
        return "unrolled"
    reason = fused.reason_against(given, hidden_size)
    if form == "fused" and reason is not None:
        raise UserError(
            f"the fused recurrence cannot run: {reason}", hint="Choose the form auto, unrolled or stepwise"
        )
    return "fused" if reason is None and (form == "fused" or fused.is_fast_here()) else "stepwise"
