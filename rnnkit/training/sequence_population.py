"""Train many small networks over sequences at once, each on its own data in its own order, with Adam."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnkit.errors import UserError
from rnnkit.models.population import SequencePopulation, check_integer
from rnnkit.training.checkpoints import (
    WAY_OUT,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from rnnkit.training.losses import LOSSES, decisions, sequence_losses
from rnnkit.training.schedule import SEQUENCES_LEARNING_RATE
from rnnkit.training.sequence_batches import SequenceBatches

__all__ = [
    "LOSSES",
    "SEQUENCES_LEARNING_RATE",
    "SequenceBatches",
    "SequenceHistory",
    "decisions",
    "sequence_losses",
    "train_sequences",
]

Evaluate = Callable[[SequencePopulation], Mapping[str, NDArray]]


@dataclass
class SequenceHistory:
    """What became of the networks.

    Attributes
    ----------
    loss : float32 (num_models, num_epochs * num_batches)
        Mean loss of the batch of each step, before that step's update.
    evaluations : dict of str to array (num_models, num_epochs + 1, ...)
        What was evaluated; column 0 before training, then after each epoch.
    """

    loss: NDArray[np.float32]
    evaluations: dict[str, NDArray] = field(default_factory=dict)


def train_sequences(
    population: SequencePopulation,
    data: SequenceBatches,
    *,
    loss: str,
    seeds: Sequence[int],
    num_epochs: int,
    learning_rate: float = SEQUENCES_LEARNING_RATE,
    evaluate: Evaluate | None = None,
    checkpoint: Path | None = None,
    identity: str = "",
    on_epoch: Callable[[int], None] | None = None,
) -> SequenceHistory:
    """Train a population in place, with torch's Adam (eps 1e-8) and one learning rate for all.

    What becomes of a network hangs on its parameters, its data and its seed; on the others up to rounding only: the
    products of a stack of matrices, and where in memory each of them lies, vary with their number. The same call ends
    in the same bits on a CPU with the same number of threads.

    Parameters
    ----------
    population : SequencePopulation
        Its device and dtype are those of the training.
    data : SequenceBatches
    loss : str
        One of `LOSSES`.
    seeds : sequence of int
        One for each network, of the order of its batches (see `SequenceBatches.order`).
    num_epochs : int
        0 evaluates only.
    learning_rate : float
    evaluate : callable, optional
        Called before training and after each epoch, without gradients; gives arrays (num_models, ...) by name, always
        the same ones.
    checkpoint : Path, optional
        Written after each epoch and read at the start: an interrupted run goes on after the last finished epoch and
        ends in the same bits.
    identity : str
        Hash of the run's config; a checkpoint of another one is refused.
    on_epoch : callable, optional
        Called with the number of epochs done, after the checkpoint was written.

    Returns
    -------
    SequenceHistory

    Raises
    ------
    UserError
        Something that cannot be used, a loss that is no longer finite (with the network and the step), a checkpoint
        that is damaged or of another run.
    """
    seeds = [check_integer("seed", seed, 0) for seed in seeds]
    num_epochs = check_integer("num_epochs", num_epochs, 0)
    _check(population, data, loss, seeds, learning_rate)
    if checkpoint is not None and not identity:
        raise UserError(
            "a checkpoint needs the identity of its run",
            value=identity,
            allowed="the hash of the run's config",
            hint="Without it, a checkpoint of another run could not be told from this one's",
        )
    run = _Run(population, data, loss, seeds, learning_rate, num_epochs, evaluate)
    found = None if checkpoint is None else load_checkpoint(checkpoint, identity, needs=["history.loss"])
    if found is None:
        run.note()
    elif checkpoint is not None:
        run.restore(*found, checkpoint)
    while run.epoch < num_epochs:
        run.one_epoch()
        run.note()
        if checkpoint is not None:
            save_checkpoint(checkpoint, *run.saved(identity))
        if on_epoch is not None:
            on_epoch(run.epoch)
    return SequenceHistory(run.loss, {name: np.stack(found, 1) for name, found in run.evaluations.items()})


def _check(
    population: SequencePopulation, data: SequenceBatches, loss: str, seeds: list[int], learning_rate: float
) -> None:
    architecture, num_models = population.architecture, population.num_models
    if loss not in LOSSES:
        raise UserError("unknown loss", value=loss, allowed=LOSSES)
    if loss != "cross_entropy" and architecture.output_size != 1:
        raise UserError(
            f"the loss {loss} is of one output", value=architecture.output_size, allowed="output_size 1"
        )
    for what, number in (("data", data.num_models), ("seeds", len(seeds))):
        if number != num_models:
            raise UserError(f"the {what} are not of as many networks", value=number, allowed=str(num_models))
    size = data.x.shape[-1] if data.num_symbols is None else data.num_symbols
    if size != architecture.input_size:
        raise UserError(
            "the networks read more or fewer numbers", value=size, allowed=str(architecture.input_size)
        )
    if (data.y.ndim == 4) != (architecture.readout == "each"):
        allowed = "targets of every step" if architecture.readout == "each" else "one target for a sequence"
        raise UserError(f"the targets do not go with the read-out {architecture.readout}", allowed=allowed)
    top = architecture.output_size if loss == "cross_entropy" else 2
    if data.y.dtype.kind == "f" or data.y.min() < 0 or data.y.max() >= top:
        raise UserError(f"these are no targets of the loss {loss}", allowed=f"integers of 0 to {top - 1}")
    if not isinstance(learning_rate, int | float) or not 0 <= learning_rate < math.inf:
        allowed = "a finite number of at least 0"
        raise UserError("learning_rate cannot be used", value=learning_rate, allowed=allowed)


class _Run:
    """A population in training."""

    def __init__(
        self,
        population: SequencePopulation,
        data: SequenceBatches,
        loss: str,
        seeds: list[int],
        learning_rate: float,
        num_epochs: int,
        evaluate: Evaluate | None,
    ) -> None:
        self.population, self.data, self.loss_name = population, data, loss
        self.seeds, self.evaluate = seeds, evaluate
        self.names = [name for name, _ in population.named_parameters()]
        self.optimizer = torch.optim.Adam(population.parameters(), lr=learning_rate, eps=1e-8, fused=True)
        self.loss = np.full((len(seeds), num_epochs * data.num_batches), np.nan, np.float32)
        self.evaluations: dict[str, list[NDArray]] = {}
        self.epoch = 0

    def one_epoch(self) -> None:
        """Every network meets each of its batches once."""
        weight = self.population.get_parameter("weight_hh")
        order = self.data.order(self.seeds, self.epoch)
        losses = torch.empty(order.shape[::-1], device=weight.device)  # (num_batches, num_models)
        for step, batches in enumerate(order.T):
            x, y = self.data.take(batches, weight.device, weight.dtype)
            self.optimizer.zero_grad()
            each = sequence_losses(self.loss_name, self.population(x), y)
            each.sum().backward()
            self.optimizer.step()
            losses[step] = each.detach()
        found, start = losses.cpu().numpy(), self.epoch * self.data.num_batches
        if not np.isfinite(found).all():
            step, model = (int(number) for number in np.argwhere(~np.isfinite(found))[0])
            which = f"network {model} (seed {self.seeds[model]})"
            raise UserError(
                f"the loss of {which} is no finite number at step {start + step + 1} of {self.loss.shape[1]}",
                value=float(found[step, model]),
                hint="A smaller learning rate may help",
            )
        self.loss[:, start : start + len(found)] = found.T
        self.epoch += 1

    def note(self) -> None:
        """Evaluate the networks as they are now."""
        if self.evaluate is None:
            return
        with torch.no_grad():
            found = {name: np.array(value) for name, value in self.evaluate(self.population).items()}
        if not found or (self.evaluations and set(found) != set(self.evaluations)):
            raise UserError(
                "another thing was evaluated than before", value=sorted(found), allowed=self.evaluations
            )
        for name, value in found.items():
            if value.ndim == 0 or len(value) != len(self.seeds):
                allowed = f"(num_models = {len(self.seeds)}, ...)"
                raise UserError(f"{name} is not of each network", value=value.shape, allowed=allowed)
            self.evaluations.setdefault(name, []).append(value)

    def saved(self, identity: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that :meth:`restore` needs."""
        tensors = {name: value.detach() for name, value in self.population.named_parameters()}
        tensors |= optimizer_tensors(self.optimizer, self.names)
        tensors["history.loss"] = torch.from_numpy(self.loss)
        for name, values in self.evaluations.items():
            tensors[f"history.evaluation.{name}"] = torch.from_numpy(np.stack(values))
        return tensors, {"identity": identity, "epoch": self.epoch, "seeds": self.seeds}

    def restore(self, tensors: dict[str, Tensor], state: dict[str, Any], path: Path) -> None:
        """Go on from a checkpoint."""
        prefix = "history.evaluation."
        expected = {name: tuple(value.shape) for name, value in self.population.named_parameters()}
        moments = {
            f"adam.{name}.{key}": s for name, s in expected.items() for key in ("exp_avg", "exp_avg_sq")
        }
        expected |= moments | {"history.loss": self.loss.shape}
        found = {name: tuple(tensors[name].shape) if name in tensors else None for name in expected}
        strange = [name for name, shape in expected.items() if found[name] != shape]
        evaluations = {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}
        if strange or state.get("seeds") != self.seeds or bool(evaluations) != (self.evaluate is not None):
            shown = f"{strange[0]} {found[strange[0]]}" if strange else f"seeds {state.get('seeds')}"
            raise UserError(f"the checkpoint {path} is of another run", value=shown, hint=WAY_OUT)
        with torch.no_grad():
            for name, parameter in self.population.named_parameters():
                parameter.copy_(tensors[name])
        restore_optimizer(self.optimizer, self.names, tensors)
        self.loss[...] = tensors["history.loss"].numpy()
        self.evaluations = {name: list(value.numpy()) for name, value in evaluations.items()}
        self.epoch = int(state["epoch"])
