"""Ours against Keras 3.15 and keras-lmu 0.9, as recorded by tests/reference/make_keras_reference.py."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnkit.models import (
    ARCHITECTURES,
    LMU,
    Masks,
    Recurrent,
    SequenceClassifier,
    keras_file,
    load_keras,
    make_classifier,
)
from rnnkit.models.keras_layout import cell_weights
from rnnkit.models.normalisation import BatchNorm
from rnnkit.training import KerasSchedule

REFERENCE = Path(__file__).parents[1] / "reference"


def _read() -> dict[str, np.ndarray]:
    with np.load(REFERENCE / "keras_reference.npz") as file:
        values, index = file["values"], json.loads(file["index"].tobytes())
    ends = np.cumsum([int(np.prod(shape)) for shape in index.values()])
    parts = np.split(values, ends[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(index.items(), parts, strict=True)}


ARRAYS = _read()
LMU_CASES = sorted({name.rpartition("/")[0] for name in ARRAYS if name.startswith("lmu/")})


def _under(prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(f"{prefix}/"): value
        for name, value in ARRAYS.items()
        if name.startswith(f"{prefix}/")
    }


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(np.asarray(array, np.float32))


def _fill(layer: Recurrent, given: dict[str, np.ndarray]) -> None:
    weights = cell_weights(layer.cell, [given[name] for name in ("kernel", "recurrent_kernel", "bias")])
    layer.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})


def test_parameter_totals_are_those_that_keras_counts():
    totals = json.loads((REFERENCE / "keras_totals.json").read_text(encoding="utf-8"))["totals"]
    assert {name: make_classifier(name).num_parameters for name in ARCHITECTURES} == totals


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_classifier_read_from_its_file_says_what_keras_says(name):
    model, expected = load_keras(REFERENCE / f"keras_{name}.keras"), _under(f"model/{name}")
    with torch.no_grad():
        probabilities = model(_tensor(expected["x"])).softmax(1).numpy()
    np.testing.assert_allclose(probabilities, expected["probabilities"], atol=2e-6)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_loss_and_gradients_in_training_are_those_of_keras(name):
    model, expected = load_keras(REFERENCE / f"keras_{name}.keras").train(), _under(f"model/{name}")
    targets = torch.tensor(expected["target"]).long()
    loss = torch.nn.functional.cross_entropy(model(_tensor(expected["x"])), targets)
    loss.backward()
    assert loss.item() == pytest.approx(float(expected["loss"]), rel=1e-5)
    for key, gradient in _gradients_of_keras(name, model).items():
        ours = model.get_parameter(key).grad.numpy()
        np.testing.assert_allclose(ours, gradient, rtol=2e-4, atol=2e-5 * np.abs(gradient).max(), err_msg=key)


def _gradients_of_keras(name: str, model: SequenceClassifier) -> dict[str, np.ndarray]:
    """Keras's gradients under our names, entry by entry in our layout, by the way that weights of a file take."""
    by_layer: dict[str, list[np.ndarray]] = {}
    for place, gradient in _under(f"gradient/{name}").items():
        by_layer.setdefault(place.partition("/")[0], []).append(gradient)
    if "norm" in by_layer:
        by_layer["norm"] += 2 * [np.zeros_like(by_layer["norm"][0])]  # moving statistics have none
    found = keras_file._state(model.config, by_layer, Path(name))
    return {key: found[key] for key, _ in model.named_parameters()}


@pytest.mark.parametrize("places", ["both", "input"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_dropout_masks_act_where_they_act_in_keras(cell, places):
    given = _under(f"masked/{cell}/{places}")
    layer = Recurrent(cell, 3, 6)
    _fill(layer, given)
    order = [1, 0, 2] if cell == "gru" else slice(None)  # Keras draws for z, r, h

    def masks(name: str) -> torch.Tensor | None:
        if name not in given:
            return None
        return _tensor(given[name] if len(given[name]) == 1 else given[name][order])

    x = _tensor(given["x"])
    h_n, _, _ = layer(x, input_masks=masks("input"), recurrent_masks=masks("recurrent"))
    np.testing.assert_allclose(h_n.detach().numpy(), given["h"], atol=2e-6)
    assert (places == "both") == ("recurrent" in given)


@pytest.mark.parametrize("case", LMU_CASES)
def test_the_lmu_is_that_of_keras_lmu_with_every_option(case):
    given = _under(case)
    cell, discretizer, memory_d, flags = case.removeprefix("lmu/").split("-")
    to_memory, memory_to, to_hidden, bias = (bool(int(flags) >> bit & 1) for bit in range(4))
    layer = LMU(
        2,
        3,
        cell=cell,
        memory_size=4,
        theta=20,
        memory_d=int(memory_d),
        discretizer=discretizer,
        hidden_to_memory=to_memory,
        memory_to_memory=memory_to,
        input_to_hidden=to_hidden,
        encoder_bias=bias,
    )
    _fill(layer.hidden, {name[5:]: value for name, value in given.items() if name.startswith("cell.")})
    with torch.no_grad():
        layer.weight_encoder.copy_(_tensor(given["kernel"]).t())
        if memory_to:
            layer.weight_feedback.copy_(_tensor(given["recurrent_kernel"]).t())
        if bias:
            layer.bias_encoder.copy_(_tensor(given["bias"]))
        states = layer(_tensor(given["x"]), states=True)[2]
    np.testing.assert_allclose(states.numpy(), given["y"], atol=5e-6)


def test_every_option_of_the_lmu_is_among_the_cases():
    assert {case.rpartition("-")[2] for case in LMU_CASES} == {str(flags) for flags in range(16)}


def test_batch_normalisation_keeps_the_statistics_that_keras_keeps():
    layer = BatchNorm(3)
    names = {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    }
    layer.load_state_dict({ours: _tensor(ARRAYS[f"norm/before/{name}"]) for ours, name in names.items()})
    y = layer(_tensor(ARRAYS["norm/x"]))
    np.testing.assert_allclose(y.detach().numpy(), ARRAYS["norm/y"], atol=2e-6)
    for ours, name in names.items():
        np.testing.assert_allclose(
            layer.state_dict()[ours].numpy(), ARRAYS[f"norm/after/{name}"], rtol=1e-6, err_msg=ours
        )


def test_adam_of_the_schedule_takes_the_steps_of_keras():
    value = torch.nn.Parameter(_tensor(ARRAYS["adam/before"]))
    schedule = KerasSchedule(1e-3, 1000, 100)
    optimizer = torch.optim.Adam([value], lr=schedule.learning_rate)
    for step, gradient in enumerate(ARRAYS["adam/gradients"]):
        value.grad = _tensor(gradient)
        optimizer.param_groups[0]["eps"] = schedule.epsilon_at(step + 1)
        optimizer.step()
    steps = [after - ARRAYS["adam/before"] for after in (value.detach().numpy(), ARRAYS["adam/after"])]
    np.testing.assert_allclose(*steps, atol=3e-7)


def test_no_masks_is_no_dropout():
    model = make_classifier("gru", hidden_size=5)
    x = torch.rand(3, 7, 1, generator=torch.Generator().manual_seed(0))
    model.train()
    model.norm.eval()
    assert torch.equal(model(x, masks=Masks()), model.eval()(x))
