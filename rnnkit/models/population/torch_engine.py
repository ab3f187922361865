"""Populations in PyTorch: batched products over the model axis, on any device."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rnnkit.errors import UserError
from rnnkit.models.population.architecture import VOCABULARY_SIZE, Architecture
from rnnkit.models.population.engine import (
    BETAS,
    EPSILON,
    check_batch_size,
    check_dtype,
    check_labels,
    check_learning_rate,
    check_order,
    check_words,
)
from rnnkit.models.population.parameters import PopulationState, check_parameters

# Bytes of intermediate results at a time. A processor is quickest where they stay in its cache.
MEMORY_CPU, MEMORY = 2**25, 2**29


def _parts(architecture: Architecture, parameters: Tensor) -> dict[str, Tensor]:
    """`unpack` for tensors: parameters (M, N) -> views (M, *shape)."""
    slices = architecture.slices()
    return {
        name: parameters[:, slices[name]].unflatten(1, shape) for name, shape in architecture.shapes().items()
    }


def _drives(parts: dict[str, Tensor], words: Tensor) -> Iterator[Tensor]:
    """What each word adds to the gates: words (n, T) or (M, n, T) -> T tensors (M, n, G * H)."""
    bias = parts["bias_ih"].unsqueeze(1)
    table = torch.baddbmm(bias, parts["embedding"], parts["weight_ih"].mT)  # (M, 10, G * H)
    if table.requires_grad:
        # Looked up by a product: its gradient is a product again, that of indexing would be a slow scatter.
        vocabulary = torch.arange(VOCABULARY_SIZE, device=table.device)
        hot = (words.mT.unsqueeze(-1) == vocabulary).to(table.dtype)  # (T, n, 10) or (M, T, n, 10)
        drives = (hot.flatten(-3, -2) @ table).unflatten(1, hot.shape[-3:-1])  # (M, T, n, G * H)
        yield from drives.unbind(1)
        return
    models = torch.arange(len(table), device=table.device).unsqueeze(1)
    for word in words.unbind(-1):
        yield table[:, word] if word.dim() == 1 else table[models, word]


def _step(parts: dict[str, Tensor], drive: Tensor, h: Tensor, cell: str) -> Tensor:
    """The next state: drive (M, n, G * H), h (M, n, H) -> (M, n, H)."""
    recurrent = torch.baddbmm(parts["bias_hh"].unsqueeze(1), h, parts["weight_hh"].mT)
    if cell == "rnn":
        return torch.tanh(drive + recurrent)
    drive_r, drive_z, drive_n = drive.chunk(3, dim=2)
    recurrent_r, recurrent_z, recurrent_n = recurrent.chunk(3, dim=2)
    r = torch.sigmoid(drive_r + recurrent_r)
    z = torch.sigmoid(drive_z + recurrent_z)
    n = torch.tanh(drive_n + r * recurrent_n)
    return n + z * (h - n)


def _states(architecture: Architecture, parts: dict[str, Tensor], words: Tensor) -> Iterator[Tensor]:
    """The states (M, n, H) of words (n, T) or (M, n, T) one after the other, the zero state first."""
    num_models, num = len(parts["embedding"]), words.shape[-2]
    h = parts["embedding"].new_zeros(num_models, num, architecture.hidden_size)
    yield h
    for drive in _drives(parts, words):
        h = _step(parts, drive, h, architecture.cell)
        yield h


def _margins(architecture: Architecture, parameters: Tensor, words: Tensor) -> Tensor:
    """Positive minus negative logit (M, n) after the last word."""
    parts = _parts(architecture, parameters)
    for h in _states(architecture, parts, words):
        last = h
    weight = parts["weight_out"][:, 1] - parts["weight_out"][:, 0]  # (M, H)
    bias = parts["bias_out"][:, 1] - parts["bias_out"][:, 0]  # (M,)
    return torch.baddbmm(bias[:, None, None], last, weight.unsqueeze(2)).squeeze(2)


def losses(architecture: Architecture, parameters: Tensor, words: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each model, differentiable.

    Parameters
    ----------
    architecture : Architecture
    parameters : Tensor (num_models, num_parameters)
    words : integer Tensor (n, seq_len) or (num_models, n, seq_len)
    labels : integer Tensor (n,) or (num_models, n)

    Returns
    -------
    Tensor (num_models,)
    """
    # The softmax of two logits is the sigmoid of their difference.
    margins = _margins(architecture, parameters, words)
    return -functional.logsigmoid((2 * labels - 1).to(margins.dtype) * margins).mean(1)


