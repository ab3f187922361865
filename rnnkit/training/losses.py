"""Losses of populations over sequences, one number a network, and what each takes an output to say."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from rnnkit.errors import UserError


def _cross_entropy(outputs: Tensor, y: Tensor) -> Tensor:
    classes = outputs.shape[-1]
    each = functional.cross_entropy(outputs.reshape(-1, classes), y.long().flatten(), reduction="none")
    return each.view(len(outputs), -1).mean(1)


def _bce(outputs: Tensor, y: Tensor) -> Tensor:
    outputs = outputs.squeeze(-1)
    each = functional.binary_cross_entropy_with_logits(outputs, y.to(outputs.dtype), reduction="none")
    return each.flatten(1).mean(1)


def _mse_sigmoid(outputs: Tensor, y: Tensor) -> Tensor:
    return _mse_linear(outputs.sigmoid(), y)


def _mse_linear(outputs: Tensor, y: Tensor) -> Tensor:
    return (outputs.squeeze(-1) - y).square().flatten(1).mean(1)


_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": _cross_entropy,
    "bce": _bce,
    "mse-sigmoid": _mse_sigmoid,
    "mse-linear": _mse_linear,
}
LOSSES = tuple(_LOSSES)
_THRESHOLDS = {"bce": 0.0, "mse-sigmoid": 0.0, "mse-linear": 0.5}


def sequence_losses(loss: str, outputs: Tensor, y: Tensor) -> Tensor:
    """The mean loss of each network, differentiable.

    Parameters
    ----------
    loss : {"cross_entropy", "bce", "mse-sigmoid", "mse-linear"}
        Cross-entropy of a softmax; binary cross-entropy of a sigmoid; mean squared error of a sigmoid, and of the
        output itself.
    outputs : Tensor (num_models, ..., output_size)
        Of the linear layer; with all but the cross-entropy, output_size is 1.
    y : Tensor (num_models, ...)
        Classes, or bits.

    Returns
    -------
    Tensor (num_models,)

    Raises
    ------
    UserError
        An unknown loss, or shapes that do not go together.
    """
    _check(loss, outputs)
    if y.shape != outputs.shape[:-1]:
        raise UserError(
            "the targets do not go with the outputs",
            value=tuple(y.shape),
            allowed=str(tuple(outputs.shape[:-1])),
        )
    return _LOSSES[loss](outputs, y)


def decisions(loss: str, outputs: Tensor) -> Tensor:
    """What outputs (..., output_size) say: the likeliest class, or the bit, int64 (...).

    A bit is 1 where the output is above 0, the middle of a sigmoid, or with ``mse-linear`` above 0.5; nan is 0.
    """
    _check(loss, outputs)
    if loss == "cross_entropy":
        return outputs.argmax(-1)
    return (outputs.squeeze(-1) > _THRESHOLDS[loss]).to(torch.int64)


def _check(loss: str, outputs: Tensor) -> None:
    if loss not in LOSSES:
        raise UserError("unknown loss", value=loss, allowed=LOSSES)
    if loss != "cross_entropy" and outputs.shape[-1] != 1:
        raise UserError(f"the loss {loss} is of one output", value=outputs.shape[-1], allowed="output_size 1")
