"""The recurrences as one compiled pass each way, with a hand-written way back through time, on the CPU.

What makes it fast: the batch is cut into micro-batches whose states and deltas stay in the second-level cache; products
are summed in registers, from weights laid out once per call, and each sum goes through its gate before it leaves the
first-level cache; only what the backward pass cannot do without is kept (of the LSTM i, f, g, o, c), in half precision
where products are in bfloat16; the gradient of weight_hh is one product for several steps. Inputs that want no
gradient are multiplied on the way, so that the drive, in an LSTM four times as large, never goes through memory. Each
cell and each kind of input has a loop of its own, which need not ask what it is. Products of bfloat16 are made of tiles
where the processor has Intel's AMX, of pairs where it multiplies those, and of single numbers elsewhere.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.models.recurrence.entry import entries, run
from rnnkit.models.recurrence.packed import PackedMasks
from rnnkit.models.recurrence.threads import num_threads

if TYPE_CHECKING:
    from rnnkit.lanes.sequences.runner import Problem

UNITS = 64  # the compiled form makes the sums of so many hidden units together
INPUTS_AT_ONCE = 16  # and takes further inputs by so many


def reason_against(tensors: list[Tensor], hidden_size: int) -> str | None:
    """Why the fused form cannot run on these tensors; None where it can."""
    if any(tensor.device.type != "cpu" for tensor in tensors):
        return "it runs on the CPU alone"
    if any(tensor.dtype != torch.float32 for tensor in tensors):
        return "it takes float32 alone"
    if any(tensor.numel() == 0 for tensor in tensors):
        return "there is nothing to run over"
    if hidden_size % UNITS:
        return f"hidden_size is no multiple of {UNITS}"
    return None if _compiler_works() else "it needs numba"


@cache
def is_fast_here() -> bool:
    """Whether the processor has the registers that the products are cut for."""
    if not _compiler_works():
        return False
    from rnnkit.lanes.sequences.operands import processor_has

    return processor_has("avx512f") or (processor_has("avx2") and processor_has("fma"))


@cache
def padded_inputs(count: int) -> int:
    """How many inputs to fill ``count`` up to with zeros: what the compiled form takes, and takes fast here."""
    from rnnkit.lanes.sequences import runner

    at_once = 2 * INPUTS_AT_ONCE if runner.TILES else INPUTS_AT_ONCE
    return -(-count // at_once) * at_once


@cache
def _compiler_works() -> bool:
    if find_spec("numba") is None:
        return False
    try:
        import rnnkit.lanes.sequences.runner
    except ImportError as error:
        if (error.name or "").startswith("rnnkit"):
            raise
        return False
    return bool(rnnkit.lanes.sequences.runner.ROWS)


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
        masks: Tensor | PackedMasks | None,
        precision: str,
        states: bool,
        tracked: bool,
        inputs: Tensor | None = None,
        weight_inputs: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        from rnnkit.lanes.sequences.runner import run_forward

        ctx.set_materialize_grads(False)
        problem = _problem(
            cell, source, weight_ih, bias_ih, weight_hh, bias_hh, masks, precision, inputs, weight_inputs
        )
        shape = (problem.seq_len, problem.batch, problem.hidden_size)
        filled = np.empty(shape, np.float32) if states else None
        threads = num_threads(len(problem.micro_batches))
        h, c, tape = run_forward(problem, keep=tracked, states=filled, threads=threads)
        if tracked:
            # The drive itself is not needed on the way back. What was kept is a tensor so that autograd lets it go
            # after the backward pass, not when the loss is forgotten.
            kept = [torch.from_numpy(part) for part in tape.kept]
            x = source if weight_ih is not None else None
            ctx.mask_scale = problem.mask_scale
            ctx.save_for_backward(x, weight_ih, weight_hh, _numbers_of(masks), inputs, *kept)
            ctx.cell, ctx.precision, ctx.sizes = cell, precision, tape.sizes
            ctx.num_steps, ctx.batch, ctx.has_bias = problem.seq_len, problem.batch, bias_hh is not None
        return (
            torch.from_numpy(h),
            torch.from_numpy(c) if cell == "lstm" else None,
            None if filled is None else torch.from_numpy(filled),
        )

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        from rnnkit.lanes.sequences.runner import Problem, Tape, run_backward

        x, weight_ih, weight_hh, masks, inputs, *kept = ctx.saved_tensors
        tape = Tape(ctx.sizes, [part.numpy() for part in kept])
        problem = Problem(
            ctx.cell,
            _array(weight_hh),
            None,
            ctx.num_steps,
            ctx.batch,
            x=_array(x),
            weight_ih=_array(weight_ih),
            inputs=_array(inputs),
            masks=_array(masks),
            mask_scale=ctx.mask_scale,
            bf16=ctx.precision == "bf16",
        )
        grad_h, grad_c, grad_states = (_array(gradient) for gradient in gradients)
        found = run_backward(
            problem,
            tape,
            grad_h=grad_h,
            grad_c=grad_c,
            grad_states=grad_states,
            with_drive=x is None and ctx.needs_input_grad[1],
            threads=num_threads(len(tape.sizes)),
        )
        parts = [
            found.drive,
            found.weight_ih if x is not None else None,
            found.bias_ih if x is not None else None,
            found.weight_hh,
            found.bias_hh if ctx.has_bias else None,
            *5 * [None],  # masks, precision, states, tracked, inputs
            found.weight_inputs,
        ]
        return (None, *(None if part is None else torch.from_numpy(part) for part in parts))


# For what :func:`reason_against` has nothing against.
recur, recur_numbers = entries(_Recurrence)


def recur_inputs(
    cell: str,
    inputs: Tensor,
    x: Tensor,
    weight_inputs: Tensor,
    weight_ih: Tensor,
    bias_ih: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    *,
    masks: Tensor | PackedMasks | None = None,
    precision: str = "fp32",
    states: bool = False,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """As `recur_numbers` with more inputs beside x; neither the drive nor its gradient is made.

    Each of the inputs (ceil(seq_len / P), batch, I) is read in P steps, with other weights in each: weight_inputs
    (P, G * hidden_size, I), I a multiple of `INPUTS_AT_ONCE`. Differentiable in all parameters, but not in inputs and
    x. ``bf16`` rounds the operands of products, of inputs as of states. For what
    :func:`rnnkit.models.recurrence.reads_inputs` says yes to.

    Raises
    ------
    ValueError
        Inputs or their weights of another shape.
    """
    (steps, sums, width), (seq_len, batch) = weight_inputs.shape, x.shape
    expected = (-(-seq_len // max(1, steps)), batch, width)
    if not steps or width % INPUTS_AT_ONCE or sums != len(weight_hh) or inputs.shape != expected:
        raise ValueError(
            f"inputs {tuple(inputs.shape)} and their weights {tuple(weight_inputs.shape)} must be "
            f"(ceil({seq_len} / P), {batch}, I) and (P, {len(weight_hh)}, I), I a multiple of {INPUTS_AT_ONCE}"
        )
    tensors = (x, weight_ih, bias_ih, weight_hh, bias_hh)
    return run(_Recurrence, cell, tensors, masks, precision, states, (inputs, weight_inputs))


def _problem(
    cell: str,
    source: Tensor,
    weight_ih: Tensor | None,
    bias_ih: Tensor | None,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    masks: Tensor | PackedMasks | None,
    precision: str,
    inputs: Tensor | None,
    weight_inputs: Tensor | None,
) -> Problem:
    from rnnkit.lanes.sequences.runner import Problem

    seq_len, batch = source.shape[:2]
    given = _array(source)
    return Problem(
        cell,
        _array(weight_hh),
        _array(bias_hh),
        seq_len,
        batch,
        drive=given if weight_ih is None else None,
        x=None if weight_ih is None else given,
        weight_ih=_array(weight_ih),
        bias_ih=_array(bias_ih),
        inputs=_array(inputs),
        weight_inputs=_array(weight_inputs),
        masks=_array(_numbers_of(masks)),
        mask_scale=masks.scale if isinstance(masks, PackedMasks) else 1.0,
        bf16=precision == "bf16",
    )


def _numbers_of(masks: Tensor | PackedMasks | None) -> Tensor | None:
    return masks.bits if isinstance(masks, PackedMasks) else masks


def _array(tensor: Tensor | None) -> Any:
    """The numbers of a tensor as a C-contiguous array, without a copy where they lie so already."""
    return None if tensor is None else tensor.detach().contiguous().numpy()
