"""Populations against torch.nn model by model, whatever the engine."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from rnnkit.models.population import Architecture, Engine, PopulationState, initial, unpack
from rnnkit.models.population.torch_engine import losses
from rnnkit.training import make_engine

ARCHITECTURES = [
    Architecture("rnn", 2, 4),
    Architecture("rnn", 1, 1),
    Architecture("gru", 3, 2),
    Architecture("gru", 5, 8),
]
NUM_MODELS, NUM, SEQ_LEN = 5, 23, 7
EXACT = {"rtol": 1e-10, "atol": 1e-12}


class Reference(nn.Module):
    """One model of a population, put together from torch's own layers."""

    def __init__(self, architecture: Architecture, parameters: np.ndarray) -> None:
        super().__init__()
        sizes = architecture.input_size, architecture.hidden_size
        self.embedding = nn.Embedding(10, sizes[0])
        self.layer = {"rnn": nn.RNN, "gru": nn.GRU}[architecture.cell](*sizes, batch_first=True)
        self.readout = nn.Linear(sizes[1], 2)
        self.double()
        parts = unpack(architecture, parameters[None])
        with torch.no_grad():
            for name, parameter in self.in_order().items():
                parameter.copy_(torch.tensor(parts[name][0]))

    def in_order(self) -> dict[str, nn.Parameter]:
        layer, readout = self.layer, self.readout
        return {
            "embedding": self.embedding.weight,
            "weight_ih": layer.weight_ih_l0,
            "weight_hh": layer.weight_hh_l0,
            "bias_ih": layer.bias_ih_l0,
            "bias_hh": layer.bias_hh_l0,
            "weight_out": readout.weight,
            "bias_out": readout.bias,
        }

    def forward(self, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        states, _ = self.layer(self.embedding(words))
        return self.readout(states[:, -1]), states

    def flat(self) -> np.ndarray:
        return torch.cat([p.detach().flatten() for p in self.in_order().values()]).numpy()

    def flat_gradient(self) -> np.ndarray:
        return torch.cat([p.grad.flatten() for p in self.in_order().values()]).numpy()


@pytest.fixture(params=["torch", "lanes"])
def engine(request) -> Engine:
    return make_engine(request.param, dtype="float64")


@pytest.fixture(params=ARCHITECTURES, ids=lambda a: f"{a.cell}-{a.name}")
def architecture(request) -> Architecture:
    return request.param


@pytest.fixture
def sentences() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    return generator.integers(0, 10, (NUM, SEQ_LEN), np.uint8), generator.integers(0, 2, NUM, np.uint8)


def _models(architecture: Architecture) -> tuple[np.ndarray, list[Reference]]:
    parameters = 1.5 * initial(architecture, NUM_MODELS, seed=1).astype(np.float64)
    return parameters, [Reference(architecture, row) for row in parameters]


def test_margins_states_and_counts_equal_torch(engine, architecture, sentences):
    words, labels = sentences
    parameters, references = _models(architecture)
    margins = engine.margins(architecture, parameters, words)
    states = engine.hidden_states(architecture, parameters, words)
    right = engine.count_right(architecture, parameters, words, labels)
    assert states.shape == (NUM_MODELS, NUM, SEQ_LEN + 1, architecture.hidden_size)
    assert margins.dtype == states.dtype == np.float64
    assert right.dtype == np.int64
    assert not states[:, :, 0].any()
    for m, reference in enumerate(references):
        with torch.no_grad():
            logits, expected = reference(torch.tensor(words).long())
        np.testing.assert_allclose(margins[m], (logits[:, 1] - logits[:, 0]).numpy(), **EXACT)
        np.testing.assert_allclose(states[m, :, 1:], expected.numpy(), **EXACT)
        assert right[m] == (logits.argmax(1).numpy() == labels).sum()


def test_losses_and_gradients_equal_torch(engine, architecture, sentences):
    words, labels = sentences
    parameters, references = _models(architecture)
    loss, gradients = engine.gradients(architecture, parameters, words, labels)
    for m, reference in enumerate(references):
        expected = nn.functional.cross_entropy(
            reference(torch.tensor(words).long())[0], torch.tensor(labels).long()
        )
        expected.backward()
        np.testing.assert_allclose(loss[m], expected.item(), **EXACT)
        np.testing.assert_allclose(gradients[m], reference.flat_gradient(), **EXACT)


@pytest.mark.parametrize("orders", ["shared", "each"])
def test_training_equals_torch_adam(engine, architecture, sentences, orders):
    """Three passes in batches of 5 (the last one of 3), a learning rate per model that changes between passes."""
    words, labels = sentences
    parameters, references = _models(architecture)
    state = PopulationState.fresh(architecture, parameters)
    optimizers = [torch.optim.Adam(reference.parameters()) for reference in references]
    generator = np.random.default_rng(4)
    for _ in range(3):
        order = generator.permuted(np.tile(np.arange(NUM), (NUM_MODELS, 1)), axis=1)
        order = order if orders == "each" else order[0]
        rates = generator.choice([1e-3, 5e-2, 0.0], NUM_MODELS)
        engine.train_epoch(state, words, labels, order, 5, rates)
        for m, (reference, optimizer) in enumerate(zip(references, optimizers, strict=True)):
            optimizer.param_groups[0]["lr"] = rates[m]
            for batch in np.split(np.broadcast_to(order, (NUM_MODELS, NUM))[m], range(5, NUM, 5)):
                optimizer.zero_grad()
                logits, _ = reference(torch.tensor(words[batch]).long())
                nn.functional.cross_entropy(logits, torch.tensor(labels[batch]).long()).backward()
                optimizer.step()
    assert state.step == 15
    expected = np.stack([reference.flat() for reference in references])
    np.testing.assert_allclose(state.parameters, expected, rtol=1e-10, atol=1e-11)
    for name, array in [("exp_avg", state.first_moment), ("exp_avg_sq", state.second_moment)]:
        for m, (reference, optimizer) in enumerate(zip(references, optimizers, strict=True)):
            kept = [optimizer.state[p][name].flatten() for p in reference.in_order().values()]
            np.testing.assert_allclose(array[m], torch.cat(kept).numpy(), rtol=1e-7, atol=1e-12)


def test_models_do_not_touch_each_other(engine, architecture, sentences):
    """Some models trained on by themselves end where they end among the others."""
    words, labels = sentences
    together = PopulationState.fresh(architecture, _models(architecture)[0])
    rates, order = np.linspace(1e-3, 1e-2, NUM_MODELS), np.arange(NUM)
    engine.train_epoch(together, words, labels, order, 8, rates)
    some = np.array([3, 1])
    apart = together.keep(some)
    engine.train_epoch(together, words, labels, order, 8, rates)
    engine.train_epoch(apart, words, labels, order, 8, rates[some])
    assert apart.step == together.step == 6
    np.testing.assert_allclose(apart.parameters, together.parameters[some], **EXACT)
    np.testing.assert_allclose(apart.second_moment, together.second_moment[some], **EXACT)


def test_single_precision_stays_close(engine, architecture, sentences):
    words, labels = sentences
    single = make_engine(engine.name, dtype="float32")
    parameters = _models(architecture)[0]
    for parameters_of_one in (parameters.astype(np.float32), parameters):
        margins = single.margins(architecture, parameters_of_one, words)
        assert margins.dtype == np.float32
        np.testing.assert_allclose(
            margins, engine.margins(architecture, parameters, words), rtol=1e-4, atol=1e-4
        )
    gradients = single.gradients(architecture, parameters.astype(np.float32), words, labels)[1]
    expected = engine.gradients(architecture, parameters, words, labels)[1]
    np.testing.assert_allclose(gradients, expected, rtol=1e-3, atol=1e-5)
    state = PopulationState.fresh(architecture, parameters.astype(np.float32))
    single.train_epoch(state, words, labels, np.arange(NUM), 32, np.full(NUM_MODELS, 1e-3))
    assert state.parameters.dtype == np.float32
    assert (np.abs(state.parameters - parameters).max(axis=1) < 1.1e-3).all()


def test_extreme_weights_give_finite_losses(engine, architecture, sentences):
    words, labels = sentences
    parameters = _models(architecture)[0] * 1e4
    loss, gradients = engine.gradients(architecture, parameters, words, labels)
    assert np.isfinite(loss).all()
    assert np.isfinite(gradients).all()


def test_a_model_that_has_diverged_is_right_about_nothing(engine, architecture, sentences):
    words, labels = sentences
    parameters = _models(architecture)[0]
    expected = engine.count_right(architecture, parameters, words, labels)
    parameters[2] = np.nan
    expected[2] = 0
    np.testing.assert_array_equal(engine.count_right(architecture, parameters, words, labels), expected)


def test_no_models_are_no_trouble(engine, architecture, sentences):
    words, labels = sentences
    state = PopulationState.fresh(architecture, _models(architecture)[0]).keep([])
    engine.train_epoch(state, words, labels, np.arange(NUM), 8, np.empty(0))
    assert state.step == 3
    assert engine.margins(architecture, state.parameters, words).shape == (0, NUM)
    assert engine.count_right(architecture, state.parameters, words, labels).shape == (0,)


@pytest.mark.parametrize("per_model", [False, True])
def test_gradcheck_of_the_loss(architecture, sentences, per_model):
    words, labels = (torch.tensor(array).long() for array in sentences)
    words, labels = words[:4, :5], labels[:4]
    if per_model:
        index = torch.tensor([[3, 1, 0, 2], [0, 0, 1, 3]])
        words, labels = words[index], labels[index]
    parameters = torch.tensor(_models(architecture)[0][:2]).requires_grad_()
    fast = parameters.numel() > 200  # in random directions, rather than along every parameter
    assert torch.autograd.gradcheck(
        lambda p: losses(architecture, p, words, labels), (parameters,), fast_mode=fast
    )


@pytest.mark.parametrize("orders", ["shared", "each"])
def test_chunks_change_nothing(architecture, sentences, orders, monkeypatch):
    words, labels = sentences
    engine = make_engine("torch", dtype="float64")
    order = np.arange(NUM) if orders == "shared" else np.array([np.roll(np.arange(NUM), m) for m in range(5)])

    def everything() -> list[np.ndarray]:
        state = PopulationState.fresh(architecture, _models(architecture)[0])
        engine.train_epoch(state, words, labels, order, 8, np.full(NUM_MODELS, 1e-2))
        answers = [state.parameters, state.first_moment, state.second_moment]
        answers += engine.gradients(architecture, state.parameters, words, labels)
        answers.append(engine.margins(architecture, state.parameters, words))
        answers.append(engine.hidden_states(architecture, state.parameters, words))
        answers.append(engine.count_right(architecture, state.parameters, words, labels))
        return answers

    whole = everything()
    monkeypatch.setattr("rnnkit.models.population.torch_engine.MEMORY_CPU", 1)
    for a, b in zip(whole, everything(), strict=True):
        np.testing.assert_allclose(a, b, **EXACT)
