import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.order import mean_autocorrelation, order_effect


def smooth_sequences(n=20, num_steps=60):
    """Values that follow each other slowly."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(n, num_steps + 9)).cumsum(axis=1)[:, 9:]


def test_the_mean_autocorrelation_is_that_of_the_formula():
    sequences = smooth_sequences()
    found = mean_autocorrelation(sequences, max_lag=7)
    for lag in range(8):
        expected = []
        for sequence in sequences - sequences.mean(axis=1, keepdims=True):
            early, late = sequence[: len(sequence) - lag], sequence[lag:]
            expected.append(early @ late / (np.linalg.norm(early) * np.linalg.norm(late)))
        assert found[lag] == pytest.approx(np.mean(expected))
    assert found[0] == pytest.approx(1)


def test_a_wave_comes_back_after_its_period_and_its_reversal_too():
    waves = np.sin(2 * np.pi * np.arange(400) / 20 + np.arange(6)[:, None])
    orders = np.stack([np.arange(400), np.arange(400)[::-1]])
    found = order_effect(waves, orders, max_lag=40)
    np.testing.assert_allclose(found.autocorrelation[0], np.cos(2 * np.pi * np.arange(41) / 20), atol=0.02)
    np.testing.assert_allclose(found.autocorrelation[1], found.autocorrelation[0], atol=1e-12)


def test_a_random_order_leaves_minus_one_over_the_other_steps():
    """Over all permutations the mean product of two places is -variance / (T - 1)."""
    generator = np.random.default_rng(0)
    orders = np.stack([generator.permutation(60) for _ in range(300)])
    found = order_effect(smooth_sequences(), orders, max_lag=10).autocorrelation.mean(axis=0)
    np.testing.assert_allclose(found[1:], -1 / 59, atol=0.01)


def test_the_mean_value_moves_with_its_place():
    sequences, order = smooth_sequences(), np.random.default_rng(1).permutation(60)
    found = order_effect(sequences, np.stack([np.arange(60), order]), max_lag=3)
    np.testing.assert_allclose(found.mean[0], sequences.mean(axis=0))
    np.testing.assert_allclose(found.mean[1], found.mean[0][order])
    assert found.autocorrelation.shape == (2, 4)


def test_constant_sequences_are_left_out():
    sequences = smooth_sequences(3)
    padded = np.vstack([sequences, np.full((2, 60), 0.1)])
    np.testing.assert_array_equal(
        mean_autocorrelation(padded, max_lag=9), mean_autocorrelation(sequences, max_lag=9)
    )
    assert not mean_autocorrelation(padded[3:], max_lag=9).any()


def test_bytes_do_not_wrap_around():
    sequences = np.random.default_rng(0).integers(0, 256, (5, 60), np.uint8)
    found = order_effect(sequences, np.arange(60)[None], max_lag=5)
    expected = order_effect(sequences.astype(float), np.arange(60)[None], max_lag=5)
    np.testing.assert_allclose(found.mean, expected.mean)
    np.testing.assert_allclose(found.autocorrelation, expected.autocorrelation)


def test_bad_arguments_are_refused():
    sequences = smooth_sequences()
    for orders in (np.arange(59)[None], np.zeros((1, 60), int), np.arange(60)[None] + 1):
        with pytest.raises(UserError, match="orders"):
            order_effect(sequences, orders, max_lag=5)
    for max_lag in (-1, 60):
        with pytest.raises(UserError, match="max_lag"):
            mean_autocorrelation(sequences, max_lag=max_lag)
    for wrong in (sequences[0], sequences[:, :3], np.full((2, 9), np.nan)):
        with pytest.raises(UserError, match="sequences"):
            mean_autocorrelation(wrong, max_lag=1)
