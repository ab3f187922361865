from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import schedule, sentences, transitions
from tests.unit.figures.cells import CELLS, assert_complete, bound_text, by_name, rng

NAMES = {"datasets": ("count", "first"), "architectures": ("2x2", "2x4"), "schedules": ("paper", "constant")}


def valid(models=6, epochs=9):
    found = {cell: rng(i).uniform(0.5, 1, (2, 2, 2, models, epochs)) for i, cell in enumerate(CELLS)}
    for values in found.values():
        values[:, 0, :, 1, 4:] = np.nan  # stopped
        values[1, 1, 1, 4:] = np.nan  # fewer were trained at a constant rate
        values[0, 1, 1] = np.nan  # none was
    return found


def test_what_is_missing_repeats_the_last_value():
    found = schedule.carried(np.array([[1.0, 2, np.nan, np.nan], [np.nan] * 4]))
    np.testing.assert_array_equal(found, [[1, 2, 2, 2], [np.nan] * 4])


def test_a_stopped_net_keeps_its_last_accuracy_in_the_median():
    given = valid()
    figure = schedule.learning_curves(given, **NAMES)
    assert_complete(figure)
    line = by_name(figure)["GRU, the paper's rule", "y"]
    own = given["gru"][1, 0, 0].copy()
    own[1, 4:] = own[1, 3]
    state = {"dataset": 1, "architecture": 0, "band": 0}
    np.testing.assert_allclose(line.at({**state, "shown": 0}), np.median(own, axis=0))
    band = by_name(figure)["GRU, the paper's rule band", "y"]
    edges = band.at({**state, "shown": 0, "band": 2})
    np.testing.assert_allclose(edges[:9], own.min(axis=0))
    np.testing.assert_allclose(edges[9:][::-1], own.max(axis=0))


def test_shares_of_nets_still_training_and_of_those_that_have_solved():
    given = valid()
    line = by_name(schedule.learning_curves(given, **NAMES))["RNN, the paper's rule", "y"]
    state = {"dataset": 0, "architecture": 0, "band": 0}
    running = line.at({**state, "shown": 1})
    assert running[3] == 1
    assert running[4] == pytest.approx(5 / 6)
    solved = line.at({**state, "shown": 2})
    assert solved[-1] == np.mean(np.nanmax(given["rnn"][0, 0, 0], axis=-1) >= 0.95)
    assert (np.diff(solved) >= 0).all()


def test_a_population_that_was_not_trained_has_no_line():
    line = by_name(schedule.learning_curves(valid(), **NAMES))["RNN, constant rate", "y"]
    for shown in range(3):
        assert np.isnan(line.at({"dataset": 0, "architecture": 1, "band": 0, "shown": shown})).all()


BEST = np.array(
    [
        [0.99, 0.99, 0.6, 0.6, 0.96, np.nan],  # the paper's rule
        [0.99, 0.6, 0.99, 0.6, 0.99, 0.99],  # constant
    ]
)


def outcomes():
    return {cell: np.broadcast_to(BEST[:, None], (2, 2, 2, 6)).copy() for cell in CELLS}


def test_every_initialisation_trained_twice_has_one_outcome():
    figure = transitions.transitions(outcomes(), **NAMES)
    assert_complete(figure)
    row = [
        figure.table[name][0] for name in ("both", "only constant rate", "only the paper's rule", "neither")
    ]
    assert row == [2, 1, 1, 1]
    by = by_name(figure)
    at_98 = by["only constant rate", "x"].at({"threshold": 2, "dataset": 0})
    np.testing.assert_allclose(at_98, 2 / 5)
    total = sum(
        by[name, "x"].at({"threshold": 1, "dataset": 1}) for name in figure.table if (name, "x") in by
    )
    np.testing.assert_allclose(total, 1)
    assert "GRU 2x4: 2 both, 1 only constant rate, 1 only the paper's rule, 1 neither" in figure.alt


def test_the_order_of_the_schedules_is_that_of_the_arrays():
    turned = {cell: values[:, ::-1] for cell, values in outcomes().items()}
    turned["gru"][0, 0, 0, 0] = 0.5  # constant fails where the paper's rule does not
    names = {**NAMES, "schedules": ("constant", "paper")}
    figure = transitions.transitions(turned, **names)
    assert figure.table["only the paper's rule"][:2] == [1, 2]


def test_stops_are_counted_by_what_the_run_came_to():
    epochs = {cell: np.broadcast_to([20.0, 10, 7, 150, 9, np.nan], (2, 2, 2, 6)).copy() for cell in CELLS}
    figure = transitions.stops(epochs, outcomes(), **NAMES)
    assert_complete(figure)
    assert figure.table["would be solved at a constant rate"][0] == 1
    late = by_name(figure)["RNN: solved by neither", "y"].at({"dataset": 0, "architecture": 0})
    np.testing.assert_allclose(late[-1], 1 / 5)
    assert np.sum(late) == pytest.approx(1 / 5)


def sentence_arrays():
    words = {rule: rng(i).integers(0, 10, (14, 10)) for i, rule in enumerate(("count", "first", "xor"))}
    kinds = {rule: np.where(array < 6, 0, np.where(array < 8, 1, -1)) for rule, array in words.items()}
    return words, kinds, {rule: rng(9).integers(0, 2, 14) for rule in words}


def test_the_table_shows_each_sentence_with_its_label():
    words, kinds, labels = sentence_arrays()
    names = [f"w{i}" for i in range(10)]
    figure = sentences.sentence_table(words, kinds, labels, names)
    assert_complete(figure)
    state = {"rule": 2, "page": 1}
    np.testing.assert_array_equal(by_name(figure)["kinds", "z"].at(state), kinds["xor"][6:12])
    assert bound_text(figure, "kinds").at(state)[0][0] == f"w{words['xor'][6, 0]}"
    said = bound_text(figure, "labels").at(state)
    assert list(said) == [("negative", "positive")[label] for label in labels["xor"][6:12]]


@pytest.mark.parametrize(
    ("rule", "expected"), [("count", [0, 1, 0, 1, 1]), ("first", [0, 1, 0, 0, 0]), ("xor", [0, 1, 0, 1, 0])]
)
def test_the_words_that_decide_are_those_of_the_rule(rule, expected):
    np.testing.assert_array_equal(
        sentences.deciding(np.array([0, -1, 0, 1, 1]), rule), np.array(expected, bool)
    )
