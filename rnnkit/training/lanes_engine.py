"""The compiled engine: packs models into tiles, hands the tiles to threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from rnnkit.lanes import tiles
from rnnkit.lanes.prefixes import BLOCK, counter, sorted_tree
from rnnkit.lanes.tiles import Scratch, Sizes, make_scratch
from rnnkit.lanes.vectors import LANES
from rnnkit.models.population import (
    NUM_GATES,
    VOCABULARY_SIZE,
    Architecture,
    PopulationState,
    check_batch_size,
    check_labels,
    check_learning_rate,
    check_order,
    check_parameters,
    check_words,
)


class LanesEngine:
    """Populations on the CPU, ``LANES`` models at the price of one.

    Parameters
    ----------
    dtype : str
        ``float32`` or ``float64``.
    threads : int
        Tiles that are worked on at the same time. The number changes no bit: a model never meets another.
    """

    name = "lanes"

    def __init__(self, dtype: str = "float32", threads: int = 1) -> None:
        self.dtype = np.dtype(dtype)
        self.threads = threads

    def train_epoch(
        self,
        state: PopulationState,
        words: np.ndarray,
        labels: np.ndarray,
        order: np.ndarray,
        batch_size: int,
        learning_rate: np.ndarray,
    ) -> None:
        """One pass in batches with Adam; see :class:`rnnkit.models.population.Engine`."""
        words, labels = check_words(words), check_labels(labels, len(words))
        order = check_order(order, state.num_models, len(words))
        learning_rate = check_learning_rate(learning_rate, state.num_models)
        batch_size = check_batch_size(batch_size)
        sizes = self._sizes(state.architecture, words)
        shared, step = order.ndim == 1, state.step

        def work(models: slice, scratch: Scratch) -> None:
            held = [_pack(array[models], self.dtype) for array in _arrays(state)]
            rate = np.zeros(LANES, self.dtype)
            rate[: models.stop - models.start] = learning_rate[models]
            mine = order[None] if shared else _filled(order[models])
            tiles.train_tile(
                *held, step, words, labels, np.ascontiguousarray(mine), batch_size, rate, scratch, sizes
            )
            for array, tile in zip(_arrays(state), held, strict=True):
                array[models] = _unpack(tile, models)

        self._spread(len(state.parameters), sizes, work)
        state.step += -(-order.shape[-1] // batch_size)

    def gradients(
        self, architecture: Architecture, parameters: np.ndarray, words: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean loss (M,) and its gradients (M, N)."""
        parameters = check_parameters(architecture, parameters)
        words, labels = check_words(words), check_labels(labels, len(words))
        sizes, order = self._sizes(architecture, words), np.arange(len(words))[None]
        loss, found = np.zeros(len(parameters)), np.zeros(parameters.shape, self.dtype)

        def work(models: slice, scratch: Scratch) -> None:
            losses = np.zeros(LANES)
            packed = _pack(parameters[models], self.dtype)
            tiles.gradient_tile(packed, words, labels, order, scratch, sizes, losses)
            loss[models] = losses[: models.stop - models.start]
            found[models] = _unpack(scratch.gradients, models)

        self._spread(len(parameters), sizes, work)
        return loss, found

    def margins(self, architecture: Architecture, parameters: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Logit of class 1 less that of class 0 after the last word, (M, n)."""
        return self._evaluate(tiles.margins_tile, architecture, parameters, words, (len(words),))

    def hidden_states(
        self, architecture: Architecture, parameters: np.ndarray, words: np.ndarray
    ) -> np.ndarray:
        """States before the first word and after each, (M, n, seq_len + 1, hidden_size)."""
        shape = (len(words), words.shape[1] + 1, architecture.hidden_size)
        return self._evaluate(tiles.states_tile, architecture, parameters, words, shape)

    def count_right(
        self, architecture: Architecture, parameters: np.ndarray, words: np.ndarray, labels: np.ndarray
    ) -> np.ndarray:
        """How many sentences each model gets right, (M,) int64; each distinct prefix is read once."""
        parameters = check_parameters(architecture, parameters)
        words = check_words(words)
        sizes = self._sizes(architecture, words)
        words, labels, shared = sorted_tree(words, check_labels(labels, len(words)))
        found = np.zeros(len(parameters), np.int64)
        count = counter(sizes.hidden_size)

        def work(models: slice) -> None:
            held = np.zeros(BLOCK * sizes.num_parameters * LANES, self.dtype)
            number = models.stop - models.start
            for tile in range(-(-number // LANES)):
                part = slice(models.start + tile * LANES, min(models.start + (tile + 1) * LANES, models.stop))
                begin = tile * sizes.num_parameters * LANES
                held[begin : begin + sizes.num_parameters * LANES] = _pack(parameters[part], self.dtype)
            width = BLOCK * sizes.hidden_size * LANES
            table = np.zeros(sizes.vocabulary_size * sizes.gates * width, self.dtype)
            states = np.zeros((sizes.seq_len + 1) * width, self.dtype)
            right = np.zeros(BLOCK * LANES, self.dtype)
            count(held, table, states, right, words, labels, shared, sizes)
            found[models] = right[:number]

        self._map(work, _parts(len(parameters), BLOCK * LANES))
        return found

    def _evaluate(
        self,
        kernel: Callable[..., None],
        architecture: Architecture,
        parameters: np.ndarray,
        words: np.ndarray,
        shape: tuple[int, ...],
    ) -> np.ndarray:
        parameters, words = check_parameters(architecture, parameters), check_words(words)
        sizes = self._sizes(architecture, words)
        found = np.empty((len(parameters), *shape), self.dtype)
        size = int(np.prod(shape))

        def work(models: slice, scratch: Scratch) -> None:
            values = np.empty(size * LANES, self.dtype)
            kernel(_pack(parameters[models], self.dtype), words, scratch, sizes, values)
            found[models] = _unpack(values, models).reshape(-1, *shape)

        self._spread(len(parameters), sizes, work)
        return found

    def _sizes(self, architecture: Architecture, words: np.ndarray) -> Sizes:
        gates = NUM_GATES[architecture.cell]
        return Sizes(
            VOCABULARY_SIZE,
            architecture.input_size,
            architecture.hidden_size,
            gates,
            int(words.shape[1]),
            architecture.num_parameters,
        )

    def _spread(self, number: int, sizes: Sizes, work: Callable[[slice, Scratch], None]) -> None:
        self._map(lambda models: work(models, make_scratch(sizes, self.dtype)), _parts(number, LANES))

    def _map(self, work: Callable[[slice], None], parts: Iterator[slice]) -> None:
        if self.threads == 1:
            for part in parts:
                work(part)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(work, parts))


def _parts(number: int, size: int) -> Iterator[slice]:
    return (slice(first, min(first + size, number)) for first in range(0, number, size))


def _arrays(state: PopulationState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return state.parameters, state.first_moment, state.second_moment


def _filled(order: np.ndarray) -> np.ndarray:
    """Orders for all lanes: those without a model follow the first."""
    return np.concatenate([order, np.repeat(order[:1], LANES - len(order), 0)])


def _pack(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """(up to LANES, N) models as a tile, flat (N * LANES,); lanes without a model hold zeros."""
    tile = np.zeros((array.shape[1], LANES), dtype)
    tile[:, : len(array)] = array.T
    return tile.reshape(-1)


def _unpack(tile: np.ndarray, models: slice) -> Any:
    return tile.reshape(-1, LANES)[:, : models.stop - models.start].T
