"""Architectures, flat parameters, their initialisation, and what engines refuse."""

from __future__ import annotations

import dataclasses
import sys
import types

import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.models.population import Architecture, PopulationState, initial, pack, random_settings, unpack
from rnnkit.training import engines, make_engine

ARCHITECTURE = Architecture("gru", 2, 4)


def test_names_and_sizes():
    assert Architecture.parse("gru", "2x4") == ARCHITECTURE
    assert Architecture.parse("rnn", "15x16").name == "15x16"
    assert list(ARCHITECTURE.shapes()) == [
        "embedding",
        "weight_ih",
        "weight_hh",
        "bias_ih",
        "bias_hh",
        "weight_out",
        "bias_out",
    ]
    assert ARCHITECTURE.num_parameters == 20 + 24 + 48 + 12 + 12 + 8 + 2
    assert Architecture("rnn", 2, 4).num_parameters == 20 + 8 + 16 + 4 + 4 + 8 + 2


@pytest.mark.parametrize(
    "sizes", ["2", "2x", "x4", "2x4x1", "-2x4", "2.0x4", "2 x 4", "0x4", "2x4\n", 24, None]
)
def test_sizes_that_are_none(sizes):
    with pytest.raises(UserError):
        Architecture.parse("rnn", sizes)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(("lstm", 2, 4), "rnn, gru"), (("rnn", 0, 4), "input_size"), (("rnn", 2, -1), "hidden_size")]
    + [((cell, 2, size), "hidden_size") for cell in ("rnn", "gru") for size in (2.0, "4", True, None)],
)
def test_impossible_architectures_are_named(arguments, word):
    with pytest.raises(UserError, match=word):
        Architecture(*arguments)


def test_unpack_gives_views_and_pack_undoes_it():
    parameters = initial(ARCHITECTURE, 3, seed=0)
    parts = unpack(ARCHITECTURE, parameters)
    assert {name: part.shape for name, part in parts.items()} == {
        name: (3, *shape) for name, shape in ARCHITECTURE.shapes().items()
    }
    np.testing.assert_array_equal(pack(ARCHITECTURE, parts), parameters)
    parts["bias_out"][1] = 7
    np.testing.assert_array_equal(parameters[1, -2:], [7, 7])


@pytest.mark.parametrize(
    "wrong", [np.zeros((3, 5)), np.zeros(126), np.zeros((3, 126), int), [["a"] * 126], None]
)
def test_parameters_of_another_shape_are_refused(wrong):
    with pytest.raises(UserError, match="num_parameters = 126"):
        unpack(ARCHITECTURE, wrong)
    with pytest.raises(UserError, match="num_parameters = 126"):
        PopulationState.fresh(ARCHITECTURE, wrong)


def test_parts_that_do_not_fit_are_named():
    parts = unpack(ARCHITECTURE, initial(ARCHITECTURE, 3, seed=0))
    with pytest.raises(UserError, match="weight_hh"):
        pack(ARCHITECTURE, parts | {"weight_hh": parts["weight_hh"][:2]})
    with pytest.raises(UserError, match="bias_out"):
        pack(ARCHITECTURE, {name: part for name, part in parts.items() if name != "bias_out"})


def test_a_model_is_the_same_in_every_population():
    many = initial(ARCHITECTURE, 50, seed=3)
    np.testing.assert_array_equal(initial(ARCHITECTURE, 20, seed=3), many[:20])
    np.testing.assert_array_equal(initial(ARCHITECTURE, 4, seed=3, start=30), many[30:34])


def test_models_seeds_and_architectures_differ_everywhere():
    many = np.concatenate([initial(ARCHITECTURE, 20, seed=3), initial(ARCHITECTURE, 20, seed=4)])
    assert len(np.unique(many[:, 0])) == len(np.unique(many[:, -1])) == 40
    other = initial(Architecture("rnn", 2, 4), 20, seed=3)
    assert not np.isin(other[:, 0], many[:, 0]).any()
    settings = random_settings(ARCHITECTURE, 20, seed=3, block=0)
    assert not np.isin(settings[:, 0], many[:, 0]).any()


