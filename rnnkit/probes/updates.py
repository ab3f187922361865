"""How the steps of training point, epoch by epoch, beside the way from the start to the end (Eq. 7, Mehta)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes


@dataclass(frozen=True)
class Updates:
    """Local updates W_t - W_(t-1) and the global update W_N - W_0 of M models over at most E epochs.

    Attributes
    ----------
    cosine : ndarray (M, E)
        Cosine of the angle between the local update of epoch t (column t - 1) and the global one; nan after a
        model has stopped, and where either update is zero.
    step : ndarray (M, E)
        Norms of the local updates; nan after a model has stopped.
    total : ndarray (M,)
        Norm of the global update.

    Notes
    -----
    A walk of N steps in random directions of a space of many dimensions has cosines about 1 / sqrt(N), not 0:
    the global update is the sum of the local ones.
    """

    cosine: NDArray[np.float64]
    step: NDArray[np.float64]
    total: NDArray[np.float64]

    @property
    def mean_cosine(self) -> NDArray[np.float64]:
        """Mean cosine over the epochs of each model, shape (M,)."""
        return _nan_mean(self.cosine)

    @property
    def roughness(self) -> NDArray[np.float64]:
        """Mean |cosine(t + 1) - cosine(t)|, shape (M,): small for a smooth curve; nan below two epochs."""
        return _nan_mean(np.abs(np.diff(self.cosine, axis=1)))

    @property
    def straightness(self) -> NDArray[np.float64]:
        """The way as the crow flies over the way gone, ||W_N - W_0|| / sum of ||W_t - W_(t-1)||, shape (M,).

        It is the mean of the cosines, each weighted by the length of its step; nan for a model that never moved.
        """
        gone = np.nansum(self.step, axis=1)
        return np.divide(self.total, gone, out=np.full(len(gone), np.nan), where=gone > 0)

    def early_rise(self, epoch: int = 5) -> NDArray[np.float64]:
        """Return cosine(`epoch`) - cosine(1), shape (M,); nan where training stopped before that epoch.

        Raises
        ------
        UserError
            If `epoch` is not from 2 to E.
        """
        if not 2 <= epoch <= self.cosine.shape[1]:
            raise UserError("epoch is out of range", value=epoch, allowed=f"2 to {self.cosine.shape[1]}")
        return self.cosine[:, epoch - 1] - self.cosine[:, 0]


def updates(trajectory: NDArray[Any], epochs: NDArray[Any] | None = None) -> Updates:
    """Compare the local update of every epoch with the global update (Eq. 7, Mehta).

    Parameters
    ----------
    trajectory : ndarray (E + 1, M, N)
        Parameters before training and after each epoch; what stands after a model's last epoch is ignored.
    epochs : ndarray (M,), optional
        Epochs that each model was trained for; all E unless told.

    Returns
    -------
    Updates

    Raises
    ------
    UserError
        If there is no epoch, the shapes do not fit, or `epochs` are not from 0 to E.
    """
    trajectory = np.asarray(trajectory)
    if trajectory.ndim != 3 or len(trajectory) < 2 or 0 in trajectory.shape:
        raise UserError(
            "trajectory has the wrong shape", value=trajectory.shape, allowed="(E + 1, M, N), E >= 1"
        )
    num_epochs, num_models = len(trajectory) - 1, trajectory.shape[1]
    epochs = np.full(num_models, num_epochs) if epochs is None else np.asarray(epochs)
    if epochs.shape != (num_models,) or epochs.dtype.kind not in "iu":
        raise UserError("epochs do not fit the models", value=epochs, allowed=f"{num_models} whole numbers")
    if epochs.min() < 0 or epochs.max() > num_epochs:
        raise UserError("epochs are out of range", value=epochs.tolist(), allowed=f"0 to {num_epochs}")

    models = np.arange(num_models)
    start = check_axes(trajectory[0], "trajectory", ("M", "N")).astype(np.float64)
    way = check_axes(trajectory[epochs, models], "trajectory", ("M", "N")) - start
    total = np.linalg.norm(way, axis=1)
    cosine, step = np.full((2, num_models, num_epochs), np.nan)
    before = start
    for epoch in range(1, epochs.max() + 1):
        running = np.flatnonzero(epochs >= epoch)
        now = before.copy()
        now[running] = check_axes(trajectory[epoch, running], "trajectory", ("M", "N"))
        local = now - before
        step[running, epoch - 1] = np.linalg.norm(local[running], axis=1)
        moved = running[(step[running, epoch - 1] > 0) & (total[running] > 0)]
        products = (local[moved] * way[moved]).sum(axis=1) / (step[moved, epoch - 1] * total[moved])
        cosine[moved, epoch - 1] = np.clip(products, -1, 1)
        before = now
    return Updates(cosine, step, total)


def _nan_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average what is not nan along the last axis; nan where nothing is."""
    counts = np.isfinite(values).sum(axis=-1)
    return np.divide(np.nansum(values, axis=-1), counts, out=np.full(counts.shape, np.nan), where=counts > 0)
