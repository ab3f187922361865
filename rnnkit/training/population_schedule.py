"""When the models of a population learn more slowly, and when they stop."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnnkit.errors import UserError


@dataclass(frozen=True)
class PopulationSchedule:
    """When a model's learning rate falls and when it stops.

    Attributes
    ----------
    learning_rate : float
    batch_size : int
    num_epochs : int
        At most.
    patience : int or None
        A model stops after so many epochs without a validation accuracy above its best; None: never.
    halve : bool
        Whether its learning rate is halved whenever its validation accuracy falls below that of the epoch before.
    min_learning_rate : float
        It stops where its learning rate has fallen below.

    Raises
    ------
    UserError
        A number that cannot be used.
    """

    learning_rate: float = 1e-3
    batch_size: int = 32
    num_epochs: int = 150
    patience: int | None = None
    halve: bool = False
    min_learning_rate: float = 0.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "min_learning_rate"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise UserError(
                    f"{name} cannot be used", value=value, allowed="a finite number of at least 0"
                )
        for name, least in (("batch_size", 1), ("num_epochs", 0), ("patience", 1)):
            value = getattr(self, name)
            if name == "patience" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise UserError(
                    f"{name} cannot be used", value=value, allowed=f"an integer of at least {least}"
                )


PAPER = PopulationSchedule(patience=4, halve=True, min_learning_rate=1e-6)
"""Section III.B, Mehta; the batch size is this project's reading."""

CONSTANT = PopulationSchedule()
"""The same without the rule: 150 epochs for every model."""
