"""Recurrent dropout masks of each step with a bit for each, as the fused form reads them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BITS = 16  # masks in a number: those of as many hidden units


@dataclass(frozen=True)
class PackedMasks:
    """What a Tensor (seq_len, G, batch, hidden_size) of zeros and `scale` says, in a thirty-second of its bytes.

    Attributes
    ----------
    bits : Tensor (seq_len, G, batch, hidden_size / 16) of uint16
        The lowest bit is that of the first of 16 hidden units; it is 1 where the unit is kept.
    scale : float
        1 / (1 - rate).
    """

    bits: Tensor
    scale: float

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the masks: (seq_len, G, batch, hidden_size)."""
        return (*self.bits.shape[:-1], BITS * self.bits.shape[-1])

    def dim(self) -> int:
        """Dimensions of the masks."""
        return self.bits.dim()

    def unpacked(self) -> Tensor:
        """The masks as float32."""
        return _numbers(self.bits, self.scale)

    def at(self, t: int) -> Tensor:
        """Those of step t: (G, batch, hidden_size) float32."""
        return _numbers(self.bits[t], self.scale)


def _numbers(bits: Tensor, scale: float) -> Tensor:
    places = torch.arange(BITS, dtype=torch.int32)
    kept = bits.to(torch.int32).unsqueeze(-1) >> places & 1
    return kept.flatten(-2).to(torch.float32).mul_(scale)
