import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.readout import (
    linear_readout,
    linear_readout_through_time,
    linear_rule,
    readout_accuracy_through_time,
)


def noisy_classes(seed, n=400):
    """Blank states, then states that show the class in two directions of tiny variance, then noise."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, n)
    states = np.zeros((n, 3, 6), np.float32)
    states[:, 1:] = generator.normal(size=(n, 2, 6)) * np.array([100, 10, 1, 1, 0.002, 0.002])
    states[:, 1, 4] += 0.02 * (labels == 1)
    states[:, 1, 5] += 0.02 * (labels == 2)
    return states, labels


def test_the_probe_finds_the_class_where_it_is_and_is_at_chance_elsewhere():
    train, test = noisy_classes(0), noisy_classes(1)
    seen = []
    accuracy = linear_readout_through_time(*train, *test, penalty=1.0, progress=lambda *at: seen.append(at))
    commonest = np.bincount(train[1]).argmax()
    assert accuracy[0] == np.mean(test[1] == commonest)
    assert accuracy[1] > 0.95
    assert accuracy[2] == pytest.approx(1 / 3, abs=0.1)
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_labels_need_not_be_numbers_from_zero():
    states = np.repeat([[0.0, 0.0], [1.0, 1.0]], 50, axis=0)
    labels = np.repeat(["six", "two"], 50)
    assert linear_readout(states, labels, states[[0, 99]]).tolist() == ["six", "two"]


def test_one_label_or_equal_states_give_the_commonest_label():
    assert linear_readout(np.eye(3), np.full(3, 4), np.zeros((2, 3))).tolist() == [4, 4]
    assert linear_readout(np.full((3, 2), 0.1), np.array([1, 5, 5]), np.ones((2, 2))).tolist() == [5, 5]


def test_stopping_early_is_no_warning():
    states, labels = noisy_classes(0)
    linear_readout(states[:, 2], labels, states[:, 2], max_iterations=1)


def test_the_nets_own_readout_on_a_hand_worked_case():
    states = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    labels = np.array([0, 1])
    np.testing.assert_allclose(readout_accuracy_through_time(states, np.eye(2), None, labels), [1, 0.5])
    bias = np.array([2.0, 0.0])
    np.testing.assert_allclose(readout_accuracy_through_time(states, np.eye(2), bias, labels), [0.5, 0.5])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="weight_out"):
        readout_accuracy_through_time(np.zeros((2, 3, 4)), np.zeros((10, 5)), None, np.zeros(2))
    with pytest.raises(UserError, match="hidden size"):
        linear_readout(np.zeros((3, 2)), np.zeros(3), np.zeros((3, 4)))
    with pytest.raises(UserError, match="steps or hidden size"):
        linear_readout_through_time(np.zeros((3, 2, 2)), np.zeros(3), np.zeros((3, 4, 2)), np.zeros(3))


def test_the_rule_predicts_what_the_readout_does():
    generator = np.random.default_rng(0)
    states = generator.normal(size=(300, 4)) * np.array([100, 1, 0.01, 1]) + 5
    labels = (states[:, 2] * 100 + states[:, 1] + generator.normal(size=300) > 506).astype(int)
    others = generator.normal(size=(500, 4)) * np.array([100, 1, 0.01, 1]) + 5
    direction, threshold = linear_rule(states, labels, penalty=2.0)
    assert np.linalg.norm(direction) == pytest.approx(1)
    predicted = linear_readout(states, labels, others, penalty=2.0)
    np.testing.assert_array_equal(others @ direction > threshold, predicted == 1)
    assert 0.2 < predicted.mean() < 0.8


def test_a_rule_without_a_direction_gives_the_commoner_label():
    for label in (0, 1):
        direction, threshold = linear_rule(np.eye(3), np.full(3, label))
        assert (np.eye(3) @ direction > threshold).tolist() == [bool(label)] * 3
    with pytest.raises(UserError, match="not binary"):
        linear_rule(np.eye(3), np.array([0, 1, 2]))
