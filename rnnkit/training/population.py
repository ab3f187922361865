"""Train many small models at once, each by its own schedule; those that have finished leave."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.models.population import Architecture, Engine, PopulationState
from rnnkit.training.checkpoints import load_checkpoint, save_checkpoint

CHUNK = 4096
CHECKPOINT_SECONDS = 5.0
KEPT = ("curves", "best", "final", "trajectory")
_SHUFFLE = 2  # stream of random numbers beside those of the models

InitialParameters = Callable[[int, int], NDArray]


@dataclass(frozen=True)
class PopulationSchedule:
    """When a model's learning rate falls and when it stops.

    Attributes
    ----------
    learning_rate : float
    batch_size : int
    num_epochs : int
        At most.
    patience : int or None
        A model stops after so many epochs without a validation accuracy above its best; None: never.
    halve : bool
        Whether its learning rate is halved whenever its validation accuracy falls below that of the epoch before.
    min_learning_rate : float
        It stops where its learning rate has fallen below.

    Raises
    ------
    UserError
        A number that cannot be used.
    """

    learning_rate: float = 1e-3
    batch_size: int = 32
    num_epochs: int = 150
    patience: int | None = None
    halve: bool = False
    min_learning_rate: float = 0.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "min_learning_rate"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise UserError(
                    f"{name} cannot be used", value=value, allowed="a finite number of at least 0"
                )
        for name, least in (("batch_size", 1), ("num_epochs", 0), ("patience", 1)):
            value = getattr(self, name)
            if name == "patience" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise UserError(
                    f"{name} cannot be used", value=value, allowed=f"an integer of at least {least}"
                )


PAPER = PopulationSchedule(patience=4, halve=True, min_learning_rate=1e-6)
"""Section III.B, Mehta; the batch size is this project's reading."""

CONSTANT = PopulationSchedule()
"""The same without the rule: 150 epochs for every model."""


class Labelled(NamedTuple):
    """Sentences ``words`` (n, seq_len) in 0..9 and their ``labels`` (n,) in {0, 1}."""

    words: NDArray
    labels: NDArray


@dataclass
class PopulationHistory:
    """What became of the models; what was not asked for is an array of no columns.

    Attributes
    ----------
    epochs : int64 (num_models,)
        Epochs trained.
    best_accuracy : float64 (num_models,)
        Best validation accuracy over the epochs (a fraction); nan after no epoch.
    best_epoch : int64 (num_models,)
        The first epoch that reached it, counted from 1.
    learning_rate : float64 (num_models,)
        At the end.
    valid_accuracy, valid_loss : float32 (num_models, num_epochs + 1)
        Column 0 is before training; nan after a model has stopped.
    best, final : float (num_models, num_parameters)
        Parameters after the best epoch and after the last.
    trajectory : float (num_epochs + 1, num_models, num_parameters)
        Parameters after every epoch; those of a model that has stopped are nan.
    """

    epochs: NDArray
    best_accuracy: NDArray
    best_epoch: NDArray
    learning_rate: NDArray
    valid_accuracy: NDArray
    valid_loss: NDArray
    best: NDArray
    final: NDArray
    trajectory: NDArray

    @classmethod
    def empty(
        cls, num_models: int, num_parameters: int, num_epochs: int, rate: float, keep: Collection[str]
    ) -> PopulationHistory:
        """Of models that have not been trained yet."""

        def blank(name: str, dtype: str, *shape: int) -> NDArray:
            return np.full(shape if name in keep else (*shape[:-1], 0), np.nan, dtype)

        curve, vector = (num_models, num_epochs + 1), (num_models, num_parameters)
        return cls(
            epochs=np.zeros(num_models, np.int64),
            best_accuracy=np.full(num_models, np.nan),
            best_epoch=np.zeros(num_models, np.int64),
            learning_rate=np.full(num_models, float(rate)),
            valid_accuracy=blank("curves", "float32", *curve),
            valid_loss=blank("curves", "float32", *curve),
            best=blank("best", "float32", *vector),
            final=blank("final", "float32", *vector),
            trajectory=blank("trajectory", "float32", num_epochs + 1, *vector),
        )


