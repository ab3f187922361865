"""Probes against scikit-learn, SciPy and brute force."""

import numpy as np
import pytest
from scipy import signal
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnkit.probes.dimension import dimension_through_time, pca_dimension
from rnnkit.probes.dynamics import autocorrelation, oscillation_period, state_change
from rnnkit.probes.neighbours import knn_purity, neighbour_shares
from rnnkit.probes.readout import linear_readout
from rnnkit.probes.separation import one_class_separation
from rnnkit.probes.trajectory import trajectories


def digit_states(n=600):
    """Tanh features of the bundled 8x8 digits, in three steps: nothing, half the rows, all rows."""
    digits = load_digits()
    images = digits.data[:n] / 16
    weight = np.random.default_rng(0).normal(size=(64, 30)) / 4
    half = images * (np.arange(64) < 32)
    states = np.tanh(np.stack([0 * half, half, images], axis=1) @ weight)
    return states.astype(np.float32), digits.target[:n]


STATES, LABELS = digit_states()


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_dimension_equals_that_of_sklearn_pca(threshold):
    for states in (STATES[:, 1], STATES[:, 2], STATES[LABELS == 6, 2]):
        reference = PCA(n_components=threshold, svd_solver="full").fit(states.astype(float))
        assert pca_dimension(states, threshold=threshold) == reference.n_components_


def test_spectra_through_time_equal_those_of_sklearn_pca():
    result = dimension_through_time(STATES, LABELS)
    whole = PCA(svd_solver="full").fit(STATES[:, 2].astype(float)).explained_variance_ratio_
    np.testing.assert_allclose(result.cumulative[2], np.cumsum(whole), atol=1e-9)
    sixes = PCA(svd_solver="full").fit(STATES[LABELS == 6, 1].astype(float)).explained_variance_ratio_
    np.testing.assert_allclose(result.cumulative_per_class[6, 1], np.cumsum(sixes), atol=1e-9)
    np.testing.assert_allclose(result.participation[2], 1 / (whole**2).sum())


def test_trajectories_equal_the_projection_of_sklearn_pca():
    flat = STATES.reshape(-1, STATES.shape[2]).astype(float)
    reference = PCA(n_components=3, svd_solver="full").fit(flat)
    found = trajectories(STATES)
    signs = np.sign((found.components * reference.components_).sum(axis=1))
    expected = reference.transform(flat).reshape(*STATES.shape[:2], 3) * signs
    np.testing.assert_allclose(found.projected, expected, atol=1e-4)
    np.testing.assert_allclose(found.explained, reference.explained_variance_ratio_)


def test_neighbours_equal_those_by_brute_force():
    states = STATES[:, 2].astype(float)
    distances = np.linalg.norm(states[:, None] - states[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argsort(axis=1)[:, :10]
    expected = np.mean(LABELS[nearest] == LABELS[:, None])
    assert knn_purity(STATES[:, 2], LABELS).overall == pytest.approx(expected)


def test_sharing_places_is_the_mean_over_random_orders():
    generator = np.random.default_rng(0)
    # Three groups of equal states; along the line, no two groups are equally far from a third.
    states = np.array([0.0, 1.0, 2.7])[generator.integers(0, 3, size=24)][:, None]
    labels = generator.integers(0, 3, size=24)
    distances = np.abs(states - states.T)
    np.fill_diagonal(distances, np.inf)
    mean = np.zeros((24, 3))
    repeats = 2000
    for _ in range(repeats):
        nearest = np.lexsort((generator.random(distances.shape), distances))[:, :12]
        mean += np.eye(3)[labels[nearest]].mean(axis=1) / repeats
    shares, _ = neighbour_shares(states, labels, k=12)
    np.testing.assert_allclose(shares, mean, atol=0.02)


def test_autocorrelation_equals_scipys_correlation_over_the_sizes_of_the_overlap():
    series = np.random.default_rng(0).normal(size=101).cumsum()
    centred = series - series.mean()
    products = signal.correlate(centred, centred)[100:]
    sizes = [np.linalg.norm(centred[: 101 - lag]) * np.linalg.norm(centred[lag:]) for lag in range(51)]
    np.testing.assert_allclose(autocorrelation(series), products[:51] / sizes)


def test_the_period_agrees_with_the_peak_of_scipys_periodogram():
    noise = np.random.default_rng(2).normal(size=512)
    series = np.sin(2 * np.pi * np.arange(512) / 32) + 0.3 * noise
    frequencies, power = signal.periodogram(series)
    assert oscillation_period(series).period == pytest.approx(1 / frequencies[power.argmax()], rel=0.05)


def test_state_change_equals_the_difference_of_padded_states():
    padded = np.pad(STATES, ((0, 0), (1, 0), (0, 0)))
    expected = np.linalg.norm(np.diff(padded, axis=1), axis=2).mean(axis=0)
    np.testing.assert_allclose(state_change(STATES), expected, rtol=1e-5)


def test_the_linear_probe_is_as_good_as_a_standardised_logistic_regression():
    train, test = slice(0, 400), slice(400, 600)
    reference = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    reference.fit(STATES[train, 2], LABELS[train])
    predicted = linear_readout(STATES[train, 2], LABELS[train], STATES[test, 2])
    expected = reference.score(STATES[test, 2], LABELS[test])
    assert np.mean(predicted == LABELS[test]) == pytest.approx(expected, abs=0.04)


def test_one_class_separation_equals_a_vote_of_sklearns_neighbours():
    found = one_class_separation(STATES[:, 2], LABELS, 6, k=9)
    is_six = LABELS == 6
    nearest = NearestNeighbors(n_neighbors=9).fit(STATES[:, 2]).kneighbors(return_distance=False)
    predicted = is_six[nearest].mean(axis=1) > 0.5
    assert found.precision == pytest.approx(is_six[predicted].mean())
    assert found.recall == pytest.approx(predicted[is_six].mean())


def test_the_fitted_linear_score_ranks_no_worse_than_the_nearest_centroid():
    is_six = LABELS == 6
    for step in (1, 2):
        states = STATES[:, step]
        towards_six = states[is_six].mean(axis=0) - states[~is_six].mean(axis=0)
        centroid_auc = roc_auc_score(is_six, states @ towards_six)
        assert centroid_auc - 0.02 < one_class_separation(states, LABELS, 6).auc <= 1
