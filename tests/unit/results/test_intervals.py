"""Intervals against other people's tables, scipy.stats and closed forms."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnkit.results import Interval, student, wilson

numbers = st.floats(-1e3, 1e3, allow_nan=False)
seeds = st.lists(numbers, min_size=2, max_size=12)


@settings(deadline=None)
@given(seeds.filter(lambda values: np.std(values) > 1e-6))
def test_student_is_that_of_scipy(values):
    expected = scipy.stats.t.interval(
        0.95, len(values) - 1, loc=np.mean(values), scale=scipy.stats.sem(values)
    )
    found = student(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.ends == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found.n == len(values)


def test_student_by_hand():
    # Mean 3, s = sqrt(2.5), n = 5, and t(0.975, 4) = 2.776 from any table.
    half = 2.776445 * math.sqrt(2.5 / 5)
    assert student([1, 2, 3, 4, 5]).ends == pytest.approx((3 - half, 3 + half), rel=1e-6)


@given(numbers, st.integers(2, 20))
def test_the_interval_of_equal_values_is_a_point(value, n):
    assert student([value] * n) == Interval(value, value, value, n)


def test_one_seed_has_no_interval_and_an_exact_number_is_a_point():
    assert student([0.5]) == Interval(0.5, None, None, 1)
    assert student(np.float32(0.5)) == Interval(0.5, 0.5, 0.5, 0)
    assert student(np.array([True, True])) == Interval(1.0, 1.0, 1.0, 2)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, Table I, method 3 (score without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_examples(successes, n, low, high):
    values = [1] * successes + [0] * (n - successes)
    assert wilson(values).ends == pytest.approx((low, high), abs=5e-5)
    assert wilson([successes / n], trials=n).ends == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 200), st.data())
def test_wilson_ends_are_where_the_score_test_rejects(n, data):
    successes = data.draw(st.integers(0, n))
    found = wilson([successes / n], trials=n)
    for end in found.ends:
        if 0 < end < 1:
            z = (successes / n - end) / math.sqrt(end * (1 - end) / n)
            assert abs(z) == pytest.approx(1.959964, rel=1e-4)
    assert 0 <= found.low <= found.mean <= found.high <= 1


def test_wilson_pools_the_trials_of_the_seeds():
    assert wilson([0.25, 0.75], trials=4).ends == wilson([0.5], trials=8).ends
    assert wilson([0.25, 0.75], trials=4).n == 2


@pytest.mark.parametrize(("values", "trials"), [([0.5], 1), ([2], 1), ([-1], 1), ([0.3], 4)])
def test_a_share_is_a_whole_number_of_trials(values, trials):
    with pytest.raises(ValueError, match=f"not a share of {trials} trials"):
        wilson(values, trials)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "no values"),
        ([[1, 2]], "one number per seed"),
        ([1, float("nan"), float("inf")], "2 of 3"),
    ],
)
def test_what_is_no_number_per_seed_is_refused(values, words):
    for interval in (student, wilson):
        with pytest.raises(ValueError, match=words):
            interval(values)


def test_overlap_counts_a_shared_end_and_needs_two_intervals():
    a, b, c = Interval(1, 0, 2, 5), Interval(3, 2, 4, 5), Interval(5, 4.5, 6, 5)
    assert a.overlaps(b) is b.overlaps(a) is True
    assert a.overlaps(c) is c.overlaps(a) is False
    assert a.overlaps(Interval(1, None, None, 1)) is None
