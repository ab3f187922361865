from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.lab import color
from rnnkit.figures.rows_grid import best_by_epoch, grid
from tests.unit.figures.cells import assert_complete, by_name
from tests.unit.figures.lab import rng
from tests.unit.figures.psmnist import named

ROWS = ("rnn", "gru", "bilstm")
SHAPE = {"cells": ROWS, "layers": (1, 2), "hidden_sizes": (64, 128, 256)}


def accuracies(num_seeds=3, num_epochs=5):
    draw = rng(num_seeds)
    return {cell: 0.9 + 0.1 * draw.random((2, 3, num_seeds, num_epochs)) for cell in ROWS}


@pytest.mark.parametrize("num_seeds", [1, 3])
def test_lines_are_means_and_dots_are_seeds_of_the_picked_epoch(num_seeds):
    found = accuracies(num_seeds)
    figure = grid(found, **SHAPE)
    assert_complete(figure)
    by, state = by_name(figure), {"epoch": 2, "zoom": 0}
    values = found["gru"][1, :, :, 2]
    np.testing.assert_allclose(by["GRU, 2 layers", "y"].at(state), values.mean(axis=1))
    np.testing.assert_array_equal(by["GRU, 2 layers, seeds", "y"].at(state), values.ravel())
    assert named(figure, "BiLSTM, 1 layer").line.color == color("lstm")


def test_the_best_is_marked_epoch_by_epoch_and_said():
    found = accuracies()
    found["rnn"][...] = 0.9
    for epoch, net in enumerate([(0, 0), (1, 2), (0, 1), (1, 0), (1, 1)]):
        found["rnn"][net][:, epoch] = 0.95
    figure = grid(found, **SHAPE)
    best = by_name(figure)["RNN, best", "y"]
    marked = [np.flatnonzero(~np.isnan(best.at({"epoch": epoch}))).tolist() for epoch in range(5)]
    assert marked == [[0], [5], [1], [3], [4]]
    assert "RNN 1 x 64, 2 x 256, 1 x 128, 2 x 64, 2 x 128 (95.0 % at the end)" in figure.alt
    assert figure.table["epoch 2, %: mean [least, most]"][5] == "95.00 [95.00, 95.00]"


def test_every_range_holds_what_it_is_for():
    found = accuracies()
    figure = grid(found, **SHAPE)
    (own, close, every) = next(b for b in figure.bindings if b.attr == "yaxis2.range").values
    assert own[0] < found["gru"].min() < found["gru"].max() < own[1]
    assert close[0] < found["gru"][..., 2:].min() < found["gru"][..., 2:].max() < close[1]
    assert every[0] < min(v.min() for v in found.values())
    assert every[1] > max(v.max() for v in found.values())


def test_each_seed_picks_one_net_and_ties_share_it():
    found = accuracies()
    figure = best_by_epoch(found, **SHAPE)
    assert_complete(figure)
    counts = by_name(figure)["seeds", "z"].at({"cell": 1})
    np.testing.assert_allclose(counts.sum(axis=0), 3)
    flat = found["gru"].reshape(6, 3, 5)
    np.testing.assert_array_equal(counts[:, 4], np.bincount(flat[:, :, 4].argmax(axis=0), minlength=6))
    found["rnn"][...] = 0.5
    found["rnn"][0, :2] = 0.6
    tied = by_name(best_by_epoch(found, **SHAPE))["seeds", "z"].at({"cell": 0})
    np.testing.assert_allclose(tied[:, 0], [1.5, 1.5, 0, 0, 0, 0])


def test_a_net_that_was_not_trained_is_never_the_best():
    found = accuracies()
    found["rnn"][1, 2] = np.nan
    figure = grid(found, **SHAPE)
    assert "2 x 256" not in figure.alt.split("RNN ")[1].split("(")[0]
    counts = by_name(best_by_epoch(found, **SHAPE))["seeds", "z"].at({"cell": 0})
    assert counts[5].sum() == 0
    assert figure.table["epoch 1, %: mean [least, most]"][5] == "–"


@pytest.mark.parametrize("draw", [grid, best_by_epoch])
def test_what_does_not_fit_is_refused(draw):
    with pytest.raises(ValueError, match="no accuracy of bilstm; given: rnn"):
        draw({"rnn": accuracies()["rnn"]}, **SHAPE | {"cells": ("rnn", "bilstm")})
    with pytest.raises(ValueError, match="no accuracy of any cell"):
        draw({}, **SHAPE | {"cells": ()})
    with pytest.raises(ValueError, match=r"rnn, accuracy: an array of \(1, 3, seeds, epochs\) is needed"):
        draw(accuracies(), **SHAPE | {"layers": (1,)})
    with pytest.raises(ValueError, match=r"gru, accuracy: an array of \(2, 3, 3, 5\) is needed"):
        draw(accuracies() | {"gru": accuracies(2)["gru"]}, **SHAPE)
    with pytest.raises(ValueError, match="no colour for cell 'elman'"):
        draw({"elman": accuracies()["rnn"]}, **SHAPE | {"cells": ("elman",)})
    with pytest.raises(ValueError, match="rnn, accuracy: seeds and epochs are needed"):
        draw({cell: np.zeros((2, 3, 0, 5)) for cell in ROWS}, **SHAPE)
    with pytest.raises(ValueError, match="rnn, accuracy: fractions of 1 are needed"):
        draw(accuracies() | {"rnn": 100 * accuracies()["rnn"]}, **SHAPE)
