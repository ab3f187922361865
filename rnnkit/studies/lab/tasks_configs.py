"""The populations that recall and add (Sections 3.2 and 3.3, Anirudh R) and how much each budget does with them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rnnkit.models.population.sequences import SequenceArchitecture
from rnnkit.training.schedule import SEQUENCES_LEARNING_RATE

HIDDEN_SIZES = (2, 5, 10)
READOUTS = ("last", "final")  # the report does not say which
CELLS = ("rnn", "lstm", "gru")  # nor which cell adds
LOSSES = ("bce", "mse-sigmoid", "mse-linear")  # nor whether a sigmoid stands before the squared error
NUM_DIGITS, POSITION, LENGTH, LONGEST = 10, 1, 5, 64
WINDOW = 10  # steps whose losses are averaged before they are kept
LENGTHS_SEED = 0  # of the lengths that all seeds have in common


@dataclass(frozen=True)
class TasksBudget:
    """How much is trained on and measured.

    Attributes
    ----------
    num_recall, num_addition : int
        Batches drawn; every fifth part is for the test.
    num_pairs : int
        Pairs of numbers of each length that sums are tried on.
    num_long : int
        Pairs of the longest numbers that adders are probed with.
    lead_in_lengths, num_lead_ins
        Of `rnnkit.probes.lengths.lead_ins`.
    """

    num_recall: int
    num_addition: int
    num_pairs: int
    num_long: int
    lead_in_lengths: tuple[int, ...]
    num_lead_ins: int


BUDGETS = {
    "quick": TasksBudget(400, 200, 200, 100, (1, 8, 58), 3),
    "paper": TasksBudget(1000, 500, 1000, 500, (1, 2, 4, 8, 16, 32, 58), 9),
}


@dataclass(frozen=True)
class RecallConfig:
    """A population of bidirectional LSTMs that are to name the digit at one position of a sequence.

    Attributes
    ----------
    hidden_size : int
    readout : {"last", "final"}
    seeds : tuple of int
        One network each, with data, weights and order of its own.
    num_batches, batch_size, num_epochs : int
    learning_rate : float
    position : int
    """

    hidden_size: int
    readout: str
    seeds: tuple[int, ...]
    num_batches: int
    batch_size: int = 50
    num_epochs: int = 3
    learning_rate: float = SEQUENCES_LEARNING_RATE
    position: int = POSITION

    @property
    def name(self) -> str:
        """Its name in records, as ``recall-10-last``."""
        return f"recall-{self.hidden_size}-{self.readout}"

    @property
    def architecture(self) -> SequenceArchitecture:
        """Of each network."""
        return SequenceArchitecture("lstm", NUM_DIGITS, self.hidden_size, NUM_DIGITS, True, self.readout)

    def to_dict(self) -> dict[str, Any]:
        """As it enters the record's key."""
        return _listed(self)


@dataclass(frozen=True)
class AdditionConfig:
    """A population of nets that add two binary numbers bit by bit.

    Attributes
    ----------
    cell : {"rnn", "lstm", "gru"}
    hidden_size : int
    loss : {"bce", "mse-sigmoid", "mse-linear"}
    seeds : tuple of int
    num_batches, batch_size, num_epochs : int
    num_pairs : int
        Of each length from 1 to `longest`.
    learning_rate : float
    length, longest : int
        Bits of the numbers trained on, and of the longest tried.
    """

    cell: str
    hidden_size: int
    loss: str
    seeds: tuple[int, ...]
    num_batches: int
    num_pairs: int
    batch_size: int = 100
    num_epochs: int = 5
    learning_rate: float = SEQUENCES_LEARNING_RATE
    length: int = LENGTH
    longest: int = LONGEST

    @property
    def name(self) -> str:
        """Its name in records, as ``addition-rnn-2-bce``."""
        return f"addition-{self.cell}-{self.hidden_size}-{self.loss}"

    @property
    def architecture(self) -> SequenceArchitecture:
        """Of each network."""
        return SequenceArchitecture(self.cell, 2, self.hidden_size, 1, readout="each")

    def to_dict(self) -> dict[str, Any]:
        """As it enters the record's key."""
        return _listed(self)


@dataclass(frozen=True)
class AdderConfig:
    """What is asked of a population that adds.

    Attributes
    ----------
    population : AdditionConfig
    num_long, lead_in_lengths, num_lead_ins
        See `TasksBudget`.
    """

    population: AdditionConfig
    num_long: int
    lead_in_lengths: tuple[int, ...]
    num_lead_ins: int

    @classmethod
    def of(cls, population: AdditionConfig, budget: str) -> AdderConfig:
        """The questions of a budget."""
        chosen = BUDGETS[budget]
        return cls(population, chosen.num_long, chosen.lead_in_lengths, chosen.num_lead_ins)

    def to_dict(self) -> dict[str, Any]:
        """As it enters the record's key, beside the population."""
        return {
            "num_long": self.num_long,
            "lead_in_lengths": list(self.lead_in_lengths),
            "num_lead_ins": self.num_lead_ins,
        }


def recalls(budget: str, seeds: tuple[int, ...]) -> list[RecallConfig]:
    """Every population that recalls."""
    number = BUDGETS[budget].num_recall
    return [RecallConfig(size, readout, seeds, number) for size in HIDDEN_SIZES for readout in READOUTS]


def additions(budget: str, seeds: tuple[int, ...]) -> list[AdditionConfig]:
    """Every population that adds."""
    chosen = BUDGETS[budget]
    return [
        AdditionConfig(cell, size, loss, seeds, chosen.num_addition, chosen.num_pairs)
        for cell in CELLS
        for size in HIDDEN_SIZES
        for loss in LOSSES
    ]


NAMES = (
    *(config.name for config in recalls("paper", (0,))),
    *(config.name for config in additions("paper", (0,))),
)


def _listed(config: Any) -> dict[str, Any]:
    return asdict(config) | {"name": config.name, "seeds": list(config.seeds)}
