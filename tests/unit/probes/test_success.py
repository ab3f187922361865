from itertools import combinations

import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.success import best_of, spread, success
from rnnkit.results import wilson


def test_success_and_its_interval_per_threshold():
    accuracy = np.array([[0.5, 0.95, 0.96, 1.0, 0.949], [0.5] * 5], dtype=np.float32)
    found = success(accuracy, np.array([0.5, 0.95, 1]))
    np.testing.assert_allclose(found.share, [[1, 0.6, 0.2], [1, 0, 0]])
    for row, k in np.ndindex(2, 3):
        reached = np.zeros(5)
        reached[: round(5 * found.share[row, k])] = 1
        interval = wilson(reached)
        assert (found.low[row, k], found.high[row, k]) == pytest.approx((interval.low, interval.high))
    assert (found.trials == 5).all()


def test_the_expected_best_is_the_mean_over_all_subsets():
    accuracy = np.random.default_rng(0).random((2, 7))
    found = best_of(accuracy, np.arange(1, 8))
    for row, n in np.ndindex(2, 7):
        assert found[row, n] == pytest.approx(np.mean([max(s) for s in combinations(accuracy[row], n + 1)]))
    np.testing.assert_allclose(found[:, 0], accuracy.mean(axis=1))
    np.testing.assert_allclose(found[:, -1], accuracy.max(axis=1))


def test_the_expected_best_of_a_uniform_law_is_n_over_n_plus_one():
    accuracy = np.random.default_rng(0).random(20_000)
    sizes = np.array([1, 3, 30])
    np.testing.assert_allclose(best_of(accuracy, sizes), sizes / (sizes + 1), rtol=0.01)


def test_the_best_of_solved_or_not_is_the_chance_that_one_is_solved():
    solved = np.repeat([0, 1], [170, 30])
    failing = 1.0
    for drawn in range(3):
        failing *= (170 - drawn) / (200 - drawn)
    assert best_of(solved, np.array([3]))[0] == pytest.approx(1 - failing)


def test_spread_over_initialisations():
    accuracy = np.random.default_rng(0).random((3, 11))
    found = spread(accuracy)
    np.testing.assert_allclose(found.median, np.median(accuracy, axis=1))
    np.testing.assert_allclose(
        found.upper - found.lower, np.subtract(*np.percentile(accuracy, [75, 25], axis=1))
    )
    np.testing.assert_allclose(found.deviation, accuracy.std(axis=1, ddof=1))
    assert np.isnan(spread(accuracy[:, :1]).deviation).all()


@pytest.mark.parametrize("sizes", [[0], [5], [1.5], [[1]]])
def test_numbers_of_models_out_of_range_are_refused(sizes):
    with pytest.raises(UserError, match="1 to 4"):
        best_of(np.ones(4), np.array(sizes))
