from __future__ import annotations

import importlib.util
import types

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnkit.figures import Interactive, live
from rnnkit.figures.interactive import MIME


@pytest.fixture
def figure():
    array = np.random.default_rng(0).random((2, 3, 5))
    fig = go.Figure(go.Scatter(), layout={"xaxis": {"range": [0, 1]}, "yaxis": {"range": [0, 1]}})
    figure = Interactive(fig, alt="Dots.", caption="Some dots.").slider("step", "Step", ["a", "b", "c"])
    figure.select("net", "Net", ["paper", "tuned"], start=1)
    figure.bind(0, "y", array, over=("net", "step")).bind(0, "x", array[0])
    return figure.bind_layout("title.text", ["A", "B", "C"], over="step"), array


@pytest.fixture
def in_kernel(monkeypatch):
    monkeypatch.delenv("RNNKIT_STATIC", raising=False)
    monkeypatch.setattr("IPython.get_ipython", lambda: types.SimpleNamespace(kernel=object()))


@pytest.fixture
def displayed(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **how: shown.append((things, how)))
    return shown


def test_moving_a_widget_moves_every_attribute_bound_to_it(figure):
    interactive, array = figure
    shown = live.LiveFigure(interactive)
    shown.inputs["step"].index = 2
    np.testing.assert_array_equal(shown.figure.data[0].y, array[1, 2])
    np.testing.assert_array_equal(shown.figure.data[0].x, array[0, 2])
    assert shown.figure.layout.title.text == "C"
    shown.inputs["net"].index = 0
    np.testing.assert_array_equal(shown.figure.data[0].y, array[0, 2])


def test_the_widgets_print_the_same_labels_and_start_as_the_page(figure):
    interactive, _ = figure
    shown = live.LiveFigure(interactive)
    assert {name: box.label for name, box in shown.inputs.items()} == {"step": "a", "net": "tuned"}
    assert shown.widget.children[-1].value == "Some dots."


def test_in_a_live_kernel_the_widgets_are_displayed(figure, in_kernel, displayed):
    figure[0]._ipython_display_()
    ((widget,), how) = displayed[0]
    assert isinstance(widget.children[2], go.FigureWidget)
    assert how == {}


def test_in_the_books_own_runs_the_static_output_is_displayed(figure, in_kernel, displayed, monkeypatch):
    monkeypatch.setenv("RNNKIT_STATIC", "1")
    figure[0].show()
    ((bundle,), how) = displayed[0]
    assert how == {"raw": True}
    assert set(bundle) == {MIME, "text/plain"}


def test_outside_a_kernel_nothing_is_live(monkeypatch):
    monkeypatch.delenv("RNNKIT_STATIC", raising=False)
    assert not live.is_live()


def test_without_ipywidgets_nothing_is_live(in_kernel, monkeypatch):
    assert live.is_live() is (importlib.util.find_spec("ipywidgets") is not None)
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    assert not live.is_live()
