"""The rules by which models of a population learn and stop, against the same rules told for one model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.models.population import Architecture
from rnnkit.training.population import CONSTANT, KEPT, PAPER, Labelled, PopulationSchedule, train_population

ARCHITECTURE = Architecture("rnn", 2, 2)
NUM_VALID = 200
VALID = Labelled(np.zeros((NUM_VALID, 2), np.uint8), np.ones(NUM_VALID, np.uint8))


@dataclass
class Scripted:
    """An engine whose models learn nothing and have the validation accuracies of a script.

    A model carries its number in its first parameter and its epoch in the second.
    """

    accuracy: np.ndarray  # (num_models, num_epochs + 1)
    rates: dict[tuple[int, int], float] = field(default_factory=dict)
    name: str = "scripted"

    def train_epoch(self, state, words, labels, order, batch_size, learning_rate):
        state.parameters[:, 1] += 1
        state.step += 1
        for parameters, rate in zip(state.parameters, learning_rate, strict=True):
            self.rates[int(parameters[0]), int(parameters[1])] = rate

    def margins(self, architecture, parameters, words):
        models, epochs = parameters[:, :2].astype(int).T
        right = np.arange(len(words)) < np.round(NUM_VALID * self.accuracy[models, epochs, None])
        return np.where(right, 1.0, -1.0)


@dataclass
class Alone:
    """What becomes of one model."""

    epochs: int = 0
    best_accuracy: float = np.nan
    best_epoch: int = 0
    rates: list[float] = field(default_factory=list)
    learning_rate: float = np.nan


def trained_alone(accuracy: np.ndarray, schedule: PopulationSchedule) -> Alone:
    """The paper's rule in its own words, one model, one epoch after the other."""
    model = Alone(learning_rate=schedule.learning_rate)
    without_improvement = 0
    for epoch in range(1, schedule.num_epochs + 1):
        model.rates.append(model.learning_rate)
        model.epochs = epoch
        if epoch == 1 or accuracy[epoch] > model.best_accuracy:
            model.best_accuracy, model.best_epoch, without_improvement = accuracy[epoch], epoch, 0
        else:
            without_improvement += 1
        if schedule.halve and epoch > 1 and accuracy[epoch] < accuracy[epoch - 1]:
            model.learning_rate /= 2
        if without_improvement == schedule.patience or model.learning_rate < schedule.min_learning_rate:
            break
    return model


def scripts(num_models: int, num_epochs: int) -> np.ndarray:
    """Plateaus, noise of several sizes upon a rise, saws, falls."""
    generator = np.random.default_rng(0)
    rise = np.linspace(0.4, 0.9, num_epochs + 1) ** generator.uniform(0.2, 3, (num_models, 1))
    noise = generator.normal(size=(num_models, num_epochs + 1)) * generator.choice(
        [0, 0.02, 0.1], (num_models, 1)
    )
    saw = 0.02 * (np.arange(num_epochs + 1) % 2) * generator.integers(0, 2, (num_models, 1))
    curves = np.clip(rise + noise + saw, 0, 1)
    curves[0] = 0.5
    curves[1] = np.linspace(1, 0, num_epochs + 1)
    # Better every other epoch, and a fall after each: the learning rate gives out before the patience.
    curves[2] = 0.3 + np.arange(num_epochs + 1) / NUM_VALID
    curves[2, 2::2] -= 0.1
    return np.round(NUM_VALID * curves) / NUM_VALID


def scripted(accuracy: np.ndarray, schedule: PopulationSchedule, **options: object):
    """Train with a scripted engine: the engine and the history."""
    num_models = len(accuracy)
    parameters = np.zeros((num_models, ARCHITECTURE.num_parameters), np.float32)
    parameters[:, 0] = np.arange(num_models)
    engine = Scripted(accuracy)
    history = train_population(
        ARCHITECTURE,
        parameters,
        schedule,
        train_data=Labelled(np.zeros((3, 2), np.uint8), np.zeros(3, np.uint8)),
        valid_data=VALID,
        engine=engine,
        seed=0,
        **options,
    )
    return engine, history


def test_the_schedules_of_the_study():
    assert (PAPER.learning_rate, PAPER.patience, PAPER.halve) == (1e-3, 4, True)
    assert (PAPER.min_learning_rate, PAPER.num_epochs, PAPER.batch_size) == (1e-6, 150, 32)
    assert replace(CONSTANT, patience=4, halve=True, min_learning_rate=1e-6) == PAPER


