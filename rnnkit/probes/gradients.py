"""How far back the loss reaches: the size of its gradient at every step of the sequence.

Behind "the vanishing and exploding gradient problems" of Section II B, Irisarri, and the remedy said to be in gates
and in the Legendre memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

Step = Callable[..., "tuple[Tensor, ...]"]
"""``step(x_t (n, I), *state) -> state``: one step of a net; a state is one or more tensors (n, ...)."""


@dataclass(frozen=True)
class Gradients:
    """Mean over samples of the norm of a sample's own gradient, at steps 1, ..., T; T is lag 0.

    Attributes
    ----------
    input : ndarray (T,)
        d loss / d x_t; for one number a step its absolute value.
    hidden : ndarray (T,)
        d loss / d h_t: what a small change of h_t does to the loss in all ways that lead on from h_t.
    cell : ndarray (T,) or None
        d loss / d c_t, in an LSTM; h_t, made of c_t, follows it.
    memory : ndarray (T,) or None
        d loss / d m_t, in an LMU, by way of everything that follows m_t.
    """

    input: NDArray[np.float64]
    hidden: NDArray[np.float64]
    cell: NDArray[np.float64] | None = None
    memory: NDArray[np.float64] | None = None


def classifier_gradients(model: Any, x: Tensor, targets: Tensor, *, batch_size: int = 50) -> Gradients:
    """Measure the gradients of a classifier's cross-entropy, without dropout.

    Parameters
    ----------
    model : object
        Like `rnnkit.models.SequenceClassifier`: `readout(h) -> logits`, `training`, `train(mode)`, and a `layer` with
        `hidden_size` and a `step`: that of a `Recurrent`, ``step(x_t, h, c) -> h, c``, or, where the layer has a
        `memory_size` (and `memory_d`), that of an `LMU`, ``step(x_t, m, h, c) -> m, h, c``; c is None where the cell
        has none. It is left in the mode it was in, without gradients of its parameters.
    x : Tensor (n, T, I)
        Sequences, in the model's type and on its device. In float32 a gradient below 1e-45 is 0; ``model.double()``
        and ``x.double()`` show it down to 1e-300.
    targets : Tensor (n,) of int
        True classes.
    batch_size : int
        Sequences at a time; memory grows with ``batch_size * T`` (50 x 784 steps of an LSTM with 256 units: 0.6 GB).

    Returns
    -------
    Gradients

    Raises
    ------
    UserError
        If the sequences and the targets do not fit, or a gradient is not finite.
    """
    import torch

    layer = model.layer
    has_memory = hasattr(layer, "memory_size")
    widths = ([layer.memory_d * layer.memory_size] if has_memory else []) + [layer.hidden_size]
    has_cell = False

    def step(x_t: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        nonlocal has_cell
        after = layer.step(x_t, *state)
        has_cell = after[-1] is not None
        return tuple(tensor for tensor in after if tensor is not None)

    def loss(*state: Tensor, targets: Tensor) -> Tensor:
        logits = model.readout(state[len(widths) - 1])
        return torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    was_training = model.training
    model.train(False)
    try:
        from_input, states = gradient_norms(
            step, loss, x, targets, state=[x.new_zeros(width) for width in widths], batch_size=batch_size
        )
    finally:
        model.train(was_training)
    return Gradients(
        input=from_input,
        hidden=states[len(widths) - 1],
        cell=states[-1] if has_cell else None,
        memory=states[0] if has_memory else None,
    )


def gradient_norms(
    step: Step,
    loss: Callable[..., Tensor],
    x: Tensor,
    targets: Tensor,
    *,
    state: Sequence[Tensor],
    batch_size: int = 50,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the gradients of any loss of the last state, by a net that is given as its step.

    Parameters
    ----------
    step : callable
        ``step(x_t (n, I), *state) -> state``. It may return more tensors than it was given at the first step, as an
        LSTM that starts without a c.
    loss : callable
        ``loss(*state, targets=targets (n,)) -> (n,)``, each sample's loss of its last state.
    x : Tensor (n, T, I)
    targets : Tensor (n, ...)
    state : sequence of Tensor (width,)
        The state before the first step, the same for all samples.
    batch_size : int

    Returns
    -------
    input : ndarray (T,)
        Mean over samples of the norm of d loss / d x_t.
    states : ndarray (K, T)
        The same for each of the K tensors that `step` returns, after step t. Each is changed alone: in an LSTM
        d loss / d h_t holds c_t fixed, d loss / d c_t does not hold h_t fixed where `step` made it of c_t.

    Raises
    ------
    UserError
        If the sequences and the targets do not fit, or a gradient is not finite.
    """
    if x.dim() != 3 or not x.numel() or len(targets) != len(x):
        raise UserError(
            "sequences and targets do not fit",
            value=(tuple(x.shape), tuple(targets.shape)),
            allowed="shapes (n, T, I) and (n,), none of them 0",
        )
    if batch_size < 1:
        raise UserError("batch_size is out of range", value=batch_size, allowed="at least 1")
    total: NDArray[np.float64] | float = 0.0
    for sequences, answers in zip(x.split(batch_size), targets.split(batch_size), strict=True):
        total = total + _summed_norms(step, loss, sequences, answers, state)
    norms = np.asarray(total) / len(x)
    if not np.isfinite(norms).all():
        raise UserError(
            "gradients are not finite", allowed="finite ones", hint="A net whose training diverged has such"
        )
    return norms[0], norms[1:]


def _summed_norms(
    step: Step, loss: Callable[..., Tensor], x: Tensor, targets: Tensor, state: Sequence[Tensor]
) -> NDArray[np.float64]:
    """Return norms summed over samples (1 + K, T): the input's first."""
    import torch

    with torch.enable_grad():
        inputs = [x_t.detach().requires_grad_() for x_t in x.unbind(1)]
        now: tuple[Tensor, ...] = tuple(start.expand(len(x), -1) for start in state)
        states = []
        for x_t in inputs:
            now = step(x_t, *now)
            states.append(now)
        # The sum over samples: each has the gradient of its own loss alone.
        value = loss(*now, targets=targets).sum()
        by_kind = [inputs, *zip(*states, strict=True)]
        wanted = [tensor for kind in by_kind for tensor in kind]
        found = torch.autograd.grad(value, wanted, allow_unused=True)
    # In float64 before it is squared: in float32 what has shrunk below 1e-19 would be 0.
    norms = [
        0.0 if gradient is None else float(gradient.double().flatten(1).norm(dim=1).sum())
        for gradient in found
    ]
    return np.array(norms).reshape(len(by_kind), len(inputs))
