from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnkit.figures import Interactive, lab, net_color
from rnnkit.figures.by_seed import add_dots, bind_dots
from tests.unit.figures.cells import by_name
from tests.unit.figures.lab import rng


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bilstm", "BiLSTM"),
        ("rnn-2x128", "RNN 2 x 128"),
        ("gru-2x256-decayed", "GRU 2 x 256, weight decay"),
        ("mse-linear", "MSE, linear"),
        ("last", "last output"),
        ("untold", "untold"),
    ],
)
def test_names_are_said_in_words(name, said):
    assert lab.said(name) == said


def test_a_cell_has_one_colour_whatever_it_is_built_into():
    assert lab.color("bilstm") == lab.color("lstm") == lab.color("bilstm-2x128-decayed") == net_color("lstm")
    assert lab.color("gru-1x64") == net_color("gru")
    with pytest.raises(ValueError, match=r"no colour for cell 'lmu'; known cells: rnn, gru, lstm, bilstm"):
        lab.color("lmu-rnn")


@pytest.mark.parametrize("window", [1, 2, 5, 50])
def test_smoothing_is_the_mean_over_the_neighbours_that_are_there(window):
    values = rng().random((2, 3, 20))
    values[0, 0, 4] = np.nan
    before, after = (window - 1) // 2, window // 2
    expected = [
        [
            [np.nanmean(row[max(t - before, 0) : t + after + 1]) if window > 1 else row[t] for t in range(20)]
            for row in block
        ]
        for block in values
    ]
    np.testing.assert_allclose(lab.smooth(values, window), expected)


def test_thinning_keeps_both_ends_and_short_curves_whole():
    at = lab.thin(3000, 500)
    assert (len(at), at[0], at[-1]) == (500, 0, 2999)
    assert np.ptp(np.diff(at)) <= 1
    np.testing.assert_array_equal(lab.thin(7, 500), range(7))


def test_arrays_by_key_stand_where_their_entries_do_and_are_missing_elsewhere():
    values = {(5, "a"): np.ones((2, 3)), (2, "b"): np.zeros((4, 3))}
    whole = lab.stacked(values, [2, 5], ["a", "b"])
    assert whole.shape == (2, 2, 4, 3)
    np.testing.assert_array_equal(whole[1, 0, :2], 1)
    np.testing.assert_array_equal(whole[0, 1], 0)
    assert np.isnan(whole).sum() == 2 * 3 + 2 * 12


def test_dots_and_their_mean_follow_the_controls():
    values = rng().random((3, 2, 4))  # position, place, seed
    fig = go.Figure(layout={"xaxis": {"range": [-1, 2]}, "yaxis": {"range": [0, 1]}})
    add_dots(fig, "BCE", [0, 1], 4, color="#123456")
    figure = Interactive(fig, alt="Dots.").slider("epoch", "Epoch", range(3))
    by = by_name(bind_dots(figure, "BCE", values, over="epoch"))
    np.testing.assert_array_equal(by["BCE, seeds", "y"].at({"epoch": 2}).reshape(2, 4), values[2])
    bars = by["BCE, mean", "y"].at({"epoch": 1}).reshape(2, 3)
    np.testing.assert_allclose(bars[:, 0], values[1].mean(axis=1))
    dots = np.asarray(fig.data[0].x).reshape(2, 4)
    assert (np.abs(dots - [[0], [1]]) < 0.15).all(), "dots stand beside their place"
    assert len(set(dots[0])) == 4, "dots of equal value do not hide each other"


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({}, "bits: nothing to draw"),
        ({"rnn": np.ones((2, 3))}, r"bits: keys \(cell, size\) are needed, not 'rnn'"),
        ({("rnn",): np.ones((2, 3))}, r"keys \(cell, size\) are needed, not \('rnn',\)"),
        ({("rnn", 2): np.ones(3)}, r"bits, rnn 2: an array of \(seeds, 3\) is needed, not one of \(3,\)"),
        (
            {("rnn", 2): np.ones((2, 3)), ("gru", 2): np.ones((2, 4))},
            r"bits, gru 2: an array of \(seeds, 3\)",
        ),
        ({("rnn", 2): np.full((2, 3), 98.0)}, "bits, rnn 2: fractions of 1 are needed, not 98 to 98"),
        ({("rnn", 2): np.full((2, 3), -0.1)}, "fractions of 1 are needed, not -0.1 to -0.1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(values, match):
    with pytest.raises(ValueError, match=match):
        lab.keyed("bits", values, "cell", "size")
