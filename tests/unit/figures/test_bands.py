from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnkit.figures import Interactive
from rnnkit.figures.bands import add_curve, bands, bind_curve, outline_x, see_through, singles_x, stack_seeds


@pytest.mark.parametrize("num_seeds", [1, 5])
def test_the_band_holds_every_seed_and_the_mean_lies_inside(num_seeds):
    values = np.random.default_rng(0).random((3, num_seeds, 7))
    drawn = bands(values)
    low, high = drawn.outline[:, :7], drawn.outline[:, :6:-1]
    np.testing.assert_allclose(drawn.mean, values.mean(1))
    assert (low[:, None] <= values).all()
    assert (values <= high[:, None]).all()
    np.testing.assert_array_equal(low, values.min(1))


def test_the_outline_goes_there_and_back():
    np.testing.assert_array_equal(outline_x(np.array([1, 2, 3])), [1, 2, 3, 3, 2, 1])


def test_single_seeds_are_apart():
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(bands(values).singles, [0, 1, 2, np.nan, 3, 4, 5, np.nan])
    np.testing.assert_array_equal(singles_x(np.array([7, 8, 9]), 2), [7, 8, 9, np.nan] * 2)


def test_a_missing_seed_changes_neither_mean_nor_band():
    rng = np.random.default_rng(1)
    few, many = rng.random((2, 4)), rng.random((5, 4))
    stacked = stack_seeds({"few": few, "many": many})
    assert stacked.shape == (2, 5, 4)
    padded, alone = bands(stacked[0]), bands(few)
    np.testing.assert_array_equal(padded.mean, alone.mean)
    np.testing.assert_array_equal(padded.outline, alone.outline)


def test_a_curve_follows_its_control_with_its_band_and_its_seeds():
    values = np.random.default_rng(2).random((2, 3, 5))
    fig = go.Figure(layout={"xaxis": {"range": [0, 4]}, "yaxis": {"range": [0, 1]}})
    first = add_curve(fig, np.arange(5), values[0], name="a", color="#0b76d1")
    second = add_curve(fig, np.arange(5), values[0], name="b", color="#c8640a")
    assert [trace.showlegend for trace in fig.data] == [True, False, True, True, False, False]
    figure = Interactive(fig, alt="Curves.").select("which", "Which", ["one", "two"])
    bind_curve(figure, second, values, over="which")
    assert (first, second) == (0, 3)
    for binding, expected in zip(figure.bindings, vars(bands(values[1])).values(), strict=True):
        np.testing.assert_array_equal(binding.at({"which": 1}), expected)


def test_a_colour_keeps_its_red_green_and_blue():
    assert see_through("#0b76d1", 0.5) == "rgba(11,118,209,0.5)"
