"""What classifiers are made of, and the six of the psMNIST study (Sections II B and C, Irisarri)."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rnnkit.errors import UserError
from rnnkit.models.legendre import DISCRETIZERS, check_discretization
from rnnkit.models.options import CELLS, check_sizes

PLACES = ("input", "memory", "output")
SPANS = ("sequence", "step")
READOUTS = ("last", "final", "each")


@dataclass(frozen=True)
class ClassifierConfig:
    """What a classifier is made of; the defaults are those of the psMNIST study (Section II C, Irisarri).

    Attributes
    ----------
    cell : {"rnn", "lstm", "gru"}
    memory_size : int
        Legendre polynomials of the memory before the cell; 0 means no memory.
    theta : float
        Steps in the memory's window.
    memory_d : int
        Memories side by side.
    discretizer : {"zoh", "euler"}
    input_to_hidden : bool
        Whether the cell sees the input beside the memory.
    input_size, hidden_size, num_classes : int
    normalise : bool
        Whether batch normalisation stands between the last state and the readout.
    dropout, recurrent_dropout : float
        Rates in [0, 1).
    dropout_place : {"input", "memory", "output"}
        Where `dropout` acts: on what the cell reads (each gate has its own mask where there is recurrent dropout, as
        in Keras), on what the memory reads (as in keras-lmu: the cell still sees the whole input), or on the last
        state, just before the readout.
    dropout_span : {"sequence", "step"}
        How long a mask of what is read lasts: see `rnnkit.models.dropout`.
    """

    cell: str
    memory_size: int = 0
    theta: float = 784
    memory_d: int = 1
    discretizer: str = "zoh"
    input_to_hidden: bool = True
    input_size: int = 1
    hidden_size: int = 256
    num_classes: int = 10
    normalise: bool = True
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    dropout_place: str = "input"
    dropout_span: str = "sequence"

    def __post_init__(self) -> None:
        choices = {
            "cell": CELLS,
            "discretizer": DISCRETIZERS,
            "dropout_place": PLACES,
            "dropout_span": SPANS,
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise UserError(f"unknown {name}", value=getattr(self, name), allowed=allowed)
        check_sizes(
            input_size=self.input_size,
            hidden_size=self.hidden_size,
            num_classes=self.num_classes,
            memory_d=self.memory_d,
        )
        for name in ("dropout", "recurrent_dropout"):
            rate = getattr(self, name)
            if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
                raise UserError(f"{name} is no rate", value=rate, allowed="a number in [0, 1)")
        if self.dropout and self.dropout_place == "memory" and self.memory_size == 0:
            raise UserError(
                "dropout_place has no memory to act on",
                value=self.dropout_place,
                allowed=[place for place in PLACES if place != "memory"],
            )
        if self.memory_size != 0:
            check_discretization(self.memory_size, self.theta, self.discretizer)

    @classmethod
    def from_dict(cls, given: dict[str, object]) -> ClassifierConfig:
        """Make a config of named values; a name that is none of its fields is an error."""
        names = [field.name for field in fields(cls)]
        if unknown := sorted(set(given) - set(names)):
            raise UserError("unknown field of a classifier", value=unknown[0], allowed=names)
        return cls(**given)  # type: ignore[arg-type]


@dataclass(frozen=True)
class StackedConfig:
    """What a stacked classifier is made of.

    Attributes
    ----------
    cell : {"rnn", "lstm", "gru"}
    input_size, hidden_size, num_layers, num_classes : int
    bidirectional : bool
        Whether a second net reads the sequence backwards in every layer.
    readout : {"last", "final", "each"}
        ``last`` reads ``output[:, -1]``: of the backward direction that is the state after one step. ``final`` reads
        the last state of both directions. ``each`` reads the output of every step.
    """

    cell: str
    input_size: int
    hidden_size: int
    num_layers: int = 1
    num_classes: int = 10
    bidirectional: bool = False
    readout: str = "last"

    def __post_init__(self) -> None:
        for name, allowed in (("cell", CELLS), ("readout", READOUTS)):
            if getattr(self, name) not in allowed:
                raise UserError(f"unknown {name}", value=getattr(self, name), allowed=allowed)
        check_sizes(
            input_size=self.input_size,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            num_classes=self.num_classes,
        )
        if not isinstance(self.bidirectional, bool):
            raise UserError("bidirectional is no switch", value=self.bidirectional, allowed="True or False")

    @property
    def width(self) -> int:
        """Numbers that the readout sees."""
        return self.hidden_size * (2 if self.bidirectional else 1)


TITLES = {
    "rnn": "sRNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "lmu-rnn": "LMU + sRNN",
    "lmu-lstm": "LMU + LSTM",
    "lmu-gru": "LMU + GRU",
}


def _architecture(name: str) -> ClassifierConfig:
    """The paper's settings, as its code applies them (github.com/liris8/RNN-Analysis-of-the-psMNIST-Dataset).

    A cell alone has Keras's ``dropout`` and ``recurrent_dropout``; a Legendre memory has the ``dropout`` of keras-lmu,
    which acts on what the memory reads, and its cell has none. Each step draws masks of its own, as Keras 2 does.
    """
    has_memory, cell = name.startswith("lmu-"), name.removeprefix("lmu-")
    dropout, recurrent_dropout = 0.2, 0.5
    if has_memory or cell == "rnn":
        dropout, recurrent_dropout = (0.2 if has_memory else 0.3), 0.0
    return ClassifierConfig(
        cell,
        memory_size=256 if has_memory else 0,
        normalise=not has_memory,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        dropout_place="memory" if has_memory else "input",
        dropout_span="step",
    )


ARCHITECTURES = {name: _architecture(name) for name in TITLES}
