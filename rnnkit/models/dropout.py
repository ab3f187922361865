"""Dropout masks of recurrent classifiers as Keras draws them: one a sample, or one a sample and step.

Keras 3 keeps a mask for a whole sequence, as its documentation says that Keras does. Keras 2 draws it within the loop
over steps (``DropoutRNNCellMixin`` of 2.15, in a compiled graph): there each step has masks of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PLACES = ("input", "memory", "output")
SPANS = ("sequence", "step")


@dataclass(frozen=True)
class Masks:
    """Masks of one batch, scaled by 1 / (1 - rate) already; None where there is no dropout.

    Attributes
    ----------
    input : Tensor (1 or G, batch, features) or (seq_len, 1 or G, batch, features), optional
        On what the recurrent cell reads: one for all gates, or one for each; constant over time, or of each step.
    recurrent : Tensor (G, batch, hidden_size) or (seq_len, G, batch, hidden_size), optional
        On the state that each gate reads.
    memory : Tensor (batch, 1 or seq_len, input_size), optional
        On the sequence that a Legendre memory reads; the cell behind it reads that as it is.
    output : Tensor (batch, hidden_size), optional
        On the last state, before the readout.
    """

    input: Tensor | None = None
    recurrent: Tensor | None = None
    memory: Tensor | None = None
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


def draw_masks_of_steps(
    *shape: int, rate: float, generator: torch.Generator, device: torch.device | str = "cpu"
) -> Tensor | None:
    """As :func:`draw_mask` for so many numbers that they are drawn where they are needed.

    Only a seed comes from the generator; the same one gives other masks on another device.
    """
    if rate == 0:
        return None
    seed = int(torch.randint(2**63 - 1, (), generator=generator, device=generator.device))
    own = torch.Generator(device).manual_seed(seed)
    return torch.empty(*shape, device=device).bernoulli_(1 - rate, generator=own).div_(1 - rate)
