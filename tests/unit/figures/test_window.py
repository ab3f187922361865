from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import window as figures
from tests.unit.figures.psmnist import bound, rng

TIMES, DELAYS, ORDERS = np.array([4, 8, 12]), np.linspace(0, 12, 5), (8, 32)
SIGNAL = rng().random((2, 12))
READ = rng(1).random((2, 2, 3, 5)).astype(np.float16)
ERROR = rng(2).random((2, 2, 3))


def made(**changes):
    arrays = {"signal": SIGNAL, "reconstruction": READ, "error": ERROR} | changes
    return figures.window(**arrays, times=TIMES, delays=DELAYS, orders=ORDERS)


def test_the_true_window_is_the_input_some_steps_ago_and_zero_before_the_start():
    found = figures.true_window(SIGNAL[0], TIMES, DELAYS)
    np.testing.assert_allclose(found[1], [SIGNAL[0, 7], SIGNAL[0, 4], SIGNAL[0, 1], 0, 0])
    between = figures.true_window(SIGNAL[0], np.array([5]), np.array([1.5]))
    np.testing.assert_allclose(between[0, 0], SIGNAL[0, 2:4].mean())


def test_the_picked_signal_order_and_time_are_shown():
    figure, state = made(), {"signal": 1, "order": 0, "time": 2}
    np.testing.assert_allclose(
        bound(figure, "read from the memory", "y").at(state), READ[1, 0, 2].astype(float)
    )
    np.testing.assert_array_equal(bound(figure, "input", "y").at(state), SIGNAL[1])
    assert f"{ERROR[1, 0, 2]:.3f}" in bound(figure, None, "annotations[0].text").at(state)
    assert bound(figure, None, "shapes[0].x1").at(state) == 12
    assert bound(figure, None, "shapes[0].x0").at(state) == 0
    assert f"{ERROR[1, 1, -1]:.3f} at order 32" in figure.alt
    assert figure.table["error, a permuted digit, order 8"][2] == round(ERROR[1, 0, 2], 4)


def test_an_error_that_is_missing_is_not_written():
    error = ERROR.copy()
    error[0, 0, 0] = np.nan
    figure = made(error=error)
    assert bound(figure, None, "annotations[0].text").at({"signal": 0, "order": 0, "time": 0}) == ""
    assert figure.table["error, a smooth signal, order 8"][0] is None
    figure.payload()


def test_wrong_shapes_are_refused():
    with pytest.raises(
        ValueError, match=r"reconstruction: an array of \(2, 2, 3, 5\) is needed, not one of \(2, 2, 3, 4\)"
    ):
        made(reconstruction=READ[..., :4])


def test_the_error_by_order_begins_with_the_mean_over_all_times():
    figure = figures.error_by_order(ERROR, times=TIMES, orders=ORDERS)
    lines = bound(figure, "a smooth signal", "y")
    np.testing.assert_allclose(lines.at({"time": 0}), ERROR[0].mean(axis=1))
    np.testing.assert_array_equal(lines.at({"time": 3}), ERROR[0, :, 2])
    assert f"{ERROR[1, 1].mean():.3f} at order 32" in figure.alt
