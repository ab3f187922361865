"""Classifiers: how they start, how dropout acts, what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.models import (
    ARCHITECTURES,
    TITLES,
    ClassifierConfig,
    SequenceClassifier,
    describe,
    make_classifier,
)
from rnnkit.models.dropout import draw_masks_of_steps, draw_packed_masks
from rnnkit.models.initialisers import glorot_uniform, orthogonal
from rnnkit.models.recurrence import PackedMasks

SMALL = {"hidden_size": 12}


def _seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def _x(batch=6, seq_len=9, features=1):
    return torch.rand(batch, seq_len, features, generator=_seeded(4))


def test_totals_follow_from_the_sizes():
    rows = {row["name"]: row for row in describe()}
    gates = {"rnn": 1, "lstm": 4, "gru": 3}
    for name, row in rows.items():
        g, reads = gates[row["cell"]], 257 if name.startswith("lmu-") else 1
        biases = 2 if row["cell"] == "gru" else 1
        total = g * 256 * (reads + 256 + biases) + 256 * 10 + 10
        total += 1 if name.startswith("lmu-") else 4 * 256
        assert row["parameters"] == total
        assert row["parameters"] - row["trainable"] == (0 if name.startswith("lmu-") else 512)
        assert row["title"] == TITLES[name]


def test_the_same_generator_gives_the_same_weights_and_leaves_torchs_own_alone():
    before = torch.random.get_rng_state()
    a, b, c = (make_classifier("lmu-lstm", generator=_seeded(seed), **SMALL) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    weights = [model.state_dict() for model in (a, b, c)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not torch.equal(weights[0]["weight_out"], weights[2]["weight_out"])


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_weights_start_as_in_keras(cell):
    model = make_classifier(f"lmu-{cell}", generator=_seeded(), hidden_size=64, memory_size=32)
    layer, g = model.cell, model.cell.num_gates
    bound = math.sqrt(6 / (33 + g * 64))
    assert 0.95 * bound < layer.weight_ih.abs().max() <= bound
    torch.testing.assert_close(layer.weight_hh.t() @ layer.weight_hh, torch.eye(64), rtol=0, atol=1e-5)
    expected = torch.zeros(g * 64)
    if cell == "lstm":
        expected[64:128] = 1
    assert torch.equal(layer.bias_ih, expected)
    assert torch.equal(model.layer.weight_encoder, torch.ones(1, 1))
    assert not model.bias_out.any()
    bound = math.sqrt(6 / 74)
    assert 0.9 * bound < model.weight_out.abs().max() <= bound


def test_orthogonal_is_orthonormal_along_the_shorter_side_and_not_biased():
    wide = orthogonal(3, 7, generator=_seeded())
    torch.testing.assert_close(wide @ wide.t(), torch.eye(3), rtol=0, atol=1e-6)
    generator = _seeded(1)
    mean = torch.stack([orthogonal(4, 2, generator=generator) for _ in range(4000)]).mean(0)
    assert mean.abs().max() < 0.04
    assert glorot_uniform(200, 300, generator=generator).var().item() == pytest.approx(2 / 500, rel=0.02)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_training_draws_new_masks_and_evaluation_none(name):
    model = make_classifier(name, generator=_seeded(), dropout_generator=_seeded(1), **SMALL)
    x = _x()
    first, second = model(x), model(x)
    assert first.shape == (6, 10)
    assert not torch.equal(first, second)
    model.dropout_generator = _seeded(1)
    assert torch.equal(model(x), first)
    model.eval()
    assert torch.equal(model(x), model(x))
    states = model.hidden_states(x)
    assert states.shape == (6, 9, 12)
    torch.testing.assert_close(model.readout(states[:, -1]), model(x))


@pytest.mark.parametrize(
    ("name", "place", "span", "recurrent", "shapes"),
    [
        ("gru", "input", "sequence", 0.5, {"input": (3, 6, 1), "recurrent": (3, 6, 12)}),
        ("gru", "input", "sequence", 0.0, {"input": (1, 6, 1)}),
        ("gru", "input", "step", 0.5, {"input": (9, 3, 6, 1), "recurrent": (9, 3, 6, 12)}),
        ("gru", "input", "step", 0.0, {"input": (9, 1, 6, 1)}),
        ("gru", "output", "step", 0.0, {"output": (6, 12)}),
        ("lmu-gru", "memory", "sequence", 0.5, {"memory": (6, 1, 1), "recurrent": (3, 6, 12)}),
        ("lmu-gru", "memory", "step", 0.0, {"memory": (6, 9, 1)}),
        ("lmu-gru", "input", "step", 0.5, {"input": (9, 3, 6, 9), "recurrent": (9, 3, 6, 12)}),
    ],
)
def test_masks_have_the_shapes_of_their_places_and_last_as_long(name, place, span, recurrent, shapes):
    given = {"dropout_place": place, "dropout_span": span, "recurrent_dropout": recurrent, **SMALL}
    given |= {"memory_size": 8, "theta": 9} if name.startswith("lmu") else {}
    model = make_classifier(name, dropout_generator=_seeded(), **given).train()
    masks = {name: mask for name, mask in vars(model.draw_masks(6, 9)).items() if mask is not None}
    assert {name: tuple(mask.shape) for name, mask in masks.items()} == shapes
    model(_x()).sum().backward()


def test_masks_of_each_step_are_the_same_with_and_without_compiled_code(monkeypatch):
    def drawn(count):
        return draw_masks_of_steps(count, 3, rate=0.3, generator=_seeded(4))

    compiled = [drawn(count) for count in (1, 2, 4, 500)]
    monkeypatch.setattr("rnnkit.models.dropout.find_spec", lambda name: None)
    for mask in compiled:
        assert torch.equal(mask, drawn(len(mask)))
    mask = compiled[-1]
    assert mask.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert (mask == 0).float().mean().item() == pytest.approx(0.3, abs=0.05)
    assert not torch.equal(mask, draw_masks_of_steps(500, 3, rate=0.3, generator=_seeded(5)))


@pytest.mark.parametrize("rate", [0.2, 0.5, 1 - 1e-7])
def test_masks_of_a_bit_each_are_those_of_the_same_seed(rate):
    pytest.importorskip("numba")
    shape = (7, 3, 5, 48)
    packed = draw_packed_masks(*shape, rate=rate, generator=_seeded(4))
    assert tuple(packed.shape) == shape
    assert torch.equal(packed.unpacked(), draw_masks_of_steps(*shape, rate=rate, generator=_seeded(4)))


def test_a_training_step_reads_packed_masks_where_its_recurrence_does(monkeypatch):
    """The loss is the same with either; a form that multiplies by masks gets numbers."""
    pytest.importorskip("numba")
    sizes = {"hidden_size": 64, "dropout_span": "step", "recurrent_dropout": 0.5}
    model = make_classifier("gru", generator=_seeded(), dropout_generator=_seeded(1), **sizes).train()
    losses = []
    for form, kind in (("fused", PackedMasks), ("unrolled", torch.Tensor)):
        monkeypatch.setenv("RNNKIT_RECURRENCE", form)
        model.dropout_generator = _seeded(1)
        assert isinstance(model.draw_masks(6, 9, packed=True).recurrent, kind)
        model.dropout_generator = _seeded(1)
        losses.append(model(_x()).square().sum())
    torch.testing.assert_close(*losses)
    assert isinstance(model.draw_masks(6, 9).recurrent, torch.Tensor)


def test_masks_of_each_step_do_not_hang_on_each_other():
    """Of 20,000 draws beside each other, correlations between any two of 12 columns are within 4 of 1 / sqrt(n)."""
    mask = draw_masks_of_steps(20_000, 12, rate=0.5, generator=_seeded(6))
    correlation = torch.corrcoef(mask.T).fill_diagonal_(0)
    assert correlation.abs().max().item() < 4 / 20_000**0.5
    after = torch.corrcoef(torch.stack([mask[1:].flatten(), mask[:-1].flatten()]))[0, 1]
    assert abs(after.item()) < 4 / mask.numel() ** 0.5


def test_kept_units_are_scaled_and_the_rate_is_kept():
    model = make_classifier(
        "lstm", dropout_generator=_seeded(), dropout_place="output", dropout=0.2, hidden_size=500
    )
    mask = model.draw_masks(400, 9).output
    assert mask.unique().tolist() == pytest.approx([0, 1.25])
    assert mask.mean().item() == pytest.approx(1, abs=0.01)


def test_a_mask_of_a_sequence_blanks_whole_images_and_others_do_not():
    model = make_classifier(
        "rnn",
        generator=_seeded(),
        dropout_generator=_seeded(3),
        dropout_place="input",
        dropout_span="sequence",
        dropout=0.5,
        normalise=False,
        **SMALL,
    )
    logits, blank = model(_x(64)), model.eval()(torch.zeros(1, 9, 1))
    blanked = (logits == blank).all(1).sum().item()
    assert 16 < blanked < 48
    for other in ({"dropout_place": "output"}, {"dropout_place": "input", "dropout_span": "step"}):
        model = make_classifier(
            "rnn",
            generator=_seeded(),
            dropout_generator=_seeded(3),
            dropout=0.5,
            normalise=False,
            **other,
            **SMALL,
        )
        assert (model(_x(64)) == blank).all(1).sum() < 2


@pytest.mark.parametrize("name", ["gru", "lmu-gru"])
def test_bf16_stays_close_to_fp32(name):
    results = {}
    for precision in ("fp32", "bf16"):
        model = make_classifier(
            name, generator=_seeded(), precision=precision, dropout_generator=_seeded(1), **SMALL
        )
        logits = model(_x(32, 20))
        torch.nn.functional.cross_entropy(logits, torch.arange(32) % 10).backward()
        results[precision] = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    assert torch.nn.functional.cosine_similarity(results["bf16"], results["fp32"], dim=0) > 0.99


def test_dropout_without_a_generator_is_refused():
    with pytest.raises(UserError, match="no generator"):
        make_classifier("gru", **SMALL)(_x())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cell": "elman"}, "unknown cell: 'elman'"),
        ({"cell": "gru", "dropout": 1.0}, "dropout is no rate"),
        ({"cell": "gru", "recurrent_dropout": -0.1}, "recurrent_dropout is no rate"),
        ({"cell": "gru", "dropout_place": "state"}, "unknown dropout_place"),
        ({"cell": "gru", "dropout_span": "epoch"}, "unknown dropout_span: 'epoch'; allowed: sequence, step"),
        ({"cell": "gru", "dropout": 0.1, "dropout_place": "memory"}, "no memory to act on: 'memory'"),
        ({"cell": "gru", "hidden_size": 0}, "hidden_size"),
        ({"cell": "gru", "memory_size": -1}, "memory_size"),
        ({"cell": "gru", "memory_size": 4, "theta": -1}, "theta"),
        ({"cell": "gru", "units": 4}, "unknown field of a classifier: 'units'"),
    ],
)
def test_a_wrong_field_is_named(given, message):
    with pytest.raises(UserError, match=message):
        ClassifierConfig.from_dict(given)


def test_an_unknown_model_or_change_is_named():
    with pytest.raises(UserError, match=r"unknown model: 'tcn'; allowed: rnn, lstm"):
        make_classifier("tcn")
    with pytest.raises(UserError, match="unknown field of a classifier: 'order'"):
        make_classifier("lmu-gru", order=4)
    with pytest.raises(UserError, match="input_size = 1"):
        SequenceClassifier(ClassifierConfig("rnn"))(torch.zeros(2, 3, 2))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_everything_follows_the_model_to_its_device(name):
    model = make_classifier(name, generator=_seeded(), dropout_generator=_seeded(), **SMALL).to("meta")
    places = ("input", "output", "memory") if name.startswith("lmu") else ("input", "output")
    for place in places:
        model.config = replace(model.config, dropout_place=place)
        logits = model(_x(6, 20).to("meta"))
        assert logits.device.type == "meta"
        logits.sum().backward()
