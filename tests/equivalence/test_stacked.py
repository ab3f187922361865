"""Stacked classifiers against torch.nn, whose weights they hold."""

from __future__ import annotations

import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.models import StackedClassifier, StackedConfig
from rnnkit.models.recurrence.dispatch import VARIABLE


def _model(cell="rnn", hidden_size=5, dtype=torch.float64, **changes):
    config = StackedConfig(cell, 3, hidden_size, num_classes=4, **changes)
    return StackedClassifier(config, generator=torch.Generator().manual_seed(1)).to(dtype)


def _x(dtype=torch.float64, batch=6):
    return torch.randn(batch, 7, 3, generator=torch.Generator().manual_seed(2), dtype=dtype)


def _reference(model, x):
    """What torch's own module says, read out as its name tells."""
    output, h_n = model.layers(x)
    h_n = h_n[0] if isinstance(h_n, tuple) else h_n
    read = {
        "each": output,
        "last": output[:, -1],
        "final": torch.cat([h_n[-2], h_n[-1]], dim=1) if model.config.bidirectional else h_n[-1],
    }[model.config.readout]
    return model.readout(read)


def _gradients(model, logits):
    weights = torch.linspace(-1, 1, logits.numel(), dtype=logits.dtype).view_as(logits)
    return torch.autograd.grad((logits * weights).sum(), list(model.parameters()), allow_unused=True)


@pytest.mark.parametrize("readout", ["last", "final", "each"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_logits_and_gradients_are_torchs(cell, num_layers, bidirectional, readout):
    model, x = _model(cell, num_layers=num_layers, bidirectional=bidirectional, readout=readout), _x()
    ours, theirs = model(x), _reference(model, x)
    torch.testing.assert_close(ours, theirs)
    for one, other in zip(_gradients(model, ours), _gradients(model, theirs), strict=True):
        torch.testing.assert_close(torch.zeros(()) if one is None else one, other, check_dtype=False)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_compiled_form_is_the_same_net(cell, monkeypatch):
    model = _model(cell, 64, torch.float32, num_layers=2, bidirectional=True)
    x = _x(torch.float32, 33)
    monkeypatch.setenv(VARIABLE, "fused")
    ours, theirs = model(x), _reference(model, x)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    for one, other in zip(_gradients(model, ours), _gradients(model, theirs), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("readout", ["last", "final"])
def test_beliefs_are_the_answers_to_each_beginning(bidirectional, readout):
    model, x = _model("gru", num_layers=2, bidirectional=bidirectional, readout=readout), _x()
    beliefs = model.beliefs(x)
    assert beliefs.shape == (6, 7, 4)
    for t in range(7):
        torch.testing.assert_close(beliefs[:, t], _reference(model, x[:, : t + 1]))


def test_the_backward_half_of_the_last_output_has_read_one_step_only():
    model, x = _model("lstm", bidirectional=True, readout="last"), _x().requires_grad_()
    model.layers.weight_ih_l0.data.zero_()
    model.layers.weight_hh_l0.data.zero_()
    (gradient,) = torch.autograd.grad(model(x).sum(), x)
    assert (gradient[:, :-1] == 0).all()
    assert (gradient[:, -1] != 0).any()


def test_weights_are_drawn_as_torch_draws_them_and_from_the_generator_alone():
    before = torch.get_rng_state()
    model = _model("lstm", 100, bidirectional=True)
    assert torch.equal(before, torch.get_rng_state())
    for parameter in model.layers.parameters():
        assert 0.095 < parameter.abs().max() <= 0.1
    assert model.readout.weight.abs().max() <= 200**-0.5
    for one, other in zip(
        model.parameters(), _model("lstm", 100, bidirectional=True).parameters(), strict=True
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"cell": "gated"}, "cell"),
        ({"readout": "mean"}, "readout"),
        ({"num_layers": 0}, "num_layers"),
        ({"hidden_size": 2.5}, "hidden_size"),
        ({"hidden_size": -1}, "hidden_size"),
        ({"bidirectional": 2}, "bidirectional"),
    ],
)
def test_a_config_that_cannot_be_is_refused_by_name(changes, name):
    with pytest.raises(UserError, match=name):
        StackedConfig(**({"cell": "rnn", "input_size": 3, "hidden_size": 5} | changes))


def test_a_net_that_answers_at_every_step_has_no_beliefs():
    with pytest.raises(UserError, match="every step"):
        _model(readout="each").beliefs(_x())


def test_other_features_are_refused():
    with pytest.raises(UserError, match="input_size = 3"):
        _model()(torch.zeros(2, 5, 4))
