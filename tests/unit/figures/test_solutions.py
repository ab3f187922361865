from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import boxes, solutions
from tests.unit.figures.cells import CELLS, assert_complete, by_name, rng

SCALES = np.array([0.5, 1.0, 2.0])
ARCHITECTURES = ("2x2", "4x4")


def counts():
    found = {}
    for i, cell in enumerate(CELLS):
        right = rng(i).binomial(100, 0.55, size=(2, 3, 5000))
        found[cell] = np.stack([[np.bincount(r, minlength=101) for r in row] for row in right])
    return found


def test_settings_are_told_per_million_and_none_is_no_point():
    found = counts()
    figure = solutions.distribution(found, SCALES, ARCHITECTURES)
    assert_complete(figure)
    assert figure.start["scale"] == 1, "the default initialisation"
    shown = by_name(figure)["GRU", "y"].at({"architecture": 1, "scale": 2})
    assert np.nansum(shown) == pytest.approx(1e6)
    assert shown[55] == pytest.approx(200 * found["gru"][1, 2, 55])
    assert np.isnan(shown[100])
    assert f"2x2 RNN {found['rnn'][0, 1, 60:].sum()} at 60 % or more" in figure.alt
    assert figure.table["GRU: 60 % or more"][5] == found["gru"][1, 2, 60:].sum()


def test_the_boxes_are_drawn_as_given_and_follow_the_scale():
    numbers = {cell: np.sort(rng(i).random((2, 3, 7)), axis=-1) for i, cell in enumerate(CELLS)}
    figure = boxes.boxes(numbers, SCALES, ARCHITECTURES)
    assert_complete(figure)
    by = by_name(figure)
    at_two = numbers["rnn"][:, 2]
    for place, attr in enumerate(("lowerfence", "q1", "median", "q3", "upperfence")):
        np.testing.assert_array_equal(by["RNN", attr].at({"scale": 2}), at_two[:, place + 1])
    np.testing.assert_array_equal(
        by["RNN, least and most", "y"].at({"scale": 2}), [*at_two[:, 0], *at_two[:, 6]]
    )
    places = {trace.name: trace.x for trace in figure.figure.data}
    np.testing.assert_array_equal(places["GRU, least and most"][:2], places["GRU"])
    assert (places["RNN"] < places["GRU"]).all(), "side by side"


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
