"""The populations of the trainability chapter and how much each budget does with them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from rnnkit.errors import UserError
from rnnkit.models.population import CELLS, Architecture
from rnnkit.training.population_schedule import CONSTANT, PAPER, PopulationSchedule

INPUT_SIZES, HIDDEN_SIZES = (2, 5, 10, 15), (2, 4, 8, 16)
SMALL = ("2x2", "2x4", "4x2", "4x4")
GRID = tuple(f"{d}x{h}" for d in INPUT_SIZES for h in HIDDEN_SIZES)
GRID_DATASETS, DATASETS = ("first", "xor"), ("count", "first", "xor")
SCHEDULES = {"paper": PAPER, "constant": CONSTANT}
FACTORS = (0.1, 0.25, 0.5, 0.75, 1.0)
READINGS = ("whole", "each")
SCALES = (1.0, 0.25, 0.5, 2.0, 4.0, 8.0, 16.0)
UPDATES = ("2x4", "4x8")
SOLVED = 0.95
BLOCK = 16_384  # random settings drawn together; which random numbers a setting gets hangs on it

COMPONENTS_NET = ("count", "2x2")
STATES_NET = ("count", "4x2")
PERTURB_NET = ("first", "2x4")
# Populations whose parameters a probe needs later.
PROBED = (COMPONENTS_NET, STATES_NET, PERTURB_NET)


@dataclass(frozen=True)
class Budget:
    """How much is computed.

    Attributes
    ----------
    num_train, num_valid, num_test : int
        Sentences.
    num_epochs : int
        At most.
    num_grid : int
        Models of each of the 16 architectures; the first three are the paper's three initialisations.
    num_small : dict of str to int
        Models of each of the 4 small architectures, by schedule.
    num_good : int
        Models that a probe looks at.
    num_candidates, num_large_candidates : int
        Models trained to find those whose updates are looked at: few small RNNs learn under the paper's rule.
    num_recovery : int
        Epochs after a perturbation.
    num_settings, num_scaled : int
        Random settings at PyTorch's scale, and at each other.
    num_pairs : int
        Pairs of sentences.
    longest : int
        Words of the longest sentence.
    """

    num_train: int = 8000
    num_valid: int = 2000
    num_test: int = 3000
    num_epochs: int = 150
    num_grid: int = 16
    num_small_paper: int = 200
    num_small_constant: int = 100
    num_good: int = 20
    num_candidates: int = 320
    num_large_candidates: int = 64
    num_recovery: int = 30
    num_settings: int = 1_000_000
    num_scaled: int = 100_000
    num_pairs: int = 200
    longest: int = 2000

    def num_small(self, schedule: str) -> int:
        """Models of a small architecture under a schedule."""
        return self.num_small_paper if schedule == "paper" else self.num_small_constant


BUDGETS = {
    "paper": Budget(),
    "quick": Budget(
        num_train=4000,
        num_epochs=20,
        num_small_paper=32,
        num_small_constant=32,
        num_good=5,
        num_candidates=32,
        num_large_candidates=16,
        num_recovery=10,
        num_settings=20_000,
        num_scaled=5_000,
        num_pairs=50,
        longest=500,
    ),
}


@dataclass(frozen=True)
class PopulationConfig:
    """One population: its models differ in their initialisation alone.

    Attributes
    ----------
    cell, sizes : str
        As ``rnn`` and ``2x4``.
    dataset : str
        The rule of the labels.
    schedule : str
        ``paper`` or ``constant``.
    num_models : int
    num_epochs : int
    num_train, num_valid, num_test : int
        Sentences.
    """

    cell: str
    sizes: str
    dataset: str
    schedule: str
    num_models: int
    num_epochs: int
    num_train: int
    num_valid: int
    num_test: int

    def __post_init__(self) -> None:
        for name, allowed in (("cell", CELLS), ("dataset", DATASETS), ("schedule", tuple(SCHEDULES))):
            if getattr(self, name) not in allowed:
                raise UserError(f"unknown {name}", value=getattr(self, name), allowed=allowed)
        Architecture.parse(self.cell, self.sizes)

    @property
    def architecture(self) -> Architecture:
        """Of every model."""
        return Architecture.parse(self.cell, self.sizes)

    @property
    def training(self) -> PopulationSchedule:
        """The schedule's settings, as far as the budget goes."""
        return replace(SCHEDULES[self.schedule], num_epochs=self.num_epochs)

    def to_dict(self) -> dict[str, Any]:
        """As it enters a record's key."""
        return {
            "net": {"name": self.cell, "sizes": self.sizes},
            "dataset": self.dataset,
            "schedule": {"name": self.schedule, **asdict(self.training)},
            "num_models": self.num_models,
            "sentences": [self.num_train, self.num_valid, self.num_test],
        }


@dataclass(frozen=True)
class InsideConfig:
    """What is asked of the models of one architecture.

    Attributes
    ----------
    population : PopulationConfig
        Of the first record that is needed.
    budget : Budget
    """

    population: PopulationConfig
    budget: Budget


@dataclass(frozen=True)
class UpdatesConfig:
    """Candidates in training, and how many of them are looked at."""

    population: PopulationConfig
    num_good: int


@dataclass(frozen=True)
class PerturbConfig:
    """Trained models, the reading of the noise, and how they train on."""

    population: PopulationConfig
    num_good: int
    reading: str
    num_epochs: int


@dataclass(frozen=True)
class RandomConfig:
    """An architecture (of the population, which is not trained) and how many settings are drawn."""

    population: PopulationConfig
    num_settings: int
    num_scaled: int


def population(cell: str, sizes: str, dataset: str, schedule: str, budget: Budget) -> PopulationConfig:
    """The population of the chapter's plan with these settings; a small architecture has more models."""
    num_models = budget.num_small(schedule) if sizes in SMALL else budget.num_grid
    return PopulationConfig(
        cell,
        sizes,
        dataset,
        schedule,
        num_models,
        budget.num_epochs,
        budget.num_train,
        budget.num_valid,
        budget.num_test,
    )
