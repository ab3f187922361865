"""The training loop of a sequence classifier: Adam on the cross-entropy of the last step's logits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rnnkit.errors import UserError
from rnnkit.training.checkpoints import (
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from rnnkit.training.history import METRICS, History, Sequences, Watch
from rnnkit.training.schedule import Schedule

if TYPE_CHECKING:
    from rnnkit.training.graphed import GraphedEvaluation, GraphedStep

_SUMS = ("epoch.loss", "epoch.correct")


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
    test_data: Sequences | None,
    shuffle: torch.Generator,
    dropout: torch.Generator | None = None,
    checkpoint: Path | None = None,
    save_every: float | None = None,
    identity: str = "",
    evaluated_together: int = 2000,
    graphed: bool | None = None,
    watch: Watch | None = None,
    on_step: Callable[[int], None] | None = None,
    on_epoch: Callable[[History], None] | None = None,
) -> History:
    """Train ``model`` in place.

    Parameters
    ----------
    model : nn.Module
        Maps x (batch, seq_len, input_size) to logits (batch, num_classes).
    schedule : Schedule
    train_data, valid_data : Sequences
    test_data : Sequences or None
        None where the test waits until the end: ``test_accuracy`` is nan then.
    shuffle : torch.Generator
        Draws the order of the training sequences, anew each epoch.
    dropout : torch.Generator, optional
        The one that the model draws its dropout masks from, where it has any; checkpoints keep its state.
    checkpoint : Path, optional
        Written after each epoch and read at the start: an interrupted training goes on from there and
        ends in the same weights, bit for bit on a CPU with the same number of threads.
    save_every : float, optional
        Seconds after which a checkpoint is written within an epoch too.
    identity : str
        Hash of the run's config; a checkpoint of another one is refused.
    evaluated_together : int
        Sequences in a batch of an evaluation: fewer take less memory.
    graphed : bool, optional
        Whether whole steps are launched as CUDA graphs, see `rnnkit.training.graphed`. Left out: on CUDA, where the
        model is one that can. On a CPU the same code runs without the graphs.
    watch : Watch, optional
        What is measured within epochs and kept in the history's curves; steps are then not launched as graphs.
    on_step : callable, optional
        Called after each batch with the number of batches that are done, those of a checkpoint included.
    on_epoch : callable, optional
        Called with the history after each epoch.

    Raises
    ------
    UserError
        The loss, or a weight, is no longer finite (the message names epoch and step; the checkpoint before it is kept).
    """
    draws = {"shuffle": shuffle} | ({} if dropout is None else {"dropout": dropout})
    run = _Run(model, schedule, draws, checkpoint, save_every, identity, train_data.x.device, watch)
    run.resume()
    if watch is not None:
        graphed = False
    if graphed or (graphed is None and train_data.x.device.type == "cuda" and hasattr(model, "draw_masks")):
        run.launch_as_graphs()
    while run.history.num_epochs < schedule.num_epochs:
        loss, accuracy = run.epoch(train_data, on_step)
        start = time.perf_counter()
        tested = math.nan if test_data is None else run.evaluate(test_data, evaluated_together)[1]
        valid_loss, valid_accuracy = run.evaluate(valid_data, evaluated_together)
        if not math.isfinite(valid_loss):
            raise run.diverged("the loss in validation", valid_loss)
        values = (loss, accuracy, valid_loss, valid_accuracy, tested)
        seconds = run.under_way.seconds + time.perf_counter() - start
        for name, value in zip(METRICS, (*values, seconds), strict=True):
            run.history.metrics[name].append(value)
        run.begin_epoch()
        run.save()
        if on_epoch is not None:
            on_epoch(run.history)
    return run.history


@dataclass
class _Epoch:
    """An epoch under way: how many batches are done, and what they have summed up to."""

    loss: Tensor
    correct: Tensor
    order: Tensor  # the shuffling generator's state before it drew this epoch's order
    step: int = 0
    seconds: float = 0.0


class _Run:
    """A training with all that it hangs on, which a checkpoint can hold."""

    def __init__(
        self,
        model: nn.Module,
        schedule: Schedule,
        draws: dict[str, torch.Generator],
        checkpoint: Path | None,
        save_every: float | None,
        identity: str,
        device: torch.device,
        watch: Watch | None,
    ) -> None:
        self.model, self.schedule, self.draws = model, schedule, draws
        self.checkpoint, self.identity, self.device, self.watch = checkpoint, identity, device, watch
        self.save_every = math.inf if save_every is None else save_every
        self.names = [name for name, _ in model.named_parameters()]
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
        )
        self.history = History()
        self.graphed: GraphedStep | None = None
        self.graphed_evaluation: GraphedEvaluation | None = None
        self.begin_epoch()

    def launch_as_graphs(self) -> None:
        """Take whole steps at a time from now on."""
        from rnnkit.training.graphed import GraphedEvaluation, GraphedStep

        model: Any = self.model
        self.graphed = GraphedStep(model, self.optimizer, self.schedule)
        self.graphed_evaluation = GraphedEvaluation(model)

    def evaluate(self, data: Sequences, together: int) -> tuple[float, float]:
        """As :func:`evaluate`."""
        if self.graphed_evaluation is None:
            return evaluate(self.model, data, together)
        for x, y in zip(data.x.split(together), data.y.split(together), strict=True):
            self.graphed_evaluation.step(x, y)
        loss, correct = self.graphed_evaluation.totals()
        return loss / len(data.y), correct / len(data.y)

    def begin_epoch(self) -> None:
        """No batch of the next epoch is done."""
        self.under_way = _Epoch(
            torch.zeros((), dtype=torch.float64, device=self.device),
            torch.zeros((), dtype=torch.int64, device=self.device),
            self.draws["shuffle"].get_state(),
        )

    def resume(self) -> None:
        """Take up what the checkpoint has, where there is one."""
        if self.checkpoint is None:
            return
        needs = {*self.draws, *_SUMS, *(f"model.{name}" for name in self.model.state_dict())}
        needs |= {f"adam.{name}.{key}" for name in self.names for key in ("step", "exp_avg", "exp_avg_sq")}
        found = load_checkpoint(self.checkpoint, self.identity, needs=needs, metrics=METRICS)
        if found is None:
            return
        tensors, state = found
        self.model.load_state_dict({name: tensors[f"model.{name}"] for name in self.model.state_dict()})
        restore_optimizer(self.optimizer, self.names, tensors)
        for name, generator in self.draws.items():
            generator.set_state(tensors[name])
        self.history.metrics = state["metrics"]
        self.history.curves |= state.get("curves", {})
        loss, correct = (tensors[name].to(self.device) for name in _SUMS)
        self.under_way = _Epoch(loss, correct, tensors["shuffle"], state["step"], state["seconds"])

    def save(self) -> None:
        """Write a checkpoint, where one is wanted."""
        if self.checkpoint is None:
            return
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= optimizer_tensors(self.optimizer, self.names)
        tensors |= {name: generator.get_state() for name, generator in self.draws.items()}
        under_way = self.under_way
        tensors |= dict(zip(_SUMS, (under_way.loss, under_way.correct), strict=True))
        tensors["shuffle"] = under_way.order
        state = {"step": under_way.step, "seconds": under_way.seconds, "metrics": self.history.metrics}
        if self.watch is not None:
            state["curves"] = self.history.curves
        save_checkpoint(self.checkpoint, tensors, {"identity": self.identity, **state})

    def epoch(self, data: Sequences, on_step: Callable[[int], None] | None) -> tuple[float, float]:
        """Pass over the data once, or over what is left of it: loss and accuracy of the batches as they were met."""
        start = saved = time.perf_counter()
        under_way, before = self.under_way, self.under_way.seconds
        order = torch.randperm(len(data.y), generator=self.draws["shuffle"])
        batches = order.to(self.device).split(self.schedule.batch_size)
        steps_before = self.history.num_epochs * len(batches)
        for batch in batches[under_way.step :]:
            self._step(data, batch, steps_before + under_way.step + 1)
            under_way.step += 1
            self._watch(steps_before + under_way.step)
            now = time.perf_counter()
            under_way.seconds = before + now - start
            if now - saved >= self.save_every and under_way.step < len(batches):
                self._collect()
                self.save()
                saved = time.perf_counter()
            if on_step is not None:
                on_step(steps_before + under_way.step)
        self._collect()
        mean_loss = float(under_way.loss) / len(data.y)
        if not math.isfinite(mean_loss):
            raise self.diverged("the loss", mean_loss)
        under_way.seconds = before + time.perf_counter() - start
        return mean_loss, int(under_way.correct) / len(data.y)

    def _step(self, data: Sequences, batch: Tensor, count: int) -> None:
        x, y = data.x[batch], data.y[batch]
        if self.graphed is not None:
            self.graphed.step(x, y)
            return
        self.optimizer.zero_grad()
        logits = self.model(x)
        loss = nn.functional.cross_entropy(logits, y)
        loss.backward()
        if loss.device.type == "cpu" and not math.isfinite(loss.item()):
            raise self.diverged("the loss", loss.item(), self.under_way.step)
        self.optimizer.param_groups[0]["eps"] = self.schedule.epsilon_at(count)
        self.optimizer.step()
        correct = (logits.detach().argmax(1) == y).sum()
        self.under_way.loss += loss.detach().double() * len(batch)
        self.under_way.correct += correct
        if self.watch is not None:
            self.history.curves["loss"].append(loss.item())
            self.history.curves["accuracy"].append(float(correct) / len(batch))

    def _watch(self, count: int) -> None:
        """Look at what is watched, where the step is one at which one looks."""
        if self.watch is None or count % self.watch.every:
            return
        loss, accuracy = evaluate(self.model, self.watch.data)
        for name, value in (("iteration", count), ("watched_loss", loss), ("watched_accuracy", accuracy)):
            self.history.curves[name].append(value)

    def _collect(self) -> None:
        """Add what graphed steps have summed up on the device, and see that the net is sound.

        Raises
        ------
        UserError
            If a loss or a weight is not finite: what has gone wrong is not to be saved.
        """
        last = self.under_way.step - 1
        if self.graphed is not None:
            loss, correct = self.graphed.totals()
            if not math.isfinite(loss):
                raise self.diverged("the loss", loss, last - self.graphed.steps_since_not_finite)
            self.under_way.loss += loss
            self.under_way.correct += correct
        for name, tensor in (*self.model.state_dict().items(), *self._moments()):
            if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                raise self.diverged(name, math.nan, last)

    def _moments(self) -> Iterator[tuple[str, Tensor]]:
        for name, parameter in self.model.named_parameters():
            for key, value in self.optimizer.state[parameter].items():
                yield f"{key} of Adam, {name},", value

    def diverged(self, what: str, value: float, step: int | None = None) -> UserError:
        """What to raise where something is not finite; steps of an epoch are counted from 0."""
        where = f"epoch {self.history.num_epochs + 1}" + ("" if step is None else f", step {step + 1}")
        return UserError(
            f"{what} is not finite at {where}",
            value=value,
            hint="Lower the learning rate; the last checkpoint before it is kept",
        )
