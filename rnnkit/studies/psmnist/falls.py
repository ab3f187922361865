"""Where a training falls: the step whose gradient threw it off its way, and the same steps taken otherwise."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rnnkit.datasets.mnist import Pixels
from rnnkit.errors import UserError
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps, counting
from rnnkit.studies.psmnist.configs import FALL_CURVES, FALL_LINES, Net
from rnnkit.studies.psmnist.inputs import in_rows
from rnnkit.studies.psmnist.training import SAVE_EVERY_S, first_images, make_model, pixels
from rnnkit.training import ClippedSchedule, History, Sequences, Watch, generators, load_checkpoint, train

_NUM_WATCHED = 250  # images that stand in for validation: nobody reads what comes of it
_SETTLED = 10  # steps that say what is usual
_NEVER = 10**9  # batches between two looks at what is watched


@dataclass(frozen=True)
class FallConfig:
    """What counts as a fall, and from where on it is looked at.

    Attributes
    ----------
    net : Net
    drop : float
        A training fell with the first epoch, of the second and later, whose accuracy lies so far below the best one.
    spike : float
        It was thrown by the first gradient so many times as long as the median of those before it, among the steps
        of that epoch and the one before; the first epoch is not looked at.
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
    """Train until the training falls; repeat its last steps as they were, in float32, and with clipped gradients.

    Steps are taken one by one, on CUDA too, where the training that they are those of is launched as graphs.

    Raises
    ------
    UserError
        The loss is no longer finite before it falls, or steps that are repeated are not those that were.
    """
    asked: FallConfig = job.config
    data = first_images(pixels(str(job.key.config["dataset"])), asked.net)
    training = _Training(job.key.id, job.seed, data, device, checkpoint, asked.net)
    history = _until_it_falls(asked, training, progress)
    accuracy = {"train_accuracy": np.array(history.metrics["train_accuracy"])}
    if not _fell(accuracy["train_accuracy"], asked.drop):
        outcome = Outcome(accuracy, {"fell": False}, data.checksums)
    else:
        arrays, metrics = _looked_at(asked, training, history, progress)
        outcome = Outcome(accuracy | arrays, {"fell": True, **metrics}, data.checksums)
    shutil.rmtree(training.folder)
    return outcome


def _fell(accuracy: Sequence[float] | np.ndarray, drop: float) -> bool:
    return len(accuracy) > 1 and max(accuracy) - accuracy[-1] > drop


class _Training:
    """One training with its data, from any of its checkpoints on, in any precision and with any schedule."""

    def __init__(
        self, identity: str, seed: int, data: Pixels, device: str, checkpoint: Path, net: Net
    ) -> None:
        self.identity, self.seed, self.device, self.pixels = identity, seed, device, data
        self.checkpoint, self.folder = checkpoint, checkpoint.with_suffix("")
        self.data = Sequences.of(data.train_x, data.train_y, device)
        self.per_epoch = math.ceil(len(data.train_y) / net.schedule.batch_size)
        self._watched = Sequences.of(data.valid_x[:_NUM_WATCHED], data.valid_y[:_NUM_WATCHED], device)
        if not checkpoint.exists():  # what is kept is of a training that was given up, or has its record
            self.begin_anew()
        self.folder.mkdir(parents=True, exist_ok=True)

    def begin_anew(self) -> None:
        """Forget how far it was."""
        self.checkpoint.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def go_on(
        self,
        net: Net,
        num_epochs: int,
        checkpoint: Path,
        *,
        save_every: float | None,
        on_step: Callable[[int], None],
        watched: bool,
    ) -> History:
        """Train from this checkpoint, which moves along, to the end of this epoch."""
        streams = generators(self.seed)
        return train(
            make_model(net, self.data.x.shape[1], streams).to(self.device),
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
            watch=Watch(self._watched, every=_NEVER) if watched else None,
            on_step=on_step,
        )

    def after(self, step: int) -> Path:
        """Where the checkpoint after so many steps is kept."""
        return self.folder / f"after-{step}.safetensors"

    def keep_end_of(self, epoch: int) -> None:
        """Keep the checkpoint of the training, unless it was taken up from within the next epoch."""
        found = load_checkpoint(self.checkpoint, self.identity)
        if found is not None and found[1]["step"] == 0:
            self.keep(self.checkpoint, epoch * self.per_epoch)

    def keep(self, checkpoint: Path, step: int) -> None:
        """Keep a copy of a checkpoint; a copy that is there is whole."""
        aside = self.after(step).with_suffix(".tmp")
        shutil.copy(checkpoint, aside)
        os.replace(aside, self.after(step))


def _until_it_falls(asked: FallConfig, training: _Training, progress: Steps) -> History:
    num_epochs = asked.net.schedule.num_epochs
    progress.steps(training.per_epoch * num_epochs, "train until it falls")
    reached, epoch = counting(progress), 0
    while True:
        history = training.go_on(
            asked.net,
            epoch + 1,
            training.checkpoint,
            save_every=SAVE_EVERY_S,
            on_step=reached,
            watched=False,
        )
        epoch = history.num_epochs
        training.keep_end_of(epoch)
        training.after((epoch - 3) * training.per_epoch).unlink(missing_ok=True)
        fell = _fell(history.metrics["train_accuracy"], asked.drop)
        if fell and not training.after(_first(training, epoch)).exists():  # stopped in front of a copy
            training.begin_anew()
            epoch = 0
        elif fell or epoch >= num_epochs:
            return history


