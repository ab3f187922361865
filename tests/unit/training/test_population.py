"""Population training: every model goes its own way, to the same bits in any company, chunk, or second attempt."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.models.population import Architecture, initial
from rnnkit.training import load_checkpoint, make_engine, population
from rnnkit.training.population import (
    CONSTANT,
    KEPT,
    PAPER,
    Labelled,
    PopulationHistory,
    accuracy_and_loss,
    train_population,
)

ARCHITECTURE = Architecture("rnn", 2, 2)
RULE = replace(PAPER, learning_rate=0.05, batch_size=8, num_epochs=12, patience=2)


def _data(num: int, seed: int) -> Labelled:
    generator = np.random.default_rng(seed)
    words = generator.integers(0, 10, (num, 4), np.uint8)
    return Labelled(words, (words[:, 0] > 4).astype(np.uint8))


def run(
    engine: str = "lanes", cell: str = "rnn", num_models: int = 9, **options: object
) -> PopulationHistory:
    """A small population that partly stops early."""
    architecture = Architecture(cell, 2, 2)
    options = {"schedule": RULE, "parameters": initial(architecture, num_models, 1), "keep": KEPT} | options
    if callable(options["parameters"]):
        options["num_models"] = num_models
    return train_population(
        architecture,
        options.pop("parameters"),
        options.pop("schedule"),
        train_data=_data(30, 0),
        valid_data=_data(50, 1),
        engine=make_engine(engine),
        **{"seed": 4} | options,
    )


def of_models(history: PopulationHistory, models) -> PopulationHistory:
    arrays = {f.name: getattr(history, f.name) for f in fields(history)}
    return PopulationHistory(
        **{
            name: value[:, models] if name == "trajectory" else value[models]
            for name, value in arrays.items()
        }
    )


def assert_same(a: PopulationHistory, b: PopulationHistory) -> None:
    """To the bit."""
    for f in fields(a):
        np.testing.assert_array_equal(getattr(a, f.name), getattr(b, f.name), err_msg=f.name)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_models_that_leave_change_no_bit_of_the_others(cell):
    whole = run(cell=cell, num_models=19)
    assert len(set(whole.epochs)) > 2, "all stop together: the test shows nothing"
    for m in (0, 7, 18):
        first = initial(Architecture(cell, 2, 2), 1, 1, start=m)
        assert_same(run(cell=cell, parameters=first), of_models(whole, [m]))


@pytest.mark.parametrize("own_order", [False, True])
def test_chunks_change_no_bit(own_order):
    whole = run(own_order=own_order)
    for chunk in (1, 4, 100):
        assert_same(run(own_order=own_order, chunk=chunk), whole)


def test_chunks_change_the_torch_engine_by_rounding_alone():
    whole, parts = run("torch", "gru"), run("torch", "gru", chunk=2)
    np.testing.assert_allclose(whole.valid_loss[:, :3], parts.valid_loss[:, :3], rtol=1e-4)


def test_parameters_may_be_drawn_when_they_are_needed():
    asked = []

    def draw(start: int, count: int) -> np.ndarray:
        asked.append((start, count))
        return initial(ARCHITECTURE, count, 1, start)

    assert_same(run(parameters=draw, num_models=9, chunk=4), run())
    assert asked == [(0, 4), (4, 4), (8, 1)]


def test_an_order_of_ones_own():
    """Drawn for the model's number: equal models part ways, and model 3 of 4 is model 3 of 9."""
    equal = np.repeat(initial(ARCHITECTURE, 1, 1), 9, 0)
    together, apart = run(parameters=equal), run(parameters=equal, own_order=True)
    assert (together.final == together.final[0]).all()
    assert len(np.unique(apart.final[:, 0])) == 9
    assert_same(run(parameters=equal[:4], own_order=True), of_models(apart, slice(4)))


@pytest.mark.parametrize("kept", [(), ("curves",), ("best", "final"), KEPT])
def test_what_is_kept_and_what_is_not(kept):
    everything, some = run(), run(keep=kept)
    for name in ("epochs", "best_accuracy", "best_epoch", "learning_rate"):
        np.testing.assert_array_equal(getattr(some, name), getattr(everything, name))
    parts = {name: (name,) for name in KEPT[1:]} | {"curves": ("valid_accuracy", "valid_loss")}
    for name, arrays in parts.items():
        for array in arrays:
            found, full = getattr(some, array), getattr(everything, array)
            assert found.shape == (full.shape if name in kept else (*full.shape[:-1], 0))
            if name in kept:
                np.testing.assert_array_equal(found, full)