def accuracy_and_loss(margins: NDArray, labels: NDArray) -> tuple[NDArray, NDArray]:
    """Share right and mean cross-entropy of each model, from margins (num_models, n) and labels (n,).

    A margin of 0 says negative, as argmax does; one that is nan is wrong.
    """
    right = np.where(labels > 0, margins > 0, margins <= 0)
    signed = np.where(labels > 0, margins, -margins)
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
        Where training starts; ``parameters(start, count)`` gives some of them where all would fill the memory.
    schedule : PopulationSchedule
    train_data, valid_data : Labelled
    engine : Engine
    seed : int
        Of the order of the sentences, drawn anew each epoch.
    num_models : int, optional
        How many there are, where ``parameters`` is a callable.
    own_order : bool
        Draw an order for each model. Otherwise all models of the population meet the sentences in one order:
        enough where only the initialisation is to vary, and faster on every engine.
    keep : collection of str
        Of ``curves``, ``best``, ``final``, ``trajectory``: what the history holds beside single numbers.
    chunk : int
        Models in memory at a time. A model's result does not hang on it, nor on which others there are.
    checkpoint : Path, optional
        Written every few seconds and read at the start.
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
        Something to keep that is unknown, sizes that cannot be used, what the engine refuses, a checkpoint that
        cannot be used.
    """
    if strange := sorted(set(keep) - set(KEPT)):
        raise UserError("unknown part of a history to keep", value=strange[0], allowed=KEPT)
    if not isinstance(chunk, int) or chunk < 1:
        raise UserError("chunk cannot be used", value=chunk, allowed="an integer of at least 1")
    if callable(parameters):
        if not isinstance(num_models, int) or num_models < 1:
            raise UserError("num_models cannot be used", value=num_models, allowed="an integer of at least 1")
        draw = parameters
    else:
        given = parameters
        num_models = len(given)
        draw = lambda start, count: given[start : start + count]  # noqa: E731
    history = PopulationHistory.empty(
        num_models, architecture.num_parameters, schedule.num_epochs, schedule.learning_rate, keep
    )
    run = _Run(schedule, train_data, valid_data, engine, seed, own_order, history)
    run.chunk_state = None
    first, saved = 0, time.monotonic()
    if checkpoint is not None and (found := load_checkpoint(checkpoint, identity, needs=run.names())):
        first = run.restore(architecture, *found)
    for start in range(first, num_models, chunk):
        size = min(chunk, num_models - start)
        if run.chunk_state is None:
            run.begin(PopulationState.fresh(architecture, draw(start, size)), start)
        while run.epoch < schedule.num_epochs and len(run.active):
            run.one_epoch()
            if on_epoch is not None:
                on_epoch(start // chunk * schedule.num_epochs + run.epoch, len(run.active))
            if checkpoint is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                save_checkpoint(checkpoint, *run.saved(identity, start))
                saved = time.monotonic()
        run.end()
    return history


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

    def begin(self, state: PopulationState, start: int) -> None:
        """Take up new models, the first of which has the number ``start``."""
        self.chunk_state, self.epoch = state, 0
        self.active = np.arange(start, start + state.num_models)
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

    def end(self) -> None:
        """Let the chunk go."""
        self.chunk_state = None

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
        self, architecture: Architecture, tensors: dict[str, torch.Tensor], state: dict[str, int]
    ) -> int:
        """Go on from a checkpoint; returns the number of the chunk's first model."""
        arrays = {name: value.numpy().copy() for name, value in tensors.items()}
        for name in vars(self.history):
            getattr(self.history, name)[...] = arrays[f"history.{name}"]
        self.active, self.previous = arrays["active"], arrays["previous"]
        parameters, first, second = (arrays[name] for name in self._MOMENTS)
        self.chunk_state = PopulationState(architecture, parameters, first, second, state["step"])
        self.epoch = state["epoch"]
        return state["start"]