def _first(training: _Training, epoch: int) -> int:
    """Steps before those that are looked at: of the epoch of the fall, and of the one before from the third on."""
    return max(1, epoch - 2) * training.per_epoch


def _looked_at(
    asked: FallConfig, training: _Training, history: History, progress: Steps
) -> tuple[dict[str, np.ndarray], dict[str, float | int]]:
    net, epoch = asked.net, history.num_epochs
    exact = replace(net, precision="fp32")
    clipped = replace(net, schedule=ClippedSchedule(**asdict(net.schedule), global_clipnorm=1.0))
    first = _first(training, epoch)
    progress.steps((epoch * training.per_epoch - first) * len(FALL_LINES), "the steps before the fall")
    trained, again = _repeated(training, net, first, epoch, progress, keep=True)
    if again.metrics["train_accuracy"] != history.metrics["train_accuracy"]:
        raise UserError(
            "the steps before the fall came out otherwise when they were repeated",
            value=again.metrics["train_accuracy"][-1],
            allowed=str(history.metrics["train_accuracy"][-1]),
            hint="Run it on a device that computes the same twice, such as a CPU",
        )
    place = thrown_at(trained["norm"], asked.spike)
    thrown = int(trained["step"][place])
    early, late = thrown - 1 - min(asked.lead, place), thrown - 1
    lines = {"as_trained": trained}
    for line, other, start in (
        ("fp32", exact, early),
        ("fp32_late", exact, late),
        ("clipped", clipped, early),
    ):
        lines[line], _ = _repeated(training, other, start, epoch, progress)
    arrays = {f"{line}_{name}": values for line, found in lines.items() for name, values in found.items()}
    looked_at, metrics = _batch(training, (net, exact), late)
    return arrays | looked_at, {"epoch": epoch, "thrown": thrown, **metrics}


def _repeated(
    training: _Training, net: Net, first: int, epoch: int, progress: Steps, *, keep: bool = False
) -> tuple[dict[str, np.ndarray], History]:
    """The steps after so many, to the end of an epoch: ``step`` and FALL_CURVES, an entry for each."""
    file = training.folder / "under-way.safetensors"
    shutil.copy(training.after(first), file)
    steps: list[int] = []

    def on_step(count: int) -> None:
        steps.append(count)
        if keep and count % training.per_epoch:  # the end of an epoch is saved later, and kept already
            training.keep(file, count)
        progress.advance()

    history = training.go_on(
        net, epoch, file, save_every=0.0 if keep else None, on_step=on_step, watched=True
    )
    curves = {name: np.array(history.curves[name][-len(steps) :]) for name in FALL_CURVES}
    return {"step": np.array(steps)} | curves, history


def thrown_at(norms: np.ndarray, spike: float) -> int:
    """Where the first of gradient norms (n,) is that exceeds `spike` times the median before it.

    The first ten say what is usual. Where none exceeds it, the largest is taken.
    """
    for place in range(_SETTLED, len(norms)):
        if norms[place] > spike * np.median(norms[:place]):
            return place
    return int(np.argmax(norms))


def _batch(
    training: _Training, nets: tuple[Net, Net], step: int
) -> tuple[dict[str, np.ndarray], dict[str, float | int]]:
    """The batch after a step, at the same weights and masks in two precisions.

    ``reach`` (2, batch) is the norm of each image's own loss's gradient at its pixels. It comes of a second pass, which
    adds in another order: an LMU reads its memory step by step where its input needs a gradient.
    """
    found = load_checkpoint(training.after(step), training.identity)
    assert found is not None
    tensors, state = found
    shuffle = torch.Generator()
    shuffle.set_state(tensors["shuffle"])
    order = torch.randperm(len(training.data.y), generator=shuffle)
    start = state["step"] * nets[0].schedule.batch_size
    batch = order[start : start + nets[0].schedule.batch_size]
    x, y = training.data.x[batch], training.data.y[batch]

    def gradients(net: Net, x: Tensor) -> list[Tensor]:
        streams = generators(training.seed)
        streams.dropout.set_state(tensors["dropout"])
        model = make_model(net, x.shape[1], streams).to(training.device).train()
        model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
        loss = nn.functional.cross_entropy(model(x), y)
        wanted = [x] if x.requires_grad else list(model.parameters())
        return list(torch.autograd.grad(loss, wanted))

    whole = [torch.cat([one.flatten() for one in gradients(net, x)]).double() for net in nets]
    at_pixels = [gradients(net, x.clone().requires_grad_())[0][:, :, 0] for net in nets]
    reach = np.stack([one.norm(dim=1).cpu().numpy() * len(batch) for one in at_pixels])
    farthest = int(batch[int(reach[0].argmax())])
    data = training.pixels
    image = in_rows(data.train_x[farthest : farthest + 1], data.permutation)[0]
    side = math.isqrt(len(image))
    return (
        {
            "reach": reach.astype(np.float32),
            "image": np.rint(image * 255).astype(np.uint8).reshape(side, side),
        },
        {
            "norm": float(whole[0].norm()),
            "norm_fp32": float(whole[1].norm()),
            "cosine": float(whole[0] @ whole[1] / (whole[0].norm() * whole[1].norm())),
            "digit": int(data.train_y[farthest]),
        },
    )
