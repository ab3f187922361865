import numpy as np
import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.probes.plane import decision_region, margin_weights, word_field


def test_the_margin_is_the_difference_of_the_logits():
    readout = torch.nn.Linear(3, 2)
    weight, bias = margin_weights(readout.weight.detach().numpy(), readout.bias.detach().numpy())
    states = torch.randn(20, 3)
    logits = readout(states).detach().numpy()
    np.testing.assert_allclose(states.numpy() @ weight + bias, logits[:, 1] - logits[:, 0], atol=1e-6)
    many, biases = margin_weights(np.ones((4, 2, 3)), np.zeros((4, 2)))
    assert (many.shape, biases.shape) == ((4, 3), (4,))


def test_the_region_is_what_the_readout_says_at_each_point():
    generator = np.random.default_rng(0)
    for _ in range(20):
        weight_out, bias_out = generator.normal(size=(2, 2)), 0.3 * generator.normal(size=2)
        region = decision_region(weight_out, bias_out, num=11)
        for i, j in np.ndindex(11, 11):
            logits = weight_out @ [region.axis[j], region.axis[i]] + bias_out
            assert region.positive[i, j] == (logits[1] > logits[0])
        if np.isnan(region.line).all():
            assert region.positive.all() or not region.positive.any()
        else:
            weight, bias = margin_weights(weight_out, bias_out)
            np.testing.assert_allclose(region.line @ weight + bias, 0, atol=1e-12)
            np.testing.assert_allclose(np.abs(region.line).max(axis=1), 1)  # both ends on the square's edge


@pytest.mark.parametrize(
    ("weight", "bias", "line"),
    [
        ([1, 0], -0.5, [[0.5, -1], [0.5, 1]]),
        ([0, -2], 1, [[-1, 0.5], [1, 0.5]]),
        ([1, 1], 0, [[-1, 1], [1, -1]]),
        ([1, -1], 1, [[-1, 0], [0, 1]]),
        ([1, 1], 3, None),
        ([1, 0], 2, None),
        ([0, 0], 1, None),
    ],
)
def test_hand_drawn_lines(weight, bias, line):
    region = decision_region(np.array([[0.0, 0.0], weight]), np.array([0.0, bias]))
    np.testing.assert_allclose(region.line, np.full((2, 2), np.nan) if line is None else line, atol=1e-12)


def test_a_field_holds_the_image_of_every_state():
    scales = np.array([0.5, 0.1])[:, None, None]

    def step(states, words):
        return scales * states + 0.01 * words[:, None] * np.array([1, 2])

    field = word_field(step, 3, num_models=2, num=5)
    axis = np.linspace(-1, 1, 5)
    assert field.shape == (2, 5, 5, 2)
    np.testing.assert_allclose(field[1, 4, 0], 0.1 * np.array([axis[0], axis[4]]) + [0.03, 0.06])
    # Read again and again, every state comes to rest at the one fixed point of the map.
    rest = word_field(step, 3, num_models=2, num=5, times=100)
    np.testing.assert_allclose(rest[0].reshape(-1, 2), np.tile([0.06, 0.12], (25, 1)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: decision_region(np.ones((2, 3)), np.ones(2)),
        lambda: decision_region(np.ones((2, 2)), np.ones(2), num=1),
        lambda: margin_weights(np.ones((3, 2)), np.ones(3)),
        lambda: word_field(lambda states, words: states, 0, num_models=1, times=0),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(UserError, match="allowed"):
        call()