@pytest.mark.parametrize(
    "schedule",
    [
        replace(PAPER, num_epochs=60),
        replace(CONSTANT, num_epochs=60),
        replace(PAPER, num_epochs=60, patience=1, min_learning_rate=5e-4),
        replace(PAPER, num_epochs=60, patience=None),
        replace(PAPER, num_epochs=60, halve=False),
    ],
    ids=["paper", "constant", "impatient", "only the rate stops", "no halving"],
)
def test_each_model_keeps_to_the_rule_as_if_alone(schedule):
    accuracy = scripts(300, 60)
    engine, history = scripted(accuracy, schedule, keep=KEPT, chunk=128)
    for m, curve in enumerate(accuracy):
        alone = trained_alone(curve, schedule)
        assert history.epochs[m] == alone.epochs
        assert history.best_epoch[m] == alone.best_epoch
        assert history.best_accuracy[m] == alone.best_accuracy
        assert history.learning_rate[m] == alone.learning_rate
        assert [engine.rates[m, epoch] for epoch in range(1, alone.epochs + 1)] == alone.rates
        assert (m, alone.epochs + 1) not in engine.rates, "trained after it had stopped"
        seen = alone.epochs + 1
        np.testing.assert_allclose(history.valid_accuracy[m, :seen], curve[:seen], rtol=1e-6)
        assert np.isnan(history.valid_accuracy[m, seen:]).all()
        assert np.isnan(history.valid_loss[m, seen:]).all()
        assert (history.best[m, 0], history.best[m, 1]) == (m, alone.best_epoch)
        assert (history.final[m, 0], history.final[m, 1]) == (m, alone.epochs)
        np.testing.assert_array_equal(history.trajectory[:seen, m, 1], np.arange(seen))
        assert np.isnan(history.trajectory[seen:, m]).all()


def test_the_paper_rule_on_curves_worked_by_hand():
    history = scripted(scripts(3, 60), replace(PAPER, num_epochs=60))[1]
    # On a plateau the first epoch is the best; four more bring nothing.
    assert (history.epochs[0], history.best_epoch[0], history.learning_rate[0]) == (5, 1, 1e-3)
    # Falling all the time: halved after epochs 2 to 5.
    assert (history.epochs[1], history.best_epoch[1], history.learning_rate[1]) == (5, 1, 1e-3 / 16)
    # Falling in every second epoch: 1e-3 / 2**10 is the first rate below 1e-6.
    assert (history.epochs[2], history.learning_rate[2]) == (20, 1e-3 / 1024)


def test_the_accuracy_before_training_is_no_epochs():
    """A model that starts better than it ever becomes: its first epoch neither halves nor counts as a failure."""
    history = scripted(np.array([[0.9, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4]]), replace(PAPER, num_epochs=6))[1]
    assert (history.best_accuracy[0], history.best_epoch[0], history.epochs[0]) == (0.5, 1, 5)
    assert history.learning_rate[0] == 5e-4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate.*'fast'"),
        ({"min_learning_rate": float("nan")}, "min_learning_rate"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 3.0}, "batch_size"),
        ({"num_epochs": -1}, "num_epochs"),
        ({"num_epochs": True}, "num_epochs"),
        ({"patience": 0}, "patience"),
    ],
)
def test_impossible_schedules_are_named(change, message):
    with pytest.raises(UserError, match=message):
        replace(PAPER, **change)


def test_orders_are_drawn_anew_by_seed_and_epoch():
    orders = []

    class Watching(Scripted):
        def train_epoch(self, state, words, labels, order, batch_size, learning_rate):
            orders.append(order.copy())
            super().train_epoch(state, words, labels, order, batch_size, learning_rate)

    for seed in (0, 1):
        train_population(
            ARCHITECTURE,
            np.zeros((2, ARCHITECTURE.num_parameters), np.float32),
            replace(CONSTANT, num_epochs=3),
            train_data=Labelled(np.zeros((40, 2), np.uint8), np.zeros(40, np.uint8)),
            valid_data=VALID,
            engine=Watching(np.full((1, 4), 0.5)),
            seed=seed,
        )
    assert len({order.tobytes() for order in orders}) == 6
    assert all((np.sort(order) == np.arange(40)).all() for order in orders)
