"""Dropout masks of recurrent classifiers as Keras draws them: one a sample, or one a sample and step.

Keras 3 keeps a mask for a whole sequence, as its documentation says that Keras does. Keras 2 draws it within the loop
over steps (``DropoutRNNCellMixin`` of 2.15, in a compiled graph): there each step has masks of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from rnnkit.models.recurrence import PackedMasks
from rnnkit.models.recurrence.packed import BITS


@dataclass(frozen=True)
class Masks:
    """Masks of one batch, scaled by 1 / (1 - rate) already; None where there is no dropout.

    Attributes
    ----------
    input : Tensor (1 or G, batch, features) or (seq_len, 1 or G, batch, features), optional
        On what the recurrent cell reads: one for all gates, or one for each; constant over time, or of each step.
    recurrent : Tensor (G, batch, hidden_size) or (seq_len, G, batch, hidden_size), or PackedMasks, optional
        On the state that each gate reads.
    memory : Tensor (batch, 1 or seq_len, input_size), optional
        On the sequence that a Legendre memory reads; the cell behind it reads that as it is.
    output : Tensor (batch, hidden_size), optional
        On the last state, before the readout.
    """

    input: Tensor | None = None
    recurrent: Tensor | PackedMasks | None = None
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
    """As :func:`draw_mask` for so many numbers that they are made where they are needed.

    Only a seed comes from the generator. Four masks come from a word of SplitMix64 (Steele, Lea & Flood, 2014), which
    is a function of the seed and of their place: they are the same on every device. Each takes 16 bits, so `rate` is
    rounded to a multiple of 1 / 65,536.
    """
    if rate == 0:
        return None
    seed, threshold, kept = _seed(generator), _threshold(rate), 1 / (1 - rate)
    if torch.device(device).type == "cpu" and find_spec("numba") is not None:
        from rnnkit.lanes.masks import fill_masks

        masks = torch.empty(shape)
        fill_masks(masks.view(-1).numpy(), np.uint64(seed), np.uint64(threshold), np.float32(kept))
        return masks
    return _masks_of(seed, threshold, math.prod(shape), device).mul_(kept).view(shape)


def draw_packed_masks(*shape: int, rate: float, generator: torch.Generator) -> PackedMasks | None:
    """The same masks as those of :func:`draw_masks_of_steps`, with a bit for each; None where the rate is 0.

    The last number of the shape is a multiple of 16. Needs numba.
    """
    if rate == 0:
        return None
    from rnnkit.lanes.masks import fill_bits

    bits = torch.empty(*shape[:-1], shape[-1] // BITS, dtype=torch.uint16)
    fill_bits(bits.view(-1).numpy(), np.uint64(_seed(generator)), np.uint64(_threshold(rate)))
    return PackedMasks(bits, 1 / (1 - rate))


def _seed(generator: torch.Generator) -> int:
    return int(torch.randint(2**63 - 1, (), generator=generator, device=generator.device))


def _threshold(rate: float) -> int:
    """The least of 16 bits that keep what they are drawn for."""
    return min(round(rate * 2**16), 2**16 - 1)


def _masks_of(seed: int, threshold: int, count: int, device: torch.device | str) -> Tensor:
    """Zeros and ones of a seed, in torch: (count,) float32."""
    words = torch.arange(1, -(-count // 4) + 1, device=device).mul_(_signed(0x9E3779B97F4A7C15)).add_(seed)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        high = (words >> shift).bitwise_and_(
            (1 << (64 - shift)) - 1
        )  # of integers with a sign, which it repeats
        words = words.bitwise_xor_(high).mul_(_signed(factor))
    bits = words.view(torch.int16)[:count].to(torch.int32).bitwise_and_(0xFFFF)
    return (bits >= threshold).to(torch.float32)


def _signed(word: int) -> int:
    """The integer with a sign that has the same 64 bits."""
    return word - 2**64 if word >= 2**63 else word
