"""What a training is given and what it reports."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from rnnkit.errors import UserError

METRICS = ("train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "test_accuracy", "seconds")
CURVES = ("loss", "accuracy", "iteration", "watched_loss", "watched_accuracy")


@dataclass(frozen=True)
class Sequences:
    """Labelled sequences on the training device: x (n, seq_len, input_size), y (n,)."""

    x: Tensor
    y: Tensor

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, device: str) -> Sequences:
        """Arrays, placed on the device."""
        return cls(torch.from_numpy(x).to(device), torch.from_numpy(y).to(device))


@dataclass(frozen=True)
class Watch:
    """What is looked at within epochs: some sequences after every so many batches, and every batch's own loss.

    Attributes
    ----------
    data : Sequences
    every : int
    """

    data: Sequences
    every: int

    def __post_init__(self) -> None:
        if not isinstance(self.every, int) or isinstance(self.every, bool) or self.every < 1:
            raise UserError("every cannot be used", value=self.every, allowed="an integer of at least 1")


@dataclass
class History:
    """What became of a training (losses in nats, accuracies in 0..1).

    Attributes
    ----------
    metrics : dict
        One entry an epoch under each of `METRICS`.
    curves : dict
        Empty lists unless something is watched. ``loss`` and ``accuracy``: one entry a batch, before the step that
        follows from it. ``watched_loss`` and ``watched_accuracy``: what is watched, after so many batches as
        ``iteration`` says.
    """

    metrics: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in METRICS})
    curves: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in CURVES})

    @property
    def num_epochs(self) -> int:
        """Epochs finished."""
        return len(self.metrics["train_loss"])
