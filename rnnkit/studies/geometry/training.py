"""Train one net on MNIST rows (Section 2, Horoi, Lajoie & Wolf)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from rnnkit.datasets.mnist import Rows, load_rows
from rnnkit.models import VanillaRNN
from rnnkit.results import Record
from rnnkit.studies.geometry.configs import NUM_CLASSES, Net, ProbeConfig
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps
from rnnkit.training import History, Sequences, generators, train

if TYPE_CHECKING:
    from rnnkit.training import Generators

METRICS_KEPT = ("train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "test_accuracy", "seconds")


@lru_cache(maxsize=2)
def rows(dataset: str, normalise: bool) -> Rows:
    """The data, read once per process."""
    return load_rows(dataset=dataset, normalise=normalise)


def make_model(net: Net, input_size: int, generator: torch.Generator | None = None) -> VanillaRNN:
    """The paper's network: tanh units without biases, a linear readout."""
    return VanillaRNN(
        input_size, net.hidden_size, NUM_CLASSES, bias=False, precision=net.precision, generator=generator
    )


def trained_model(net: Net, record: Record, device: str) -> VanillaRNN:
    """The network as its training record left it."""
    model = make_model(net, record.weights["weight_ih"].shape[1])
    model.load_state_dict({name: torch.from_numpy(np.array(w)) for name, w in record.weights.items()})
    return model.to(device).eval()


def probed(
    config: ProbeConfig, record: Record, device: str, count: int
) -> tuple[VanillaRNN, Rows, np.ndarray, np.ndarray]:
    """The trained net, its data, and the first ``count`` test images x (n, seq_len, input_size) with labels y (n,)."""
    data = rows(config.dataset, config.net.normalise)
    model = trained_model(config.net, record, device)
    return model, data, data.test_x[:count], data.test_y[:count]


def compute_training(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Train, and keep the weights and the metrics of every epoch."""
    net: Net = job.config
    dataset = str(job.key.config["dataset"])
    data = rows(dataset, net.normalise)
    streams = generators(job.seed)
    model = make_model(net, data.train_x.shape[2], streams.init).to(device)
    progress.steps(net.schedule.num_epochs, f"train {job.key.label}")

    def on_epoch(history: History) -> None:
        latest = history.metrics["valid_accuracy"][-1]
        progress.advance(note=f"valid accuracy {latest:.4f}")

    history = train(
        model,
        net.schedule,
        train_data=Sequences.of(data.train_x, _labels(data, net, streams), device),
        valid_data=Sequences.of(data.valid_x, data.valid_y, device),
        test_data=Sequences.of(data.test_x, data.test_y, device),
        shuffle=streams.shuffle,
        checkpoint=checkpoint,
        identity=job.key.id,
        on_epoch=on_epoch,
    )
    arrays = {name: np.array(history.metrics[name], dtype=np.float64) for name in METRICS_KEPT}
    final = {name: float(values[-1]) for name, values in arrays.items() if len(values)}
    return Outcome(
        arrays=arrays,
        metrics={"num_train": len(data.train_y), "epoch_seconds": _median(arrays["seconds"]), **final},
        data_checksums=data.checksums,
        weights={name: value.detach().cpu().numpy() for name, value in model.state_dict().items()},
        seconds=sum(history.metrics["seconds"]),
    )


def _labels(data: Rows, net: Net, streams: Generators) -> np.ndarray:
    if not net.shuffle_labels:
        return data.train_y
    return data.train_y[torch.randperm(len(data.train_y), generator=streams.data).numpy()]


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else 0.0
