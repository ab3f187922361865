from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.activations import unit_by_class, units_of_class
from rnnkit.figures.class_paths import class_paths
from rnnkit.figures.gradients import gradient_by_lag
from rnnkit.figures.through_time import MEASURES, through_time
from tests.unit.figures.psmnist import bound, inside, named

ALL = (class_paths, through_time, unit_by_class, units_of_class, gradient_by_lag)


def nets(count=2):
    return {
        "rnn": inside(count),
        "lmu-gru": inside(count, seed=1),
        "gru": None,
        "lstm": {"steps": np.arange(3)},
    }


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("draw", ALL)
def test_a_net_that_was_not_run_is_left_out_and_said_nothing_of(draw, count):
    figure = draw(nets(count))
    said = figure.alt + str(figure.table) + str(figure.controls)
    assert "LMU + GRU" in said
    assert "LSTM" not in said
    assert figure.alt.count("GRU") == figure.alt.count("LMU + GRU")
    figure.payload()


@pytest.mark.parametrize("draw", ALL)
def test_no_net_at_all_is_refused(draw):
    with pytest.raises(ValueError, match="no net has"):
        draw({"gru": None})


@pytest.mark.parametrize("draw", ALL)
def test_missing_numbers_leave_gaps(draw):
    arrays = inside(1)
    for name in (*MEASURES, "paths", "paths_spread", "units", "grad_input", "grad_state"):
        arrays[name][:, ..., 1:3] = np.nan
    draw({"rnn": arrays}).payload()


@pytest.mark.parametrize(
    ("draw", "name", "match"),
    [
        (class_paths, "paths", r"rnn, paths: an array of \(seeds, 10, T, 3\)"),
        (through_time, "own", r"rnn, own: an array of \(seeds, 4\)"),
        (unit_by_class, "units", r"rnn, units: an array of \(seeds, 10, 4, "),
        (gradient_by_lag, "grad_state", r"rnn, grad_state: an array of \(seeds, 2, "),
    ],
)
def test_wrong_shapes_are_refused(draw, name, match):
    arrays = inside(1)
    with pytest.raises(ValueError, match=match):
        draw({"rnn": arrays | {name: arrays[name][0]}})


def test_nets_looked_at_other_steps_are_refused():
    with pytest.raises(ValueError, match="lstm, steps: not those of rnn"):
        through_time({"rnn": inside(1), "lstm": inside(1, length=28)})


def test_the_mark_lies_at_the_end_of_its_trail():
    given = nets()
    figure = class_paths(given)
    path = given["lmu-gru"]["paths"][0]
    low, high = path.min(axis=(0, 1)), path.max(axis=(0, 1))
    path, scale = path - (low + high) / 2, (high - low).max() / 2
    for i, axis in enumerate("xyz"):
        mark = bound(figure, "3 now", axis).at({"net": 1, "time": 2})
        np.testing.assert_allclose(mark, [path[3, 42 - 1, i] / scale])
        line = bound(figure, "3", axis).at({"net": 1, "time": 2})
        np.testing.assert_allclose(line, path[3, 42 - 29 : 42 : 2, i] / scale)
        assert line[-1] == mark[0]
        first = bound(figure, "3", axis).at({"net": 1, "time": 0})  # fewer steps lie before it
        assert np.isnan(first).sum() == 8
        np.testing.assert_allclose(first[8:], path[3, 1:14:2, i] / scale)
        assert np.nanmax(np.abs(line)) <= 1
    assert "LMU + GRU 70.0 %" in figure.alt


def test_every_measure_is_shown_over_the_steps():
    given = nets(3)
    figure = through_time(given)
    np.testing.assert_array_equal(named(figure, "sRNN").x, [14, 28, 42, 56])
    for i, name in enumerate(MEASURES):
        shown = bound(figure, "sRNN", "y").at({"measure": i, "seeds": 0})
        np.testing.assert_allclose(shown, given["rnn"][name].mean(axis=0))
    linear = 100 * given["rnn"]["linear"][:, -1].mean()
    assert f"{linear:.1f} % and" in figure.alt
    assert [bound(figure, None, "shapes[0].visible").at({"measure": i}) for i in range(4)] == [
        True,
        True,
        True,
        False,
    ]


def test_units_are_shown_by_class_and_by_unit():
    given = nets()
    given["lmu-gru"]["units"] *= 0.25  # each net has a colour scale of its own
    units = given["lmu-gru"]["units"][0]
    top = np.abs(units).max()
    one = bound(unit_by_class(given), "activation", "z").at({"net": 1, "unit": 5})
    np.testing.assert_array_equal(one, np.rint(units[:, :, 5] * 60 / top))
    every = bound(units_of_class(given), "activation", "z").at({"net": 1, "digit": 7})
    np.testing.assert_array_equal(every, np.rint(units[7].T * 60 / top))
    ends = bound(units_of_class(given), "activation", "colorbar.ticktext")
    assert ends.at({"net": 1}) == [f"−{top:.2g}", "0", f"{top:.2g}"]
    assert ends.at({"net": 0}) != ends.at({"net": 1})
    title = bound(unit_by_class(given), None, "title.text").at({"net": 1, "unit": 5})
    assert title == f"unit no. 6 of 32 (index {given['lmu-gru']['unit_index'][0, 5]})"
    best = int(units[:, -1, 0].argmax())
    assert f"LMU + GRU highest for digit {best}" in unit_by_class(given).alt


@pytest.mark.parametrize("count", [1, 3])
def test_lag_zero_is_the_last_step_and_small_norms_keep_their_digits(count):
    given = {"rnn": inside(count)}
    given["rnn"]["grad_state"][:, 1, 0] = 1e-12
    figure = gradient_by_lag(given)
    line = bound(figure, "sRNN", "y")
    after = line.at({"quantity": 0, "when": 0, "scale": 0, "seeds": 0})
    np.testing.assert_allclose(after, np.log10(given["rnn"]["grad_state"][:, 1, ::-1]).mean(axis=0))
    before = line.at({"quantity": 1, "when": 1, "scale": 1, "seeds": 0})
    logs = np.log10(given["rnn"]["grad_input"][:, 0, ::-1])
    np.testing.assert_allclose(before, (logs - logs[:, :1]).mean(axis=0))
    low, high = bound(figure, None, "yaxis.range").at({"quantity": 0, "when": 0, "scale": 0})
    assert low <= -12 < 0 <= high


def test_a_gradient_of_zero_is_not_drawn():
    given = {"rnn": inside(1)}
    given["rnn"]["grad_input"][:, :, :20] = 0
    figure = gradient_by_lag(given)
    shown = bound(figure, "sRNN", "y").at({"quantity": 1, "when": 0, "scale": 0, "seeds": 0})
    np.testing.assert_array_equal(np.isnan(shown), np.arange(56) >= 36)
    figure.payload()
