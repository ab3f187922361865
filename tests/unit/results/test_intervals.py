"""Intervals against other people's tables, scipy.stats and closed forms."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnkit.results import Interval, best, median, median_difference, newcombe, student, wilson

numbers = st.floats(-1e3, 1e3, allow_nan=False)
seeds = st.lists(numbers, min_size=2, max_size=12)


@settings(deadline=None)
@given(seeds.filter(lambda values: np.std(values) > 1e-6))
def test_student_is_that_of_scipy(values):
    expected = scipy.stats.t.interval(
        0.95, len(values) - 1, loc=np.mean(values), scale=scipy.stats.sem(values)
    )
    found = student(values)
    assert found.value == pytest.approx(np.mean(values))
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


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_an_interval_of_shares_ends_at_0_and_1_and_loses_nothing_between(values):
    whole, kept = student(values), student(values).within(0, 1)
    assert (kept.value, kept.n, kept.word) == (whole.value, whole.n, whole.word)
    if whole.ends is None:
        assert kept == whole
    else:
        assert kept.ends == tuple(np.clip(whole.ends, 0, 1))
        assert kept.low <= kept.value <= kept.high


def test_two_seeds_near_1_have_an_interval_that_ends_there():
    # Two values have s / sqrt(n) = half their distance, and t(0.975, 1) = 12.7062 from any table.
    assert student([0.8, 1.0]).ends == pytest.approx((0.9 - 1.27062, 0.9 + 1.27062), abs=1e-5)
    assert student([0.8, 1.0]).within(0, 1).ends == (0, 1)
    assert student([0.2, 0.4]).within(0, math.inf).ends == pytest.approx((0, 0.3 + 1.27062), abs=1e-5)


def test_what_is_cut_off_takes_no_coverage():
    generator = np.random.default_rng(0)
    truth = 0.99
    for _ in range(300):
        whole = student(generator.beta(99, 1, 3))
        kept = whole.within(0, 1)
        assert (whole.low <= truth <= whole.high) == (kept.low <= truth <= kept.high)


@pytest.mark.parametrize("values", [[-0.1, -0.2], [1.5], np.array(-0.5)])
def test_a_number_that_is_outside_of_its_range_is_refused(values):
    with pytest.raises(ValueError, match=r"is (-0.15|1.5|-0.5), which is not in 0 to 1"):
        student(values).within(0, 1)


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
    assert 0 <= found.low <= found.value <= found.high <= 1


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
    for interval in (student, wilson, median, best):
        with pytest.raises(ValueError, match=words):
            interval(values)


def ones(successes: int, n: int) -> list[int]:
    return [1] * successes + [0] * (n - successes)


@pytest.mark.parametrize(
    ("first", "second", "difference", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, 873-890, Table II, method 10 (no continuity correction).
        ((56, 70), (48, 80), 0.2, 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.6, 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.5714, 0.0582, 0.8062),
        ((5, 56), (0, 29), 0.0893, -0.0381, 0.1926),
        ((0, 10), (0, 20), 0.0, -0.1611, 0.2775),
        ((0, 10), (0, 10), 0.0, -0.2775, 0.2775),
        ((10, 10), (0, 20), 1.0, 0.6791, 1.0),
        ((10, 10), (0, 10), 1.0, 0.6075, 1.0),
    ],
)
def test_newcombe_gives_the_published_examples(first, second, difference, low, high):
    found = newcombe(wilson(ones(*first)), wilson(ones(*second)))
    assert found.value == pytest.approx(difference, abs=5e-5)
    assert found.ends == pytest.approx((low, high), abs=5e-5)
    assert found.sizes == (first[1], second[1])


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_newcombe_is_antisymmetric_and_stays_in_range(n, m, data):
    first, second = (wilson(ones(data.draw(st.integers(0, size)), size)) for size in (n, m))
    there, back = newcombe(first, second), newcombe(second, first)
    assert (there.value, *there.ends) == pytest.approx((-back.value, -back.high, -back.low))
    assert -1 - 1e-12 <= there.low <= there.value <= there.high <= 1 + 1e-12


def skewed(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).exponential(size=n)


@pytest.mark.parametrize("n", [9, 50, 201])
def test_the_median_has_the_bootstrap_interval_of_scipy(n):
    values = skewed(n, 1)
    found = median(values)
    theirs = scipy.stats.bootstrap(
        (values,), np.median, n_resamples=10_000, method="percentile", rng=np.random.default_rng(7)
    )
    assert found.value == np.median(values)
    # Percentiles of 10,000 resamples differ by chance, by less than this share of the interval's width.
    width = found.high - found.low
    assert found.ends == pytest.approx(tuple(theirs.confidence_interval), abs=0.06 * width)
    assert (found.n, found.word) == (n, "median")


def test_the_difference_of_medians_has_the_bootstrap_interval_of_scipy():
    first, second = 1 + skewed(40, 2), skewed(75, 3)
    found = median_difference(first, second)
    theirs = scipy.stats.bootstrap(
        (first, second),
        lambda a, b, axis: np.median(a, axis=axis) - np.median(b, axis=axis),
        n_resamples=10_000,
        method="percentile",
        rng=np.random.default_rng(7),
    )
    assert found.value == np.median(first) - np.median(second)
    width = found.high - found.low
    assert found.ends == pytest.approx(tuple(theirs.confidence_interval), abs=0.06 * width)
    assert found.sizes == (40, 75)


def test_the_interval_of_a_median_holds_it_nearly_as_often_as_it_says():
    truth = math.log(2)  # of the exponential distribution
    held = [found.low <= truth <= found.high for found in (median(skewed(60, seed)) for seed in range(150))]
    assert wilson(held).low < 0.95 < wilson(held).high


def test_a_bootstrap_is_the_same_in_every_run():
    values = skewed(30, 4)
    assert median(values) == median(values)
    assert median_difference(values, values[:9]) == median_difference(values, values[:9])


@settings(deadline=None, max_examples=20)
@given(seeds, st.floats(-100, 100))
def test_a_median_moves_with_its_values(values, shift):
    there, back = median(values), median(np.array(values) + shift)
    moved = there.value + shift, there.low + shift, there.high + shift
    assert (back.value, back.low, back.high) == pytest.approx(moved, abs=1e-6)


def test_medians_of_equal_of_single_and_of_exact_values():
    assert median([0.5] * 4) == Interval(0.5, 0.5, 0.5, 4, "median")
    assert median([0.5]).ends is None
    assert median(np.float32(0.5)) == Interval(0.5, 0.5, 0.5, 0, "median")
    word = "difference of medians"
    assert median_difference([3.0, 3.0], np.float64(1)) == Interval(2.0, 2.0, 2.0, 2, word, 0)
    assert median_difference([3.0, 3.0], [1.0]).ends is None
    assert median_difference(np.float64(3), np.float64(1)).exact


def test_the_best_is_the_largest_and_exact():
    assert best([0.2, 0.9, 0.4]) == Interval(0.9, 0.9, 0.9, 3, "best")
    assert best([0.2]).exact
    assert best(np.array(4)).n == 0


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (student([1, 2]), "2 models"),
        (student([1]), "1 model"),
        (student(np.array(1)), ""),
        (wilson([0, 1, 1]), "share over 3 models"),
        (median([1, 2]), "median of 2 models"),
        (best([1, 2, 3]), "best of 3 models"),
        (newcombe(wilson([1, 0]), wilson([1])), "2 and 1 model"),
        (median_difference([1, 2], np.array(1)), "2 models"),
    ],
)
def test_a_number_says_of_how_many_it_is(number, words):
    assert number.counted("models") == words


def test_overlap_counts_a_shared_end_and_needs_two_intervals():
    a, b, c = Interval(1, 0, 2, 5), Interval(3, 2, 4, 5), Interval(5, 4.5, 6, 5)
    assert a.overlaps(b) is b.overlaps(a) is True
    assert a.overlaps(c) is c.overlaps(a) is False
    assert a.overlaps(Interval(1, None, None, 1)) is None
