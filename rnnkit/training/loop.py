"""The training loop of a sequence classifier: Adam on the cross-entropy of the last step's logits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from rnnkit.errors import UserError
from rnnkit.training.checkpoints import (
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)

METRICS = ("train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "test_accuracy", "seconds")


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
class Sequences:
    """Labelled sequences on the training device: x (n, seq_len, input_size), y (n,)."""

    x: Tensor
    y: Tensor


@dataclass
class History:
    """Metrics per epoch; each list has one entry an epoch (losses in nats, accuracies in 0..1)."""

    metrics: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in METRICS})

    @property
    def num_epochs(self) -> int:
        """Epochs finished."""
        return len(self.metrics["train_loss"])


def evaluate(model: nn.Module, data: Sequences, batch_size: int = 2000) -> tuple[float, float]:
    """Mean loss and accuracy of ``model`` on ``data``, in evaluation mode."""
    loss, correct = 0.0, 0
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for x, y in zip(data.x.split(batch_size), data.y.split(batch_size), strict=True):
            logits = model(x)
            loss += float(nn.functional.cross_entropy(logits, y, reduction="sum"))
            correct += int((logits.argmax(1) == y).sum())
    model.train(was_training)
    return loss / len(data.y), correct / len(data.y)


def train(
    model: nn.Module,
    schedule: Schedule,
    *,
    train_data: Sequences,
    valid_data: Sequences,
    test_data: Sequences,
    shuffle: torch.Generator,
    dropout: torch.Generator | None = None,
    checkpoint: Path | None = None,
    identity: str = "",
    on_epoch: Callable[[History], None] | None = None,
) -> History:
    """Train ``model`` in place.

    Parameters
    ----------
    model : nn.Module
        Maps x (batch, seq_len, input_size) to logits (batch, num_classes).
    schedule : Schedule
    train_data, valid_data, test_data : Sequences
    shuffle : torch.Generator
        Draws the order of the training sequences, anew each epoch.
    dropout : torch.Generator, optional
        The one that the model draws its dropout masks from, where it has any; checkpoints keep its state.
    checkpoint : Path, optional
        Written after each epoch and read at the start: an interrupted training goes on from its last epoch and
        ends in the same weights, bit for bit on a CPU with the same number of threads.
    identity : str
        Hash of the run's config; a checkpoint of another one is refused.
    on_epoch : callable, optional
        Called with the history after each epoch.

    Raises
    ------
    UserError
        The loss is no longer finite (the message names epoch and step; the checkpoint before it is kept).
    """
    names = [name for name, _ in model.named_parameters()]
    optimizer = torch.optim.Adam(model.parameters(), lr=schedule.learning_rate, fused=True)
    history = History()
    draws = {"shuffle": shuffle} | ({} if dropout is None else {"dropout": dropout})
    needs = {*draws, *(f"model.{name}" for name in model.state_dict())}
    needs |= {f"adam.{name}.{key}" for name in names for key in ("step", "exp_avg", "exp_avg_sq")}
    found = None
    if checkpoint is not None:
        found = load_checkpoint(checkpoint, identity, needs=needs, metrics=METRICS)
    if found is not None:
        tensors, state = found
        model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
        restore_optimizer(optimizer, names, tensors)
        for name, generator in draws.items():
            generator.set_state(tensors[name])
        history.metrics = state["metrics"]
    while history.num_epochs < schedule.num_epochs:
        start = time.perf_counter()
        loss, accuracy = _one_epoch(model, optimizer, schedule, train_data, shuffle, history.num_epochs)
        values = (loss, accuracy, *evaluate(model, valid_data), evaluate(model, test_data)[1])
        for name, value in zip(METRICS, (*values, time.perf_counter() - start), strict=True):
            history.metrics[name].append(value)
        if checkpoint is not None:
            tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
            tensors |= optimizer_tensors(optimizer, names)
            tensors |= {name: generator.get_state() for name, generator in draws.items()}
            save_checkpoint(checkpoint, tensors, {"identity": identity, "metrics": history.metrics})
        if on_epoch is not None:
            on_epoch(history)
    return history


def _one_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    data: Sequences,
    shuffle: torch.Generator,
    epoch: int,
) -> tuple[float, float]:
    """One pass over the data; the running loss and accuracy of the batches as they were met."""
    total_loss = data.x.new_zeros((), dtype=torch.float64)
    correct = torch.zeros((), dtype=torch.int64, device=data.y.device)
    steps_before = epoch * math.ceil(len(data.y) / schedule.batch_size)
    for step, batch in enumerate(_batches(len(data.y), schedule.batch_size, shuffle)):
        x, y = data.x[batch.to(data.x.device)], data.y[batch.to(data.y.device)]
        optimizer.zero_grad()
        logits = model(x)
        loss = nn.functional.cross_entropy(logits, y)
        loss.backward()
        if loss.device.type == "cpu" and not math.isfinite(loss.item()):
            raise _diverged(epoch, step, loss.item())
        optimizer.param_groups[0]["eps"] = schedule.epsilon_at(steps_before + step + 1)
        optimizer.step()
        total_loss += loss.detach().double() * len(batch)
        correct += (logits.detach().argmax(1) == y).sum()
    mean_loss = float(total_loss) / len(data.y)
    if not math.isfinite(mean_loss):
        raise _diverged(epoch, None, mean_loss)
    return mean_loss, int(correct) / len(data.y)


def _batches(count: int, batch_size: int, shuffle: torch.Generator) -> Iterator[Tensor]:
    yield from torch.randperm(count, generator=shuffle).split(batch_size)


def _diverged(epoch: int, step: int | None, loss: float) -> UserError:
    where = f"epoch {epoch + 1}" + ("" if step is None else f", step {step + 1}")
    return UserError(
        f"the loss is not finite at {where}",
        value=loss,
        hint="Lower the learning rate; the checkpoint of the epoch before is kept",
    )