def test_no_epochs_leave_the_models_as_they_are():
    history = run(schedule=replace(CONSTANT, num_epochs=0))
    assert not history.epochs.any()
    assert np.isnan(history.best_accuracy).all()
    assert np.isfinite(history.valid_accuracy[:, 0]).all()
    np.testing.assert_array_equal(history.trajectory[0], initial(ARCHITECTURE, 9, 1))


def test_the_models_handed_in_are_left_alone():
    parameters = initial(ARCHITECTURE, 3, 1)
    run(parameters=parameters)
    np.testing.assert_array_equal(parameters, initial(ARCHITECTURE, 3, 1))


def test_accuracy_and_loss_by_hand():
    margins = np.array([[2.0, -1.0, 0.0], [np.nan, np.inf, -np.inf], [800.0, -800.0, 1.0]])
    accuracy, loss = accuracy_and_loss(margins, np.array([1, 1, 0]))
    np.testing.assert_allclose(accuracy, [2 / 3, 2 / 3, 1 / 3])
    softplus = np.log1p(np.exp([-2.0, 1.0, 0.0]))
    np.testing.assert_allclose(loss, [softplus.mean(), np.nan, (800 + np.log1p(np.exp(1))) / 3])


@pytest.mark.parametrize("engine", ["lanes", "torch"])
def test_a_model_that_diverges_is_wrong_and_no_trouble(engine):
    parameters = initial(ARCHITECTURE, 3, 1)
    parameters[1] = np.nan
    history = run(engine, parameters=parameters)
    assert (history.best_accuracy[1], history.epochs[1]) == (0, 3)
    well = run(engine, parameters=parameters[[0, 2]])
    np.testing.assert_allclose(history.best_accuracy[[0, 2]], well.best_accuracy)


class Interrupted(Exception):
    pass


