"""The figure of the steps around a fall."""

import numpy as np
import pytest

from rnnkit.figures.fall import LINES, fall, reach


def line(first: int, norms: list[float], accuracy: float) -> dict[str, np.ndarray]:
    steps = np.arange(first, first + len(norms))
    return {"step": steps, "norm": np.array(norms), "accuracy": np.full(len(norms), accuracy)}


TRAINED = line(90, [1.0, 1.2, 0.8, 20.0, 5.0], 0.5)


def given(**changes) -> dict[str, dict[str, np.ndarray]]:
    others = {name: line(93, [2.0, 3.0], 0.75) for name in LINES}
    return others | {"as_trained": TRAINED, "fp32_late": line(93, [6.0, 5.0], 0.25)} | changes


def test_each_way_is_drawn_in_both_panels_by_one_entry_of_the_legend():
    figure = fall(given(), 93, seed=1)
    traces = figure.figure.data
    assert len(traces) == 2 * len(LINES) + 1
    assert [trace.name for trace in traces if trace.showlegend is not False] == [
        *(line.title for line in LINES.values()),
        "float32, same weights",
    ]
    np.testing.assert_array_equal(traces[0].y, TRAINED["norm"])
    np.testing.assert_array_equal(traces[1].y, TRAINED["accuracy"])
    assert traces[1].yaxis == "y2"
    assert (traces[-1].x, traces[-1].y.tolist()) == ((93,), [6.0])
    assert len({(line.color, line.dash) for line in LINES.values()}) == len(LINES)


def test_the_text_says_what_the_step_did():
    figure = fall(given(clipped=line(92, [1.0, 1.0], 0.9)), 93, seed=1)
    assert "seed 1" in figure.alt
    assert "seed 1" in figure.caption
    assert "about 1; there it is 20 in the precision of the training and 6 in float32" in figure.alt
    assert "as trained 50.0 %; float32 75.0 %; float32 from that step on 25.0 %; clipped 90.0 %" in figure.alt
    assert figure.table["largest norm from step 93 on"] == ["20", "3", "6", "1"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({}, "lines: none; they are as_trained, fp32"),
        ({"as_trained": TRAINED}, "lines: as_trained; they are"),
        (given(other=TRAINED), "other; they are"),
        (given(clipped={"step": np.arange(3)}), "clipped: no norm, accuracy"),
        (given(clipped={**TRAINED, "norm": np.ones(3)}), "norm"),
        (given(fp32_late=line(94, [1.0], 0.5)), "thrown: no step 93"),
        (given(as_trained=line(94, [1.0], 0.5)), "thrown: no step 93"),
    ],
)
def test_what_does_not_fit_is_refused(lines, words):
    with pytest.raises(ValueError, match=words):
        fall(lines, 93, seed=1)


def test_each_image_is_a_dot_and_the_farthest_is_shown():
    half, exact = np.array([0.1, 0.2, 0.4, 800.0]), np.array([0.1, 0.2, 0.3, 200.0])
    figure = reach(np.stack([half, exact]), np.arange(6).reshape(2, 3), 1, 599)
    dots, _, pixels = figure.figure.data
    np.testing.assert_array_equal(dots.x, half)
    np.testing.assert_array_equal(dots.y, exact)
    assert int(np.argmax(dots.marker.size)) == 3
    np.testing.assert_array_equal(pixels.z, np.arange(6).reshape(2, 3))
    assert "Of the 4 images at step 599, 2 reach equally far" in figure.alt
    assert "a 1, reaches 800 in bfloat16 and 200 in float32; the next one 0.4" in figure.alt
    assert figure.table["float32"][2:] == ["0.3", "200"]
    with pytest.raises(ValueError, match="reaches"):
        reach(half, np.ones((2, 2)), 1, 599)
