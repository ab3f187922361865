from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import horizon, states
from tests.unit.figures.cells import CELLS, assert_complete, by_name, rng


def pairs(models=4, count=12):
    made = rng()
    return {
        cell: {
            "prefix_gap": made.random((models, count, 11)),
            "prefix_scale": made.random(models) + 0.5,
            "prefix_same_label": np.arange(count) < 5,
            "prefix_right": made.random((models, count, 2)) < 0.9,
            "swap_right": made.random((models, 7, 2)) < 0.9,
            "swap_flipped": made.random((models, 7)) < 0.1,
        }
        for cell in CELLS
    }


def tails(models=4):
    made, lengths = rng(2), np.array([1, 2, 5, 10, 30, 100, 500, 2000])
    return {
        cell: {
            "lengths": lengths,
            "right": made.random((models, len(lengths))),
            "distance": made.random((models, len(lengths))),
            "horizon": np.array([0, 10, 100, 2000])[:models],
            "forgets": np.array([2, 30, 2001, 2001])[:models],
        }
        for cell in CELLS
    }


def test_median_and_quartiles_are_those_of_the_chosen_models_and_pairs():
    found = pairs()
    figure = states.prefix_gap(found)
    assert_complete(figure)
    by = by_name(figure)
    gap, scale = found["gru"]["prefix_gap"], found["gru"]["prefix_scale"]
    of_all = by["GRU", "y"].at({"model": 0, "pairs": 0, "scale": 1})
    np.testing.assert_allclose(of_all, np.median(gap.reshape(-1, 11), axis=0))
    of_one = by["GRU", "y"].at({"model": 3, "pairs": 1, "scale": 0})
    np.testing.assert_allclose(of_one, np.median(gap[2, :5] / scale[2], axis=0))
    band = by["RNN band", "y"].at({"model": 2, "pairs": 0, "scale": 1})
    np.testing.assert_allclose(band[:11], np.quantile(found["rnn"]["prefix_gap"][1], 0.25, axis=0))
    np.testing.assert_allclose(band[11:][::-1], np.quantile(found["rnn"]["prefix_gap"][1], 0.75, axis=0))
    relative = (gap / scale[:, None, None]).reshape(-1, 11)
    assert (
        f"GRU {np.median(relative[:, 3]):.3f} after word 3, {np.median(relative[:, -1]):.3f} at the end"
        in figure.alt
    )


def test_pairs_of_one_label_may_not_exist():
    found = pairs()
    for arrays in found.values():
        arrays["prefix_same_label"][:] = False
    line = by_name(states.prefix_gap(found))["RNN", "y"]
    assert np.isnan(line.at({"model": 0, "pairs": 1, "scale": 0})).all()


def test_shares_of_sentences_are_those_of_each_model():
    found = pairs()
    figure = states.judged(found)
    assert_complete(figure)
    by = by_name(figure)
    shown = by["rnn models", "y"].at({"measure": 1})
    np.testing.assert_allclose(shown, found["rnn"]["swap_flipped"].mean(axis=1))
    front = by["gru models", "y"].at({"measure": 3})
    np.testing.assert_allclose(front, found["gru"]["prefix_right"][..., 1].mean(axis=1))


@pytest.mark.parametrize("what", ["right", "distance"])
def test_each_model_has_its_curve_by_length(what):
    found = tails()
    draw = horizon.right_by_length if what == "right" else horizon.distance_by_length
    figure = draw(found)
    assert_complete(figure)
    values = found["gru"][what]
    if what == "distance":
        values = values / values[:, :1]
    by = by_name(figure)
    np.testing.assert_allclose(by["GRU", "y"].at({"model": 0}), values.mean(axis=0))
    np.testing.assert_allclose(by["GRU", "y"].at({"model": 4}), values[3])
    assert f"{values.mean(axis=0)[-1]:.2f} at 2000" in figure.alt


def test_a_distance_of_nothing_is_left_out():
    found = tails()
    found["rnn"]["distance"][1] = 0
    line = by_name(horizon.distance_by_length(found))["RNN", "y"]
    assert np.isnan(line.at({"model": 2})).all()
    assert np.isfinite(line.at({"model": 0})).all()


def test_horizons_tell_the_models_that_never_fail():
    figure = horizon.horizons(tails())
    assert_complete(figure)
    assert "1 of 4 without a mistake up to 2000, 2 whose states meet" in figure.alt
    assert figure.table["RNN: states meet at this length"] == ["2", "30", "never", "never"]
    shown = by_name(figure)["rnn models", "y"].at({"measure": 0})
    assert shown[0] > 0, "a logarithmic axis has no zero"