class TorchEngine:
    """The engine of populations on PyTorch (see `Engine`).

    Parameters
    ----------
    device : str
        As torch names it: ``cpu``, ``cuda``, ...
    dtype : {"float32", "float64"}
        What is computed with, and the dtype of what is returned; a state keeps the dtype it has.

    Raises
    ------
    UserError
        A device that torch does not know or this machine does not have, or an unknown dtype.
    """

    name = "torch"

    def __init__(self, device: str = "cpu", dtype: str = "float32") -> None:
        self.dtype: torch.dtype = getattr(torch, check_dtype(dtype))
        try:
            self.device = torch.device(device)
            torch.zeros(1, device=self.device, dtype=self.dtype)
        except (RuntimeError, TypeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise UserError("torch cannot use this device", value=device, hint=reason) from error

    def train_epoch(
        self,
        state: PopulationState,
        words: NDArray,
        labels: NDArray,
        order: NDArray,
        batch_size: int,
        learning_rate: NDArray,
    ) -> None:
        """One pass over the sentences with Adam, ``state`` updated in place."""
        words = check_words(words)
        labels = check_labels(labels, len(words))
        order = check_order(order, state.num_models, len(words))
        batch_size = check_batch_size(batch_size)
        learning_rate = check_learning_rate(learning_rate, state.num_models)
        words_on, labels_on = self._integers(words), self._integers(labels)
        per_model = self._bytes_to_train(state.architecture, min(batch_size, len(words)), words.shape[1])
        for part in self._chunks(state.num_models, per_model):
            self._train_part(
                state,
                part,
                words_on,
                labels_on,
                self._integers(order if order.ndim == 1 else order[part]).split(batch_size, dim=-1),
                learning_rate[part],
            )
        state.step += -(-len(words) // batch_size)

    def _train_part(
        self,
        state: PopulationState,
        part: slice,
        words: Tensor,
        labels: Tensor,
        batches: tuple[Tensor, ...],
        learning_rate: NDArray,
    ) -> None:
        arrays = (state.parameters, state.first_moment, state.second_moment)
        parameters, first, second = (self._floats(array[part]) for array in arrays)
        rate = self._floats(learning_rate).unsqueeze(1)
        parameters.requires_grad_()
        for step, batch in enumerate(batches, state.step + 1):
            loss = losses(state.architecture, parameters, words[batch], labels[batch])
            (gradient,) = torch.autograd.grad(loss.sum(), parameters)
            with torch.no_grad():
                first.lerp_(gradient, 1 - BETAS[0])
                second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
                scale = (second.sqrt() / (1 - BETAS[1] ** step) ** 0.5).add_(EPSILON)
                parameters -= rate / (1 - BETAS[0] ** step) * first / scale
        for array, tensor in zip(arrays, (parameters, first, second), strict=True):
            array[part] = tensor.detach().cpu().numpy()

    def gradients(
        self, architecture: Architecture, parameters: NDArray, words: NDArray, labels: NDArray
    ) -> tuple[NDArray, NDArray]:
        """The mean cross-entropy (num_models,) and its gradient (num_models, num_parameters)."""
        parameters, words = check_parameters(architecture, parameters), check_words(words)
        labels_on = self._integers(check_labels(labels, len(words)))
        words_on = self._integers(words)
        loss = self._empty(len(parameters))
        gradient = self._empty(*parameters.shape)
        for part in self._chunks(len(parameters), self._bytes_to_train(architecture, *words.shape)):
            on_device = self._floats(parameters[part]).requires_grad_()
            losses_on = losses(architecture, on_device, words_on, labels_on)
            (gradient_on,) = torch.autograd.grad(losses_on.sum(), on_device)
            loss[part] = losses_on.detach().cpu().numpy()
            gradient[part] = gradient_on.cpu().numpy()
        return loss, gradient

    def margins(self, architecture: Architecture, parameters: NDArray, words: NDArray) -> NDArray:
        """Positive minus negative logit, (num_models, n)."""
        parameters, words = check_parameters(architecture, parameters), check_words(words)
        words_on = self._integers(words)
        margins = self._empty(len(parameters), len(words))
        with torch.no_grad():
            for part in self._chunks(len(parameters), self._bytes_to_evaluate(architecture, len(words))):
                on_device = _margins(architecture, self._floats(parameters[part]), words_on)
                margins[part] = on_device.cpu().numpy()
        return margins

    def hidden_states(self, architecture: Architecture, parameters: NDArray, words: NDArray) -> NDArray:
        """All states (num_models, n, seq_len + 1, hidden_size), beginning with the zero state."""
        parameters, words = check_parameters(architecture, parameters), check_words(words)
        words_on = self._integers(words)
        num, seq_len = words.shape
        states = self._empty(len(parameters), num, seq_len + 1, architecture.hidden_size)
        with torch.no_grad():
            for part in self._chunks(len(parameters), self._bytes_to_evaluate(architecture, num)):
                parts = _parts(architecture, self._floats(parameters[part]))
                for t, h in enumerate(_states(architecture, parts, words_on)):
                    states[part, :, t] = h.cpu().numpy()
        return states

    def count_right(
        self, architecture: Architecture, parameters: NDArray, words: NDArray, labels: NDArray
    ) -> NDArray[np.int64]:
        """How many sentences each model calls right, (num_models,); a margin that is nan is wrong."""
        parameters, words = check_parameters(architecture, parameters), check_words(words)
        words_on = self._integers(words)
        positive = torch.as_tensor(check_labels(labels, len(words)), device=self.device) == 1
        right = np.empty(len(parameters), np.int64)
        with torch.no_grad():
            for part in self._chunks(len(parameters), self._bytes_to_evaluate(architecture, len(words))):
                margins = _margins(architecture, self._floats(parameters[part]), words_on)
                right_on = torch.where(positive, margins > 0, margins <= 0).sum(1)
                right[part] = right_on.cpu().numpy()
        return right

    def _floats(self, array: NDArray) -> Tensor:
        """A copy of an array on the device."""
        return torch.from_numpy(np.array(array)).to(self.dtype).to(self.device)

    def _integers(self, array: NDArray) -> Tensor:
        return torch.as_tensor(array.astype(np.int64), device=self.device)

    def _empty(self, *shape: int) -> NDArray:
        return np.empty(shape, str(self.dtype).removeprefix("torch."))

    def _bytes_to_evaluate(self, architecture: Architecture, num: int) -> int:
        """Memory that one model needs for a step over ``num`` sentences: some six tensors of its gates."""
        return num * (6 * architecture.num_gates * architecture.hidden_size + 2) * self.dtype.itemsize

    def _bytes_to_train(self, architecture: Architecture, num: int, seq_len: int) -> int:
        """Memory that one model needs to keep all steps for the backward pass."""
        one_hot = num * seq_len * VOCABULARY_SIZE * (self.dtype.itemsize + 1)
        return seq_len * self._bytes_to_evaluate(architecture, num) + one_hot

    def _chunks(self, num_models: int, bytes_per_model: int) -> Iterator[slice]:
        """Runs of models whose intermediate results fit in memory together, one model at least."""
        memory = MEMORY_CPU if self.device.type == "cpu" else MEMORY
        size = max(1, memory // bytes_per_model)
        for start in range(0, num_models, size):
            yield slice(start, min(start + size, num_models))
