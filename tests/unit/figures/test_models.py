from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnkit.figures import Interactive
from rnnkit.figures.cells import add_models, panels, strips
from rnnkit.figures.models import bind_lines, lines, spread
from tests.unit.figures.cells import by_name, rng

X = np.arange(6.0)


def stopped():
    values = rng().random((4, 6))
    values[0, 3:] = np.nan
    values[:, 5] = np.nan
    return values


def test_missing_values_are_left_out_and_nothing_stands_for_all_missing():
    drawn = spread(stopped())
    np.testing.assert_allclose(drawn.middle[:5], np.nanmean(stopped()[:, :5], axis=0))
    assert np.isnan(drawn.middle[5])
    np.testing.assert_allclose(drawn.high[4], stopped()[1:, 4].max())


def test_the_band_has_no_holes_and_ends_with_its_last_model():
    x, y = spread(stopped()).outline(X)
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    assert x.max() == 4
    np.testing.assert_array_equal(y[5], y[4])


def test_a_band_of_no_model_is_nowhere():
    x, y = spread(np.full((3, 6), np.nan)).outline(X)
    assert np.isnan(y).all()
    assert x.shape == (12,)


@pytest.mark.parametrize("middle", ["mean", "median"])
def test_the_slider_goes_through_the_models_after_the_middle(middle):
    values = rng(1).random((2, 4, 6))
    layout = {"xaxis": {"range": [0, 5]}, "yaxis": {"range": [0, 1]}}
    figure = Interactive(go.Figure(lines("a", "#000000"), layout=layout), alt="Lines.")
    add_models(figure, 5).select("which", "Which", ["p", "q"])
    bind_lines(figure, "a", X, values, over=("which",), middle=middle)
    line = by_name(figure)["a", "y"]
    expected = values[1].mean(axis=0) if middle == "mean" else np.median(values[1], axis=0)
    np.testing.assert_allclose(line.at({"which": 1, "model": 0}), expected)
    np.testing.assert_array_equal(line.at({"which": 1, "model": 4}), values[1, 3])
    assert np.isnan(line.at({"which": 0, "model": 5})).all(), "a model that is not there"


def test_panels_share_axes_and_only_the_outer_ones_name_them():
    layout = panels(
        ["a", "b", "c", "d"], x={"title": {"text": "x"}}, y={"title": {"text": "y"}, "range": [0, 1]}
    )
    assert [layout[f"yaxis{n}"]["title"]["text"] for n in ("", "2", "3", "4")] == ["y", "", "y", ""]
    assert [layout[f"xaxis{n}"]["title"]["text"] for n in ("", "2", "3", "4")] == ["", "", "x", "x"]
    assert layout["xaxis2"]["domain"][0] > layout["xaxis"]["domain"][1]
    assert layout["yaxis3"]["domain"][1] < layout["yaxis"]["domain"][0]
    go.Figure(layout=layout)


def test_a_strip_keeps_every_model_and_its_mean_leaves_out_what_is_missing():
    values = {"rnn": np.array([[0.1, np.nan, 0.3]])}
    traces, axis = strips(values, ["only"])
    np.testing.assert_array_equal(traces[0].y, values["rnn"][0])
    assert traces[1].y == pytest.approx([0.2, 0.2])
    assert axis["ticktext"] == ["RNN"]
