"""The shape of a small sentence classifier: an embedding, one recurrent layer, a readout of two logits."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from rnnkit.errors import UserError

CELLS = ("rnn", "gru")
NUM_GATES = {"rnn": 1, "gru": 3}
VOCABULARY_SIZE = 10
NUM_CLASSES = 2
LARGEST = 4096  # of a size: a population is of small models


@dataclass(frozen=True)
class Architecture:
    """A cell and its two sizes, written ``{input_size}x{hidden_size}`` as in Mehta.

    Attributes
    ----------
    cell : {"rnn", "gru"}
        The recurrence of torch.nn.RNN (tanh) or torch.nn.GRU (gates in the order r, z, n).
    input_size : int
        Length of a word's embedding.
    hidden_size : int
        Recurrent units.

    Raises
    ------
    UserError
        An unknown cell, or a size that is no integer of 1 to `LARGEST`.
    """

    cell: str
    input_size: int
    hidden_size: int

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise UserError("unknown cell", value=self.cell, allowed=CELLS)
        for name in ("input_size", "hidden_size"):
            size = getattr(self, name)
            if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= LARGEST:
                raise UserError(
                    f"{name} is no small network's", value=size, allowed=f"an integer of 1 to {LARGEST}"
                )

    @classmethod
    def parse(cls, cell: str, sizes: str) -> Architecture:
        """Read ``"2x4"`` as 2 input and 4 hidden units; UserError where it says something else."""
        match = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", sizes) if isinstance(sizes, str) else None
        if match is None:
            raise UserError(
                "these are no sizes of a network", value=sizes, allowed="input x hidden, such as 2x4"
            )
        return cls(cell, int(match[1]), int(match[2]))

    @property
    def name(self) -> str:
        """The sizes as the paper writes them: ``"2x4"``."""
        return f"{self.input_size}x{self.hidden_size}"

    @property
    def num_gates(self) -> int:
        """Blocks of rows in weight_ih and weight_hh: 1 (rnn) or 3 (gru: r, z, n)."""
        return NUM_GATES[self.cell]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter of one model, in the order of the flat vector."""
        rows = self.num_gates * self.hidden_size
        return {
            "embedding": (VOCABULARY_SIZE, self.input_size),
            "weight_ih": (rows, self.input_size),
            "weight_hh": (rows, self.hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
            "weight_out": (NUM_CLASSES, self.hidden_size),
            "bias_out": (NUM_CLASSES,),
        }

    def slices(self) -> dict[str, slice]:
        """Where each parameter lies in the flat vector of one model."""
        found, start = {}, 0
        for name, shape in self.shapes().items():
            found[name] = slice(start, start + math.prod(shape))
            start += math.prod(shape)
        return found

    @property
    def num_parameters(self) -> int:
        """Length of the flat vector of one model."""
        return sum(math.prod(shape) for shape in self.shapes().values())
