import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_selection import f_classif

from rnnkit.errors import UserError
from rnnkit.probes.by_class import between_share, class_paths, selective_units, unit_shares


def states_by_class(n=90, num_steps=4, hidden_size=6):
    """Unit u tells the classes apart the better the greater u; the first step knows nothing."""
    generator = np.random.default_rng(0)
    labels = np.repeat(["nine", "one", "two"], [n // 2, n // 3, n - n // 2 - n // 3])
    codes = np.unique(labels, return_inverse=True)[1]
    states = generator.normal(size=(n, num_steps, hidden_size)).astype(np.float32)
    states[:, 1:] += (codes[:, None, None] - 1) * np.arange(hidden_size) / 2
    return states, labels


def test_paths_and_spreads_are_those_of_sklearns_components():
    states, labels = states_by_class()
    found = class_paths(states, labels, n_components=2)
    pca = PCA(2).fit(states.reshape(-1, states.shape[2]))
    projected = pca.transform(states.reshape(-1, states.shape[2])).reshape(*states.shape[:2], 2)
    signs = np.sign((pca.components_ * found.components).sum(axis=1))
    np.testing.assert_allclose(found.explained, pca.explained_variance_ratio_, rtol=1e-5)
    assert found.classes.tolist() == ["nine", "one", "two"]
    for place, cls in enumerate(found.classes):
        members = projected[labels == cls] * signs
        np.testing.assert_allclose(found.paths[place], members.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(found.spread[place], members.std(axis=0), atol=1e-5)


def test_means_at_more_steps_go_into_the_same_axes():
    states, labels = states_by_class()
    found = class_paths(states[:, ::2], labels)
    means = np.stack([states[labels == cls].mean(axis=0) for cls in found.classes])
    paths = (means - found.mean) @ found.components.T
    np.testing.assert_allclose(paths[:, ::2], found.paths, atol=1e-5)
    np.testing.assert_allclose(class_paths(states, labels, fit_on=states[:, ::2]).paths, paths, atol=1e-5)


def test_the_share_between_classes_follows_from_the_f_statistic():
    """F = (between / (C - 1)) / (within / (n - C)) in an analysis of variance."""
    states, labels = states_by_class()
    shares = unit_shares(states, labels)
    for step in range(states.shape[1]):
        ratio = f_classif(states[:, step].astype(np.float64), labels)[0] * 2 / (len(labels) - 3)
        np.testing.assert_allclose(shares[step], ratio / (1 + ratio), rtol=1e-5)


def test_the_share_over_all_units_lies_within_theirs_and_knows_no_rotation():
    states, labels = states_by_class()
    share, shares = between_share(states, labels), unit_shares(states, labels)
    assert (shares.min(axis=1) <= share).all()
    assert (share <= shares.max(axis=1)).all()
    assert share[0] < 0.1 < 0.5 < share[1:].min()
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    np.testing.assert_allclose(between_share(states @ rotation, labels), share, rtol=1e-5)


def test_shares_on_a_hand_worked_case():
    states = np.array([[[0.0, 1.0]], [[2.0, 1.0]], [[4.0, 1.0]], [[6.0, 1.0]]])
    labels = np.array([0, 0, 1, 1])
    np.testing.assert_allclose(unit_shares(states, labels), [[0.8, 0]])
    np.testing.assert_allclose(between_share(states, labels), [0.8])


def test_states_that_do_not_vary_have_no_share_and_classes_at_points_have_all():
    assert not between_share(np.full((4, 2, 3), 0.1), np.arange(4) % 2).any()
    labels = np.arange(6) % 3
    points = np.random.default_rng(0).normal(size=(3, 1, 5))[labels]
    np.testing.assert_allclose(between_share(points, labels), [1])


def test_labels_that_mean_nothing_have_the_share_of_chance():
    generator = np.random.default_rng(0)
    share = between_share(generator.normal(size=(200, 1, 400)), generator.permutation(np.arange(200) % 10))
    assert share[0] == pytest.approx(9 / 199, rel=0.1)


def test_the_selective_units_are_found_in_order():
    states, labels = states_by_class()
    found = selective_units(states, labels, num_units=3)
    assert found.index.tolist() == [5, 4, 3]
    assert (np.diff(found.share) <= 0).all()
    for place, cls in enumerate(found.classes):
        expected = states[labels == cls][:, :, found.index].mean(axis=0)
        np.testing.assert_allclose(found.activation[place], expected, rtol=1e-5, atol=1e-6)


def test_a_step_counts_by_how_much_a_unit_varies_there():
    labels = np.array([0, 1, 0, 1])
    first = np.array([0.001, -0.001, 0.001, -0.001])  # tells the classes apart, in a tiny way
    second = np.array([1.0, 1.0, -1.0, -1.0])  # does not
    states = np.stack([first, second], axis=1)[:, :, None]
    np.testing.assert_allclose(unit_shares(states, labels)[:, 0], [1, 0])
    np.testing.assert_allclose(selective_units(states, labels, num_units=1).share, [0], atol=1e-5)


def test_bad_arguments_are_refused():
    states, labels = states_by_class()
    for function in (class_paths, between_share, unit_shares, selective_units):
        with pytest.raises(UserError, match="labels"):
            function(states, labels[:-1])
        with pytest.raises(UserError, match="hidden_states"):
            function(states[0], labels)
    for count in (0, 7):
        with pytest.raises(UserError, match="num_units"):
            selective_units(states, labels, num_units=count)
        with pytest.raises(UserError, match="n_components"):
            class_paths(states, labels, n_components=count)
