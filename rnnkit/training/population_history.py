"""What becomes of the models of a population in training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError

MAX_BYTES = 2 * 2**30
KEPT = ("curves", "best", "final", "trajectory")


@dataclass
class PopulationHistory:
    """What became of the models; what was not asked for is an array of no columns.

    Attributes
    ----------
    epochs : int64 (num_models,)
        Epochs trained.
    best_accuracy : float64 (num_models,)
        Best validation accuracy over the epochs (a fraction); nan after no epoch.
    best_epoch : int64 (num_models,)
        The first epoch that reached it, counted from 1.
    learning_rate : float64 (num_models,)
        At the end.
    valid_accuracy, valid_loss : float32 (num_models, num_epochs + 1)
        Column 0 is before training; nan after a model has stopped.
    best, final : float32 (num_models, num_parameters)
        Parameters after the best epoch and after the last; nan after no epoch.
    trajectory : float32 (num_epochs + 1, num_models, num_parameters)
        Parameters after every epoch, those before training first; nan after a model has stopped.
    """

    epochs: NDArray
    best_accuracy: NDArray
    best_epoch: NDArray
    learning_rate: NDArray
    valid_accuracy: NDArray
    valid_loss: NDArray
    best: NDArray
    final: NDArray
    trajectory: NDArray

    @classmethod
    def empty(
        cls, num_models: int, num_parameters: int, num_epochs: int, rate: float, keep: Collection[str]
    ) -> PopulationHistory:
        """Of models that have not been trained yet; UserError where it would take more than `MAX_BYTES`."""
        curves, vectors = 2 * (num_epochs + 1), num_parameters
        columns = {
            "curves": curves,
            "best": vectors,
            "final": vectors,
            "trajectory": (num_epochs + 1) * vectors,
        }
        size = num_models * (32 + 4 * sum(columns[name] for name in keep))
        if size > MAX_BYTES:
            raise UserError(
                f"the history of {num_models:,} models would take {size / 2**30:.1f} GiB",
                value=f"keep={tuple(keep)}",
                allowed=f"up to {MAX_BYTES / 2**30:.0f} GiB",
                hint="Keep less: with keep=() a model takes 32 bytes, however long it is trained",
            )

        def blank(name: str, dtype: str, *shape: int) -> NDArray:
            return np.full(shape if name in keep else (*shape[:-1], 0), np.nan, dtype)

        curve, vector = (num_models, num_epochs + 1), (num_models, num_parameters)
        return cls(
            epochs=np.zeros(num_models, np.int64),
            best_accuracy=np.full(num_models, np.nan),
            best_epoch=np.zeros(num_models, np.int64),
            learning_rate=np.full(num_models, float(rate)),
            valid_accuracy=blank("curves", "float32", *curve),
            valid_loss=blank("curves", "float32", *curve),
            best=blank("best", "float32", *vector),
            final=blank("final", "float32", *vector),
            trajectory=blank("trajectory", "float32", num_epochs + 1, *vector),
        )
