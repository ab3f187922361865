"""Where a training falls: the step whose gradient threw it off its way, and the same steps taken otherwise."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rnnkit.datasets.mnist import Pixels
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps, counting
from rnnkit.studies.psmnist.configs import Net
from rnnkit.studies.psmnist.training import SAVE_EVERY_S, first_images, make_model, pixels
from rnnkit.training import ClippedSchedule, History, Sequences, Watch, generators, load_checkpoint, train

_NUM_WATCHED = 250  # images that stand in for validation: nobody reads what comes of it
_SETTLED = 10  # steps that say what is usual


@dataclass(frozen=True)
class FallConfig:
    """What counts as a fall, and from where on it is looked at.

    Attributes
    ----------
    net : Net
    drop : float
        A training fell with the first epoch whose accuracy lies so far below the best one before.
    spike : float
        It was thrown by the first gradient so many times as long as the median of those before it, among the steps
        of that epoch and the one before.
    lead : int
        Steps before that one from which the training goes on otherwise.
    """

    net: Net
    drop: float = 0.1
    spike: float = 5.0
    lead: int = 10

    def to_dict(self) -> dict[str, float | int]:
        """What enters the record's key beside the net."""
        return {"drop": self.drop, "spike": self.spike, "lead": self.lead}


def compute_fall(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Train until the training falls; repeat its last steps as they were, in float32, and with clipped gradients."""
    asked: FallConfig = job.config
    data = first_images(pixels(str(job.key.config["dataset"])), asked.net)
    kept = checkpoint.with_suffix("")
    kept.mkdir(parents=True, exist_ok=True)
    training = _Training(job.key.id, job.seed, data, device, kept)
    history, epoch = _until_it_falls(asked, training, checkpoint, progress)
    accuracy = {"train_accuracy": np.array(history.metrics["train_accuracy"])}
    if epoch is None:
        outcome = Outcome(accuracy, {"fell": False}, data.checksums)
    else:
        arrays, metrics = _looked_at(asked, training, epoch, progress)
        outcome = Outcome(accuracy | arrays, {"fell": True, "epoch": epoch, **metrics}, data.checksums)
    shutil.rmtree(kept)
    return outcome


class _Training:
    """One training with its data, from any of its checkpoints on, in any precision and with any schedule."""

    def __init__(self, identity: str, seed: int, data: Pixels, device: str, folder: Path) -> None:
        self.identity, self.seed, self.device, self.folder = identity, seed, device, folder
        self.data = Sequences.of(data.train_x, data.train_y, device)
        self._watched = Sequences.of(data.valid_x[:_NUM_WATCHED], data.valid_y[:_NUM_WATCHED], device)
        self.images, self.order = data.train_x[:, :, 0], data.permutation

    def go_on(
        self,
        net: Net,
        num_epochs: int,
        checkpoint: Path,
        *,
        save_every: float | None,
        on_step: Callable[[nn.Module, int], None],
        watched: bool = True,
    ) -> History:
        """Train from this checkpoint, which moves along, to the end of this epoch."""
        streams = generators(self.seed)
        model = make_model(net, self.data.x.shape[1], streams).to(self.device)
        return train(
            model,
            replace(net.schedule, num_epochs=num_epochs),
            train_data=self.data,
            valid_data=self._watched,
            test_data=None,
            shuffle=streams.shuffle,
            dropout=streams.dropout,
            checkpoint=checkpoint,
            save_every=save_every,
            identity=self.identity,
            evaluated_together=_NUM_WATCHED,
            graphed=False,
            watch=Watch(self._watched, every=10**9) if watched else None,
            on_step=lambda count: on_step(model, count),
        )

    def after_epoch(self, epoch: int) -> Path:
        """The checkpoint at the end of an epoch."""
        return self.folder / f"epoch-{epoch}.safetensors"

    def after_step(self, step: int) -> Path:
        """The checkpoint after a step within an epoch."""
        return self.folder / f"step-{step}.safetensors"


def _until_it_falls(
    asked: FallConfig, training: _Training, checkpoint: Path, progress: Steps
) -> tuple[History, int | None]:
    net = asked.net
    per_epoch = math.ceil(len(training.data.y) / net.schedule.batch_size)
    progress.steps(per_epoch * net.schedule.num_epochs, "train until it falls")
    reached, epoch = counting(progress), 0
    while True:
        history = training.go_on(
            net,
            epoch + 1,
            checkpoint,
            save_every=SAVE_EVERY_S,
            on_step=lambda _, count: reached(count),
            watched=False,
        )
        epoch = history.num_epochs
        if not training.after_epoch(epoch).exists():
            shutil.copy(checkpoint, training.after_epoch(epoch))
        training.after_epoch(epoch - 3).unlink(missing_ok=True)
        accuracy = history.metrics["train_accuracy"]
        if max(accuracy) - accuracy[-1] > asked.drop and epoch > 1:
            return history, epoch
        if epoch >= net.schedule.num_epochs:
            return history, None


def _looked_at(
    asked: FallConfig, training: _Training, epoch: int, progress: Steps
) -> tuple[dict[str, np.ndarray], dict[str, float | int]]:
    """The steps of the epoch of the fall and of the one before, as they were and otherwise."""
    net = asked.net
    start = training.after_epoch(max(1, epoch - 2))
    per_epoch = math.ceil(len(training.data.y) / net.schedule.batch_size)
    progress.steps(4 * 2 * per_epoch, "the steps before the fall")
    arrays: dict[str, np.ndarray] = {}

    def run(line: str, other: Net, start: Path, *, keep: bool = False) -> None:
        file = training.folder / f"{line}.safetensors"
        shutil.copy(start, file)
        norms, steps = [], []

        def on_step(model: nn.Module, count: int) -> None:
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            norms.append(float(nn.utils.get_total_norm(gradients)))
            steps.append(count)
            if keep and count % per_epoch:
                shutil.copy(file, training.after_step(count))
            progress.advance(1)

        history = training.go_on(other, epoch, file, save_every=0.0 if keep else None, on_step=on_step)
        curves = {name: history.curves[name][-len(steps) :] for name in ("loss", "accuracy")}
        found = {"step": np.array(steps), **{name: np.array(values) for name, values in curves.items()}}
        arrays.update(
            {f"{line}_{name}": values for name, values in (found | {"norm": np.array(norms)}).items()}
        )

    def state_after(step: int) -> Path:
        return training.after_step(step) if step % per_epoch else training.after_epoch(step // per_epoch)

    run("as_trained", net, start, keep=True)
    place = thrown_at(arrays["as_trained_norm"], asked.spike)
    thrown = int(arrays["as_trained_step"][place])
    early, late = state_after(thrown - 1 - min(asked.lead, place)), state_after(thrown - 1)
    exact = replace(net, precision="fp32")
    clipped = replace(net, schedule=ClippedSchedule(**asdict(net.schedule), global_clipnorm=1.0))
    run("fp32", exact, early)
    run("fp32_late", exact, late)
    run("clipped", clipped, early)
    compared, metrics = _compared(training, (net, exact), late)
    usual = float(np.median(arrays["as_trained_norm"][:place]))
    return arrays | compared, {"thrown": thrown, "usual_norm": usual, **metrics}


def thrown_at(norms: np.ndarray, spike: float) -> int:
    """Where the first of gradient norms (n,) is that exceeds `spike` times the median before it; else the largest."""
    for place in range(_SETTLED, len(norms)):
        if norms[place] > spike * np.median(norms[:place]):
            return place
    return max(1, int(np.argmax(norms)))


def _compared(
    training: _Training, nets: tuple[Net, Net], state: Path
) -> tuple[dict[str, np.ndarray], dict[str, float | int]]:
    """The gradient of one batch at the same weights and masks in two precisions, and how far each sequence reaches.

    A sequence's reach is the norm of its own loss's gradient at its pixels.
    """
    found = load_checkpoint(state, training.identity)
    assert found is not None
    tensors, saved = found
    order = torch.randperm(
        len(training.data.y), generator=torch.Generator().manual_seed(0).set_state(tensors["shuffle"])
    )
    batch = order.split(nets[0].schedule.batch_size)[saved["step"]]
    y = training.data.y[batch]
    reach, whole = [], []
    for net in nets:
        streams = generators(training.seed)
        streams.dropout.set_state(tensors["dropout"])
        model = make_model(net, training.data.x.shape[1], streams).to(training.device)
        model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
        x = training.data.x[batch].requires_grad_()
        loss = nn.functional.cross_entropy(model.train()(x), y)
        *gradients, at_pixels = torch.autograd.grad(loss, [*model.parameters(), x])
        whole.append(torch.cat([gradient.flatten() for gradient in gradients]).double())
        reach.append(at_pixels[:, :, 0].norm(dim=1).cpu().numpy() * len(batch))
    first, second = whole
    farthest = int(batch[int(np.argmax(reach[0]))])
    side = math.isqrt(len(training.order))
    image = np.empty(len(training.order), dtype=np.float32)
    image[training.order] = training.images[farthest]
    arrays: dict[str, np.ndarray] = {
        "reach": np.stack(reach).astype(np.float32),
        "image": np.rint(image * 255).astype(np.uint8).reshape(side, side),
    }
    return arrays, {
        "norm": float(first.norm()),
        "norm_fp32": float(second.norm()),
        "cosine": float(first @ second / (first.norm() * second.norm())),
        "digit": int(training.data.y[farthest]),
    }
