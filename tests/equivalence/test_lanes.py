"""Lanes against the torch engine and against themselves: no bit hangs on the tile, the lane, the thread, the others."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pytest
from scipy.special import expit

from rnnkit.lanes.vectors import LANES, load, sigmoid, store, tanh
from rnnkit.models.population import Architecture, Engine, PopulationState, initial
from rnnkit.training import make_engine

ARCHITECTURES = [
    Architecture(cell, input_size, hidden_size)
    for cell in ("rnn", "gru")
    for input_size, hidden_size in ((2, 2), (1, 3), (15, 4), (16, 16))
]
NUM_MODELS, NUM, SEQ_LEN = LANES + 1, 30, 6  # two tiles
# Sentences are read in fours: batches that leave 1, 2 and 3 of them, one with a last batch of 2, one of all.
BATCH_SIZES = (1, 5, 6, 7, 40)
# Float32: Adam divides by the size of the gradient, so that the smallest gradients carry the largest errors.
CLOSE = {"float32": {"rtol": 1e-4, "atol": 1e-3}, "float64": {"rtol": 1e-11, "atol": 1e-11}}


def _sentences(num: int = NUM, seq_len: int = SEQ_LEN) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    return generator.integers(0, 10, (num, seq_len), np.uint8), generator.integers(0, 2, num, np.uint8)


def _trained(
    engine: Engine, state: PopulationState, models: np.ndarray, *, batch_size: int = 7, orders: str = "shared"
) -> PopulationState:
    """Three passes, an order and learning rates for each; a model keeps its own in any company."""
    words, labels = _sentences()
    generator = np.random.default_rng(4)
    for _ in range(3):
        order = generator.permuted(np.tile(np.arange(NUM), (NUM_MODELS, 1)), axis=1)
        rates = generator.choice([1e-3, 1e-2, 0.0], NUM_MODELS)[models]
        order = {"shared": order[0], "each": order[models], "same": np.tile(order[0], (len(models), 1))}[
            orders
        ]
        engine.train_epoch(state, words, labels, order, batch_size, rates)
    return state


@pytest.fixture(params=ARCHITECTURES, ids=lambda a: f"{a.cell}-{a.name}")
def architecture(request) -> Architecture:
    return request.param


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_equals_the_torch_engine(architecture, dtype):
    for batch_size, orders in zip(BATCH_SIZES, itertools.cycle(["shared", "each"])):
        states = [
            _trained(
                make_engine(name, dtype=dtype),
                PopulationState.fresh(architecture, initial(architecture, NUM_MODELS, 0).astype(dtype)),
                np.arange(NUM_MODELS),
                batch_size=batch_size,
                orders=orders,
            )
            for name in ("lanes", "torch")
        ]
        assert states[0].step == states[1].step
        for name in ("parameters", "first_moment", "second_moment"):
            lanes, torch = (getattr(state, name) for state in states)
            np.testing.assert_allclose(
                lanes, torch, **CLOSE[dtype], err_msg=f"{name}, batches of {batch_size}"
            )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_answers_equal_the_torch_engine(architecture, dtype):
    words, labels = _sentences()
    parameters = 2 * initial(architecture, NUM_MODELS, 1).astype(dtype)
    lanes, torch = (make_engine(name, dtype=dtype) for name in ("lanes", "torch"))
    close = {"rtol": 1e-4, "atol": 2e-5} if dtype == "float32" else CLOSE[dtype]
    for call in ("margins", "hidden_states"):
        answers = [getattr(engine, call)(architecture, parameters, words) for engine in (lanes, torch)]
        np.testing.assert_allclose(*answers, **close, err_msg=call)
    answers = [engine.gradients(architecture, parameters, words, labels) for engine in (lanes, torch)]
    for ours, theirs in zip(*answers, strict=True):
        np.testing.assert_allclose(ours, theirs, **close)


def _everything(
    engine: Engine, architecture: Architecture, models: np.ndarray, orders: str
) -> list[np.ndarray]:
    """What an engine says of some of the models, in this order."""
    words, labels = _sentences()
    state = PopulationState.fresh(architecture, initial(architecture, NUM_MODELS, 0)[models])
    _trained(engine, state, models, orders=orders)
    return [
        state.parameters,
        state.first_moment,
        state.second_moment,
        *engine.gradients(architecture, state.parameters, words, labels),
        engine.margins(architecture, state.parameters, words),
        engine.hidden_states(architecture, state.parameters, words),
        engine.count_right(architecture, state.parameters, words, labels),
    ]


@pytest.mark.parametrize("orders", ["shared", "each"])
def test_bits_do_not_hang_on_tile_lane_or_company(architecture, orders):
    engine = make_engine("lanes")
    everyone = np.arange(NUM_MODELS)
    whole = _everything(engine, architecture, everyone, orders)
    for models in (everyone[::-1], np.array([16]), np.array([5, 16, 2])):
        for all_of_them, some in zip(whole, _everything(engine, architecture, models, orders), strict=True):
            np.testing.assert_array_equal(all_of_them[models], some)


@pytest.mark.parametrize("orders", ["shared", "each"])
def test_threads_change_no_bit(architecture, orders):
    models = np.arange(NUM_MODELS)
    one, three = (
        _everything(make_engine("lanes", threads=threads), architecture, models, orders) for threads in (1, 3)
    )
    for alone, together in zip(one, three, strict=True):
        np.testing.assert_array_equal(alone, together)


def test_an_order_for_all_is_the_same_order_for_each(architecture):
    """Two ways through the kernels, words shared between the lanes or looked up for each."""
    shared, same = (
        _everything(make_engine("lanes"), architecture, np.arange(3), o) for o in ("shared", "same")
    )
    for a, b in zip(shared, same, strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_goes_on_from_a_kept_state_to_the_same_bits(architecture):
    """What a checkpoint relies on: nothing but the state carries over from one pass to the next."""
    engine, models = make_engine("lanes"), np.arange(NUM_MODELS)
    states = [PopulationState.fresh(architecture, initial(architecture, NUM_MODELS, 0)) for _ in range(2)]
    for _ in range(2):
        states[0] = _trained(engine, states[0], models).keep(models)
        _trained(make_engine("lanes"), states[1], models)
    np.testing.assert_array_equal(states[0].parameters, states[1].parameters)


@pytest.mark.parametrize(
    "words",
    [
        _sentences(200)[0],
        _sentences(1)[0],
        _sentences(60, 1)[0],
        _sentences(12, 40)[0],
        np.repeat(_sentences(9)[0], 5, 0)[::-1],
        np.zeros((7, 3), np.uint8),
        np.array(list(itertools.product(range(3), repeat=3)), np.uint8),
    ],
    ids=["random", "one", "one word", "long", "duplicates", "all the same", "whole tree"],
)
@pytest.mark.parametrize("cell", ["rnn", "gru"])
@pytest.mark.parametrize("num_models", [1, 70])
def test_counts_are_those_of_the_margins(cell, words, num_models):
    """Whatever the tree of sentences looks like; 70 models are more than are counted together."""
    architecture, engine = Architecture(cell, 3, 2), make_engine("lanes", threads=2)
    labels = np.random.default_rng(5).integers(0, 2, len(words), np.uint8)
    parameters = 2 * initial(architecture, num_models, 2)
    says = engine.margins(architecture, parameters, words) > 0
    np.testing.assert_array_equal(
        engine.count_right(architecture, parameters, words, labels), (says == labels).sum(1)
    )


@pytest.mark.parametrize("label", [0, 1])
def test_a_margin_of_zero_says_negative(label):
    architecture, engine = Architecture("rnn", 2, 2), make_engine("lanes")
    words, zeros = _sentences()[0], np.zeros((2, architecture.num_parameters), np.float32)
    labels = np.full(NUM, label, np.uint8)
    assert not engine.margins(architecture, zeros, words).any()
    assert (engine.count_right(architecture, zeros, words, labels) == (NUM if label == 0 else 0)).all()


@numba.njit(error_model="numpy")
def _functions(values, tanhs, sigmoids):
    for row in range(values.size // LANES):
        store(tanhs, row, tanh(load(values, row)))
        store(sigmoids, row, sigmoid(load(values, row)))


def _curves(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    padded = np.concatenate([values, np.zeros(-len(values) % LANES, values.dtype)])
    tanhs, sigmoids = np.empty_like(padded), np.empty_like(padded)
    _functions(padded, tanhs, sigmoids)
    return tanhs[: len(values)], sigmoids[: len(values)]


@pytest.mark.parametrize(("dtype", "error"), [("float32", 3e-7), ("float64", 4e-16)])
def test_tanh_and_sigmoid_are_numpys(dtype, error):
    tiny = np.geomspace(1e-37, 1e37, 4001)
    values = np.concatenate([np.linspace(-12, 12, 200_001), tiny, -tiny, [0.0]]).astype(dtype)
    tanhs, sigmoids = _curves(values)
    np.testing.assert_allclose(tanhs, np.tanh(values.astype(np.float64)), rtol=0, atol=error)
    np.testing.assert_allclose(sigmoids, expit(values.astype(np.float64)), rtol=0, atol=error)
    assert np.abs(tanhs).max() <= 1
    assert sigmoids.min() >= 0
    assert sigmoids.max() <= 1
    np.testing.assert_allclose(_curves(-values)[0], -tanhs, rtol=0, atol=0 if dtype == "float32" else error)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinities_saturate_and_nan_stays(dtype):
    tanhs, sigmoids = _curves(np.array([np.inf, -np.inf, np.nan, 1.0], dtype))
    np.testing.assert_allclose(tanhs, [1, -1, np.nan, np.tanh(1)], rtol=0, atol=3e-7)
    np.testing.assert_allclose(sigmoids, [1, 0, np.nan, expit(1)], rtol=0, atol=3e-7)


def test_a_diverged_model_leaves_its_neighbours_alone():
    architecture, engine = Architecture("gru", 2, 4), make_engine("lanes")
    words, labels = _sentences()
    parameters = initial(architecture, 5, 0)
    ill = parameters.copy()
    ill[2, :] = np.nan
    ill[4, :] = np.inf
    well = [0, 1, 3]
    states = [PopulationState.fresh(architecture, p) for p in (parameters, ill)]
    for state in states:
        engine.train_epoch(state, words, labels, np.arange(NUM), 7, np.full(5, 1e-2))
    np.testing.assert_array_equal(states[0].parameters[well], states[1].parameters[well])
    assert np.isnan(states[1].parameters[2]).all()
    np.testing.assert_array_equal(
        *(engine.margins(architecture, state.parameters, words)[well] for state in states)
    )