def interrupted_run(path, after: int, **options: object) -> None:
    """As `run`, ended after some epochs, over all chunks."""
    left = after

    def on_epoch(epoch: int, active: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(checkpoint=path, identity="mine", on_epoch=on_epoch, **options)


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """Where a checkpoint is written after every epoch."""
    monkeypatch.setattr(population, "CHECKPOINT_SECONDS", -1.0)
    return tmp_path / "checkpoint.safetensors"


@pytest.mark.parametrize("engine", ["lanes", "torch"])
@pytest.mark.parametrize("own_order", [False, True])
def test_an_interrupted_run_ends_in_the_same_bits(checkpoint, engine, own_order):
    options = {"engine": engine, "own_order": own_order, "chunk": 4, "cell": "gru"}
    whole, ticks = run(**options), []
    total = sum(whole.epochs[start : start + 4].max() for start in (0, 4, 8))
    for after in (1, 3, int(whole.epochs[:4].max()), int(whole.epochs[:4].max()) + 2):
        checkpoint.unlink(missing_ok=True)
        interrupted_run(checkpoint, after, **options)
        ticks.clear()
        again = run(
            checkpoint=checkpoint, identity="mine", on_epoch=lambda *tick: ticks.append(tick), **options
        )
        assert_same(again, whole)
        assert len(ticks) == total - after, "epochs were trained twice"


def test_interrupted_again_and_again(checkpoint):
    whole = run(chunk=5)
    for _ in range(int(whole.epochs[:5].max() + whole.epochs[5:].max()) - 1):
        interrupted_run(checkpoint, 1, chunk=5)
    assert_same(run(chunk=5, checkpoint=checkpoint, identity="mine"), whole)


def test_a_run_taken_up_with_other_chunks_leaves_no_model_out(checkpoint):
    whole = run()
    interrupted_run(checkpoint, int(whole.epochs[:4].max()) + 1, chunk=4)
    assert load_checkpoint(checkpoint, "mine")[1]["start"] == 4
    content = checkpoint.read_bytes()
    for chunk in (1, 3, 100):
        checkpoint.write_bytes(content)
        assert_same(run(chunk=chunk, checkpoint=checkpoint, identity="mine"), whole)


def test_a_checkpoint_of_another_config_is_refused(checkpoint):
    interrupted_run(checkpoint, 2)
    with pytest.raises(UserError, match=r"of another config.*'mine'; allowed: yours.*--fresh"):
        run(checkpoint=checkpoint, identity="yours")
    assert checkpoint.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"num_models": 12},
        {"keep": ("curves",)},
        {"cell": "gru"},
        {"schedule": replace(RULE, num_epochs=9)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_checkpoint_of_another_population_is_refused(checkpoint, change):
    """Also where nobody gave it a name."""
    interrupted_run(checkpoint, 2)
    with pytest.raises(UserError, match=r"of another population.*Delete the file"):
        run(checkpoint=checkpoint, identity="mine", **change)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_checkpoint_is_refused(checkpoint, damage):
    interrupted_run(checkpoint, 2)
    content = bytearray(checkpoint.read_bytes())
    content[-9] ^= 1
    damaged = {"cut": content[:-40], "flipped": content, "empty": b"", "text": b"{}" * 40}[damage]
    checkpoint.write_bytes(damaged)
    with pytest.raises(UserError, match="damaged"):
        run(checkpoint=checkpoint, identity="mine")


def test_a_checkpoint_that_lacks_something_is_refused(checkpoint):
    from rnnkit.training import save_checkpoint

    save_checkpoint(checkpoint, {"active": torch.arange(3)}, {"identity": "mine"})
    with pytest.raises(UserError, match="damaged"):
        run(checkpoint=checkpoint, identity="mine")


WORDS, LABELS = _data(50, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keep": ("curves", "losses")}, "'losses'; allowed: curves, best, final, trajectory"),
        ({"chunk": 0}, "chunk cannot be used: 0"),
        ({"chunk": 2.0}, "chunk cannot be used"),
        ({"chunk": True}, "chunk cannot be used"),
        ({"seed": -1}, "seed cannot be used: -1"),
        ({"seed": None}, "seed cannot be used"),
        ({"parameters": initial, "num_models": None}, "num_models cannot be used"),
        ({"parameters": initial, "num_models": 0}, "num_models cannot be used: 0"),
        ({"parameters": initial(ARCHITECTURE, 3, 0), "num_models": 4}, "num_models.*4; allowed: 3"),
        ({"parameters": lambda start, count: initial(ARCHITECTURE, 2, 0), "num_models": 5}, "2; allowed: 5"),
        ({"parameters": lambda start, count: [[0.0] * 5] * count, "num_models": 5}, "num_parameters = 38"),
        ({"parameters": np.zeros((3, 5), np.float32)}, "num_parameters = 38"),
        ({"parameters": np.zeros((3, 38), int)}, "num_parameters = 38"),
        ({"parameters": None}, "num_parameters = 38"),
        ({"train_data": Labelled(WORDS + 9, LABELS)}, "not in the vocabulary"),
        ({"train_data": Labelled(WORDS, LABELS[:3])}, "no labels of 50 sentences"),
        ({"valid_data": Labelled(WORDS, LABELS[:3])}, "no labels of 50 sentences"),
        ({"valid_data": Labelled(WORDS, LABELS + 1)}, "no label: 2"),
        ({"valid_data": Labelled(WORDS[:0], LABELS[:0])}, "no sentences"),
    ],
)
def test_what_cannot_be_trained_is_named_before_anything_runs(change, message):
    options = {"train_data": _data(30, 0), "valid_data": _data(50, 1), "seed": 0}
    options |= {"parameters": initial(ARCHITECTURE, 3, 0)} | change
    ticks = []
    with pytest.raises(UserError, match=message):
        train_population(
            ARCHITECTURE,
            options.pop("parameters"),
            RULE,
            engine=make_engine("torch"),
            on_epoch=lambda *tick: ticks.append(tick),
            **options,
        )
    assert not ticks


def test_a_population_far_larger_than_memory_would_hold():
    """200,000 models, drawn and let go chunk by chunk: only their results are kept."""
    num_models, chunk = 200_000, 2000
    few = _data(8, 0)
    engine = make_engine("lanes")
    template = initial(ARCHITECTURE, chunk, 0)
    options = {
        "train_data": few,
        "valid_data": few,
        "engine": engine,
        "seed": 0,
        "keep": (),
        "chunk": chunk,
    }
    schedule = replace(CONSTANT, num_epochs=1)
    train_population(ARCHITECTURE, template, schedule, **options)  # compiles
    tracemalloc.start()
    try:
        history = train_population(
            ARCHITECTURE, lambda start, count: template[:count], schedule, num_models=num_models, **options
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    results = 4 * 8 * num_models
    assert (history.epochs == 1).all()
    assert peak < results + 40 * template.nbytes < 4 * ARCHITECTURE.num_parameters * num_models
