"""Graphed steps are the loop's steps. What stands for the capture here runs the work as it is, or more often."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rnnkit.models import make_classifier
from rnnkit.training import KerasSchedule, Sequences, evaluate, generators, load_checkpoint, train
from rnnkit.training.checkpoints import optimizer_tensors, restore_optimizer
from rnnkit.training.graphed import GraphedEvaluation, GraphedStep, eager

SIZES = {"hidden_size": 8}
SCHEDULE = KerasSchedule(1e-2, batch_size=16, num_epochs=2)


def warmed_up(work):
    """Run the work before it is captured, as CUDA has to; the replay is the work."""
    for _ in range(3):
        work()
    return work


class _NothingIsReadBack(TorchDispatchMode):
    """Refuse what a stream that is being captured refuses: a number on the way to the host."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default):
            raise AssertionError(f"{func} waits for the device")
        return func(*args, **(kwargs or {}))


def captured(work):
    """The second run of the work is the one that a graph would hold."""
    work()

    def replay():
        with _NothingIsReadBack():
            work()

    return replay


def _data():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(40, 6, 1, generator=generator)  # batches of 16, 16 and 8
    return Sequences(x, (x[:, -1, 0] * 3).long())


def _model(name, **changes):
    streams = generators(5)
    sizes = SIZES | ({"memory_size": 4, "theta": 6} if name.startswith("lmu") else {}) | changes
    model = make_classifier(name, generator=streams.init, dropout_generator=streams.dropout, **sizes)
    return model, streams


def _adam(model):
    return torch.optim.Adam(model.parameters(), lr=SCHEDULE.learning_rate, fused=True)


def _graphed_epoch(step, data, shuffle):
    for batch in torch.randperm(len(data.y), generator=shuffle).split(SCHEDULE.batch_size):
        step.step(data.x[batch], data.y[batch])
    loss, correct = step.totals()
    return loss / len(data.y), correct / len(data.y)


def _loop(model, streams, data, checkpoint=None):
    history = train(
        model,
        SCHEDULE,
        train_data=data,
        valid_data=data,
        test_data=None,
        shuffle=streams.shuffle,
        dropout=streams.dropout,
        checkpoint=checkpoint,
    )
    return list(zip(history.metrics["train_loss"], history.metrics["train_accuracy"], strict=True))


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "lmu-rnn", "lmu-lstm", "lmu-gru"])
def test_nothing_is_read_back_within_a_step(name, monkeypatch):
    """In the form of the recurrence that CUDA takes."""
    monkeypatch.setenv("RNNKIT_RECURRENCE", "unrolled")
    data = _data()
    model, streams = _model(name)
    step = GraphedStep(model, _adam(model), SCHEDULE, capture=captured)
    loss, _ = _graphed_epoch(step, data, streams.shuffle)
    assert math.isfinite(loss)
    evaluation = GraphedEvaluation(model, capture=captured)
    evaluation.step(data.x, data.y)
    assert math.isfinite(evaluation.totals()[0])
    with pytest.raises(AssertionError, match="waits for the device"), _NothingIsReadBack():
        data.x.sum().item()


