from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import capacity, trainability
from tests.unit.figures.cells import CELLS, assert_complete, bound_text, by_name, rng

NAMES = {"datasets": ("first", "xor"), "schedules": ("paper", "constant")}
SIZES = {"input_sizes": (2, 5, 10, 15), "hidden_sizes": (2, 4, 8)}
SMALL = {**NAMES, "architectures": ("2x2", "2x4", "4x2", "4x4")}


def grid(count=5):
    return {cell: rng(i).uniform(0.5, 1, (2, 2, count, 4, 3)) for i, cell in enumerate(CELLS)}


def populations(count=40):
    best = {cell: rng(i).uniform(0.5, 1, (2, 2, 4, count)) for i, cell in enumerate(CELLS)}
    best["gru"][:, 1, :, 30:] = np.nan  # fewer at a constant rate
    best["rnn"][1, 1, 3] = np.nan  # never trained
    return best


def test_each_cell_of_the_map_shows_its_net_as_a_whole_number():
    best = grid()
    figure = trainability.heatmaps(best, **NAMES, **SIZES)
    assert_complete(figure)
    by, state = by_name(figure), {"dataset": 1, "schedule": 0, "model": 2}
    shown = by["gru", "z"].at(state)
    np.testing.assert_allclose(shown, 100 * best["gru"][1, 0, 2].T)
    assert shown.shape == (3, 4), "hidden units down, input units across"
    texts = bound_text(figure, "gru numbers").at(state)
    assert texts[1] == f"{100 * best['gru'][1, 0, 2, 1, 0]:.0f}"
    numbers = next(trace for trace in figure.figure.data if trace.name == "gru numbers")
    assert (numbers.x[1], numbers.y[1]) == (1, 0)


def test_after_the_single_ones_come_their_mean_and_the_share_solved():
    best = grid()
    figure = trainability.heatmaps(best, **NAMES, **SIZES)
    z, state = by_name(figure)["rnn", "z"], {"dataset": 0, "schedule": 1}
    np.testing.assert_allclose(z.at({**state, "model": 5}), 100 * best["rnn"][0, 1].mean(axis=0).T)
    solved = (best["rnn"][0, 1] >= 0.95).mean(axis=0)
    np.testing.assert_allclose(z.at({**state, "model": 6}), 100 * solved.T)
    assert f"RNN {(best['rnn'][0, 0] >= 0.95).sum()} of 60" in figure.alt


def test_nets_that_were_not_trained_leave_an_empty_place():
    best = grid()
    best["rnn"][:, 1] = np.nan
    figure = trainability.heatmaps(best, **NAMES, **SIZES)
    assert set(bound_text(figure, "rnn numbers").at({"dataset": 0, "schedule": 1, "model": 6})) == {""}
    assert "RNN not trained" in figure.alt


def test_accuracies_are_sorted_and_stand_at_their_rank():
    best = populations()
    figure = capacity.sorted_accuracies(best, **SMALL)
    assert_complete(figure)
    by, state = by_name(figure), {"dataset": 0, "schedule": 1}
    y, x = (by["GRU 4x2", attr].at(state) for attr in "yx")
    np.testing.assert_array_equal(y[:30], np.sort(best["gru"][0, 1, 2, :30])[::-1])
    assert x[29] == pytest.approx(29.5 / 30)
    assert np.isnan(y[30:]).all()
    assert figure.table["RNN: solved"][7 + 8] == "–", "xor, constant, 4x4"


def test_shares_and_their_intervals_are_drawn_as_given():
    thresholds = np.linspace(0.5, 1, 51)
    shares = {
        cell: np.sort(rng(i).random((2, 2, 4, 3, 51)), axis=-2)[..., [1, 0, 2], :]
        for i, cell in enumerate(CELLS)
    }
    shares["rnn"][1, 1] = np.nan
    figure = capacity.success_shares(shares, thresholds, **SMALL)
    assert_complete(figure)
    by, state = by_name(figure), {"dataset": 1, "schedule": 0}
    np.testing.assert_array_equal(by["RNN 2x4", "y"].at(state), shares["rnn"][1, 0, 1, 0])
    band = by["RNN 2x4 band", "y"].at(state)
    np.testing.assert_array_equal(band, [*shares["rnn"][1, 0, 1, 1], *shares["rnn"][1, 0, 1, 2, ::-1]])
    share, low, high = 100 * shares["gru"][0, 0, 0, :, 45]
    assert f"{share:.1f} [{low:.1f}, {high:.1f}] %" in figure.alt


def test_what_to_expect_of_the_best_is_drawn_as_given():
    tries = np.array([1, 3, 30])
    expected = {cell: rng(i).uniform(0.5, 1, (2, 2, 4, 3)) for i, cell in enumerate(CELLS)}
    expected["gru"][1, 1, :, 2] = np.nan
    figure = capacity.best_of(expected, tries, **SMALL)
    assert_complete(figure)
    line = by_name(figure)["GRU", "y"].at({"dataset": 1, "schedule": 0})
    np.testing.assert_array_equal(line, expected["gru"][1, 0, 0])
    assert figure.table["RNN: best of 30"][0] == expected["rnn"][0, 0, 0, 2]
    assert f"GRU 4x4 {expected['gru'][0, 0, 3, 0]:.3f} for 1" in figure.alt