@pytest.mark.parametrize("cell", ["rnn", "gru"])
@pytest.mark.parametrize("draw", ["initial", "random_settings"])
def test_draws_are_the_default_initialisation_of_torch(cell, draw):
    architecture = Architecture(cell, 3, 4)
    if draw == "initial":
        parameters = initial(architecture, 3000, seed=5)
    else:
        parameters = random_settings(architecture, 3000, seed=5, block=2)
    assert parameters.dtype == np.float32
    parts = unpack(architecture, parameters)
    words = parts.pop("embedding").astype(np.float64)
    np.testing.assert_allclose([words.mean(), words.std()], [0, 1], atol=0.01)
    assert np.mean(np.abs(words) > 1.96) == pytest.approx(0.05, abs=0.005)
    for part in parts.values():
        part = part.astype(np.float64)
        assert np.abs(part).max() <= 0.5
        np.testing.assert_allclose(
            np.quantile(part, [0.01, 0.25, 0.75, 0.99]), [-0.49, -0.25, 0.25, 0.49], atol=0.02
        )
        assert np.ptp(part, axis=0).min() > 0.98, "some entry is not drawn for each model"
    flat = parameters.astype(np.float64) - parameters.mean(0)
    correlation = np.corrcoef(flat.T) - np.eye(architecture.num_parameters)
    assert np.abs(correlation).max() < 0.1


def test_random_settings_scale_all_but_the_words():
    plain, wide = (random_settings(ARCHITECTURE, 30, 1, 4, scale) for scale in (1.0, 5.0))
    np.testing.assert_array_equal(plain[:, :20], wide[:, :20])
    np.testing.assert_allclose(5 * plain[:, 20:], wide[:, 20:], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(plain, random_settings(ARCHITECTURE, 30, 1, 4))
    assert not np.isin(random_settings(ARCHITECTURE, 30, 1, 5)[:, 0], plain[:, 0]).any()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"num_models": 0}, "num_models"),
        ({"num_models": 2.0}, "num_models"),
        ({"seed": -1}, "seed"),
        ({"seed": None}, "seed"),
        ({"block": -1}, "block"),
        ({"scale": -1.0}, "scale"),
        ({"scale": float("nan")}, "scale"),
    ],
)
def test_impossible_draws_are_named(change, word):
    arguments = {"num_models": 2, "seed": 0, "block": 0, "scale": 1.0} | change
    with pytest.raises(UserError, match=word):
        random_settings(ARCHITECTURE, **arguments)
    if word in {"num_models", "seed"}:
        with pytest.raises(UserError, match=word):
            initial(ARCHITECTURE, arguments["num_models"], arguments["seed"])


def test_a_negative_start_is_refused():
    with pytest.raises(UserError, match="start"):
        initial(ARCHITECTURE, 2, 0, start=-1)


def test_a_fresh_state_owns_its_arrays_and_keep_copies():
    parameters = initial(ARCHITECTURE, 4, seed=0)
    state = PopulationState.fresh(ARCHITECTURE, parameters)
    state.parameters[:] += 1
    state.first_moment[:] = np.arange(4)[:, None]
    state.step = 9
    np.testing.assert_array_equal(parameters, initial(ARCHITECTURE, 4, seed=0))
    for index in ([2, 0], np.array([2, 0])):
        kept = state.keep(index)
        np.testing.assert_array_equal(kept.parameters, state.parameters[[2, 0]])
        np.testing.assert_array_equal(kept.first_moment[:, 0], [2, 0])
        assert (kept.num_models, kept.step, kept.second_moment.shape) == (2, 9, (2, 126))
    masked = state.keep(np.array([False, True, False, True]))
    np.testing.assert_array_equal(masked.first_moment[:, 0], [1, 3])
    masked.parameters[:] = 0
    assert state.parameters.all()
    assert state.keep([]).num_models == state.keep(np.zeros(4, bool)).num_models == 0


def test_a_state_of_mixed_arrays_is_refused():
    state = PopulationState.fresh(ARCHITECTURE, initial(ARCHITECTURE, 4, seed=0))
    with pytest.raises(UserError, match="second_moment"):
        dataclasses.replace(state, second_moment=state.second_moment[:3])
    with pytest.raises(UserError, match="first_moment"):
        dataclasses.replace(state, first_moment=state.first_moment.astype(np.float64))


WORDS, LABELS, ORDER = np.zeros((6, 3), np.uint8), np.zeros(6, np.uint8), np.arange(6)
RATES = np.full(2, 1e-3)


