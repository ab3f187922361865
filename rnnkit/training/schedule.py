"""How a network is trained: learning rate, batches, epochs, and which Adam."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnnkit.errors import UserError

SEQUENCES_LEARNING_RATE = (
    5e-3  # of networks side by side that read sequences: Sections 3.2 and 3.3, lab report
)


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    Attributes
    ----------
    learning_rate : float
    batch_size, num_epochs : int
        ``num_epochs = 0`` leaves the network untrained.
    """

    learning_rate: float
    batch_size: int
    num_epochs: int

    def __post_init__(self) -> None:
        if not (isinstance(self.learning_rate, float) and 0 < self.learning_rate < 10):
            raise UserError(
                "learning_rate cannot be used", value=self.learning_rate, allowed="a float in (0, 10)"
            )
        for name, least in [("batch_size", 1), ("num_epochs", 0)]:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise UserError(
                    f"{name} cannot be used", value=value, allowed=f"an integer of at least {least}"
                )

    @property
    def weight_decay(self) -> float:
        """What is added to the gradient for each unit of a weight: nothing, and no part of a record's key."""
        return 0.0

    def epsilon_at(self, step: int) -> float:
        """What Adam adds at its step 1, 2, .. to the root of the corrected second moment: PyTorch's default."""
        return 1e-8


@dataclass(frozen=True)
class KerasSchedule(Schedule):
    """A schedule whose Adam is that of Keras.

    Keras adds epsilon before it corrects the second moment (the form at the end of Section 2 of Kingma & Ba, 2015),
    so that the first steps feel up to 32 times as much of it.

    Attributes
    ----------
    epsilon : float
        What Keras's Adam adds to the root of the uncorrected second moment.
    """

    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.epsilon, float) and 0 < self.epsilon < 1):
            raise UserError("epsilon cannot be used", value=self.epsilon, allowed="a float in (0, 1)")

    def epsilon_at(self, step: int) -> float:
        """Epsilon divided by the same correction as the second moment's root."""
        return self.epsilon / math.sqrt(1 - 0.999**step)


@dataclass(frozen=True)
class DecayedSchedule(Schedule):
    """A schedule whose Adam adds ``decay`` times each weight to its gradient (PyTorch's ``weight_decay``).

    Attributes
    ----------
    decay : float
    """

    decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.decay, float) and 0 <= self.decay < 1):
            raise UserError("decay cannot be used", value=self.decay, allowed="a float in [0, 1)")

    @property
    def weight_decay(self) -> float:
        """As given."""
        return self.decay
