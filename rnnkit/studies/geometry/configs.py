"""The nets of the geometry chapter and how much each budget does with them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rnnkit.errors import UserError
from rnnkit.models.options import check_precision
from rnnkit.training.schedule import Schedule

HIDDEN_SIZE, NUM_CLASSES = 200, 10
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99)  # shares of variance that dimensions are counted for
TRANSIENT = 100  # blank rows left out before an oscillation is looked for
EARLY_STEP = 4  # the paper's "time step 4": after the fourth row


@dataclass(frozen=True)
class Net:
    """One network and how it is trained.

    Attributes
    ----------
    name : str
    schedule : Schedule
    normalise : bool
        Whether pixels are shifted and scaled to mean 0 and variance 1.
    shuffle_labels : bool
        Whether the training labels are permuted: the control that can learn no digit.
    hidden_size : int
    precision : str
    """

    name: str
    schedule: Schedule
    normalise: bool = False
    shuffle_labels: bool = False
    hidden_size: int = HIDDEN_SIZE
    precision: str = "fp32"

    def __post_init__(self) -> None:
        check_precision(self.precision)

    def to_dict(self) -> dict[str, Any]:
        """As it enters the record's key."""
        return asdict(self)


@dataclass(frozen=True)
class Budget:
    """How much is measured.

    Attributes
    ----------
    num_test : int
        Test images that the probes look at.
    num_points : int
        Images in a t-SNE map through time.
    num_map_points : int
        Images in the single maps at step 4 that are made for every net and seed.
    num_extra : int
        Blank rows of experiment 3.
    num_probe_train : int
        Training images that the linear probe is fitted on.
    num_neighbour_images : int
        Test images among which neighbours are looked for.
    """

    num_test: int
    num_points: int
    num_map_points: int
    num_extra: int
    num_probe_train: int
    num_neighbour_images: int


BUDGETS = {
    "quick": Budget(
        num_test=2000,
        num_points=400,
        num_map_points=1000,
        num_extra=500,
        num_probe_train=1000,
        num_neighbour_images=1000,
    ),
    "paper": Budget(
        num_test=10000,
        num_points=3000,
        num_map_points=5000,
        num_extra=500,
        num_probe_train=5000,
        num_neighbour_images=3000,
    ),
}

# Epochs at (paper, quick) budget. The paper gives 30; learning rate and batch size are this project's reading.
_NETS: dict[str, tuple[Schedule, int, dict[str, Any]]] = {
    "paper": (Schedule(1e-4, 512, 30), 5, {}),
    "tuned": (Schedule(1e-3, 128, 30), 2, {}),
    "normalised": (Schedule(1e-3, 128, 30), 2, {"normalise": True}),
    "shuffled": (Schedule(1e-4, 512, 30), 5, {"shuffle_labels": True}),
    "untrained": (Schedule(1e-4, 512, 0), 0, {}),
}
NETS = tuple(_NETS)


def make_net(name: str, budget: str) -> Net:
    """The net of this name at this budget.

    Raises
    ------
    UserError
        An unknown name.
    """
    if name not in _NETS:
        raise UserError("unknown net", value=name, allowed=NETS)
    schedule, quick_epochs, options = _NETS[name]
    if budget == "quick":
        schedule = Schedule(schedule.learning_rate, schedule.batch_size, quick_epochs)
    return Net(name, schedule, **options)


@dataclass(frozen=True)
class ProbeConfig:
    """What is asked of one trained net.

    Attributes
    ----------
    net : Net
    dataset : str
    budget : Budget
    """

    net: Net
    dataset: str
    budget: Budget
