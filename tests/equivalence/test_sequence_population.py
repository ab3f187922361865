"""Populations over sequences against torch.nn, network by network in float64: outputs, states and gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from benchmarks.lab import MODULES, TorchNet
from rnnkit.models.population import SequenceArchitecture, SequencePopulation, initial_sequences
from rnnkit.models.population.sequences import recurrence

NUM_MODELS, BATCH, SEQ_LEN, INPUT_SIZE = 3, 4, 5, 2
EVERY = [
    SequenceArchitecture(cell, INPUT_SIZE, 3, 2, bidirectional, readout)
    for cell, bidirectional, readout in itertools.product(MODULES, (False, True), ("each", "last", "final"))
]
CELLS = [architecture for architecture in EVERY if architecture.readout == "each"]


def name_of(architecture: SequenceArchitecture) -> str:
    ways = "two" if architecture.bidirectional else "one"
    return f"{architecture.cell}-{ways}-{architecture.readout}"


def both(architecture: SequenceArchitecture) -> tuple[SequencePopulation, list[TorchNet]]:
    """The same networks together and apart; lively ones, so that every gate matters."""
    arrays = {
        name: 1.5 * value.astype(np.float64)
        for name, value in initial_sequences(architecture, range(NUM_MODELS)).items()
    }
    nets = [
        TorchNet(architecture, {name: value[m] for name, value in arrays.items()}).double()
        for m in range(NUM_MODELS)
    ]
    for m, net in enumerate(nets):  # to all their digits
        net.load({name: value[m] for name, value in arrays.items()})
    return SequencePopulation(architecture, arrays), nets


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("architecture", EVERY, ids=name_of)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("seq_len", [1, SEQ_LEN])
def test_outputs_and_gradients_are_those_of_torch(architecture, shared, seq_len):
    population, nets = both(architecture)
    x = numbers(*((BATCH,) if shared else (NUM_MODELS, BATCH)), seq_len, INPUT_SIZE).requires_grad_()
    own = x.detach().expand(NUM_MODELS, -1, -1, -1).clone().requires_grad_()
    found = population(x)
    expected = torch.stack([net(part) for net, part in zip(nets, own, strict=True)])
    close(found, expected)
    weights = numbers(*expected.shape, seed=1)  # another one for each number that comes out
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    for name, parameter in population.named_parameters():
        close(parameter.grad, torch.stack([net.by_name()[name].grad for net in nets]))
    close(x.grad, own.grad.sum(0) if shared else own.grad)


@pytest.mark.parametrize("architecture", CELLS, ids=name_of)
def test_hidden_states_are_those_of_torch(architecture):
    population, nets = both(architecture)
    x = numbers(BATCH, SEQ_LEN, INPUT_SIZE)
    close(population.hidden_states(x), torch.stack([net.recurrent(x)[0] for net in nets]))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_cell_states_are_those_of_torch_step_by_step(bidirectional):
    """Torch shows the last cell state only: that of every prefix, and for the way back of every suffix."""
    population, nets = both(SequenceArchitecture("lstm", INPUT_SIZE, 3, 2, bidirectional))
    x = numbers(BATCH, SEQ_LEN, INPUT_SIZE)
    states, cells = population.hidden_states(x, cells=True)
    close(states, population.hidden_states(x))
    for t, (m, net) in itertools.product(range(SEQ_LEN), enumerate(nets)):
        close(cells[m, :, t, :3], net.recurrent(x[:, : t + 1])[1][1][0])
        if bidirectional:
            close(cells[m, :, t, 3:], net.recurrent(x[:, t:])[1][1][1])


@pytest.mark.parametrize("cell", MODULES)
def test_the_way_back_is_the_derivative(cell):
    architecture = SequenceArchitecture(cell, 2, 3, 1)
    arrays = initial_sequences(architecture, [4, 5])
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    parts = [torch.from_numpy(arrays[name]).double().requires_grad_() for name in names]
    x = numbers(4, 2, 2, 3).requires_grad_()
    cells = cell == "lstm"

    def whole(*given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = recurrence.read(cell, recurrence.join(cell, *given[:-1]), given[-1], states=True, cells=cells)
        return tuple(tensor for tensor in found if tensor is not None)

    def ends(*given: torch.Tensor) -> torch.Tensor:
        return recurrence.read(cell, recurrence.join(cell, *given[:-1]), given[-1]).h_n

    assert torch.autograd.gradcheck(whole, (*parts, x))
    assert torch.autograd.gradcheck(ends, (*parts, x))


@pytest.mark.parametrize("architecture", EVERY, ids=name_of)
def test_many_sequences_in_parts_are_as_together(architecture, monkeypatch):
    population, _ = both(architecture)
    for x in (numbers(9, SEQ_LEN, INPUT_SIZE), numbers(NUM_MODELS, 9, SEQ_LEN, INPUT_SIZE)):
        tracked = population(x)
        assert tracked.requires_grad
        monkeypatch.setattr("rnnkit.models.population.sequences.population.MEMORY", 20_000)
        with torch.no_grad():
            assert 1 <= population._batch(x) < 9
            close(population(x), tracked)
            found = population.hidden_states(x)
        close(found, population.hidden_states(x))
        if architecture.cell == "lstm":
            with torch.no_grad():
                found = population.hidden_states(x, cells=True)
            for part, whole in zip(found, population.hidden_states(x, cells=True), strict=True):
                close(part, whole)


def test_a_network_hangs_on_no_other_one():
    architecture = SequenceArchitecture("gru", INPUT_SIZE, 3, 2)
    population, _ = both(architecture)
    x = numbers(NUM_MODELS, BATCH, SEQ_LEN, INPUT_SIZE)
    population(x)[1].sum().backward()
    for parameter in population.parameters():
        assert parameter.grad[1].any()
        assert not parameter.grad[[0, 2]].any()
