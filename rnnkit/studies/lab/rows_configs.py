"""The nets that read digits row by row (Section 3.1, Anirudh R) and how much each budget does with them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rnnkit.errors import UserError
from rnnkit.models import StackedConfig
from rnnkit.training import DecayedSchedule

CELLS = ("rnn", "gru", "bilstm")
LAYERS, HIDDEN_SIZES = (1, 2), (64, 128, 256)
LEARNING_RATE, DECAY = 1e-3, 1e-3
# The report's best of each cell: those that it regularises, and those that are watched while they read.
BEST = {"rnn": "rnn-2x128", "gru": "gru-2x256", "bilstm": "bilstm-2x128"}
GRID = tuple(f"{cell}-{layers}x{hidden}" for cell in CELLS for layers in LAYERS for hidden in HIDDEN_SIZES)
DECAYED = "-decayed"
NETS = (*GRID, *(name + DECAYED for name in BEST.values()))
SHOWN = (*BEST.values(), *(name + DECAYED for name in BEST.values()))


@dataclass(frozen=True)
class RowsBudget:
    """How much is trained on and measured.

    Attributes
    ----------
    num_train, num_valid, num_test : int
        Images of each part, from its first on.
    batch_size, num_epochs : int
    num_watched, watch_every : int
        Test images that are looked at within epochs, and after how many batches.
    num_read : int
        Test images that a net is followed through row by row.
    num_kept : int
        Those of them whose beliefs are kept, of seed 0.
    """

    num_train: int
    num_valid: int
    num_test: int
    batch_size: int
    num_epochs: int
    num_watched: int
    watch_every: int
    num_read: int
    num_kept: int


BUDGETS = {
    "quick": RowsBudget(1000, 300, 1000, 20, 2, 200, 10, 300, 200),
    "paper": RowsBudget(50_000, 2000, 10_000, 100, 5, 1000, 100, 2000, 400),
}


@dataclass(frozen=True)
class RowsNet:
    """One network and how it is trained.

    Attributes
    ----------
    name : str
        One of `NETS`.
    cell : {"rnn", "gru", "bilstm"}
    num_layers, hidden_size : int
    schedule : DecayedSchedule
    num_train, num_valid, num_test, num_watched, watch_every, num_read, num_kept : int
        See `RowsBudget`; of nets that are not shown, no reading is followed.
    readout : str
        The report does not say how a bidirectional net is read out. ``last`` is what most code of this kind does.
    """

    name: str
    cell: str
    num_layers: int
    hidden_size: int
    schedule: DecayedSchedule
    num_train: int
    num_valid: int
    num_test: int
    num_watched: int
    watch_every: int
    num_read: int
    num_kept: int
    readout: str = "last"

    def to_dict(self) -> dict[str, Any]:
        """As it enters the record's key."""
        return asdict(self)

    def classifier(self, input_size: int) -> StackedConfig:
        """The model's config."""
        both = self.cell == "bilstm"
        return StackedConfig(
            "lstm" if both else self.cell,
            input_size,
            self.hidden_size,
            self.num_layers,
            bidirectional=both,
            readout=self.readout,
        )


def make_net(name: str, budget: str, *, first_seed: bool = True) -> RowsNet:
    """The net of this name at this budget, such as ``gru-2x256`` or ``gru-2x256-decayed``.

    Raises
    ------
    UserError
        An unknown name.
    """
    if name not in NETS:
        raise UserError("unknown net", value=name, allowed=NETS)
    chosen, decay = BUDGETS[budget], DECAY if name.endswith(DECAYED) else 0.0
    cell, size = name.removesuffix(DECAYED).split("-")
    num_layers, hidden_size = (int(number) for number in size.split("x"))
    return RowsNet(
        name,
        cell,
        num_layers,
        hidden_size,
        DecayedSchedule(LEARNING_RATE, chosen.batch_size, chosen.num_epochs, decay),
        chosen.num_train,
        chosen.num_valid,
        chosen.num_test,
        chosen.num_watched,
        chosen.watch_every,
        chosen.num_read if name in SHOWN else 0,
        chosen.num_kept if name in SHOWN and first_seed else 0,
    )
