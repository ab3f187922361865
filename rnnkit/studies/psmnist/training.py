"""Train one of the six on permuted pixels, as Section II C of Irisarri says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from rnnkit.datasets.mnist import Pixels, permuted
from rnnkit.models import SequenceClassifier
from rnnkit.probes import examples
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps, counting
from rnnkit.studies.psmnist.configs import PERMUTATION_SEED, Net
from rnnkit.training import Generators, History, Sequences, Watch, generators, train

SAVE_EVERY_S = 20.0
# Sequences in one batch of an evaluation: a hoisted input projection of 250 takes 0.8 GB; a GPU has room for more.
_TOGETHER = {"cpu": 250, "cuda": 2000}
_CURVES = ("train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "seconds")


@lru_cache(maxsize=1)
def pixels(dataset: str) -> Pixels:
    """The data, read once per process."""
    return permuted(dataset=dataset, permutation_seed=PERMUTATION_SEED)


def first_images(data: Pixels, net: Net) -> Pixels:
    """As many images of each part as a net is to see."""
    counts = {"train": net.num_train, "valid": net.num_valid, "test": net.num_test}
    parts = [field.name for field in fields(data) if field.name[:-2] in counts]
    return replace(data, **{name: getattr(data, name)[: counts[name[:-2]]] for name in parts})


def make_model(net: Net, seq_len: int, streams: Generators | None = None) -> SequenceClassifier:
    """The classifier; without generators its weights are to be loaded."""
    return SequenceClassifier(
        net.classifier(seq_len),
        generator=None if streams is None else streams.init,
        dropout_generator=None if streams is None else streams.dropout,
        precision=net.precision,
    )


def trained_model(net: Net, record: Record, seq_len: int, device: str) -> SequenceClassifier:
    """The network as its training record holds it, in half precision, for evaluation."""
    model = make_model(net, seq_len)
    model.load_state_dict({name: torch.from_numpy(np.array(w)).float() for name, w in record.weights.items()})
    return model.to(device).eval()


def untrained_model(net: Net, seed: int, seq_len: int, device: str = "cpu") -> SequenceClassifier:
    """The network as its training with this seed found it."""
    return make_model(net, seq_len, generators(seed)).to(device).eval()


def compute_training(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Train, and keep the curves, what the net says of the test images, and its weights."""
    data, model, history = _trained(job, device, checkpoint, progress)
    curves = {name: np.array(history.metrics[name], dtype=np.float64) for name in _CURVES}
    final = {name: float(values[-1]) for name, values in curves.items() if name != "seconds"}
    logits = logits_of(model.eval(), data.test_x, device)
    tested, test_metrics = _tested(logits, data.test_y)
    return Outcome(
        arrays=curves | tested,
        metrics={
            "num_parameters": model.num_parameters,
            "num_train": len(data.train_y),
            "num_test": len(data.test_y),
            "epoch_seconds": float(np.median(curves["seconds"])),
            **final,
            **test_metrics,
        },
        data_checksums=data.checksums,
        weights={name: value.half().cpu().numpy() for name, value in model.state_dict().items()},
        seconds=float(curves["seconds"].sum()),
    )


def compute_answers(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Train all the same, and keep the curves and what the net says of the test images."""
    return replace(compute_training(job, records, device, checkpoint, progress), weights=None)


def compute_start(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Train for few epochs, and keep what each batch said before the step that followed from it."""
    schedule = job.config.schedule
    data, _, history = _trained(job, device, checkpoint, progress, by_batch=True)
    curves = {name: np.array(history.curves[name], dtype=np.float64) for name in ("loss", "accuracy")}
    return Outcome(
        arrays=curves,
        metrics={"num_steps": len(curves["loss"]), "batch_size": schedule.batch_size},
        data_checksums=data.checksums,
        seconds=float(np.sum(history.metrics["seconds"])),
    )


def _trained(
    job: Job, device: str, checkpoint: Path, progress: Steps, *, by_batch: bool = False
) -> tuple[Pixels, SequenceClassifier, History]:
    """The data of a job, its net behind the training, and the history, of each batch too if that is wanted."""
    net: Net = job.config
    data = first_images(pixels(str(job.key.config["dataset"])), net)
    streams = generators(job.seed)
    model = make_model(net, data.train_x.shape[1], streams).to(device)
    num_steps = -(-len(data.train_y) // net.schedule.batch_size) * net.schedule.num_epochs
    progress.steps(num_steps, f"{'start' if by_batch else 'train'} {job.key.label}")
    valid = Sequences.of(data.valid_x, data.valid_y, device)

    def on_epoch(history: History) -> None:
        progress.advance(0, note=f"valid accuracy {history.metrics['valid_accuracy'][-1]:.4f}")

    history = train(
        model,
        net.schedule,
        train_data=Sequences.of(data.train_x, data.train_y, device),
        valid_data=valid,
        test_data=None,
        shuffle=streams.shuffle,
        dropout=streams.dropout,
        checkpoint=checkpoint,
        save_every=SAVE_EVERY_S,
        identity=job.key.id,
        evaluated_together=_TOGETHER[device],
        watch=Watch(valid, every=num_steps) if by_batch else None,
        on_step=counting(progress),
        on_epoch=on_epoch,
    )
    return data, model, history


def logits_of(model: SequenceClassifier, x: np.ndarray, device: str) -> np.ndarray:
    """Logits of sequences x (n, seq_len, 1) -> (n, num_classes) float32, without dropout."""
    with torch.no_grad():
        parts = [model(part.to(device)).cpu() for part in torch.from_numpy(x).split(_TOGETHER[device])]
    return torch.cat(parts).numpy()


def _tested(logits: np.ndarray, y: np.ndarray) -> tuple[dict[str, np.ndarray], Mapping[str, float]]:
    targets = torch.from_numpy(y)
    named = logits.argmax(1)
    confusion = examples.confusion(y, named, logits.shape[1])
    loss = torch.nn.functional.cross_entropy(torch.from_numpy(logits), targets)
    arrays: dict[str, np.ndarray] = {
        "test_logits": logits.astype(np.float16),
        "test_y": y.astype(np.uint8),
        "confusion": confusion,
    }
    return arrays, {"test_loss": float(loss), "test_accuracy": float((named == y).mean())}
