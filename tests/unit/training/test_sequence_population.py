"""Training over sequences: every network as torch would train it alone, to the same bits in a second attempt."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from benchmarks.lab import TorchNet, torch_training
from rnnkit.errors import UserError
from rnnkit.models.population import SequenceArchitecture, SequencePopulation, initial_sequences
from rnnkit.training.sequence_population import (
    LOSSES,
    SequenceBatches,
    SequenceHistory,
    decisions,
    sequence_losses,
    train_sequences,
)

SEEDS = [4, 7, 1]
RECALL = SequenceArchitecture("lstm", 6, 3, 6, bidirectional=True)
ADDER = SequenceArchitecture("gru", 2, 3, 1, readout="each")
NUM_BATCHES = 5


def _digits(seeds: list[int] = SEEDS) -> SequenceBatches:
    drawn = [np.random.default_rng(seed).integers(0, 6, (NUM_BATCHES, 4, 5), np.uint8) for seed in seeds]
    x = np.stack(drawn)
    return SequenceBatches(x, x[..., 1], num_symbols=6, lengths=np.array([3, 5, 2, 3, 4]), common_order=9)


def _bits(seeds: list[int] = SEEDS) -> SequenceBatches:
    drawn = [np.random.default_rng(seed).integers(0, 2, (NUM_BATCHES, 4, 3, 2), np.uint8) for seed in seeds]
    x = np.stack(drawn)
    return SequenceBatches(x, x[..., 0] ^ x[..., 1])


def _fresh(
    architecture: SequenceArchitecture, seeds: list[int], dtype: type = np.float32
) -> SequencePopulation:
    arrays = initial_sequences(architecture, seeds)
    return SequencePopulation(architecture, {name: value.astype(dtype) for name, value in arrays.items()})


def _means(population: SequencePopulation) -> dict[str, np.ndarray]:
    return {
        "weight": population.weight_hh.mean((1, 2)).numpy(),
        "rows": population.weight_ih[:, :2].sum(2).numpy(),
    }


def run(
    architecture: SequenceArchitecture = ADDER, seeds: list[int] = SEEDS, **options: object
) -> tuple[SequencePopulation, SequenceHistory]:
    data = _digits(seeds) if architecture is RECALL else _bits(seeds)
    population = _fresh(architecture, seeds)
    options = {"loss": "cross_entropy" if architecture is RECALL else "bce", "evaluate": _means} | options
    history = train_sequences(population, data, seeds=seeds, **{"num_epochs": 3} | options)
    return population, history


def assert_same(one: tuple, other: tuple) -> None:
    """To the bit."""
    for name, value in one[0].arrays().items():
        np.testing.assert_array_equal(value, other[0].arrays()[name])
    np.testing.assert_array_equal(one[1].loss, other[1].loss)
    assert set(one[1].evaluations) == set(other[1].evaluations)
    for name, value in one[1].evaluations.items():
        np.testing.assert_array_equal(value, other[1].evaluations[name])


@pytest.mark.parametrize("loss", LOSSES)
def test_each_network_is_trained_as_torch_trains_it_alone(loss):
    architecture, data = (RECALL, _digits()) if loss == "cross_entropy" else (ADDER, _bits())
    population = _fresh(architecture, SEEDS, np.float64)
    arrays = population.arrays()
    history = train_sequences(population, data, loss=loss, seeds=SEEDS, num_epochs=2)
    assert history.loss.shape == (3, 2 * NUM_BATCHES)
    for m in range(3):
        net = TorchNet(architecture, {name: value[m] for name, value in arrays.items()}).double()
        net.load({name: value[m] for name, value in arrays.items()})
        batches = []
        for epoch in range(2):
            for number in data.order(SEEDS, epoch)[m]:
                x, y = torch.from_numpy(data.x[m, number]), torch.from_numpy(data.y[m, number])
                if data.num_symbols:
                    x = torch.nn.functional.one_hot(x[:, : data.lengths[number]].long(), 6)
                batches.append((x.double(), y.long() if data.num_symbols else y.double()))
        np.testing.assert_allclose(history.loss[m], torch_training(net, batches, loss), rtol=1e-6)
        for name, parameter in net.by_name().items():
            torch.testing.assert_close(population.get_parameter(name)[m], parameter, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("architecture", [RECALL, ADDER], ids=["recall", "adder"])
def test_a_second_run_ends_in_the_same_bits(architecture):
    assert_same(run(architecture), run(architecture))


@pytest.mark.parametrize("architecture", [RECALL, ADDER], ids=["recall", "adder"])
def test_a_network_is_what_it_is_in_any_company(architecture):
    together, history = run(architecture)
    for m, seed in enumerate(SEEDS):
        alone, own = run(architecture, seeds=[seed])
        np.testing.assert_allclose(own.loss[0], history.loss[m], rtol=1e-4)
        for name, value in alone.arrays().items():
            np.testing.assert_allclose(value[0], together.arrays()[name][m], atol=1e-4)


def test_orders_hang_on_the_seed_and_the_epoch():
    data = replace(_bits(), x=np.zeros((3, 50, 1, 1, 2), np.uint8), y=np.zeros((3, 50, 1, 1), np.uint8))
    own = data.order(SEEDS, 0)
    assert (np.sort(own) == np.arange(50)).all()
    np.testing.assert_array_equal(data.order([7], 0)[0], own[1])
    assert (own[0] != own[1]).any()
    assert (own != data.order(SEEDS, 1)).any(1).all()
    common = replace(data, common_order=2).order(SEEDS, 0)
    assert (common == common[0]).all()
    assert (common != replace(data, common_order=3).order(SEEDS, 0)).any(1).all()


def test_what_stands_after_the_end_is_not_read():
    data = _digits()
    x = data.x.copy()
    for batch, length in enumerate(data.lengths):
        x[:, batch, :, length:] = 255
    one, other = (_fresh(RECALL, SEEDS) for _ in range(2))
    for population, batches in ((one, data), (other, replace(data, x=x, y=data.y))):
        train_sequences(population, batches, loss="cross_entropy", seeds=SEEDS, num_epochs=1)
    for name, value in one.arrays().items():
        np.testing.assert_array_equal(value, other.arrays()[name])


def test_it_is_evaluated_before_training_and_after_each_epoch():
    ticks: list[int] = []
    population, history = run(num_epochs=2, on_epoch=ticks.append)
    assert ticks == [1, 2]
    assert {name: value.shape for name, value in history.evaluations.items()} == {
        "weight": (3, 3),
        "rows": (3, 3, 2),
    }
    start = initial_sequences(ADDER, SEEDS)["weight_hh"].mean((1, 2))
    np.testing.assert_allclose(history.evaluations["weight"][:, 0], start, rtol=1e-5)
    end = population.arrays()["weight_hh"].mean((1, 2))
    np.testing.assert_allclose(history.evaluations["weight"][:, 2], end, rtol=1e-5)
    assert "weight" not in run(num_epochs=1, evaluate=None)[1].evaluations
    untouched, history = run(num_epochs=0)
    assert history.loss.shape == (3, 0)
    np.testing.assert_array_equal(
        untouched.arrays()["weight_hh"], initial_sequences(ADDER, SEEDS)["weight_hh"]
    )


class Interrupted(Exception):
    pass


def interrupted(path, after: int, architecture: SequenceArchitecture = ADDER, **options: object) -> None:
    def on_epoch(epoch: int) -> None:
        if epoch == after:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(architecture, checkpoint=path, identity="mine", on_epoch=on_epoch, **options)


@pytest.mark.parametrize("architecture", [RECALL, ADDER], ids=["recall", "adder"])
@pytest.mark.parametrize("after", [1, 2])
def test_an_interrupted_run_ends_in_the_same_bits(tmp_path, architecture, after):
    path, ticks = tmp_path / "checkpoint.safetensors", []
    interrupted(path, after, architecture)
    again = run(architecture, checkpoint=path, identity="mine", on_epoch=ticks.append)
    assert ticks == list(range(after + 1, 4))
    assert_same(again, run(architecture))


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": [4, 7, 2]},
        {"seeds": [4, 7]},
        {"architecture": RECALL},
        {"num_epochs": 4},
        {"evaluate": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, change):
    path = tmp_path / "checkpoint.safetensors"
    interrupted(path, 1)
    with pytest.raises(UserError, match=r"of another run.*Delete the file"):
        run(checkpoint=path, identity="mine", **change)
    with pytest.raises(UserError, match=r"of another config.*'mine'; allowed: yours"):
        run(checkpoint=path, identity="yours")


def test_a_loss_that_is_no_number_is_named(tmp_path):
    arrays = initial_sequences(ADDER, SEEDS)
    population, path = SequencePopulation(ADDER, arrays), tmp_path / "checkpoint.safetensors"
    data, good = _bits(), SequencePopulation(ADDER, arrays)
    x = data.x.astype(np.float32)
    x[1, data.order(SEEDS, 1)[1, 2]] = (
        np.nan
    )  # met by the second network in the third step of the second epoch
    options = {"loss": "bce", "seeds": SEEDS, "num_epochs": 3}
    first = data.order(SEEDS, 0)[1].tolist().index(int(data.order(SEEDS, 1)[1, 2]))
    words = rf"network 1 \(seed 7\) is no finite number at step {first + 1} of 15: nan"
    with pytest.raises(UserError, match=words):
        train_sequences(population, replace(data, x=x), checkpoint=path, identity="mine", **options)
    assert not path.exists()
    assert np.isfinite(train_sequences(good, data, **options).loss).all()


def test_losses_by_hand():
    outputs = torch.tensor([[[0.0], [2.0]], [[-1.0], [0.4]]])
    y = torch.tensor([[1, 0], [0, 1]], dtype=torch.uint8)
    sigmoid = 1 / (1 + np.exp(-outputs.squeeze(-1).double().numpy()))
    bits = y.numpy().astype(float)
    expected = {
        "bce": -np.log(np.where(bits > 0, sigmoid, 1 - sigmoid)).mean(1),
        "mse-sigmoid": ((sigmoid - bits) ** 2).mean(1),
        "mse-linear": ((outputs.squeeze(-1).numpy() - bits) ** 2).mean(1),
    }
    for loss, values in expected.items():
        np.testing.assert_allclose(sequence_losses(loss, outputs, y), values, rtol=1e-5)
    logits = torch.tensor([[[1.0, 2.0, 0.0]], [[3.0, 0.0, 0.0]]])
    found = sequence_losses("cross_entropy", logits, torch.tensor([[1], [2]]))
    total = np.exp(logits.numpy()).sum(-1)[:, 0]
    np.testing.assert_allclose(found, -np.log(np.exp([2.0, 0.0]) / total), rtol=1e-5)


def test_what_outputs_say():
    outputs = torch.tensor([-0.1, 0.1, 0.4, 0.6, float("nan")]).unsqueeze(-1)
    assert decisions("bce", outputs).tolist() == decisions("mse-sigmoid", outputs).tolist() == [0, 1, 1, 1, 0]
    assert decisions("mse-linear", outputs).tolist() == [0, 0, 0, 1, 0]
    assert decisions("cross_entropy", torch.tensor([[0.0, 2.0, 1.0]])).tolist() == [1]
    with pytest.raises(UserError, match=r"unknown loss: 'mse'; allowed: cross_entropy, bce"):
        decisions("mse", outputs)
    with pytest.raises(UserError, match=r"bce is of one output: 3"):
        decisions("bce", torch.zeros(2, 3))
    with pytest.raises(UserError, match=r"do not go with the outputs: \(2,\)"):
        sequence_losses("bce", torch.zeros(2, 3, 1), torch.zeros(2))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loss": "mse"}, "unknown loss: 'mse'"),
        ({"seeds": [1, 2]}, "seeds are not of as many networks: 2; allowed: 3"),
        ({"seeds": [1, 2, -3]}, "seed cannot be used: -3"),
        ({"num_epochs": -1}, "num_epochs cannot be used: -1"),
        ({"num_epochs": True}, "num_epochs cannot be used: True"),
        ({"learning_rate": float("nan")}, "learning_rate cannot be used: nan"),
        ({"learning_rate": "5e-3"}, "learning_rate cannot be used"),
        ({"checkpoint": "somewhere"}, "a checkpoint needs the identity"),
        ({"data": _bits([1, 2])}, "data are not of as many networks: 2"),
        ({"data": _digits()}, "read more or fewer numbers: 6; allowed: 2"),
        ({"data": replace(_bits(), y=_bits().y[..., 0])}, "read-out each; allowed: targets of every step"),
        (
            {"data": replace(_bits(), y=_bits().y + 1)},
            "no targets of the loss bce; allowed: integers of 0 to 1",
        ),
        ({"evaluate": lambda population: {"a": np.zeros(2)}}, r"a is not of each network: \(2,\)"),
        ({"evaluate": lambda population: {}}, "another thing was evaluated"),
    ],
)
def test_what_cannot_be_trained_is_named_before_anything_runs(change, words):
    options = {"data": _bits(), "loss": "bce", "seeds": SEEDS, "num_epochs": 1} | change
    population = _fresh(ADDER, SEEDS)
    with pytest.raises(UserError, match=words):
        train_sequences(population, options.pop("data"), **options)
    np.testing.assert_array_equal(
        population.arrays()["weight_hh"], initial_sequences(ADDER, SEEDS)["weight_hh"]
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": np.zeros((3, 5, 4, 5))}, r"no batches of sequences.*integers \(num_models"),
        ({"x": np.zeros((3, 5, 4, 5, 2), np.uint8)}, "no batches of sequences"),
        ({"num_symbols": None}, r"no batches of sequences.*input_size"),
        ({"num_symbols": 5}, "no symbols; allowed: 0 to 4"),
        ({"y": np.zeros((3, 5, 3), np.uint8)}, r"no targets of these batches.*\(3, 5, 4\)"),
        ({"lengths": np.array([3, 5])}, "no lengths of the batches"),
        ({"lengths": np.array([3, 5, 2, 3, 6])}, "no sequence has this length: 6; allowed: 1 to 5"),
        ({"lengths": np.array([0, 5, 2, 3, 4])}, "no sequence has this length: 0"),
        ({"common_order": None}, "several lengths in one step"),
        ({"common_order": -1}, "no seed of an order: -1"),
    ],
)
def test_batches_that_are_none(change, words):
    given = {field.name: getattr(_digits(), field.name) for field in fields(SequenceBatches)} | change
    with pytest.raises(UserError, match=words):
        SequenceBatches(**given)
