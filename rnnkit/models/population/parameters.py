"""The parameters of many models: one flat row each, and views of its parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.models.population.architecture import CELLS, Architecture

# Which draw a stream of random numbers serves; the numbers are part of every published result.
_INITIAL, _SETTINGS = 0, 1
MAX_BYTES = 4 * 2**30


def check_parameters(architecture: Architecture, parameters: object) -> NDArray:
    """Return ``parameters`` where they are floats (num_models, num_parameters); UserError otherwise."""
    array = np.asarray(parameters)
    if array.ndim != 2 or array.shape[1] != architecture.num_parameters or array.dtype.kind != "f":
        raise UserError(
            f"these are no parameters of {architecture.cell} {architecture.name} models",
            value=f"{array.dtype} {array.shape}",
            allowed=f"floats (num_models, num_parameters = {architecture.num_parameters})",
        )
    return array


def unpack(architecture: Architecture, parameters: NDArray) -> dict[str, NDArray]:
    """Views of the parts of flat parameters.

    Parameters
    ----------
    architecture : Architecture
    parameters : array (num_models, num_parameters)
        Of contiguous rows, so that the parts are views and not copies.

    Returns
    -------
    dict of str to array (num_models, *shape)
        Named and shaped as in ``architecture.shapes()``.
    """
    parameters = check_parameters(architecture, parameters)
    slices, num_models = architecture.slices(), len(parameters)
    return {
        name: parameters[:, slices[name]].reshape(num_models, *shape)
        for name, shape in architecture.shapes().items()
    }


def pack(architecture: Architecture, parts: Mapping[str, NDArray]) -> NDArray:
    """Flat parameters (num_models, num_parameters) of their parts (num_models, *shape): undoes `unpack`."""
    shapes = architecture.shapes()
    if set(parts) != set(shapes):
        raise UserError("these are not the parts of a model", value=sorted(parts), allowed=shapes)
    arrays = {name: np.asarray(parts[name]) for name in shapes}
    num_models = arrays["embedding"].shape[:1]
    for name, shape in shapes.items():
        if arrays[name].shape != (*num_models, *shape) or not num_models:
            sizes = ", ".join(map(str, shape))
            raise UserError(
                f"{name} has another shape than the models'",
                value=arrays[name].shape,
                allowed=f"(num_models, {sizes})",
            )
    return np.concatenate([array.reshape(*num_models, -1) for array in arrays.values()], axis=1)


def check_integer(name: str, value: object, least: int) -> int:
    """Return an integer of at least ``least``; UserError, with its name, where it is none."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise UserError(f"{name} cannot be used", value=value, allowed=f"an integer of at least {least}")
    return int(value)


def _stream(seed: int, architecture: Architecture, *purpose: int) -> np.random.SeedSequence:
    cell = CELLS.index(architecture.cell)
    key = (cell, architecture.input_size, architecture.hidden_size, *purpose)
    return np.random.SeedSequence(check_integer("seed", seed, 0), spawn_key=key)


def initial(architecture: Architecture, num_models: int, seed: int, start: int = 0) -> NDArray[np.float32]:
    """PyTorch's default initialisation of the models ``start .. start + num_models - 1``.

    Embeddings are N(0, 1); every other weight and bias is uniform in ±1/sqrt(hidden_size). What model i gets
    depends on the seed, the architecture and i alone: model 7 of a population of 20 is model 7 of one of 2000.

    Returns
    -------
    float32 array (num_models, num_parameters)
    """
    num_models = check_integer("num_models", num_models, 1)
    start = check_integer("start", start, 0)
    if (size := 4 * num_models * architecture.num_parameters) > MAX_BYTES:
        raise UserError(
            f"the parameters of so many models would take {size / 2**30:.1f} GiB",
            value=num_models,
            allowed=f"up to {MAX_BYTES / 2**30:.0f} GiB",
            hint="Draw them in parts: initial(architecture, count, seed, start) gives the models from start on",
        )
    key = _stream(seed, architecture, _INITIAL).generate_state(2, np.uint64)
    num_embedding = architecture.slices()["embedding"].stop
    bound = 1 / math.sqrt(architecture.hidden_size)
    parameters = np.empty((num_models, architecture.num_parameters), np.float32)
    for i, row in enumerate(parameters, start):
        # One key for all and a counter whose highest word is the model: streams that never meet.
        generator = np.random.Generator(np.random.Philox(key=key, counter=i << 192))
        row[:num_embedding] = generator.standard_normal(num_embedding)
        row[num_embedding:] = generator.uniform(-bound, bound, row.size - num_embedding)
    return parameters


