"""What the nets read, and what a Legendre memory holds of it: no training is needed for either."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnkit.datasets import permutations
from rnnkit.models.legendre import discrete_matrices
from rnnkit.probes.order import order_effect
from rnnkit.probes.window import middles, window
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps
from rnnkit.studies.psmnist.training import pixels

NUM_SEQUENCES = 2000  # test images whose autocorrelations are averaged
ORDERS = (8, 32, 128, 256)  # Legendre polynomials
NUM_TIMES = 28
SMOOTH = ((1, 1.0), (3, 0.6), (7, 0.4))  # turns in a window, and height, of the waves of the smooth signal


def compute_data(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Take one image of each class, and find out what the permutation does to sequences."""
    data = pixels(str(job.key.config["dataset"]))
    num_pixels = len(data.permutation)
    side = int(np.sqrt(num_pixels))
    plain = in_rows(data.test_x, data.permutation)
    first = np.array([np.flatnonzero(data.test_y == cls)[0] for cls in range(10)])
    orders = np.stack([np.arange(num_pixels), data.permutation])
    longest = min(199, num_pixels - 1)
    effect = order_effect(plain[:NUM_SEQUENCES], orders, max_lag=longest)
    return Outcome(
        arrays={
            "images": np.rint(plain[first] * 255).astype(np.uint8).reshape(-1, side, side),
            "permutation": data.permutation,
            "bit_reversal": permutations.make("bit_reversal", num_pixels),
            "ink": effect.mean.astype(np.float32),
            "autocorrelation": effect.autocorrelation.astype(np.float32),
            "class_counts": np.bincount(data.train_y, minlength=10),
        },
        metrics={"num_sequences": min(NUM_SEQUENCES, len(plain)), "num_train": len(data.train_y)},
        data_checksums=data.checksums,
    )


def compute_window(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Run a smooth signal and a scrambled digit through memories of several sizes, and read the window back."""
    data = pixels(str(job.key.config["dataset"]))
    theta = len(data.permutation)
    turns = np.arange(theta) / theta
    smooth = sum(height * np.sin(2 * np.pi * count * turns) for count, height in SMOOTH)
    signals = np.stack([np.asarray(smooth), data.test_x[0, :, 0].astype(np.float64)])
    times = np.linspace(0, theta, NUM_TIMES + 1).round().astype(int)[1:]
    orders = [order for order in ORDERS if order <= theta]
    matrices = [discrete_matrices(order, float(theta), "zoh") for order in orders]
    found = window(
        signals,
        matrices,
        theta=float(theta),
        times=times,
        delays=middles(float(theta), every=max(1, theta // 196)),
    )
    return Outcome(
        arrays={
            "orders": found.orders,
            "times": found.times.astype(np.int32),
            "delays": found.delays.astype(np.float32),
            "signal": signals.astype(np.float32),
            "reconstruction": found.reconstruction.astype(np.float16),
            "error": found.error.astype(np.float32),
        },
        metrics={},
        data_checksums=data.checksums,
    )


def in_rows(sequences: np.ndarray, permutation: np.ndarray) -> np.ndarray:
    """Sequences (n, T, 1) in the order of the image's rows: (n, T)."""
    plain = np.empty(sequences.shape[:2], sequences.dtype)
    plain[:, permutation] = sequences[:, :, 0]
    return plain
