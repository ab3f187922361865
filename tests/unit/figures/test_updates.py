from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import perturbation, updates
from tests.unit.figures.cells import CELLS, assert_complete, by_name, rng

NAMES = {"architectures": ("2x4", "4x8"), "schedules": ("paper", "constant")}


def cosine(models=4, epochs=12):
    found = {cell: rng(i).uniform(-1, 1, (2, 2, models, epochs)) for i, cell in enumerate(CELLS)}
    for values in found.values():
        values[:, 0, :, 8:] = np.nan
        values[1, 0, 2, 3:] = np.nan
    found["rnn"][1, 1] = np.nan  # no model was good enough
    return found


def pushed(models=3, epochs=5):
    found = {}
    for reading in perturbation.READINGS:
        made = rng(len(reading))
        found[reading] = {
            cell: {
                "factors": np.array([0.1, 0.5, 1.0]),
                **{name: made.random((3, models, epochs)) for name in ("loss", "accuracy", "distance")},
                "base_loss": made.random(models),
                "base_accuracy": made.random(models),
            }
            for cell in CELLS
        }
    return found


def test_the_line_is_the_median_of_the_models_that_still_train():
    given = cosine()
    figure = updates.cosines(given, **NAMES)
    assert_complete(figure)
    line, state = by_name(figure)["GRU", "y"], {"architecture": 1, "schedule": 0}
    drawn = line.at({**state, "model": 0})
    np.testing.assert_allclose(drawn[:8], np.nanmedian(given["gru"][1, 0, :, :8], axis=0))
    assert np.isnan(drawn[8:]).all()
    np.testing.assert_array_equal(line.at({**state, "model": 3}), given["gru"][1, 0, 2])
    band = by_name(figure)["GRU band", "x"].at(state)
    assert band.max() == 8, "the band ends with its last model"


def test_each_model_has_its_dot_for_each_measure():
    measured = {
        name: {cell: rng(i + k).normal(size=(2, 2, 4)) for i, cell in enumerate(CELLS)}
        for k, name in enumerate(("roughness", "mean cosine"))
    }
    for found in measured.values():
        found["rnn"][1, 1] = np.nan
    figure = updates.smoothness(measured, **NAMES)
    assert_complete(figure)
    shown = by_name(figure)["gru models", "y"].at({"measure": 1, "architecture": 0, "schedule": 1})
    np.testing.assert_array_equal(shown, measured["mean cosine"]["gru"][0, 1])
    assert figure.table["RNN, mean [least, most]"][3] == "–"
    assert f"GRU {measured['roughness']['gru'][0, 0].mean():.3g} [" in figure.alt


@pytest.mark.parametrize(("quantity", "name"), list(enumerate(["accuracy", "loss", "distance"])))
def test_curves_after_a_push_are_those_of_the_chosen_factor_and_reading(quantity, name):
    given = pushed()
    figure = perturbation.recovery(given)
    assert_complete(figure)
    line, state = by_name(figure)["RNN", "y"], {"quantity": quantity, "reading": 1, "factor": 2}
    np.testing.assert_allclose(line.at({**state, "model": 0}), given["each"]["rnn"][name][2].mean(axis=0))
    np.testing.assert_allclose(line.at({**state, "model": 3}), given["each"]["rnn"][name][2, 2])


def test_the_dotted_line_is_where_the_net_was_before():
    given = pushed()
    before = by_name(perturbation.recovery(given))["GRU before", "y"]
    at_one = before.at({"quantity": 0, "reading": 0, "model": 2})
    np.testing.assert_allclose(at_one, [given["whole"]["gru"]["base_accuracy"][1]] * 2)
    assert (before.at({"quantity": 2, "reading": 0, "model": 0}) == 0).all()
    assert np.isnan(before.at({"quantity": 3, "reading": 0, "model": 0})).all()


def test_a_push_of_nothing_has_no_relative_distance():
    given = pushed()
    given["whole"]["rnn"]["distance"][0] = 0
    line = by_name(perturbation.recovery(given))["RNN", "y"]
    assert np.isnan(line.at({"quantity": 3, "reading": 0, "factor": 0, "model": 1})).all()


def test_the_end_is_drawn_against_the_factor():
    given = pushed()
    figure = perturbation.recovered(given)
    assert_complete(figure)
    line = by_name(figure)["GRU, at the end", "y"].at({"reading": 0})
    np.testing.assert_allclose(line, given["whole"]["gru"]["accuracy"][:, :, -1].mean(axis=1))
