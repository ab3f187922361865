"""Train one net on digits read row by row, and follow what it believes while it reads (Section 3.1, Anirudh R)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rnnkit.datasets.mnist import Rows, load_rows
from rnnkit.models import StackedClassifier
from rnnkit.probes import examples
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.lab.rows_configs import RowsNet
from rnnkit.studies.progress import Steps, counting
from rnnkit.training import History, Sequences, Watch, generators, train

SAVE_EVERY_S = 60.0
_TOGETHER = 500  # images that are read at once where nothing is trained


@lru_cache(maxsize=1)
def rows(dataset: str) -> Rows:
    """The data, read once per process."""
    return load_rows(dataset=dataset)


def compute_rows(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Train, and keep the curves, the confusion, and for nets that are shown their beliefs row by row."""
    net: RowsNet = job.config
    data = rows(str(job.key.config["dataset"]))
    streams = generators(job.seed)
    model = StackedClassifier(net.classifier(data.train_x.shape[2]), generator=streams.init).to(device)
    train_y = data.train_y[: net.num_train]
    progress.steps(-(-len(train_y) // net.schedule.batch_size) * net.schedule.num_epochs, job.key.label)

    def on_epoch(history: History) -> None:
        progress.advance(0, note=f"test accuracy {history.metrics['test_accuracy'][-1]:.4f}")

    def first(part: str, count: int) -> Sequences:
        x, y = (getattr(data, f"{part}_{name}")[:count] for name in "xy")
        return Sequences.of(x, y, device)

    history = train(
        model,
        net.schedule,
        train_data=first("train", net.num_train),
        valid_data=first("valid", net.num_valid),
        test_data=first("test", net.num_test),
        shuffle=streams.shuffle,
        checkpoint=checkpoint,
        save_every=SAVE_EVERY_S,
        identity=job.key.id,
        watch=Watch(first("test", net.num_watched), net.watch_every),
        on_step=counting(progress),
        on_epoch=on_epoch,
    )
    tested = first("test", net.num_test)
    confusion = _confusion(model, tested)
    return Outcome(
        arrays=_curves(history)
        | {"confusion": confusion}
        | _reading(model, first("test", net.num_read), net),
        metrics={
            "num_parameters": model.num_parameters,
            "num_train": len(train_y),
            "num_test": int(confusion.sum()),
            "test_accuracy": float(np.trace(confusion) / confusion.sum()),
            "valid_accuracy": history.metrics["valid_accuracy"][-1],
            "epoch_seconds": float(np.median(history.metrics["seconds"])),
        },
        data_checksums=data.checksums,
        seconds=sum(history.metrics["seconds"]),
    )


def compute_images(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Keep the images that nets are watched with, as they were before any scaling."""
    data, count = rows(str(job.key.config["dataset"])), int(job.key.config["count"])
    return Outcome(
        arrays={
            "images": np.rint(data.test_x[:count] * 255).astype(np.uint8),
            "labels": data.test_y[:count].astype(np.uint8),
        },
        metrics={},
        data_checksums=data.checksums,
    )


def _curves(history: History) -> dict[str, np.ndarray]:
    """Curves within epochs, and what was measured after each."""
    curves = {name: np.array(values, dtype=np.float32) for name, values in history.curves.items()}
    epochs = {name: np.array(history.metrics[name], dtype=np.float64) for name in history.metrics}
    return {
        "loss": curves["loss"],
        "batch_accuracy": curves["accuracy"].astype(np.float16),
        "iteration": np.array(history.curves["iteration"], dtype=np.int32),
        "test_loss": curves["watched_loss"],
        "test_accuracy": curves["watched_accuracy"],
        "epoch_test_accuracy": epochs["test_accuracy"],
        "epoch_valid_accuracy": epochs["valid_accuracy"],
        "epoch_train_loss": epochs["train_loss"],
        "epoch_train_accuracy": epochs["train_accuracy"],
        "seconds": epochs["seconds"],
    }


def _confusion(model: StackedClassifier, data: Sequences) -> np.ndarray:
    """Counts (true, named)."""
    with torch.no_grad():
        named = torch.cat([model(x).argmax(1) for x in data.x.split(_TOGETHER)]).cpu()
    return examples.confusion(data.y.cpu().numpy(), named.numpy(), model.config.num_classes)


def _reading(model: StackedClassifier, data: Sequences, net: RowsNet) -> dict[str, np.ndarray]:
    """What the net believes after each row: of the images that are kept, and on average."""
    if not len(data.y):
        return {}
    belief = beliefs(model, data.x)
    right = belief.argmax(2) == data.y.cpu()[:, None]
    of_true = belief.gather(2, data.y.cpu()[:, None, None].expand(-1, belief.shape[1], 1)).squeeze(2)
    found = {
        "accuracy_by_row": right.double().mean(0).numpy(),
        "true_belief_by_row": of_true.double().mean(0).numpy(),
    }
    if net.num_kept:
        found["belief"] = belief[: net.num_kept].half().numpy()
    return found


def beliefs(model: StackedClassifier, x: Tensor) -> Tensor:
    """Probabilities after each row, (n, seq_len, num_classes) on the CPU."""
    with torch.no_grad():
        return torch.cat([model.beliefs(part).softmax(2).cpu() for part in x.split(_TOGETHER)])
