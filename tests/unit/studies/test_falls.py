"""Where a training falls: repeated steps are the steps that were, and other ones begin at the same weights."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnkit.datasets.mnist import permuted
from rnnkit.errors import UserError
from rnnkit.results import RecordKey
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.psmnist import falls
from rnnkit.studies.psmnist.configs import FALL_CURVES, FALL_LINES, make_net
from rnnkit.studies.psmnist.falls import FallConfig, compute_fall, thrown_at
from rnnkit.studies.psmnist.training import make_model
from rnnkit.training import KerasSchedule, Sequences, generators, train

SEED = 3
NET = replace(
    make_net("lmu-rnn", "quick"),
    schedule=KerasSchedule(1e-3, 20, 4),
    num_train=120,
    num_valid=20,
    num_test=20,
)
ALWAYS = -2.0  # a drop that every second epoch has


class Told:
    """Progress that is counted; it stops the job after so many steps, as Ctrl-C does."""

    def __init__(self, last: int | None = None) -> None:
        self.ahead, self.done, self.last = 0, 0, last

    def steps(self, total: int, name: str, *, start: int = 0) -> None:
        self.ahead += total

    def advance(self, count: int = 1, note: str = "") -> None:
        self.done += count
        if self.last is not None and self.done >= self.last:
            raise KeyboardInterrupt


def computed(folder: Path, told: Told | None = None, **changes) -> Outcome:
    config = FallConfig(**{"net": NET, "drop": ALWAYS, "spike": 1e9, "lead": 3} | changes)
    key = RecordKey("psmnist", "fall", {"dataset": "digits", **config.to_dict()}, 1, "lmu-rnn-s3")
    return compute_fall(
        Job(key, config, SEED, compute_fall), [], "cpu", folder / "job.safetensors", told or Told()
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return computed(tmp_path_factory.mktemp("fall"))


def test_the_repeated_steps_are_those_of_the_training(found):
    data = permuted(dataset="digits")
    streams, norms = generators(SEED), []
    model = make_model(NET, 64, streams)

    def on_step(count: int) -> None:
        norms.append(float(torch.cat([p.grad.flatten() for p in model.parameters()]).norm()))

    some = Sequences.of(data.train_x[:120], data.train_y[:120], "cpu")
    history = train(
        model,
        replace(NET.schedule, num_epochs=2),
        train_data=some,
        valid_data=some,
        test_data=None,
        shuffle=streams.shuffle,
        dropout=streams.dropout,
        on_step=on_step,
    )
    assert found.metrics["epoch"] == 2
    np.testing.assert_array_equal(found.arrays["train_accuracy"], history.metrics["train_accuracy"])
    np.testing.assert_array_equal(found.arrays["as_trained_step"], np.arange(7, 13))
    np.testing.assert_allclose(found.arrays["as_trained_norm"], norms[6:], rtol=1e-5)
    mean = found.arrays["as_trained_loss"].mean()
    assert mean == pytest.approx(history.metrics["train_loss"][-1])


def test_other_lines_begin_at_the_same_weights_before_the_step_that_threw_it(found):
    arrays, thrown = found.arrays, found.metrics["thrown"]
    first = int(arrays["fp32_step"][0])
    assert first == max(7, thrown - 3)
    assert arrays["fp32_late_step"][0] == thrown
    for line in FALL_LINES[1:]:
        np.testing.assert_array_equal(arrays[f"{line}_step"], np.arange(arrays[f"{line}_step"][0], 13))
    # This training was in float32: to go on in float32 is to repeat it, bit for bit.
    for line in ("fp32", "fp32_late"):
        for curve in FALL_CURVES:
            there = arrays[f"as_trained_{curve}"][-len(arrays[f"{line}_{curve}"]) :]
            np.testing.assert_array_equal(arrays[f"{line}_{curve}"], there)
    for curve in FALL_CURVES:  # the norm is the one before it is clipped
        at_first = arrays[f"as_trained_{curve}"][arrays["as_trained_step"] == first]
        np.testing.assert_array_equal(arrays[f"clipped_{curve}"][:1], at_first)
    assert at_first > 1, "so that clipping changes the next step"
    assert arrays["clipped_loss"][1] != arrays["fp32_loss"][1]


def test_the_batch_that_threw_it_is_looked_at_in_both_precisions(found):
    metrics, arrays = found.metrics, found.arrays
    place = arrays["as_trained_step"].tolist().index(metrics["thrown"])
    assert (
        metrics["norm"] == metrics["norm_fp32"] == pytest.approx(arrays["as_trained_norm"][place], rel=1e-6)
    )
    assert metrics["cosine"] == pytest.approx(1)
    assert arrays["reach"].shape == (2, 20)
    data = permuted(dataset="digits")
    rows = np.empty((120, 64), dtype=np.float32)
    rows[:, data.permutation] = data.train_x[:120, :, 0]
    same = np.abs(np.rint(rows * 255) - arrays["image"].ravel()).max(axis=1) == 0
    assert data.train_y[:120][same].tolist() == [metrics["digit"]]


def test_in_half_precision_the_lines_part(tmp_path):
    """With batches so large that the memory is read in chunks, and a smaller last one."""
    many = replace(NET, num_train=500, schedule=KerasSchedule(1e-3, 300, 3), precision="bf16")
    found = computed(tmp_path, net=many)
    place = found.arrays["as_trained_step"].tolist().index(found.metrics["thrown"])
    assert found.metrics["norm"] == pytest.approx(found.arrays["as_trained_norm"][place], rel=1e-6)
    assert found.metrics["norm_fp32"] == pytest.approx(found.arrays["fp32_late_norm"][0], rel=1e-6)
    trained, exact = (found.arrays[f"{line}_loss"] for line in ("as_trained", "fp32"))
    trained = trained[-len(exact) :]
    assert (trained != exact).any()
    np.testing.assert_allclose(exact, trained, rtol=0.05)
    assert 0.9 < found.metrics["cosine"] < 1


def test_a_training_that_does_not_fall_says_so(tmp_path):
    told = Told()
    found = computed(tmp_path, told, drop=2.0)
    assert told.done == told.ahead == 24
    assert found.metrics == {"fell": False}
    assert found.arrays["train_accuracy"].shape == (4,)
    assert [path.name for path in tmp_path.iterdir()] == ["job.safetensors"]


def test_a_fall_in_a_later_epoch_is_looked_at_from_the_epoch_before_on(tmp_path, monkeypatch):
    monkeypatch.setattr(falls, "_fell", lambda accuracy, drop: len(accuracy) == 4)
    monkeypatch.setattr(falls, "thrown_at", lambda norms, spike: 6)
    found = computed(tmp_path)
    np.testing.assert_array_equal(found.arrays["as_trained_step"], np.arange(13, 25))
    assert found.metrics["thrown"] == 19, "the first of an epoch"
    assert found.arrays["fp32_late_step"][0] == 19
    for curve in FALL_CURVES:
        np.testing.assert_array_equal(
            found.arrays[f"fp32_late_{curve}"], found.arrays[f"as_trained_{curve}"][6:]
        )


def test_steps_that_come_out_otherwise_are_an_error(tmp_path, monkeypatch):
    def other(*arguments, **more):
        found, history = repeated(*arguments, **more)
        history.metrics["train_accuracy"][-1] += 0.01
        return found, history

    repeated = falls._repeated
    monkeypatch.setattr(falls, "_repeated", other)
    with pytest.raises(UserError, match="came out otherwise"):
        computed(tmp_path)


@pytest.mark.parametrize("spoil", ["no copies", "copies alone"])
def test_what_a_record_that_was_not_saved_leaves_behind_does_no_harm(found, tmp_path, spoil):
    with pytest.raises(KeyboardInterrupt):
        computed(tmp_path, Told(18))
    if spoil == "no copies":
        shutil.rmtree(tmp_path / "job")
    else:
        (tmp_path / "job.safetensors").unlink()
        (tmp_path / "job" / "after-6.safetensors").write_bytes(b"of another training")
    again = computed(tmp_path)
    assert again.metrics == found.metrics
    np.testing.assert_array_equal(again.arrays["clipped_loss"], found.arrays["clipped_loss"])


@pytest.mark.parametrize("last", [4, 9, 15, 30])
def test_an_interrupted_one_goes_on_to_the_same_record(found, tmp_path, monkeypatch, last):
    monkeypatch.setattr(falls, "SAVE_EVERY_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        computed(tmp_path, Told(last))
    again = computed(tmp_path)
    assert again.metrics == found.metrics
    for name, values in found.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], values, err_msg=name)
    assert [path.name for path in tmp_path.iterdir()] == ["job.safetensors"]


def test_the_step_that_threw_it_is_the_first_far_above_the_median():
    norms = np.ones(40)
    norms[[3, 25, 30]] = 9.0, 5.5, 100.0
    assert thrown_at(norms, 5.0) == 25
    assert thrown_at(norms, 6.0) == 30
    assert thrown_at(norms, 200.0) == 30, "none is: the largest"
    assert thrown_at(np.ones(1), 5.0) == 0
