"""Dropout masks of recurrent classifiers as Keras draws them: per sample, constant over time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PLACES = ("input", "layer", "output")


@dataclass(frozen=True)
class Masks:
    """Masks of one batch, scaled by 1 / (1 - rate) already; None where there is no dropout.

    Attributes
    ----------
    input : Tensor (1 or G, batch, features), optional
        On what the recurrent cell reads: one for all gates, or one for each.
    recurrent : Tensor (G, batch, hidden_size), optional
        On the state that each gate reads.
    layer : Tensor (batch, 1, input_size), optional
        On the sequence that a layer with a memory reads.
    output : Tensor (batch, hidden_size), optional
        On the last state, before the readout.
    """

    input: Tensor | None = None
    recurrent: Tensor | None = None
    layer: Tensor | None = None
    output: Tensor | None = None


def draw_mask(
    *shape: int, rate: float, generator: torch.Generator, device: torch.device | str = "cpu"
) -> Tensor | None:
    """Zeros with probability `rate` and 1 / (1 - rate) elsewhere; None where the rate is 0.

    Drawn on the generator's device, so that the device of the network does not change the draws.
    """
    if rate == 0:
        return None
    kept = torch.rand(*shape, generator=generator, device=generator.device) >= rate
    return kept.to(device=device, dtype=torch.float32) / (1 - rate)
