import numpy as np
import pytest
from scipy.stats import binomtest, ks_2samp

from rnnkit.errors import UserError
from rnnkit.probes.solutions import (
    accuracies_of,
    boxes,
    by_percent,
    chance,
    kolmogorov_smirnov,
    quantiles,
    share_at_least,
    total_variation,
    total_variation_by_chance,
)


def histograms():
    """Four kinds of distribution over 0..20 right: any, gappy, all in one place, two points."""
    generator = np.random.default_rng(0)
    counts = np.zeros((4, 21), dtype=np.int64)
    counts[0] = generator.integers(0, 50, 21)
    counts[1] = generator.integers(0, 3, 21) * (generator.random(21) < 0.3)
    counts[1, 10] = 30
    counts[2, 7] = 5
    counts[3, [3, 16]] = 1
    return counts


def expanded(counts):
    return np.repeat(np.arange(len(counts)) / (len(counts) - 1), counts)


def test_quantiles_are_numpys_to_the_last_digit():
    levels = np.concatenate([np.linspace(0, 1, 101), [1 / 3, 0.999]])
    for row, found in zip(histograms(), quantiles(histograms(), levels), strict=True):
        np.testing.assert_array_equal(found, np.quantile(expanded(row), levels))


def test_boxes_are_those_of_the_expanded_data():
    found = boxes(histograms())
    for row, counts in enumerate(histograms()):
        data = expanded(counts)
        lower, median, upper = np.percentile(data, [25, 50, 75])
        reach = 1.5 * (upper - lower)
        inside = data[(data >= lower - reach) & (data <= upper + reach)]
        low, high = min(inside.min(), lower), max(inside.max(), upper)
        assert (found.minimum[row], found.maximum[row]) == (data.min(), data.max())
        assert (found.lower[row], found.median[row], found.upper[row]) == (lower, median, upper)
        assert (found.whisker_low[row], found.whisker_high[row]) == (low, high)
        assert found.outliers[row] == ((data < low) | (data > high)).sum()
    assert found.outliers[1] > 0
    assert found.outliers[2] == 0


def test_shares_at_least_with_their_intervals():
    counts = histograms()
    thresholds = np.array([0, 0.5, 0.55, 0.95, 1])
    found = share_at_least(counts, thresholds)
    assert found.share.shape == (4, 5)
    for row, k in np.ndindex(4, 5):
        # 0.55 of 20 is 11, though 0.55 * 20 is not.
        reached = int((np.round(expanded(counts[row]) * 20) >= round(thresholds[k] * 20)).sum())
        test = binomtest(reached, int(counts[row].sum()))
        interval = test.proportion_ci(method="wilson")
        assert found.share[row, k] == pytest.approx(test.statistic)
        assert found.low[row, k] == pytest.approx(interval.low, abs=1e-12)
        assert found.high[row, k] == pytest.approx(interval.high, abs=1e-12)
    assert found.share[:, 0].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("threshold", [0.9, 0.95, 0.98, 0.5005])
def test_a_threshold_counts_the_settings_that_just_reach_it(threshold):
    counts = np.zeros(2001, dtype=np.int64)
    counts[round(2000 * threshold)] = 3
    counts[round(2000 * threshold) - 1] = 1
    assert share_at_least(counts, np.array([threshold])).share.tolist() == [0.75]


def test_distances_of_distributions():
    counts = histograms()
    assert total_variation(counts, 3 * counts).tolist() == [0, 0, 0, 0]
    assert total_variation(counts[2], counts[3]) == 1
    assert total_variation([1, 3], [3, 1]) == 0.5
    assert kolmogorov_smirnov(counts[2], counts[3]) == 0.5
    for other in (1, 2, 3):
        expected = ks_2samp(expanded(counts[0]), expanded(counts[other])).statistic
        assert kolmogorov_smirnov(counts[0], counts[other]) == pytest.approx(expected)
    np.testing.assert_allclose(
        total_variation(counts, counts[0])[1:], [total_variation(row, counts[0]) for row in counts[1:]]
    )


def test_two_samples_of_one_distribution_are_no_farther_apart_than_chance():
    generator = np.random.default_rng(0)
    law = chance(40)
    first, second = generator.multinomial(3000, law), generator.multinomial(1000, law)
    other = generator.multinomial(1000, np.roll(law, 1))
    drawn = total_variation_by_chance(first, second, generator=generator)
    assert drawn.shape == (200,)
    assert drawn.min() < total_variation(first, second) < drawn.max()
    assert total_variation(first, other) > total_variation_by_chance(first, other, generator=generator).max()


def test_chance_is_the_binomial_distribution():
    assert chance(4).tolist() == pytest.approx([1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16])
    law = chance(2000)
    assert law.sum() == pytest.approx(1)
    assert law @ accuracies_of(law) == pytest.approx(0.5)
    guesses = np.random.default_rng(0).multinomial(1_000_000, law)
    assert total_variation(guesses, law) < 0.02


def test_counts_by_percent():
    counts = np.ones((2, 2001), dtype=np.int64)
    found = by_percent(counts)
    assert found.sum(axis=1).tolist() == [2001, 2001]
    # 0 to 9 of 2000 are below half a percent, 10 is one half and goes up.
    assert found[0, [0, 1, 50, 99, 100]].tolist() == [10, 20, 20, 20, 11]
    assert np.flatnonzero(by_percent(np.ones(5, int))).tolist() == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(
    "call",
    [
        lambda: quantiles(np.zeros((2, 5)), np.array([0.5])),
        lambda: quantiles(np.array([1, -1, 3]), np.array([0.5])),
        lambda: quantiles(np.array([1, 2]), np.array([1.5])),
        lambda: boxes(np.array([0.5, 0.5])),
        lambda: share_at_least(np.array([1, 2]), np.array([95])),
        lambda: total_variation(np.ones(3), np.ones(4)),
        lambda: kolmogorov_smirnov(np.ones(3), np.zeros(3)),
        lambda: chance(0),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(UserError, match="allowed"):
        call()