def random_settings(
    architecture: Architecture, num_models: int, seed: int, block: int, scale: float = 1.0
) -> NDArray[np.float32]:
    """One block of random models, drawn as `initial` draws them but together: quick enough for millions.

    Everything but the embedding is multiplied by ``scale``. The draws depend on the seed, the architecture, the
    block and its size ``num_models``, not on the scale: two scales see the same random numbers.

    Returns
    -------
    float32 array (num_models, num_parameters)
    """
    num_models = check_integer("num_models", num_models, 1)
    block = check_integer("block", block, 0)
    if not isinstance(scale, int | float) or isinstance(scale, bool) or not 0 <= scale < math.inf:
        raise UserError("scale cannot be used", value=scale, allowed="a finite number of at least 0")
    generator = np.random.Generator(np.random.SFC64(_stream(seed, architecture, _SETTINGS, block)))
    num_embedding = architecture.slices()["embedding"].stop
    bound = np.float32(scale / math.sqrt(architecture.hidden_size))
    parameters = np.empty((num_models, architecture.num_parameters), np.float32)
    parameters[:, :num_embedding] = generator.standard_normal((num_models, num_embedding), np.float32)
    rest = generator.random((num_models, architecture.num_parameters - num_embedding), np.float32)
    rest *= 2 * bound
    rest -= bound
    parameters[:, num_embedding:] = rest
    return parameters


@dataclass
class PopulationState:
    """Models in training: their parameters and Adam's memory; engines update the arrays in place.

    Attributes
    ----------
    architecture : Architecture
    parameters, first_moment, second_moment : array (num_models, num_parameters)
        All of one floating dtype. The moments are Adam's running means of the gradient and of its square.
    step : int
        Updates made so far.
    """

    architecture: Architecture
    parameters: NDArray
    first_moment: NDArray
    second_moment: NDArray
    step: int = 0

    def __post_init__(self) -> None:
        for name in ("parameters", "first_moment", "second_moment"):
            array = check_parameters(self.architecture, getattr(self, name))
            if array.shape != self.parameters.shape or array.dtype != self.parameters.dtype:
                raise UserError(
                    f"{name} does not go with the parameters",
                    value=f"{array.dtype} {array.shape}",
                    allowed=f"{self.parameters.dtype} {self.parameters.shape}",
                )
        self.step = check_integer("step", self.step, 0)

    @classmethod
    def fresh(cls, architecture: Architecture, parameters: NDArray) -> PopulationState:
        """Models that have not been trained yet; ``parameters`` is copied."""
        parameters = np.array(check_parameters(architecture, parameters), order="C")
        return cls(architecture, parameters, np.zeros_like(parameters), np.zeros_like(parameters))

    @property
    def num_models(self) -> int:
        """How many models there are."""
        return len(self.parameters)

    def keep(self, index: NDArray) -> PopulationState:
        """The state of some models, copied; ``index`` holds their numbers, or True for each model kept."""
        index = np.asarray(index)
        if index.size == 0:
            index = index.astype(np.intp)
        return PopulationState(
            self.architecture,
            self.parameters[index],
            self.first_moment[index],
            self.second_moment[index],
            self.step,
        )
