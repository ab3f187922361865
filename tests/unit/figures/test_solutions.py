from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import boxes, solutions
from tests.unit.figures.cells import CELLS, assert_complete, by_name, rng

SCALES = np.array([0.5, 1.0, 2.0])
ARCHITECTURES = ("2x2", "4x4")


def counts(n=200):
    found = {}
    for i, cell in enumerate(CELLS):
        right = rng(i).binomial(n, 0.55, size=(2, 3, 5000))
        found[cell] = np.stack([[np.bincount(r, minlength=n + 1) for r in row] for row in right])
    return found


def test_counts_are_gathered_by_whole_percents_and_told_per_million():
    found = counts()
    figure = solutions.distribution(found, SCALES, ARCHITECTURES)
    assert_complete(figure)
    assert figure.start["scale"] == 1, "the default initialisation"
    shown = by_name(figure)["GRU", "y"].at({"architecture": 1, "scale": 2})
    assert np.nansum(shown) == pytest.approx(1e6)
    row = found["gru"][1, 2]
    assert shown[55] == pytest.approx(200 * sum(row[k] for k in range(201) if round(k / 2) == 55))
    assert np.isnan(shown[100])


def test_the_box_is_that_of_the_settings_one_by_one():
    right = rng(5).integers(60, 150, 999)
    box = boxes.five_numbers(np.bincount(right, minlength=201))
    low, median, high = np.quantile(right, [0.25, 0.5, 0.75], method="inverted_cdf") / 200
    np.testing.assert_allclose(box[2:5], [low, median, high])
    np.testing.assert_allclose(box[[0, 6]], [right.min() / 200, right.max() / 200])
    assert np.isnan(boxes.five_numbers(np.zeros(201, int))).all()


def test_whiskers_end_at_a_setting_within_one_and_a_half_boxes():
    counts = np.zeros(101, int)
    counts[[40, 50, 60, 99]] = [30, 40, 30, 1]
    np.testing.assert_allclose(boxes.five_numbers(counts), [0.4, 0.4, 0.4, 0.5, 0.6, 0.6, 0.99])


def test_the_boxes_follow_the_scale():
    found = counts()
    figure = boxes.boxes(found, SCALES, ARCHITECTURES)
    assert_complete(figure)
    by = by_name(figure)
    expected = boxes.five_numbers(found["rnn"])[:, 2]
    np.testing.assert_allclose(by["RNN", "median"].at({"scale": 2}), expected[:, 3])
    np.testing.assert_allclose(
        by["RNN, least and most", "y"].at({"scale": 2}), [*expected[:, 0], *expected[:, 6]]
    )


def test_an_accuracy_of_at_least_a_share_counts_the_share_itself():
    counts = np.zeros(2001, int)
    counts[[1199, 1200, 1201]] = [5, 7, 11]
    assert solutions.at_least(counts, 0.6) == 18


def test_shares_above_a_threshold_keep_their_intervals_and_zero_is_not_drawn():
    shares = {
        cell: np.sort(rng(i).random((2, 2, 3, 3)), axis=2)[:, :, [1, 0, 2]] for i, cell in enumerate(CELLS)
    }
    shares["rnn"][0, 1, :2, 2] = 0
    figure = solutions.above_threshold(shares, SCALES, (0.6, 0.9), ARCHITECTURES)
    assert_complete(figure)
    by, state = by_name(figure), {"architecture": 0, "threshold": 1}
    y = by["RNN", "y"].at(state)
    np.testing.assert_array_equal(y[:2], shares["rnn"][0, 1, 0, :2])
    assert np.isnan(y[2])
    low = y - by["RNN", "error_y.arrayminus"].at(state)
    np.testing.assert_allclose(low[:2], shares["rnn"][0, 1, 1, :2])
