from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnkit.figures import Interactive
from rnnkit.figures.interactive import MIME
from rnnkit.figures.quantise import decode

FIXED = {"xaxis": {"range": [0, 1]}, "yaxis": {"range": [0, 1]}}


def make(layout=FIXED, **extra):
    fig = go.Figure([go.Scatter(name="a"), go.Scatter(name="b")], layout=layout)
    return (
        Interactive(fig, alt="Dots.", **extra)
        .slider("step", "Step", [1, 2, 3], start=1)
        .select("c", "C", ["x", "y"])
    )


POINTS = np.random.default_rng(0).random((3, 5))


def test_the_start_is_in_the_figure_for_viewers_without_the_script():
    figure = make().bind("a", "x", POINTS).bind_layout("title.text", ["one", "two", "three"], over="step")
    np.testing.assert_array_equal(figure.figure.data[0].x, POINTS[1])
    assert figure.figure.layout.title.text == "two"


def test_the_callers_figure_is_left_alone():
    fig = go.Figure(go.Scatter(), layout=FIXED)
    Interactive(fig, alt="Dots.").slider("step", "Step", [1, 2, 3]).bind(0, "x", POINTS)
    assert fig.data[0].x is None


def test_the_mime_bundle_is_strict_json_with_everything_a_page_needs():
    figure = make(table={"n": np.arange(2), "v": [0.5, np.float32(1)]}, caption="Some dots.")
    figure.bind("a", "x", POINTS).bind("b", "x", POINTS).bind(
        "b", "marker.color", np.arange(10).reshape(2, 5), over="c"
    )
    bundle = json.loads(json.dumps(figure._repr_mimebundle_(), allow_nan=False))
    assert bundle["text/plain"] == "Dots."
    payload = bundle[MIME]["layout"]["meta"]["rnnkit"]
    assert payload["table"] == {"names": ["n", "v"], "columns": [[0, 1], [0.5, 1.0]]}
    assert [c["values"] for c in payload["controls"]] == [["1", "2", "3"], ["x", "y"]]
    assert len(payload["arrays"]) == 2, "the same array twice is stored once"
    np.testing.assert_allclose(decode(payload["arrays"][payload["bindings"][0]["array"]]), POINTS, atol=1e-5)


def test_two_controls_index_the_leading_axes_in_their_order():
    array = np.random.default_rng(1).random((2, 3, 5))
    figure = make().bind("a", "y", array, over=("c", "step"))
    np.testing.assert_array_equal(figure.bindings[0].at({"c": 1, "step": 2}), array[1, 2])
    nested = [["p", "q", "r"], ["s", "t", "u"]]
    figure.bind_values("a", "marker.symbol", [["circle"] * 3, ["square"] * 3], over=("c", "step"))
    figure.bind_layout("title.text", nested, over=("c", "step"))
    assert figure.bindings[2].at({"c": 1, "step": 0}) == "s"


def test_a_layout_path_may_go_through_a_list():
    layout = {**FIXED, "annotations": [{"text": "", "x": 0, "y": 0}]}
    figure = make(layout).bind_layout("annotations[0].text", ["one", "two", "three"], over="step")
    assert figure.figure.layout.annotations[0].text == "two"


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda f: f.bind("a", "x", POINTS, over="epoch"), "unknown control 'epoch'; controls: step, c"),
        (lambda f: f.bind("a", "x", POINTS[:2]), "axis 0 has length 2, but slider 'step' has 3 values"),
        (
            lambda f: f.bind("a", "x", POINTS, over=("step", "c")),
            "axis 1 has length 5, but select 'c' has 2 values",
        ),
        (lambda f: f.bind("a", "x", np.arange(3), over=("step", "c")), "2 leading axes are needed"),
        (lambda f: f.bind("a", "x", POINTS, over=()), "names no control"),
        (lambda f: f.bind("z", "x", POINTS), "0 traces have this name"),
        (lambda f: f.bind(2, "x", POINTS), "the figure has 2 traces"),
        (lambda f: f.bind("a", "colour", POINTS), "Invalid property"),
        (lambda f: f.bind("a", "x", np.full((3, 2), np.inf)), "infinite"),
        (lambda f: f.bind_values("a", "visible", [True], over="c"), "length 1, but select 'c' has 2"),
        (lambda f: f.bind_values("a", "visible", True, over="c"), "must be a list"),
        (lambda f: f.bind_values("a", "visible", [object()] * 2, over="c"), "literal"),
        (lambda f: f.slider("step", "Again", [1]), "already"),
        (lambda f: f.slider("s", "S", []), "no values"),
        (lambda f: f.slider("s", "S", [1], start=1), r"cannot start at 1; allowed: 0\.\.0"),
        (lambda f: f.select("s", " ", [1]), "label"),
    ],
)
def test_a_mistake_is_named(call, match):
    with pytest.raises(ValueError, match=match):
        call(make())


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_a_figure_without_a_text_alternative_is_refused(alt):
    with pytest.raises(ValueError, match="text alternative"):
        Interactive(go.Figure(), alt=alt)


def test_a_ragged_table_is_refused():
    with pytest.raises(ValueError, match="one length"):
        Interactive(go.Figure(), alt="Nothing.", table={"a": [1], "b": []})


@pytest.mark.parametrize(
    ("trace", "layout", "attr"),
    [
        (go.Scatter(), {}, "y"),
        (go.Scatter(xaxis="x2"), {"xaxis": {"range": [0, 1]}}, "x"),
        (go.Scatter3d(), {"scene": {"xaxis": {"range": [0, 1]}}}, "z"),
    ],
)
def test_a_moving_coordinate_needs_a_fixed_axis(trace, layout, attr):
    figure = Interactive(go.Figure(trace, layout=layout), alt="Dots.").slider("step", "Step", [1, 2, 3])
    with pytest.raises(ValueError, match="axis rescales"):
        figure.bind(0, attr, POINTS)


@pytest.mark.parametrize(
    ("trace", "layout", "attr"),
    [
        (go.Scatter(xaxis="x2"), {"xaxis2": {"range": [0, 1]}}, "x"),
        (go.Scatter(xaxis="x2"), {"xaxis": {"range": [0, 1]}, "xaxis2": {"matches": "x"}}, "x"),
        (go.Scatter3d(scene="scene2"), {"scene2": {"zaxis": {"range": [0, 1]}}}, "z"),
        (go.Bar(), {"yaxis": {"range": [0, 1]}}, "y"),
        (go.Heatmap(), {}, "z"),
    ],
)
def test_axes_of_second_plots_matched_axes_and_colours_are_understood(trace, layout, attr):
    figure = Interactive(go.Figure(trace, layout=layout), alt="Dots.").slider("step", "Step", [1, 2, 3])
    figure.bind(0, attr, np.zeros((3, 4, 4)) if attr == "z" and trace.type == "heatmap" else POINTS)


def test_importing_the_figures_brings_neither_torch_nor_plotly_nor_widgets():
    heavy = {"torch", "plotly", "ipywidgets"}
    code = f"import sys, rnnkit.figures; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
