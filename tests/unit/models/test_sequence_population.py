"""Architectures over sequences, what their networks start from, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
import torch

from rnnkit.errors import UserError
from rnnkit.models.population import SequenceArchitecture, SequencePopulation, initial_sequences

ARCHITECTURE = SequenceArchitecture("lstm", 10, 4, 3, bidirectional=True)
ADDER = SequenceArchitecture("gru", 2, 5, 1, readout="each")


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_parts_and_their_number_are_those_of_torch(cell, bidirectional):
    architecture = SequenceArchitecture(cell, 10, 4, 3, bidirectional)
    module = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](
        10, 4, bidirectional=bidirectional
    )
    linear = torch.nn.Linear(8 if bidirectional else 4, 3)
    expected = {name.replace("_l0", ""): tuple(p.shape) for name, p in module.named_parameters()}
    expected |= {"weight_out": tuple(linear.weight.shape), "bias_out": tuple(linear.bias.shape)}
    assert list(architecture.shapes().items()) == list(expected.items())
    count = sum(p.numel() for p in itertools.chain(module.parameters(), linear.parameters()))
    assert architecture.num_parameters == count


def test_a_network_starts_from_its_own_seed_alone():
    together, alone, other = (initial_sequences(ARCHITECTURE, seeds) for seeds in ([3, 8, 5], [5], [6]))
    for name, shape in ARCHITECTURE.shapes().items():
        assert together[name].shape == (3, *shape)
        assert together[name].dtype == np.float32
        np.testing.assert_array_equal(together[name][2], alone[name][0])
        assert (together[name][0] != together[name][1]).all()
        assert (alone[name] != other[name]).all()


def test_initial_values_are_uniform_within_the_bounds_of_torch():
    for architecture, fan_in in ((ARCHITECTURE, 8), (ADDER, 5)):
        drawn = initial_sequences(architecture, range(300))
        for name, values in drawn.items():
            reads = name in ("weight_out", "bias_out")
            bound = (fan_in if reads else architecture.hidden_size) ** -0.5
            assert scipy.stats.kstest(values.ravel() / bound, "uniform", args=(-1, 2)).pvalue > 1e-3, name


def test_read_outs_start_alike_and_other_networks_do_not():
    def first(*sizes: int, **options: object) -> np.ndarray:
        return initial_sequences(SequenceArchitecture("lstm", *sizes, **options), [1])["weight_hh"][0, 0, :2]

    base = first(10, 4, 3)
    np.testing.assert_array_equal(base, first(10, 4, 3, readout="each"))
    for other in (first(9, 4, 3), first(10, 4, 2), first(10, 4, 3, bidirectional=True)):
        assert (base != other).all()


def test_arrays_are_copied_in_and_out():
    arrays = initial_sequences(ADDER, [0, 1])
    population = SequencePopulation(ADDER, arrays)
    kept = {name: value.copy() for name, value in arrays.items()}
    for value in [*arrays.values(), *population.arrays().values()]:
        value[...] = 7
    for name, value in population.arrays().items():
        np.testing.assert_array_equal(value, kept[name])
    assert population.num_models == 2


def test_numbers_of_any_kind_are_read_as_the_networks_compute():
    population = SequencePopulation(ADDER, initial_sequences(ADDER, [0]))
    bits = torch.randint(0, 2, (4, 6, 2), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(population(bits.to(torch.uint8)), population(bits.double()), rtol=0, atol=0)
    assert population(bits).shape == (1, 4, 6, 1)
    assert population(bits).dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cell": "lmu"}, "unknown cell: 'lmu'; allowed: rnn, gru, lstm"),
        ({"cell": None}, "unknown cell"),
        ({"readout": "first"}, "unknown readout: 'first'; allowed: each, last, final"),
        ({"input_size": 0}, "input_size .*: 0"),
        ({"hidden_size": 2.0}, "hidden_size .*: 2.0"),
        ({"hidden_size": 5000}, "hidden_size .*: 5000; allowed: an integer of 1 to 4096"),
        ({"output_size": True}, "output_size .*: True"),
        ({"bidirectional": 1}, "bidirectional is yes or no: 1"),
    ],
)
def test_impossible_architectures_are_named(change, words):
    fields = {"cell": "rnn", "input_size": 2, "hidden_size": 2, "output_size": 1} | change
    with pytest.raises(UserError, match=words):
        SequenceArchitecture(**fields)


@pytest.mark.parametrize("seeds", [[], [-1], [0, 1.0], [True], ["0"]])
def test_seeds_that_are_none(seeds):
    with pytest.raises(UserError, match="seed"):
        initial_sequences(ADDER, seeds)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weight_hh": None}, "not the parts of the networks"),
        ({"weight_ih_reverse": np.zeros((2, 15, 2))}, "not the parts of the networks"),
        ({"weight_hh": np.zeros((2, 15, 4), np.float32)}, r"weight_hh .*\(2, 15, 4\).*\(num_models, 15, 5\)"),
        ({"bias_out": np.zeros((3, 1), np.float32)}, "bias_out"),
        ({"bias_out": np.zeros((2, 1))}, "bias_out .*float64"),
        ({"bias_ih": np.zeros((2, 15), int)}, "bias_ih .*int64"),
    ],
)
def test_parameters_that_are_none_of_the_networks(change, words):
    arrays = initial_sequences(ADDER, [0, 1]) | change
    with pytest.raises(UserError, match=words):
        SequencePopulation(ADDER, {name: value for name, value in arrays.items() if value is not None})


def test_populations_of_nothing():
    empty = {name: np.zeros((0, *shape), np.float32) for name, shape in ADDER.shapes().items()}
    with pytest.raises(UserError, match="no network"):
        SequencePopulation(ADDER, empty)
    with pytest.raises(UserError, match=r"not the parts.*'NoneType'"):
        SequencePopulation(ADDER, None)


@pytest.mark.parametrize(
    "shape", [(4, 6, 3), (6, 2), (3, 4, 6, 2), (0, 6, 2), (4, 0, 2), (1, 2, 4, 6, 2), None]
)
def test_sequences_that_are_none(shape):
    x = np.zeros((4, 6, 2)) if shape is None else torch.zeros(shape)
    population = SequencePopulation(ADDER, initial_sequences(ADDER, [0, 1]))
    for call in (population, population.hidden_states):
        with pytest.raises(UserError, match=r"no sequences for the networks.*\(2, batch, seq_len, 2\)"):
            call(x)


def test_only_an_lstm_has_cell_states():
    population = SequencePopulation(ADDER, initial_sequences(ADDER, [0]))
    with pytest.raises(UserError, match="'gru'; allowed: lstm"):
        population.hidden_states(torch.zeros(1, 6, 2), cells=True)
