from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnkit.figures.quantise import decode, encode_exactly
from rnnkit.figures.stepping import GATES, cell_shapes, read, step
from tests.unit.figures.lab_nets import drawn


@pytest.mark.parametrize("hidden_size", [1, 2, 5, 10])
@pytest.mark.parametrize("cell", GATES)
def test_every_state_is_torchs(cell, hidden_size):
    parameters = drawn(cell_shapes(cell, 3, hidden_size), hidden_size)
    p = {name: values[0].astype(np.float64) for name, values in parameters.items()}
    inputs = np.random.default_rng(1).normal(size=(12, 3))
    states = read(cell, p, inputs @ p["weight_ih"].T + p["bias_ih"])
    net = getattr(torch.nn, cell.upper())(3, hidden_size, batch_first=True).double()
    net.load_state_dict({f"{name}_l0": torch.tensor(values) for name, values in p.items()}, strict=True)
    with torch.no_grad():
        for length in range(1, len(inputs) + 1):
            _, last = net(torch.tensor(inputs[None, :length]))
            theirs = torch.cat(last, dim=2) if cell == "lstm" else last
            np.testing.assert_allclose(states[length], theirs.numpy()[0, 0], atol=1e-10)
    np.testing.assert_array_equal(states[0], 0)


@pytest.mark.parametrize("cell", GATES)
def test_a_step_takes_many_states_at_once(cell):
    p = {name: values[0].astype(np.float64) for name, values in drawn(cell_shapes(cell, 2, 3), 7).items()}
    images = np.random.default_rng(2).normal(size=(4, GATES[cell] * 3))
    states = np.random.default_rng(3).normal(size=(4, 6 if cell == "lstm" else 3))
    together = step(cell, p, images, states)
    for one, image, state in zip(together, images, states, strict=True):
        np.testing.assert_allclose(one, step(cell, p, image, state), atol=1e-12)


def test_parameters_travel_exactly():
    values = np.float32([[0.1, -1e-30, 3e38], [np.pi, 0.0, -7.0]])
    np.testing.assert_array_equal(decode(encode_exactly(values)), values.astype(np.float64))
