import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.separation import cluster_purity, one_class_separation


def islands(sizes, seed=0):
    """One round island of unit spread for each size, 70 apart."""
    generator = np.random.default_rng(seed)
    places = 50 * np.arange(len(sizes))
    return np.concatenate(
        [generator.normal(place, 1, size=(n, 2)) for place, n in zip(places, sizes, strict=True)]
    )


def test_a_class_far_from_all_others_is_wholly_separate():
    labels = np.repeat([6, 2, 0], [40, 100, 60])
    found = one_class_separation(islands([40, 100, 60]), labels, 6)
    assert (found.precision, found.recall, found.auc, found.share) == (1, 1, 1, 0.2)


def test_equal_states_and_random_labels_do_not_separate():
    labels = np.random.default_rng(0).integers(0, 5, 400)
    equal = one_class_separation(np.full((400, 3), 0.1, np.float32), labels, 2)
    assert np.isnan(equal.precision)
    assert equal.recall == 0
    assert equal.auc == 0.5
    noise = one_class_separation(np.random.default_rng(1).normal(size=(400, 100)), labels, 2)
    assert noise.auc == pytest.approx(0.5, abs=0.1)


def test_separation_does_not_depend_on_scale_or_offset():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 200)
    states = generator.normal(size=(200, 4)) + labels[:, None]
    first = one_class_separation(states, labels, 1)
    second = one_class_separation(1e-5 * states + 1e-3, labels, 1)
    assert second.auc == pytest.approx(first.auc)
    assert second.recall == first.recall


def test_clusters_of_a_hand_made_map_are_counted():
    embedding = islands([100, 60, 40])
    labels = np.repeat([2, 6, 2, 6, 0], [100, 50, 10, 20, 20])
    found = cluster_purity(embedding, labels, min_cluster_size=15)
    assert found.classes.tolist() == [0, 2, 6]
    assert len(found.sizes) == 3
    assert (np.diff(found.sizes) <= 0).all()
    assert found.sizes.sum() == (found.assignment >= 0).sum()
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)
    for cluster, size in enumerate(found.sizes):
        members = labels[found.assignment == cluster]
        assert len(members) == size
        assert found.counts[cluster].tolist() == [int((members == cls).sum()) for cls in found.classes]
    best, precision, recall = found.best(6)
    # The island at 50 holds 50 of the 70 sixes and 10 others; the third holds 20 sixes among 40.
    assert found.assignment[120] == best
    assert precision == pytest.approx(50 / 60, abs=0.05)
    assert recall == pytest.approx(50 / 70, abs=0.05)


def test_the_finest_clusters_part_islands_that_touch():
    # Two pairs: within a pair the islands touch, between pairs lies the sea.
    generator = np.random.default_rng(0)
    places = np.repeat([[0, 0], [8, 0], [300, 0], [308, 0]], 80, axis=0)
    embedding = places + generator.normal(size=(320, 2))
    labels = np.repeat(np.arange(4), 80)
    coarse = cluster_purity(embedding, labels, min_cluster_size=50)
    fine = cluster_purity(embedding, labels, min_cluster_size=50, finest=True)
    assert len(fine.sizes) == 4
    assert len(coarse.sizes) <= len(fine.sizes)
    assert fine.best(3)[1] == 1


def test_too_few_points_are_in_no_cluster():
    found = cluster_purity(np.eye(3)[:, :2], np.array([0, 1, 1]))
    assert found.assignment.tolist() == [-1, -1, -1]
    assert found.best(1)[0] == -1
    assert found.best(1)[2] == 0


def test_a_class_that_is_absent_or_alone_is_refused():
    with pytest.raises(UserError, match="class cannot be separated: 7"):
        one_class_separation(np.eye(4), np.arange(4), 7)
    with pytest.raises(UserError, match="class cannot be separated"):
        one_class_separation(np.eye(4), np.zeros(4), 0)
    with pytest.raises(UserError, match="unknown class: 7"):
        cluster_purity(np.eye(4)[:, :2], np.arange(4)).best(7)
    with pytest.raises(UserError, match="min_cluster_size"):
        cluster_purity(np.eye(4)[:, :2], np.arange(4), min_cluster_size=1)
