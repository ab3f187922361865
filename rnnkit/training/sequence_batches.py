"""What populations over sequences are trained on: batches of each network's own, in each network's own order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnkit.errors import UserError

# Streams of random numbers beside those of other trainings; part of every published result.
_OWN, _COMMON = 3, 4


@dataclass(frozen=True)
class SequenceBatches:
    """Batches of every network, made once and met in an order that is drawn anew each epoch.

    Attributes
    ----------
    x : array (num_models, num_batches, batch_size, seq_len, input_size), or without the last axis
        Numbers that a network reads; or, without the last axis, integers of 0 to ``num_symbols - 1`` of which it
        reads the one-hot form. Small types such as uint8 save memory: what is met is made of them batch by batch.
    y : array (num_models, num_batches, batch_size), or (num_models, num_batches, batch_size, seq_len)
        Targets of whole sequences, or of every step.
    num_symbols : int, optional
        Of the one-hot form.
    lengths : array (num_batches,), optional
        Steps of the sequences of each batch, the same for all networks; what stands after them in ``x`` is not read.
    common_order : int, optional
        Seed of an order in which all networks meet their batches; otherwise each has one of its own, of its own
        seed. Batches of several lengths need it, since a step has one length for all.

    Raises
    ------
    UserError
        Shapes that do not go together, integers that are no symbols, lengths of several kinds without a common order.
    """

    x: NDArray
    y: NDArray
    num_symbols: int | None = None
    lengths: NDArray | None = None
    common_order: int | None = None

    def __post_init__(self) -> None:
        axes = 5 if self.num_symbols is None else 4
        if (
            self.x.ndim != axes
            or 0 in self.x.shape
            or self.x.dtype.kind not in ("iufb" if axes == 5 else "iu")
        ):
            named = "num_models, num_batches, batch_size, seq_len" + (", input_size" if axes == 5 else "")
            raise UserError(
                "x is no batches of sequences",
                value=f"{self.x.dtype} {self.x.shape}",
                allowed=f"{'numbers' if axes == 5 else 'integers'} ({named})",
            )
        if self.y.shape not in {self.x.shape[:3], self.x.shape[:4]} or self.y.dtype.kind not in "iufb":
            raise UserError(
                "y is no targets of these batches",
                value=f"{self.y.dtype} {self.y.shape}",
                allowed=f"numbers {self.x.shape[:3]}, or {self.x.shape[:4]} for a target at every step",
            )
        if self.lengths is not None:
            self._check_lengths(self.lengths)
        if self.num_symbols is not None and not all(
            0 <= batch.min() <= batch.max() < self.num_symbols for batch in self._symbols()
        ):
            raise UserError("x has integers that are no symbols", allowed=f"0 to {self.num_symbols - 1}")
        seed = self.common_order
        if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or seed < 0):
            raise UserError(
                "this is no seed of an order", value=seed, allowed="an integer of at least 0, or None"
            )

    def _check_lengths(self, lengths: NDArray) -> None:
        longest = self.x.shape[3]
        if lengths.shape != (self.num_batches,) or lengths.dtype.kind not in "iu":
            raise UserError(
                "these are no lengths of the batches",
                value=f"{lengths.dtype} {lengths.shape}",
                allowed=f"integers ({self.num_batches},)",
            )
        if lengths.min() < 1 or lengths.max() > longest:
            wrong = lengths[(lengths < 1) | (lengths > longest)]
            raise UserError("no sequence has this length", value=int(wrong[0]), allowed=f"1 to {longest}")
        if self.common_order is None and lengths.min() != lengths.max():
            raise UserError(
                "networks that each have an order of their own would meet several lengths in one step",
                value="common_order=None",
                allowed="the seed of an order that they have in common",
            )

    def _symbols(self) -> list[NDArray]:
        lengths = [self.x.shape[3]] * self.num_batches if self.lengths is None else self.lengths
        return [self.x[:, batch, :, :length] for batch, length in enumerate(lengths)]

    @property
    def num_models(self) -> int:
        """Of networks."""
        return int(self.x.shape[0])

    @property
    def num_batches(self) -> int:
        """Of each network, in an epoch."""
        return int(self.x.shape[1])

    def order(self, seeds: list[int], epoch: int) -> NDArray[np.int64]:
        """Which batch each network meets at each step of an epoch, (num_models, num_batches).

        It hangs on the epoch and on the network's own seed, or on the common one.
        """
        if self.common_order is not None:
            drawn = np.random.default_rng([self.common_order, _COMMON, epoch]).permutation(self.num_batches)
            return np.broadcast_to(drawn, (len(seeds), self.num_batches))
        return np.stack(
            [np.random.default_rng([seed, _OWN, epoch]).permutation(self.num_batches) for seed in seeds]
        )

    def take(self, batches: NDArray, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """One batch of each network, by its number: x (num_models, batch_size, seq_len, input_size) and y.

        With lengths, all of them have that of the first network's.
        """
        models = np.arange(self.num_models)
        length = self.x.shape[3] if self.lengths is None else int(self.lengths[batches[0]])
        y = self.y[models, batches]
        if self.y.ndim == 4:
            y = y[:, :, :length]
        x = torch.from_numpy(self.x[models, batches][:, :, :length]).to(device)
        if self.num_symbols is not None:
            x = x.unsqueeze(-1) == torch.arange(self.num_symbols, device=device)
        return x.to(dtype), torch.from_numpy(y).to(device)
