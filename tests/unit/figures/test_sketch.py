from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import sketch

TITLES = {"x_title": "step", "y_title": "value", "alt": "Two curves."}


def test_lines_hold_the_numbers_by_name():
    figure = sketch.lines({"a": [1, 2, 4], "b": [3, np.nan, 5]}, **TITLES, log="y")
    assert [trace.name for trace in figure.figure.data] == ["a", "b"]
    np.testing.assert_array_equal(figure.figure.data[0].x, [1, 2, 3])
    np.testing.assert_array_equal(figure.figure.data[1].y, [3, np.nan, 5])
    assert (figure.figure.layout.yaxis.type, figure.figure.layout.xaxis.type) == ("log", None)
    assert figure.table["a"] == [1, 2, 4]


def test_lines_differ_in_more_than_colour():
    figure = sketch.lines({"a": [1, 2], "b": [2, 1]}, **TITLES)
    assert len({trace.line.dash for trace in figure.figure.data}) == 2


@pytest.mark.parametrize(
    ("curves", "x"), [({}, None), ({"a": [1, 2], "b": [1]}, None), ({"a": [1, 2]}, [1]), ({"a": [[1]]}, None)]
)
def test_lines_that_do_not_fit_are_refused(curves, x):
    with pytest.raises(ValueError, match="curves"):
        sketch.lines(curves, **TITLES, x=x)


def test_every_point_is_drawn_under_its_kind():
    places = np.arange(10.0).reshape(5, 2)
    figure = sketch.points(places, ["odd", "even", "odd", "even", "odd"], **TITLES)
    drawn = {trace.name: np.c_[trace.x, trace.y] for trace in figure.figure.data}
    np.testing.assert_array_equal(drawn["odd"], places[::2])
    np.testing.assert_array_equal(drawn["even"], places[1::2])
    assert len({trace.marker.symbol for trace in figure.figure.data}) == 2


@pytest.mark.parametrize("kinds", [["a"], [["a", "b"]]])
def test_points_that_do_not_fit_are_refused(kinds):
    with pytest.raises(ValueError, match="points"):
        sketch.points(np.zeros((2, 2)), kinds, **TITLES)