@pytest.mark.parametrize("capture", [eager, warmed_up, None])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "lmu-rnn", "lmu-lstm", "lmu-gru"])
def test_epochs_are_those_of_the_loop(name, capture, tmp_path):
    data = _data()
    plain, plain_streams = _model(name)
    wanted = _loop(plain, plain_streams, data, tmp_path / "c")
    ours, streams = _model(name)
    adam = _adam(ours)
    step = GraphedStep(ours, adam, SCHEDULE, capture=capture)
    for epoch in range(2):
        assert _graphed_epoch(step, data, streams.shuffle) == pytest.approx(wanted[epoch], rel=1e-5)
    for (key, found), expected in zip(ours.state_dict().items(), plain.state_dict().values(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6, msg=key)
    saved, _ = load_checkpoint(tmp_path / "c", "")
    found = optimizer_tensors(adam, [name for name, _ in ours.named_parameters()])
    assert set(found) == {name for name in saved if name.startswith("adam.")}
    torch.testing.assert_close(found, {name: saved[name] for name in found}, rtol=1e-3, atol=1e-7)
    assert torch.equal(streams.dropout.get_state(), plain_streams.dropout.get_state())


@pytest.mark.parametrize(
    ("name", "place", "span"),
    [
        ("gru", "input", "sequence"),
        ("gru", "input", "step"),
        ("gru", "output", "step"),
        ("lmu-gru", "memory", "sequence"),
        ("lmu-gru", "memory", "step"),
    ],
)
def test_dropout_in_each_place_is_filled_anew_for_each_batch(name, place, span):
    data, given = _data(), {"dropout": 0.5, "dropout_place": place, "dropout_span": span}
    wanted = _loop(*_model(name, **given), data)
    ours, streams = _model(name, **given)
    step = GraphedStep(ours, _adam(ours), SCHEDULE, capture=warmed_up)
    assert _graphed_epoch(step, data, streams.shuffle) == pytest.approx(wanted[0], rel=1e-5)


def test_a_resumed_optimizer_goes_on_with_its_moments_and_its_count():
    data = _data()
    whole, streams = _model("lstm")
    adam = _adam(whole)
    step = GraphedStep(whole, adam, SCHEDULE)
    _graphed_epoch(step, data, streams.shuffle)
    names = [name for name, _ in whole.named_parameters()]
    kept = {name: value.clone() for name, value in optimizer_tensors(adam, names).items()}
    weights, states = (
        copy.deepcopy(whole.state_dict()),
        [streams.shuffle.get_state(), streams.dropout.get_state()],
    )
    _graphed_epoch(step, data, streams.shuffle)

    again, streams = _model("lstm")
    again.load_state_dict(weights)
    resumed = _adam(again)
    restore_optimizer(resumed, names, kept)
    for generator, state in zip((streams.shuffle, streams.dropout), states, strict=True):
        generator.set_state(state)
    _graphed_epoch(GraphedStep(again, resumed, SCHEDULE, capture=warmed_up), data, streams.shuffle)
    for found, wanted in zip(again.state_dict().values(), whole.state_dict().values(), strict=True):
        assert torch.equal(found, wanted)
    assert int(resumed.state[again.weight_out]["step"]) == 6


def test_each_size_of_batch_is_captured_once():
    data, sizes = _data(), []
    model, streams = _model("rnn")

    def counting(work):
        sizes.append(1)
        return work

    step = GraphedStep(model, _adam(model), SCHEDULE, capture=counting)
    for _ in range(2):
        _graphed_epoch(step, data, streams.shuffle)
    assert len(sizes) == 2


def test_evaluation_sees_the_parameters_as_they_are_now_and_leaves_the_mode_alone():
    data = _data()
    model, streams = _model("lmu-gru")
    evaluation = GraphedEvaluation(model, capture=warmed_up)
    step = GraphedStep(model, _adam(model), SCHEDULE)
    for _ in range(2):
        for x, y in zip(data.x.split(25), data.y.split(25), strict=True):
            evaluation.step(x, y)
        loss, correct = evaluation.totals()
        assert (loss / 40, correct / 40) == pytest.approx(evaluate(model, data), rel=1e-6)
        assert model.training
        _graphed_epoch(step, data, streams.shuffle)


def test_a_loss_that_is_not_finite_shows_in_the_totals():
    model, _ = _model("rnn")
    step = GraphedStep(model, _adam(model), SCHEDULE)
    step.step(torch.full((4, 6, 1), float("nan")), torch.zeros(4, dtype=torch.int64))
    assert math.isnan(step.totals()[0])


def test_an_adam_that_it_does_not_know_is_refused():
    model, _ = _model("rnn")
    with pytest.raises(ValueError, match="weight_decay"):
        GraphedStep(model, torch.optim.Adam(model.parameters(), weight_decay=0.1), SCHEDULE)