@pytest.fixture(params=["torch"])
def engine(request):
    return make_engine(request.param)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (WORDS + 10, "vocabulary: 10"),
        (WORDS.astype(int) - 1, "vocabulary: -1"),
        (WORDS.astype(float), "float64"),
        (WORDS[0], r"\(3,\)"),
        (WORDS[:0], r"\(0, 3\)"),
        (WORDS[:, :0], r"\(6, 0\)"),
    ],
)
def test_words_that_are_none(engine, words, message):
    parameters = initial(ARCHITECTURE, 2, seed=0)
    state = PopulationState.fresh(ARCHITECTURE, parameters)
    for call in [
        lambda: engine.margins(ARCHITECTURE, parameters, words),
        lambda: engine.hidden_states(ARCHITECTURE, parameters, words),
        lambda: engine.count_right(ARCHITECTURE, parameters, words, LABELS),
        lambda: engine.gradients(ARCHITECTURE, parameters, words, LABELS),
        lambda: engine.train_epoch(state, words, LABELS, ORDER, 2, RATES),
    ]:
        with pytest.raises(UserError, match=message):
            call()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS + 2, "label: 2"),
        (LABELS.astype(int) - 1, "label: -1"),
        (LABELS[:5], r"\(5,\)"),
        (LABELS / 1, "float64"),
    ],
)
def test_labels_that_are_none(engine, labels, message):
    parameters = initial(ARCHITECTURE, 2, seed=0)
    state = PopulationState.fresh(ARCHITECTURE, parameters)
    for call in [
        lambda: engine.count_right(ARCHITECTURE, parameters, WORDS, labels),
        lambda: engine.gradients(ARCHITECTURE, parameters, WORDS, labels),
        lambda: engine.train_epoch(state, WORDS, labels, ORDER, 2, RATES),
    ]:
        with pytest.raises(UserError, match=message):
            call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order": ORDER + 1}, "sentence that there is not: 6"),
        ({"order": ORDER - 1}, "sentence that there is not: -1"),
        ({"order": ORDER[:5]}, r"\(5,\)"),
        ({"order": np.tile(ORDER, (3, 1))}, r"\(2, 6\)"),
        ({"order": ORDER / 1}, "float64"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"learning_rate": 1e-3}, "learning rates"),
        ({"learning_rate": np.full(3, 1e-3)}, "learning rates"),
        ({"learning_rate": np.array([1e-3, np.nan])}, "learning rates"),
        ({"learning_rate": np.array([1e-3, -1e-3])}, "learning rates"),
    ],
)
def test_training_that_cannot_be_leaves_the_state_alone(engine, change, message):
    state = PopulationState.fresh(ARCHITECTURE, initial(ARCHITECTURE, 2, seed=0))
    arguments = {"order": ORDER, "batch_size": 2, "learning_rate": RATES} | change
    with pytest.raises(UserError, match=message):
        engine.train_epoch(state, WORDS, LABELS, **arguments)
    assert state.step == 0
    np.testing.assert_array_equal(state.parameters, initial(ARCHITECTURE, 2, seed=0))


def test_parameters_of_another_architecture_are_refused(engine):
    with pytest.raises(UserError, match="rnn 2x4"):
        engine.margins(Architecture("rnn", 2, 4), initial(ARCHITECTURE, 2, seed=0), WORDS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "jax"}, "'jax'; allowed: auto, lanes, torch"),
        ({"dtype": "float16"}, "'float16'; allowed: float32, float64"),
        ({"dtype": np.float32}, "dtype"),
        ({"threads": 0}, "threads"),
        ({"name": "lanes", "device": "cuda"}, "cuda.*allowed: cpu.*engine torch"),
        ({"name": "torch", "device": "abacus"}, "abacus"),
        ({"name": "torch", "device": "cuda:99"}, "cuda:99"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_engines_that_cannot_be(arguments, message):
    with pytest.raises(UserError, match=message):
        make_engine(**arguments)


def test_without_numba_auto_is_torch_and_lanes_says_why(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert make_engine().name == "torch"
    with pytest.raises(UserError, match=r"numba.*pip install numba"):
        make_engine("lanes")


def test_a_numba_that_does_not_load_is_named(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: object())
    broken = types.ModuleType("rnnkit.training.lanes_engine")

    def fail(name: str) -> None:
        if name == "LanesEngine":
            raise ImportError("Numba needs NumPy 2.2 or less", name="numba")
        raise AttributeError(name)

    broken.__getattr__ = fail
    monkeypatch.setitem(sys.modules, "rnnkit.training.lanes_engine", broken)
    with pytest.raises(UserError, match="needs NumPy"):
        make_engine("lanes")


def test_lanes_get_their_threads_and_dtype(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: object())
    fake = types.ModuleType("rnnkit.training.lanes_engine")
    fake.LanesEngine = lambda **options: options
    monkeypatch.setitem(sys.modules, "rnnkit.training.lanes_engine", fake)
    for name in ("auto", "lanes"):
        assert make_engine(name, dtype="float64", threads=2) == {"threads": 2, "dtype": "float64"}
    assert make_engine("torch").name == "torch"
