from itertools import pairwise

import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.embedding import align_to, tsne, tsne_through_time
from rnnkit.probes.neighbours import knn_purity

LABELS = np.repeat(np.arange(3), 40)


def opening(seed=0):
    """Four steps of 120 states: all equal, half of them apart, three clusters, three clusters turned."""
    generator = np.random.default_rng(seed)
    clusters = generator.normal(size=(120, 8)) + 20 * np.eye(8)[LABELS]
    states = np.zeros((120, 4, 8), np.float32)
    states[::2, 1] = clusters[::2]
    states[:, 2] = clusters
    states[:, 3] = clusters @ np.linalg.qr(generator.normal(size=(8, 8)))[0]
    return states


@pytest.fixture(scope="module")
def maps():
    return tsne_through_time(opening(), perplexity=10, seed=4)


def test_maps_of_mostly_equal_states_are_finite_and_spread_out(maps):
    assert maps.shape == (4, 120, 2)
    assert maps.dtype == np.float32
    assert np.isfinite(maps).all()
    assert (maps.std(axis=1) > 0.1).all()
    assert len(np.unique(maps[0], axis=0)) == 120


def test_equal_states_make_a_cloud_without_classes_and_clusters_stay_clusters(maps):
    assert knn_purity(maps[0], LABELS, 10).overall == pytest.approx(39 / 119, abs=0.12)
    assert knn_purity(maps[2], LABELS, 10).overall == 1
    assert knn_purity(maps[3], LABELS, 10).overall == 1


def test_points_can_be_followed_when_the_geometry_does_not_change(maps):
    # Step 3 is step 2 turned: the same distances, so a map started from the last
    # has nothing to move but details.
    centres = [np.stack([points[c == LABELS].mean(axis=0) for c in range(3)]) for points in maps[2:]]
    moved = np.linalg.norm(centres[1] - centres[0], axis=1).max()
    apart = np.linalg.norm(centres[0] - np.roll(centres[0], 1, axis=0), axis=1).min()
    assert moved < 0.5 * apart


def test_each_map_is_turned_to_the_last(maps):
    for before, after in pairwise(maps):
        np.testing.assert_allclose(align_to(after, before), after, atol=1e-3 * np.abs(after).max())


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(maps):
    np.testing.assert_array_equal(tsne_through_time(opening(), perplexity=10, seed=4, n_jobs=2), maps)


def test_another_seed_gives_another_map(maps):
    assert not np.array_equal(tsne(opening()[:, 0], perplexity=10, seed=5), maps[0])


def test_chosen_steps_and_progress():
    seen = []
    chosen = tsne_through_time(
        opening()[:, 2:], perplexity=5, seed=0, steps=[1], progress=lambda *at: seen.append(at)
    )
    np.testing.assert_array_equal(chosen[0], tsne(opening()[:, 3], perplexity=5, seed=0))
    assert seen == [(1, 1)]


def test_states_on_a_line_are_mapped():
    line = np.linspace(0, 1, 60)[:, None] * np.ones(3)
    assert np.isfinite(tsne(line, perplexity=5, seed=0)).all()


@pytest.mark.parametrize("mirror", [1, -1])
def test_alignment_undoes_turning_mirroring_and_shifting_but_not_stretching(mirror):
    points = np.random.default_rng(0).normal(size=(30, 2))
    turn = np.array([[np.cos(2), -np.sin(2)], [np.sin(2), np.cos(2)]]) * [1, mirror]
    np.testing.assert_allclose(align_to(points @ turn + 5, points), points, atol=1e-12)
    stretched = align_to(3 * points @ turn, points)
    np.testing.assert_allclose(
        stretched - points.mean(axis=0), 3 * (points - points.mean(axis=0)), atol=1e-12
    )


def test_bad_arguments_are_refused():
    states = opening()
    with pytest.raises(UserError, match=r"perplexity is out of range: 40.*120 samples"):
        tsne(states[:, 0], perplexity=40, seed=0)
    with pytest.raises(UserError, match=r"unknown steps: \[4\]; allowed: one or more of 0 to 3"):
        tsne_through_time(states, perplexity=10, seed=0, steps=[1, 4])
    with pytest.raises(UserError, match="start does not fit"):
        tsne(states[:, 0], perplexity=10, seed=0, start=np.zeros((120, 2)))
    with pytest.raises(UserError, match="H >= 2"):
        tsne(states[:, 0, :1], perplexity=10, seed=0)
    with pytest.raises(UserError, match="differ in shape"):
        align_to(np.zeros((3, 2)), np.zeros((4, 2)))
