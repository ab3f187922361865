import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.neighbours import distinct_states, knn_purity, knn_purity_through_time, neighbour_shares

RNG = np.random.default_rng


def test_equal_states_are_at_chance_whatever_the_order_of_labels():
    labels = np.repeat(np.arange(10), 30)
    purity = knn_purity(np.zeros((300, 4), np.float32), labels, k=10)
    # A sample is not its own neighbour: 29 of the 299 others share its label.
    assert purity.overall == pytest.approx(29 / 299)
    np.testing.assert_allclose(purity.per_class, 29 / 299)
    assert purity.chance == pytest.approx(0.1)


def test_chance_weighs_classes_by_their_shares():
    labels = np.array([0] * 75 + [1] * 25)
    purity = knn_purity(np.ones((100, 2)), labels, k=5)
    assert purity.chance == pytest.approx(0.75**2 + 0.25**2)
    np.testing.assert_allclose(purity.per_class, [74 / 99, 24 / 99])


def test_two_far_clusters_are_pure_and_random_labels_are_at_chance():
    labels = np.repeat([0, 1], 100)
    states = RNG(0).normal(size=(200, 5)) + 100 * labels[:, None]
    assert knn_purity(states, labels).overall == 1
    assert knn_purity(states, RNG(1).integers(0, 2, 200)).overall == pytest.approx(0.5, abs=0.07)


def test_a_partly_taken_group_shares_its_places():
    # Sample 0 sits alone; its 2 nearest come from a group of 4 equal samples, labels 0, 0, 0, 1.
    states = np.array([[0.0], [1], [1], [1], [1], [9]])
    labels = np.array([0, 0, 0, 0, 1, 1])
    shares, classes = neighbour_shares(states, labels, k=2)
    assert classes.tolist() == [0, 1]
    np.testing.assert_allclose(shares[0], [0.75, 0.25])
    np.testing.assert_allclose(shares[4], [1, 0])
    np.testing.assert_allclose(shares[1], [2 / 3, 1 / 3])


def test_twins_come_first_and_the_next_group_fills_up():
    states = np.array([[0.0], [0], [1], [1], [1], [5]])
    labels = np.array([0, 1, 1, 0, 0, 1])
    shares, _ = neighbour_shares(states, labels, k=3)
    # The twin (label 1), then 2 of the 3 at distance 1, of which 2/3 are of label 0.
    np.testing.assert_allclose(shares[0], [4 / 9, 5 / 9])


def test_shares_do_not_depend_on_the_order_of_samples():
    generator = RNG(0)
    states = generator.integers(0, 3, size=(120, 3)).astype(np.float32) @ generator.normal(size=(3, 20))
    labels = generator.integers(0, 4, size=120)
    order = generator.permutation(120)
    shares, _ = neighbour_shares(states, labels, k=7)
    shuffled, _ = neighbour_shares(states[order], labels[order], k=7)
    np.testing.assert_allclose(shuffled, shares[order])
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_minus_zero_equals_zero():
    first, group = distinct_states(np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 2.0]], np.float32))
    assert len(first) == 2
    assert group[0] == group[1] != group[2]


def test_through_time_is_each_step_on_its_own():
    states, labels = RNG(0).normal(size=(60, 3, 4)), RNG(1).integers(0, 3, 60)
    seen = []
    purity = knn_purity_through_time(
        states, labels, 5, progress=lambda done, total: seen.append((done, total))
    )
    assert purity.overall.shape == (3,)
    assert purity.per_class.shape == (3, 3)
    assert purity.overall[2] == knn_purity(states[:, 2], labels, 5).overall
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("k", [0, 5, -1])
def test_k_outside_its_range_is_refused(k):
    with pytest.raises(UserError, match=r"k is out of range.*1 to 4"):
        knn_purity(np.eye(5), np.arange(5), k)
