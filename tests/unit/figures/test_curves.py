from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnkit.figures import Interactive, net_color
from rnnkit.figures.bands import bands, see_through
from rnnkit.figures.curves import (
    add_nets,
    add_seeds,
    bind_curve,
    color_by_net,
    counted_seeds,
    curve_traces,
    layout,
    reference,
    view_names,
    views,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_view_has_a_name_and_holds_the_mean_or_its_seed(count):
    values, seeds = RNG.random((count, 6)), list(range(10, 10 + count))
    shown = views(values)
    assert len(shown) == len(view_names(seeds))
    np.testing.assert_array_equal(shown[-count:], values)
    assert view_names(seeds)[-1] == f"seed {9 + count}"
    if count > 1:
        np.testing.assert_allclose(shown[0], values.mean(axis=0))


def bound(seeds, over):
    nets, length = ["paper", "tuned"], 6
    values = RNG.random((len(nets), len(seeds), length))
    fig = go.Figure(
        curve_traces("curve", range(length), net_color("paper")), layout={"yaxis": {"range": [0, 1]}}
    )
    figure = add_seeds(add_nets(Interactive(fig, alt="Curves."), nets), seeds)
    if over:
        color_by_net(bind_curve(figure, "curve", values, over=("net",)), "curve", nets)
    else:
        bind_curve(figure, "curve", values[0])
    return figure, values


def test_the_band_is_there_only_beside_the_mean_and_takes_the_nets_colour():
    figure, values = bound([0, 1, 2], over=True)
    by = {(b.trace, b.attr): b for b in figure.bindings}
    np.testing.assert_array_equal(by[1, "y"].at({"net": 1, "seeds": 3}), values[1, 2])
    np.testing.assert_array_equal(by[0, "y"].at({"net": 1, "seeds": 0}), bands(values[1]).outline)
    assert by[0, "visible"].values == [True, False, False, False]
    assert by[1, "line.color"].values == [net_color("paper"), net_color("tuned")]
    assert by[0, "fillcolor"].values[1] == see_through(net_color("tuned"))


def test_one_seed_has_no_band():
    figure, values = bound([4], over=False)
    assert figure.controls["seeds"].values == ("seed 4",)
    assert figure.figure.data[0].visible is False
    np.testing.assert_array_equal(figure.figure.data[1].y, values[0, 0])


def test_what_a_layout_is_given_joins_what_it_has():
    made = layout("time", "share", xaxis={"range": [0, 1]}, height=300)
    assert made["xaxis"] == {"title": {"text": "time"}, "range": [0, 1]}
    assert made["height"] == 300


@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_reference_line_is_one_that_plotly_accepts(axis):
    fig = go.Figure(layout=reference(0.5, "half", axis=axis))
    assert fig.layout.shapes[0][axis + "0"] == fig.layout.shapes[0][axis + "1"] == 0.5
    assert fig.layout.annotations[0].text == "half"


def test_seeds_are_counted_in_words():
    assert [counted_seeds(n) for n in (1, 3)] == ["over 1 seed", "over 3 seeds"]


def test_a_net_with_fewer_seeds_than_the_select_has_nothing_for_the_others():
    fig = go.Figure(curve_traces("curve", range(6), net_color("paper")), layout={"yaxis": {"range": [0, 1]}})
    figure, values = add_seeds(Interactive(fig, alt="Curves."), [0, 1, 2]), RNG.random((2, 6))
    bind_curve(figure, "curve", values)
    shown = figure.bindings[0]
    np.testing.assert_allclose(shown.at({"seeds": 0}), values.mean(axis=0))
    np.testing.assert_array_equal(shown.at({"seeds": 2}), values[1])
    assert np.isnan(shown.at({"seeds": 3})).all()
