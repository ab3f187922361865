"""The shape of a small network over sequences of numbers, and the parameters that many of them start from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.models.options import NUM_GATES
from rnnkit.models.population.parameters import check_integer

CELLS = ("rnn", "gru", "lstm")
READOUTS = ("each", "last", "final")
LARGEST = 4096  # of a size: a population is of small networks
_SEQUENCES = 2  # stream of random numbers beside those of the sentence classifiers; part of published results


@dataclass(frozen=True)
class SequenceArchitecture:
    """One recurrent layer and a linear read-out, with the meaning and the names of torch.nn.

    Attributes
    ----------
    cell : {"rnn", "gru", "lstm"}
        torch.nn.RNN (tanh), GRU (gates r, z, n) or LSTM (gates i, f, g, o).
    input_size, hidden_size, output_size : int
    bidirectional : bool
        Whether a second set of weights reads the sequence from its end.
    readout : {"each", "last", "final"}
        What the linear layer reads: the state at every step; that at the last step, which is ``output[:, -1]`` in
        torch, where the second direction has read one step alone; or the states of both directions after all steps.
        The last two are one for a network of one direction.

    Raises
    ------
    UserError
        An unknown cell or read-out, a size that is no integer of 1 to `LARGEST`, or a ``bidirectional`` that is neither
        True nor False.
    """

    cell: str
    input_size: int
    hidden_size: int
    output_size: int
    bidirectional: bool = False
    readout: str = "last"

    def __post_init__(self) -> None:
        for name, known in (("cell", CELLS), ("readout", READOUTS)):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise UserError(f"unknown {name}", value=value, allowed=known)
        for name in ("input_size", "hidden_size", "output_size"):
            size = getattr(self, name)
            if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= LARGEST:
                raise UserError(
                    f"{name} is no small network's", value=size, allowed=f"an integer of 1 to {LARGEST}"
                )
        if not isinstance(self.bidirectional, bool):
            raise UserError("bidirectional is yes or no", value=self.bidirectional, allowed="True, False")

    @property
    def num_directions(self) -> int:
        """2 where it is bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter of one network, in torch's order."""
        rows = NUM_GATES[self.cell] * self.hidden_size
        one_way = {
            "weight_ih": (rows, self.input_size),
            "weight_hh": (rows, self.hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        back = {f"{name}_reverse": shape for name, shape in one_way.items()} if self.bidirectional else {}
        return (
            one_way
            | back
            | {
                "weight_out": (self.output_size, self.num_directions * self.hidden_size),
                "bias_out": (self.output_size,),
            }
        )

    @property
    def num_parameters(self) -> int:
        """Of one network."""
        return sum(math.prod(shape) for shape in self.shapes().values())


def check_sequence_parameters(
    architecture: SequenceArchitecture, parameters: Mapping[str, NDArray]
) -> dict[str, NDArray]:
    """Return ``parameters`` as arrays (num_models, *shape), in the order of ``architecture.shapes()``.

    Raises
    ------
    UserError
        A part that is missing or too much, of another shape, of another number of models, or no floats.
    """
    shapes = architecture.shapes()
    if not isinstance(parameters, Mapping) or set(parameters) != set(shapes):
        given = sorted(map(str, parameters)) if isinstance(parameters, Mapping) else type(parameters).__name__
        raise UserError("these are not the parts of the networks", value=given, allowed=shapes)
    arrays = {name: np.asarray(parameters[name]) for name in shapes}
    first = arrays["weight_ih"]
    num_models = len(first) if first.ndim else 0
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != (num_models, *shape) or array.dtype != first.dtype or array.dtype.kind != "f":
            raise UserError(
                f"{name} is not that of the networks",
                value=f"{array.dtype} {array.shape}",
                allowed=f"floats of one kind ({', '.join(map(str, ('num_models', *shape)))})",
            )
    if not num_models:
        raise UserError("there is no network in this population", value=first.shape, allowed="1 or more")
    return arrays


def initial_sequences(
    architecture: SequenceArchitecture, seeds: Sequence[int]
) -> dict[str, NDArray[np.float32]]:
    """PyTorch's default initialisation of one network per seed.

    Weights and biases of the recurrence are uniform in ±1/sqrt(hidden_size), those of the read-out in ±1/sqrt(of the
    numbers that it reads). A network's values depend on the cell, the sizes, the directions and its own seed alone:
    not on the other seeds, and not on what is read out, so that two read-outs start from the same network.

    Returns
    -------
    dict of str to float32 array (len(seeds), *shape)
        Named and shaped as in ``architecture.shapes()``.

    Raises
    ------
    UserError
        No seed, or one that is no integer of at least 0.
    """
    seeds = [check_integer("seed", seed, 0) for seed in seeds]
    if not seeds:
        raise UserError("a population needs a seed for each network", value=seeds, allowed="1 seed or more")
    drawn = {
        name: np.empty((len(seeds), *shape), np.float32) for name, shape in architecture.shapes().items()
    }
    reads = {"weight_out", "bias_out"}
    for i, seed in enumerate(seeds):
        generator = _generator(architecture, seed)
        for name, array in drawn.items():
            fan_in = architecture.hidden_size * (architecture.num_directions if name in reads else 1)
            bound = 1 / math.sqrt(fan_in)
            array[i] = generator.uniform(-bound, bound, array.shape[1:])
    return drawn


def _generator(architecture: SequenceArchitecture, seed: int) -> np.random.Generator:
    sizes = (architecture.input_size, architecture.hidden_size, architecture.output_size)
    key = (_SEQUENCES, CELLS.index(architecture.cell), *sizes, architecture.num_directions)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
