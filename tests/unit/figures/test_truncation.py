from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import net_color, truncation

RNG = np.random.default_rng(0)
NETS = ("paper", "tuned", "untrained")


def stack(count, length):
    return {net: RNG.random((count, length)) for net in NETS}


def bindings(figure):
    return {(figure.figure.data[b.trace].name, b.attr): b for b in figure.bindings if b.trace is not None}


@pytest.mark.parametrize("num_rows", [8, 28])
@pytest.mark.parametrize("count", [1, 5])
def test_both_experiments_are_drawn_for_the_chosen_net_and_seed(num_rows, count):
    blank, stop = stack(count, num_rows + 1), stack(count, num_rows + 1)
    figure = truncation.shown_rows(blank, stop, range(count))
    by = bindings(figure)
    for name, values in ((truncation.BLANKED, blank), (truncation.STOPPED, stop)):
        first = by[name, "y"].at({"net": 1, "seeds": 0})
        np.testing.assert_allclose(first, values["tuned"].mean(axis=0))
        last = by[name, "y"].at({"net": 2, "seeds": count if count > 1 else 0})
        np.testing.assert_array_equal(last, values["untrained"][-1])
        assert by[name, "line.color"].values[1] == net_color("tuned")
    np.testing.assert_array_equal(figure.figure.data[1].x, np.arange(num_rows + 1))
    np.testing.assert_allclose(figure.table["well-tuned net: then stop"], stop["tuned"].mean(axis=0))


def test_the_description_tells_the_gap_between_the_experiments():
    blank = {"paper": np.array([[0.1, 0.5, 0.7, 0.9]])}
    stop = {"paper": np.array([[0.1, 0.1, 0.8, 0.9]])}
    alt = truncation.shown_rows(blank, stop, [0]).alt
    assert "+15.0 points on average, from -10.0 to +40.0 (with 1 shown), above zero for 1 of 2" in alt


@pytest.mark.parametrize("num_extra", [60, 500])
def test_added_rows_are_drawn_in_windows_that_they_fill(num_extra):
    given = stack(2, num_extra + 1)
    figure = truncation.extra_rows(given, [3, 4])
    by = bindings(figure)
    shown = by["3: blank rows added", "y"].at({"net": 0, "zoom": 0, "seeds": 2})
    np.testing.assert_array_equal(shown, given["paper"][1])
    (window,) = (b for b in figure.bindings if b.attr == "xaxis.range")
    assert all(low < 1 + high and high < 1.02 * num_extra + 1 for low, high in window.values)
    assert figure.controls["zoom"].values[0] == f"0 to {num_extra}"
    assert f"{100 * given['paper'][:, 5].mean():.1f} % after 5" in figure.alt
    assert max(figure.table["blank rows added"]) <= num_extra


def test_a_single_seed_is_shown_first_since_a_mean_blurs():
    assert truncation.extra_rows(stack(3, 61), [0, 1, 2]).start["seeds"] == 1
    assert truncation.extra_rows(stack(1, 61), [0]).start["seeds"] == 0


@pytest.mark.parametrize(("num_rows", "count"), [(8, 1), (28, 5)])
def test_two_readings_of_blank_stand_side_by_side(num_rows, count):
    short = [RNG.random((count, num_rows + 1)) for _ in range(2)]
    long = [RNG.random((count, 61)) for _ in range(2)]
    figure = truncation.blank_meaning(*short, *long, range(count))
    by = bindings(figure)
    for experiment, (white, zero) in enumerate((short, long)):
        length = white.shape[1]
        for name, values in ((truncation.WHITE, white), (truncation.ZEROS, zero)):
            shown = by[name, "y"].at({"experiment": experiment, "seeds": 0})
            np.testing.assert_allclose(shown[:length], values.mean(axis=0))
    (window,) = (b for b in figure.bindings if b.attr == "xaxis.range")
    assert window.at({"experiment": 0})[1] < num_rows + 1
    assert f"{100 * long[1][:, 5].mean():.1f} %" in figure.alt
    rows = np.array(figure.table["rows"])[np.array(figure.table["experiment"]) == 1]
    np.testing.assert_array_equal(rows, np.arange(num_rows + 1))
    assert len(figure.table["rows"]) <= 60
