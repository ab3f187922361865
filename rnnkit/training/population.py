"""Train many small models at once, each by its own schedule; those that have finished leave."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.models.population import (
    Architecture,
    Engine,
    PopulationState,
    check_integer,
    check_labels,
    check_parameters,
    check_words,
)
from rnnkit.training.checkpoints import WAY_OUT, load_checkpoint, save_checkpoint
from rnnkit.training.population_history import KEPT, PopulationHistory
from rnnkit.training.population_schedule import CONSTANT, PAPER, PopulationSchedule

__all__ = [
    "CHECKPOINT_SECONDS",
    "CHUNK",
    "CONSTANT",
    "KEPT",
    "PAPER",
    "Labelled",
    "PopulationHistory",
    "PopulationSchedule",
    "accuracy_and_loss",
    "train_population",
]

CHUNK = 4096
CHECKPOINT_SECONDS = 5.0
_SHUFFLE = 2  # stream of random numbers beside those of the models

InitialParameters = Callable[[int, int], NDArray]


class Labelled(NamedTuple):
    """Sentences ``words`` (n, seq_len) in 0..9 and their ``labels`` (n,) in {0, 1}."""

    words: NDArray
    labels: NDArray


def accuracy_and_loss(margins: NDArray, labels: NDArray) -> tuple[NDArray, NDArray]:
    """Share right and mean cross-entropy of each model, from margins (num_models, n) and labels (n,).

    A margin of 0 says negative, as argmax does; one that is nan is wrong, and its model's loss is nan.
    """
    right = np.where(labels > 0, margins > 0, margins <= 0)
    signed = np.where(labels > 0, margins, -margins)
    with np.errstate(invalid="ignore"):  # numpy warns of a nan
        return right.mean(1), np.logaddexp(0, -signed.astype(np.float64)).mean(1)


def train_population(
    architecture: Architecture,
    parameters: NDArray | InitialParameters,
    schedule: PopulationSchedule,
    *,
    train_data: Labelled,
    valid_data: Labelled,
    engine: Engine,
    seed: int,
    num_models: int | None = None,
    own_order: bool = False,
    keep: Collection[str] = ("curves", "best"),
    chunk: int = CHUNK,
    checkpoint: Path | None = None,
    identity: str = "",
    on_epoch: Callable[[int, int], None] | None = None,
) -> PopulationHistory:
    """Train a population.

    Parameters
    ----------
    architecture : Architecture
    parameters : array (num_models, num_parameters), or callable
        Where training starts; ``parameters(start, count)`` gives those of the models ``start`` to
        ``start + count - 1``, where all at once would fill the memory.
    schedule : PopulationSchedule
    train_data, valid_data : Labelled
    engine : Engine
    seed : int
        Of the order of the sentences, drawn anew each epoch.
    num_models : int, optional
        How many there are; needed where ``parameters`` is a callable.
    own_order : bool
        Draw an order for each model. Otherwise all models of the population meet the sentences in one order:
        enough where only the initialisation is to vary, and faster on every engine.
    keep : collection of str
        Of ``curves``, ``best``, ``final``, ``trajectory``: what the history holds beside single numbers.
    chunk : int
        Models in memory at a time. A model's result does not hang on it, nor on which others there are: to the
        bit with the engine ``lanes``, up to rounding with ``torch``, whose products vary with their number.
    checkpoint : Path, optional
        Written every few seconds and read at the start. A run taken up again ends in the same bits.
    identity : str
        Hash of the run's config; a checkpoint of another one is refused.
    on_epoch : callable, optional
        Called with the number of epochs done, over all chunks, and of the models still in training.

    Returns
    -------
    PopulationHistory

    Raises
    ------
    UserError
        Something to keep that is unknown, numbers that cannot be used, sentences or parameters that are none, a
        checkpoint that cannot be used.
    """
    if strange := sorted(set(keep) - set(KEPT)):
        raise UserError("unknown part of a history to keep", value=strange[0], allowed=KEPT)
    if checkpoint is not None and not identity:
        raise UserError(
            "a checkpoint needs the identity of its run",
            value=identity,
            allowed="the hash of the run's config",
            hint="Without it, a checkpoint of another run could not be told from this one's",
        )
    check_integer("chunk", chunk, 1)
    check_integer("seed", seed, 0)
    if callable(parameters):
        num_models, draw = check_integer("num_models", num_models, 1), parameters
    else:
        given = check_parameters(architecture, parameters)
        if num_models not in (None, len(given)):
            raise UserError(
                "num_models is not that of the parameters",
                value=num_models,
                allowed=f"{len(given)}, or left out",
            )
        num_models, draw = len(given), lambda start, count: given[start : start + count]
    history = PopulationHistory.empty(
        num_models, architecture.num_parameters, schedule.num_epochs, schedule.learning_rate, keep
    )
    run = _Run(schedule, _checked(train_data), _checked(valid_data), engine, seed, own_order, history)
    start, saved = 0, time.monotonic()
    if checkpoint is not None and (found := load_checkpoint(checkpoint, identity, needs=run.names())):
        start = run.restore(architecture, *found, checkpoint)
    while start < num_models:
        if run.chunk_state is None:
            count = min(chunk, num_models - start)
            run.begin(PopulationState.fresh(architecture, _checked_count(draw(start, count), count)), start)
        while run.epoch < schedule.num_epochs and len(run.active):
            run.one_epoch()
            if on_epoch is not None:
                on_epoch(start // chunk * schedule.num_epochs + run.epoch, len(run.active))
            if checkpoint is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                save_checkpoint(checkpoint, *run.saved(identity, start))
                saved = time.monotonic()
        start, run.chunk_state = run.stop, None
    return history


def _checked(data: Labelled) -> Labelled:
    words = check_words(data.words)
    return Labelled(words, check_labels(data.labels, len(words)))


def _checked_count(drawn: NDArray, count: int) -> NDArray:
    if len(drawn) != count:
        raise UserError(
            "the parameters are not of as many models as asked for", value=len(drawn), allowed=str(count)
        )
    return drawn


@dataclass
class _Run:
    """One chunk in training, and the history that it writes to."""

    schedule: PopulationSchedule
    train_data: Labelled
    valid_data: Labelled
    engine: Engine
    seed: int
    own_order: bool
    history: PopulationHistory
    chunk_state: PopulationState | None = None
    active: NDArray = None  # type: ignore[assignment]  # numbers of the models in training
    previous: NDArray = None  # type: ignore[assignment]  # their accuracy after the epoch before
    epoch: int = 0
    stop: int = 0  # the number of the first model of the next chunk

    def begin(self, state: PopulationState, start: int) -> None:
        """Take up new models, the first of which has the number ``start``."""
        self.chunk_state, self.epoch = state, 0
        self.stop = start + state.num_models
        self.active = np.arange(start, self.stop)
        self._note(*self._validate())

    def one_epoch(self) -> None:
        """Train all active models for an epoch, and let go those that have finished."""
        state, history = self.chunk_state, self.history
        assert state is not None
        rate = history.learning_rate[self.active]
        order = self._order()
        self.engine.train_epoch(state, *self.train_data, order, self.schedule.batch_size, rate)
        self.epoch += 1
        accuracy, loss = self._validate()
        before = self.previous
        self._note(accuracy, loss)
        models = self.active
        history.epochs[models] = self.epoch
        better = ~(accuracy <= history.best_accuracy[models])  # the first epoch is better than nan
        history.best_accuracy[models[better]] = accuracy[better]
        history.best_epoch[models[better]] = self.epoch
        if history.best.shape[1]:
            history.best[models[better]] = state.parameters[better]
        if history.final.shape[1]:
            history.final[models] = state.parameters
        if self.schedule.halve and self.epoch > 1:
            history.learning_rate[models[accuracy < before]] /= 2
        going = history.learning_rate[models] >= self.schedule.min_learning_rate
        if self.schedule.patience is not None:
            going &= self.epoch - history.best_epoch[models] < self.schedule.patience
        if not going.all():
            self.active, self.chunk_state = models[going], state.keep(going)
            self.previous = accuracy[going]

    def _order(self) -> NDArray:
        """The order of this epoch: it hangs on the seed, the epoch and, where each has its own, the model."""
        number = len(self.train_data.labels)
        if not self.own_order:
            return np.random.default_rng([self.seed, _SHUFFLE, self.epoch]).permutation(number)
        return np.stack(
            [
                np.random.default_rng([self.seed, _SHUFFLE, self.epoch, int(model)]).permutation(number)
                for model in self.active
            ]
        )

    def _validate(self) -> tuple[NDArray, NDArray]:
        assert self.chunk_state is not None
        state = self.chunk_state
        margins = self.engine.margins(state.architecture, state.parameters, self.valid_data.words)
        return accuracy_and_loss(margins, self.valid_data.labels)

    def _note(self, accuracy: NDArray, loss: NDArray) -> None:
        self.previous = accuracy
        if self.history.valid_accuracy.shape[1]:
            self.history.valid_accuracy[self.active, self.epoch] = accuracy
            self.history.valid_loss[self.active, self.epoch] = loss
        if self.history.trajectory.shape[2]:
            assert self.chunk_state is not None
            self.history.trajectory[self.epoch, self.active] = self.chunk_state.parameters

    _STATE = ("active", "previous")
    _MOMENTS = ("parameters", "first_moment", "second_moment")

    def names(self) -> list[str]:
        """The tensors of a checkpoint."""
        return [*self._STATE, *self._MOMENTS, *(f"history.{name}" for name in vars(self.history))]

    def saved(self, identity: str, start: int) -> tuple[dict[str, torch.Tensor], dict[str, object]]:
        """Everything that :meth:`restore` needs."""
        assert self.chunk_state is not None
        arrays = {name: getattr(self, name) for name in self._STATE}
        arrays |= {name: getattr(self.chunk_state, name) for name in self._MOMENTS}
        arrays |= {f"history.{name}": value for name, value in vars(self.history).items()}
        tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
        return tensors, {
            "identity": identity,
            "start": start,
            "epoch": self.epoch,
            "step": self.chunk_state.step,
        }

    def restore(
        self, architecture: Architecture, tensors: dict[str, torch.Tensor], state: dict[str, int], path: Path
    ) -> int:
        """Go on from a checkpoint; returns the number of the chunk's first model."""
        arrays = {name: value.numpy().copy() for name, value in tensors.items()}
        shapes = {f"history.{name}": value.shape for name, value in vars(self.history).items()}
        shapes |= dict.fromkeys(self._MOMENTS, (len(arrays["active"]), architecture.num_parameters))
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise UserError(
                    f"the checkpoint {path} is of another population",
                    value=f"{name} {arrays[name].shape}",
                    allowed=str(shape),
                    hint=WAY_OUT,
                )
        for name, value in vars(self.history).items():
            value[...] = arrays[f"history.{name}"]
        self.active, self.previous = arrays["active"], arrays["previous"]
        parameters, first, second = (arrays[name] for name in self._MOMENTS)
        self.chunk_state = PopulationState(architecture, parameters, first, second, state["step"])
        self.epoch = state["epoch"]
        # Every model of a chunk that has been begun has an epoch behind it before the first checkpoint.
        self.stop = int(np.count_nonzero(self.history.epochs))
        return state["start"]
