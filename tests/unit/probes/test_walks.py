import numpy as np
import pytest
from scipy.spatial.distance import pdist

from rnnkit.errors import UserError
from rnnkit.probes.walks import distances, prefix_pairs, random_distance, swap_pairs

KINDS = np.array([0, 0, 0, 0, 0, 0, 1, 1, -1, -1])


def count_label(words):
    total = KINDS[words].sum(axis=1)
    return np.where(total == 0, -1, total > 0)


def draw(num=500, seed=0, **options):
    return prefix_pairs(num, KINDS, count_label, generator=np.random.default_rng(seed), **options)


def test_pairs_differ_in_the_kind_of_their_first_words_only():
    pairs = draw()
    assert pairs.stop.shape == pairs.other.shape == (500, 10)
    assert (KINDS[pairs.stop[:, :3]] == 0).all()
    assert (KINDS[pairs.other[:, :3]] != 0).all()
    np.testing.assert_array_equal(pairs.stop[:, 3:], pairs.other[:, 3:])
    assert set(pairs.stop[:, 3:].ravel()) == set(range(10))


def test_every_sentence_of_a_pair_has_its_label():
    pairs = draw()
    np.testing.assert_array_equal(
        pairs.labels, np.stack([count_label(pairs.stop), count_label(pairs.other)], 1)
    )
    assert set(pairs.labels.ravel()) == {0, 1}
    assert 0 < pairs.same_label.mean() < 1
    np.testing.assert_array_equal(pairs.same_label, pairs.labels[:, 0] == pairs.labels[:, 1])


def test_pairs_are_fixed_by_their_generator():
    np.testing.assert_array_equal(draw(seed=3).other, draw(seed=3).other)
    assert (draw(seed=3).other != draw(seed=4).other).any()


def test_a_rule_that_decides_nothing_ends_the_drawing():
    with pytest.raises(UserError, match="decides nothing"):
        draw(num=2, seq_len=3)  # the sentence of stop words only has no label
    with pytest.raises(UserError, match="prefix_len"):
        draw(prefix_len=11)


def test_the_first_opposite_neighbours_are_swapped():
    words = np.array([[0, 6, 8, 9, 7], [6, 0, 8, 1, 2], [6, 7, 0, 9, 6], [8, 9, 9, 8, 6]])
    found = swap_pairs(words, KINDS)
    assert found.sentence.tolist() == [0, 2, 3]
    assert found.place.tolist() == [1, 3, 3]
    np.testing.assert_array_equal(found.original, words[[0, 2, 3]])
    assert found.swapped.tolist() == [[0, 8, 6, 9, 7], [6, 7, 0, 6, 9], [8, 9, 9, 6, 8]]


def test_swapping_twice_gives_the_sentence_back_and_no_pair_gives_none():
    words = np.random.default_rng(0).integers(0, 10, (400, 10))
    found = swap_pairs(words, KINDS)
    again = swap_pairs(found.swapped, KINDS)
    assert len(again.sentence) == len(found.sentence)
    same_place = again.place == found.place
    np.testing.assert_array_equal(again.swapped[same_place], found.original[same_place])
    np.testing.assert_array_equal(count_label(found.swapped), count_label(found.original))
    assert swap_pairs(np.zeros((3, 4), int), KINDS).swapped.shape == (0, 4)


def test_distances_of_pairs_over_time():
    first = np.zeros((1, 2, 3, 2), np.float32)
    second = np.array([[[[0, 0], [3, 4], [0, 1]], [[6, 8], [0, 0], [-1, 0]]]])
    assert distances(first, second).tolist() == [[[0, 5, 1], [10, 0, 1]]]
    with pytest.raises(UserError, match="differ in shape"):
        distances(first, second[:, :1])


def test_random_distance_is_the_mean_over_all_pairs():
    states = np.random.default_rng(0).normal(size=(3, 50, 2)) * np.array([1, 10, 0.1])[:, None, None]
    found = random_distance(states, generator=np.random.default_rng(1), num_pairs=200_000)
    np.testing.assert_allclose(found, [pdist(model).mean() for model in states], rtol=0.01)
    two = random_distance(states[:, :2], generator=np.random.default_rng(1), num_pairs=5)
    np.testing.assert_allclose(two, np.linalg.norm(states[:, 0] - states[:, 1], axis=1))
    with pytest.raises(UserError, match="too few"):
        random_distance(states[:, :1], generator=np.random.default_rng(0))
