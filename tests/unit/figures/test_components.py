from __future__ import annotations

import numpy as np

from rnnkit.figures import components
from tests.unit.figures.cells import CELLS, assert_complete, by_name, rng


def found(count=5):
    made, arrays = rng(), {}
    for cell in CELLS:
        arrays[cell] = {
            "words": made.normal(size=(count, 10, 2)),
            "images": made.normal(size=(count, 3 if cell == "gru" else 1, 10, 2)),
            "readout": made.normal(size=(count, 10, 2)),
            "accuracy": made.random(count),
            **{f"{a}_{b}": made.random(count) + 0.1 for a in ("step", "image") for b in ("stop", "other")},
            **{f"separable_{a}": made.random(count) < 0.5 for a in ("words", "images", "readout")},
            **{f"line_{a}": made.random(count) for a in ("images", "readout")},
        }
        fresh = {
            f"untrained_{a}": made.random(2 * count) + 0.1
            for a in arrays[cell]
            if a[:4] in ("step", "imag", "line")
        }
        fresh |= {
            f"untrained_separable_{a}": made.random(2 * count) < 0.5 for a in ("words", "images", "readout")
        }
        arrays[cell] |= fresh
    return arrays


def test_every_word_is_where_the_model_has_it_in_each_of_the_three_spaces():
    arrays = found()
    figure = components.word_maps(arrays)
    assert_complete(figure)
    shown = {(b.trace, b.attr): b.at({"model": 3, "gate": 1}) for b in figure.bindings if b.trace is not None}
    panels = {}
    for trace, drawn in enumerate(figure.figure.data):
        panels.setdefault(drawn.xaxis, []).append(np.stack([shown[trace, "x"], shown[trace, "y"]], -1))
    expected = {
        "x": arrays["rnn"]["words"][3],
        "x2": arrays["gru"]["words"][3],
        "x3": arrays["rnn"]["images"][3, 0],
        "x4": arrays["gru"]["images"][3, 1],
        "x5": arrays["rnn"]["readout"][3],
        "x6": arrays["gru"]["readout"][3],
    }
    for axis, words in expected.items():
        np.testing.assert_array_equal(np.concatenate(panels[axis]), words)


def test_the_kinds_differ_in_shape_and_colour_and_are_named_once():
    figure = components.word_maps(found())
    named = [trace for trace in figure.figure.data if trace.showlegend]
    assert [trace.name for trace in named] == ["stop word", "positive word", "negative word"]
    assert len({trace.marker.symbol for trace in named}) == len({trace.marker.color for trace in named}) == 3
    assert [len(trace.text) for trace in named] == [6, 2, 2]


def test_the_description_counts_the_models_that_a_line_separates():
    arrays = found()
    alt = components.word_maps(arrays).alt
    assert f"{arrays['gru']['separable_readout'].sum()} in W_oh W_ih x" in alt
    assert components.summary(arrays)["GRU"][2] == f"{arrays['gru']['separable_readout'].sum()} of 5"


def test_the_strips_hold_each_models_steps():
    arrays = found()
    figure = components.steps(arrays)
    assert_complete(figure)
    by = by_name(figure)
    shown = by["gru other", "y"].at({"measure": 1, "net": 0})
    np.testing.assert_array_equal(shown[:5], arrays["gru"]["image_other"])
    assert np.isnan(shown[5:]).all(), "more nets were left untrained than were trained"
    bar = by["rnn stop bar", "y"].at({"measure": 0, "net": 0})
    np.testing.assert_allclose(bar, [arrays["rnn"]["step_stop"].mean()] * 2)
    fresh = by["rnn stop", "y"].at({"measure": 0, "net": 1})
    np.testing.assert_array_equal(fresh, arrays["rnn"]["untrained_step_stop"])
