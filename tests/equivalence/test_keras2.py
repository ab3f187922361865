"""Dropout against Keras 2.15 and keras-lmu 0.7, as recorded by tests/reference/make_keras2_reference.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rnnkit.models import ARCHITECTURES, LMU, Recurrent, make_classifier
from rnnkit.models.keras_layout import cell_weights

with np.load(Path(__file__).parents[1] / "reference" / "keras2_reference.npz") as file:
    ARRAYS = dict(file)


def _under(prefix: str) -> dict[str, np.ndarray]:
    found = {name: value for name, value in ARRAYS.items() if name.startswith(f"{prefix}/")}
    return {name.removeprefix(f"{prefix}/"): value for name, value in found.items()}


def _fill(layer: Recurrent, given: dict[str, np.ndarray]) -> None:
    weights = cell_weights(layer.cell, [given[name] for name in ("kernel", "recurrent_kernel", "bias")])
    layer.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_masks_of_each_step_act_where_they_act_in_keras(cell):
    given = _under(f"cell/{cell}")
    layer = Recurrent(cell, 1, 5)
    _fill(layer, given)
    order = [1, 0, 2] if cell == "gru" else slice(None)  # Keras draws for z, r, h
    of_input, of_state = (torch.tensor(given[name][:, order]) for name in ("input", "recurrent"))
    h_n, _, _ = layer(torch.tensor(given["x"]), input_masks=of_input, recurrent_masks=of_state)
    np.testing.assert_allclose(h_n.detach().numpy(), given["h"], atol=2e-6)
    late, _, _ = layer(torch.tensor(given["x"]), input_masks=of_input, recurrent_masks=of_state.roll(1, 0))
    assert not np.allclose(late.detach().numpy(), given["h"], atol=1e-3)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_dropout_of_the_memory_acts_where_it_acts_in_keras_lmu(cell):
    given = _under(f"lmu/{cell}")
    layer = LMU(1, 5, cell=cell, memory_size=6, theta=5)
    _fill(layer.hidden, given)
    masks = torch.tensor(given["memory"]).transpose(0, 1)
    with torch.no_grad():
        layer.weight_encoder.copy_(torch.tensor(given["encoder"]).t())
        h_n, _, _ = layer(torch.tensor(given["x"]), memory_masks=masks)
        both, _, _ = layer(torch.tensor(given["x"]) * masks)
    np.testing.assert_allclose(h_n.numpy(), given["h"], atol=5e-6)
    assert not np.allclose(both.numpy(), given["h"], atol=1e-3)  # the cell sees the whole input


def test_a_mask_of_keras_2_lasts_a_step():
    """Sums of 16 ones behind masks of one half: a mask for the whole sequence would leave 0 and 32 alone."""
    sums = ARRAYS["sums/input"]
    assert len(np.unique(sums)) > 8
    assert sums.std() == pytest.approx(4, rel=0.15)  # of 16 coins that count 0 or 2
    reached = ARRAYS["sums/recurrent"]  # h' = 1 + 2 h, or 1 where the last state is dropped
    assert (reached == 1).mean() == pytest.approx(0.5, abs=0.1)
    assert (reached == 3).mean() == pytest.approx(0.25, abs=0.1)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_six_draw_what_the_study_drew(name):
    model = make_classifier(name, dropout_generator=torch.Generator().manual_seed(0), hidden_size=64)
    masks = {key: mask for key, mask in vars(model.draw_masks(3, 50)).items() if mask is not None}
    gates = {"lstm": 4, "gru": 3}.get(name, 1)
    expected = {
        "rnn": {"input": (50, 1, 3, 1)},
        "lstm": {"input": (50, 4, 3, 1), "recurrent": (50, 4, 3, 64)},
        "gru": {"input": (50, 3, 3, 1), "recurrent": (50, 3, 3, 64)},
    }.get(name, {"memory": (3, 50, 1)})
    assert {key: tuple(mask.shape) for key, mask in masks.items()} == expected
    kept = {"rnn": 1 / 0.7}.get(name, 1.25)
    (read,) = (masks[key] for key in masks if key != "recurrent")
    assert read.unique().tolist() == pytest.approx([0, kept])
    if gates > 1:
        assert masks["recurrent"].unique().tolist() == [0, 2]
