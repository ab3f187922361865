"""The training loop: reproducible, resumable, and honest about a loss that explodes."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.models import VanillaRNN, make_classifier
from rnnkit.training import (
    KerasSchedule,
    Schedule,
    Sequences,
    evaluate,
    generators,
    load_checkpoint,
    save_checkpoint,
    train,
)


def _data() -> Sequences:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(300, 6, 4, generator=generator)
    return Sequences(x, (x[:, -1].argmax(1)))


def _run(num_epochs=4, *, checkpoint=None, stop_after=None, learning_rate=1e-2, identity="a", seed=3):
    streams = generators(seed)
    model = VanillaRNN(4, 12, 4, generator=streams.init)

    def stop(history):
        if history.num_epochs == stop_after:
            raise KeyboardInterrupt

    data = _data()
    history = train(
        model,
        Schedule(learning_rate, 32, num_epochs),
        train_data=data,
        valid_data=data,
        test_data=data,
        shuffle=streams.shuffle,
        checkpoint=checkpoint,
        identity=identity,
        on_epoch=stop,
    )
    metrics = {name: values for name, values in history.metrics.items() if name != "seconds"}
    return metrics, {name: p.detach().numpy() for name, p in model.named_parameters()}


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    (history, weights), (again, weights_again) = _run(), _run()
    assert history == again
    for name in weights:
        np.testing.assert_array_equal(weights[name], weights_again[name])
    assert _run(seed=4)[0] != history


def test_training_learns():
    history, _ = _run(40)
    assert history["train_loss"][-1] < 0.5 * history["train_loss"][0]
    assert history["valid_accuracy"][-1] > 0.8


@pytest.mark.parametrize("stop_after", [1, 3])
def test_an_interrupted_training_ends_in_the_same_bits(tmp_path, stop_after):
    uninterrupted, weights = _run()
    checkpoint = tmp_path / "a" / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        _run(checkpoint=checkpoint, stop_after=stop_after)
    resumed, resumed_weights = _run(checkpoint=checkpoint)
    assert resumed == uninterrupted
    for name in weights:
        np.testing.assert_array_equal(weights[name], resumed_weights[name])
    assert [path.name for path in checkpoint.parent.iterdir()] == [checkpoint.name]


def test_a_checkpoint_of_another_config_is_refused(tmp_path):
    _run(1, checkpoint=tmp_path / "c")
    with pytest.raises(UserError, match=r"another config: 'a'; allowed: b\. .*--fresh"):
        _run(1, checkpoint=tmp_path / "c", identity="b")


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    path = tmp_path / "c"
    _run(1, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-10] if damage is None else damage)
    with pytest.raises(UserError, match=r"damaged: .*Delete the file or run with --fresh"):
        _run(1, checkpoint=path)


@pytest.mark.parametrize("place", [0.3, 0.6, 0.999])
def test_a_flipped_byte_of_a_checkpoint_is_found(tmp_path, place):
    path = tmp_path / "c"
    _run(1, checkpoint=path)
    content = bytearray(path.read_bytes())
    header = 8 + int.from_bytes(content[:8], "little")
    content[header + int(place * (len(content) - header))] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"damaged: .*Delete the file or run with --fresh"):
        _run(1, checkpoint=path)


@pytest.mark.parametrize(
    ("less", "state"),
    [
        ("shuffle", None),
        ("adam.", None),
        ("model.", None),
        ("", {"identity": "a"}),
        ("", {"identity": "a", "metrics": []}),
        ("", {"identity": "a", "metrics": {"train_loss": [0.1]}}),
        ("", ["a"]),
    ],
)
def test_a_checkpoint_that_lacks_something_is_damaged(tmp_path, less, state):
    path = tmp_path / "c"
    _run(1, checkpoint=path)
    tensors, sound = load_checkpoint(path, "a")
    kept = {name: value for name, value in tensors.items() if not (less and name.startswith(less))}
    save_checkpoint(path, kept, sound if state is None else state)
    with pytest.raises(UserError, match="damaged"):
        _run(1, checkpoint=path)


def test_what_a_killed_process_left_beside_a_checkpoint_is_swept(tmp_path):
    path = tmp_path / "c"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f"c.{dead.pid}.tmp").write_bytes(b"half")
    alive = tmp_path / f"c.{os.getppid()}.tmp"
    alive.write_bytes(b"being written")
    other = tmp_path / f"cc.{dead.pid}.tmp"
    other.write_bytes(b"of another checkpoint")
    assert load_checkpoint(path, "a") is None
    assert sorted(tmp_path.iterdir()) == sorted([alive, other])


def test_ctrl_c_while_a_checkpoint_is_written_leaves_the_last_one_alone(tmp_path, monkeypatch):
    path = tmp_path / "c"
    _run(1, checkpoint=path)
    before = path.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnkit.training.checkpoints.os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _run(2, checkpoint=path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "c"
    _run(1, checkpoint=path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rnnkit.training.checkpoints.os.fsync", full)
    with pytest.raises(UserError, match=r"No space left on device"):
        _run(2, checkpoint=path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_loss_that_is_not_finite_stops_with_the_place_and_keeps_the_checkpoint(tmp_path):
    path = tmp_path / "c"
    _run(1, checkpoint=path)
    before = path.read_bytes()
    streams = generators(3)
    model = VanillaRNN(4, 12, 4, generator=streams.init)
    data = _data()
    data.x[17] = float("nan")
    with pytest.raises(UserError, match=r"not finite at epoch 2, step \d+: nan.*checkpoint"):
        train(
            model,
            Schedule(1e-2, 32, 3),
            train_data=data,
            valid_data=data,
            test_data=data,
            shuffle=streams.shuffle,
            checkpoint=path,
            identity="a",
        )
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "fields", [(0.0, 1, 1), (1, 1, 1), (0.1, 0, 1), (0.1, 2.0, 1), (0.1, 1, -1), (0.1, True, 1)]
)
def test_an_impossible_schedule_is_refused(fields):
    with pytest.raises(UserError, match="cannot be used"):
        Schedule(*fields)


def test_generators_are_independent_and_seeds_are_integers():
    streams = generators(0)
    draws = {
        name: torch.rand(4, generator=getattr(streams, name))
        for name in ("data", "init", "shuffle", "dropout")
    }
    assert len({tuple(d.tolist()) for d in draws.values()}) == 4
    for bad in (1.0, -1, True, "1"):
        with pytest.raises(UserError, match="integer of at least 0"):
            generators(bad)


def test_the_epsilon_of_keras_is_added_before_the_correction_and_reaches_adam(monkeypatch):
    schedule, seen = KerasSchedule(1e-3, 100, 2), []
    step = torch.optim.Adam.step

    def watch(self, *args, **kwargs):
        seen.append(self.param_groups[0]["eps"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", watch)
    data, streams = _data(), generators(0)
    train(
        VanillaRNN(4, 3, 4, generator=streams.init),
        schedule,
        train_data=data,
        valid_data=data,
        test_data=data,
        shuffle=streams.shuffle,
    )
    assert seen == [schedule.epsilon_at(step) for step in range(1, 7)]
    assert seen[0] == pytest.approx(1e-7 / 0.001**0.5)
    assert schedule.epsilon_at(10**6) == pytest.approx(1e-7)


def test_the_epsilon_of_a_plain_schedule_is_pytorchs_and_no_part_of_its_record():
    from dataclasses import asdict

    schedule = Schedule(1e-3, 100, 2)
    assert schedule.epsilon_at(1) == schedule.epsilon_at(1000) == 1e-8
    assert "epsilon" not in asdict(schedule)
    assert asdict(KerasSchedule(1e-3, 100, 2))["epsilon"] == 1e-7
    with pytest.raises(UserError, match="epsilon cannot be used: 0"):
        KerasSchedule(1e-3, 100, 2, epsilon=0)


def _run_with_dropout(
    checkpoint=None, stop_after=None, stop_at_step=None, test=True, steps=None, graphed=None
):
    streams, data = generators(1), _data()
    model = make_classifier(
        "gru",
        generator=streams.init,
        dropout_generator=streams.dropout,
        input_size=4,
        hidden_size=8,
        num_classes=4,
    )

    def stop(history):
        if history.num_epochs == stop_after:
            raise KeyboardInterrupt

    def stop_in_the_middle(step):
        if steps is not None:
            steps.append(step)
        if step == stop_at_step:
            raise KeyboardInterrupt

    history = train(
        model,
        KerasSchedule(1e-2, 64, 3),
        train_data=data,
        valid_data=data,
        test_data=data if test else None,
        shuffle=streams.shuffle,
        dropout=streams.dropout,
        checkpoint=checkpoint,
        save_every=0.0,
        graphed=graphed,
        on_step=stop_in_the_middle,
        on_epoch=stop,
    )
    return model, history


def test_evaluation_has_no_dropout_and_leaves_batch_statistics_alone():
    model, history = _run_with_dropout()
    assert model.training
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert evaluate(model, _data()) == pytest.approx(evaluate(model, _data(), 77))
    assert evaluate(model, _data())[1] == history.metrics["valid_accuracy"][-1]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_training_with_dropout_resumes_to_the_same_bits(tmp_path):
    expected, _ = _run_with_dropout()
    with pytest.raises(KeyboardInterrupt):
        _run_with_dropout(tmp_path / "checkpoint", stop_after=1)
    resumed, history = _run_with_dropout(tmp_path / "checkpoint")
    assert history.num_epochs == 3
    for name, value in expected.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


@pytest.mark.parametrize("stop_at_step", [1, 4, 5, 7, 14])  # an epoch has five batches
def test_a_training_stopped_within_an_epoch_resumes_to_the_same_bits(tmp_path, stop_at_step):
    expected, whole = _run_with_dropout()
    steps = []
    with pytest.raises(KeyboardInterrupt):
        _run_with_dropout(tmp_path / "checkpoint", stop_at_step=stop_at_step, steps=steps)
    resumed, history = _run_with_dropout(tmp_path / "checkpoint", steps=steps)
    done = stop_at_step - (stop_at_step % 5 == 0)  # an epoch's end is saved after its evaluation
    assert steps == [*range(1, stop_at_step + 1), *range(done + 1, 16)]
    for name in set(whole.metrics) - {"seconds"}:
        assert history.metrics[name] == whole.metrics[name], name
    for name, value in expected.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_training_may_leave_the_test_to_the_end():
    tested, history = _run_with_dropout()
    untested, without = _run_with_dropout(test=False)
    assert np.isnan(without.metrics["test_accuracy"]).all()
    assert without.metrics["valid_loss"] == history.metrics["valid_loss"]
    for name, value in tested.state_dict().items():
        assert torch.equal(value, untested.state_dict()[name]), name


def test_whole_steps_at_a_time_train_the_same_net():
    plain, history = _run_with_dropout()
    model, graphed = _run_with_dropout(graphed=True)
    for name in set(history.metrics) - {"seconds"}:
        assert graphed.metrics[name] == pytest.approx(history.metrics[name], abs=1e-4), name
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("stop_at_step", [4, 7])
def test_whole_steps_at_a_time_resume_to_the_same_bits(tmp_path, stop_at_step):
    expected, whole = _run_with_dropout(graphed=True)
    with pytest.raises(KeyboardInterrupt):
        _run_with_dropout(tmp_path / "checkpoint", stop_at_step=stop_at_step, graphed=True)
    resumed, history = _run_with_dropout(tmp_path / "checkpoint", graphed=True)
    assert history.metrics["train_accuracy"] == whole.metrics["train_accuracy"]
    assert history.metrics["valid_loss"] == whole.metrics["valid_loss"]
    for name, value in expected.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_whole_steps_at_a_time_do_not_save_a_loss_that_is_not_finite(tmp_path, monkeypatch):
    _run_with_dropout(tmp_path / "checkpoint", graphed=True)
    broken = _data()
    broken.x[:] = float("nan")
    monkeypatch.setattr(f"{__name__}._data", lambda: broken)
    with pytest.raises(UserError, match=r"not finite at epoch 1, step 1"):
        _run_with_dropout(tmp_path / "other", graphed=True)
    assert not (tmp_path / "other").exists()


def _with_a_bad_gradient(monkeypatch, step):
    """Let the gradient of one weight be infinite at a step of the training, while its loss is finite."""
    taken, wanted = [], torch.optim.Adam.step

    def spoiled(self, *arguments):
        taken.append(None)
        if len(taken) == step:
            self.param_groups[0]["params"][0].grad.fill_(math.inf)
        return wanted(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", spoiled)


@pytest.mark.parametrize("num_epochs", [2, 3])  # whether an epoch follows in which the loss would tell
def test_weights_that_are_not_finite_are_not_saved_and_end_in_no_history(tmp_path, monkeypatch, num_epochs):
    path = tmp_path / "c"
    _run(1, checkpoint=path)
    before = path.read_bytes()
    _with_a_bad_gradient(monkeypatch, 10)  # the last of the second epoch
    with pytest.raises(UserError, match=r"is not finite at epoch 2, step 10: nan.*checkpoint"):
        _run(num_epochs, checkpoint=path)
    assert path.read_bytes() == before


def test_a_loss_in_validation_that_is_not_finite_stops_the_training(tmp_path):
    streams, sound, broken = generators(3), _data(), _data()
    broken.x[0] = float("nan")
    with pytest.raises(UserError, match="loss in validation is not finite at epoch 1"):
        train(
            VanillaRNN(4, 12, 4, generator=streams.init),
            Schedule(1e-2, 32, 2),
            train_data=sound,
            valid_data=broken,
            test_data=None,
            shuffle=streams.shuffle,
            checkpoint=tmp_path / "c",
        )
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("graphed", [False, True])
def test_the_step_is_named_that_was_the_first_without_a_finite_loss(graphed):
    streams, data = generators(3), _data()
    order = torch.randperm(300, generator=generators(3).shuffle)
    broken = _data()
    broken.x[order[64 * 2 + 5]] = float("nan")  # in the third batch of the first epoch
    model = make_classifier(
        "gru", hidden_size=8, input_size=4, num_classes=4, dropout=0.0, recurrent_dropout=0.0
    )
    with pytest.raises(UserError, match=r"the loss is not finite at epoch 1, step 3"):
        train(
            model,
            KerasSchedule(1e-2, 64, 2),
            train_data=broken,
            valid_data=data,
            test_data=None,
            shuffle=streams.shuffle,
            graphed=graphed,
        )
