from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rnnkit.datasets import sentences
from rnnkit.models.population import Architecture, initial
from rnnkit.probes import solutions, success
from rnnkit.studies.trainability import reader, views
from rnnkit.studies.trainability.configs import SCALES, SMALL, UPDATES

RNG = np.random.default_rng(0)


class Made:
    """A study of made-up records; populations in ``missing`` have none."""

    seeds = (3,)

    def __init__(self, records=(), missing=(), models=None):
        self._records = dict(records)
        self._missing, self._models = set(missing), models or {}
        self._populations = {}

    def population(self, cell, dataset, sizes, schedule, /):
        place = (cell, dataset, sizes, schedule)
        if place in self._missing or (dataset == "count" and sizes not in SMALL):
            return None
        if place not in self._populations:
            count = self._models.get(schedule, 20)
            arrays = {"best_accuracy": RNG.random(count), "valid_accuracy": RNG.random((count, 7))}
            self._populations[place] = SimpleNamespace(arrays=arrays)
        return self._populations[place]

    def records(self, kind):
        return list(self._records.get(kind, ()))


def record(label, *, weights=None, **arrays):
    return SimpleNamespace(key=SimpleNamespace(label=label), arrays=arrays, weights=weights or {})


def test_the_grid_holds_every_size_and_its_first_sixteen_models():
    study = Made()
    grid = views.grid(study)
    assert grid["best"]["gru"].shape == (2, 2, 16, 4, 4)
    expected = study.population("gru", "xor", "10x4", "paper").arrays["best_accuracy"][:16]
    np.testing.assert_array_equal(grid["best"]["gru"][1, 0, :, 2, 1], expected)


def test_a_size_that_was_not_trained_is_nan_in_the_grid():
    best = views.grid(Made(missing=[("rnn", "first", "2x2", "constant")]))["best"]["rnn"]
    assert np.isnan(best[0, 1, :, 0, 0]).all()
    assert np.isfinite(best[0, 0]).all()


def test_populations_of_different_numbers_are_filled_with_nan():
    study = Made(models={"paper": 12, "constant": 5}, missing=[("gru", "count", "4x4", "paper")])
    best, valid = views.populations(study), views.populations(study, "valid_accuracy")
    assert best["rnn"].shape == (3, 2, 4, 12)
    assert valid["rnn"].shape == (3, 2, 4, 12, 7)
    assert np.isnan(best["gru"][0, 1, 0, 5:]).all()
    own = study.population("gru", "first", "4x2", "constant").arrays
    np.testing.assert_array_equal(best["gru"][0, 1, 2, :5], own["best_accuracy"])
    np.testing.assert_array_equal(valid["gru"][0, 1, 2, :5], own["valid_accuracy"])
    assert np.isnan(best["gru"][2, 0, 3]).all()


def test_shares_and_the_best_of_some_are_the_probes():
    study = Made(models={"paper": 40, "constant": 8})
    shares, best = views.success_shares(study), views.best_of(study)
    own = study.population("rnn", "xor", "2x4", "constant").arrays["best_accuracy"]
    expected = success.success(own, shares["thresholds"])
    np.testing.assert_array_equal(shares["shares"]["rnn"][1, 1, 1, 2], expected.high)
    line = best["expected"]["rnn"][1, 1, 1]
    np.testing.assert_allclose(line[:8], success.best_of(own, np.arange(1, 9)))
    assert np.isnan(line[8:]).all(), "eight nets have no best of nine"


def test_random_settings_come_with_rising_scales():
    counts = RNG.integers(0, 9, (len(SCALES), 2001))
    records = [
        record(f"{c}-{size}-s0", counts=counts, scales=np.array(SCALES))
        for c in views.CELLS
        for size in SMALL
    ]
    found = views.random_settings(Made({"random": records}))
    assert (np.diff(found["scales"]) > 0).all()
    order = np.argsort(SCALES)
    np.testing.assert_array_equal(found["counts"]["rnn"][0], solutions.by_percent(counts[order]))
    expected = solutions.share_at_least(counts[order], np.array(found["thresholds"]))
    np.testing.assert_array_equal(found["shares"]["gru"][3, 1, 1], expected.low[:, 1])
    np.testing.assert_array_equal(found["boxes"]["gru"][2, :, 3], solutions.boxes(counts[order]).median)


def test_walks_of_different_numbers_of_models_and_epochs_stand_side_by_side():
    def walk(label, models, epochs):
        names = ("roughness", "mean_cosine", "straightness", "best_accuracy")
        return record(
            label, cosine=RNG.random((models, epochs)), **{name: RNG.random(models) for name in names}
        )

    records = [walk(f"rnn-{UPDATES[0]}-paper-s0", 3, 9), walk(f"gru-{UPDATES[1]}-constant-s0", 5, 20)]
    study = Made({"updates": records})
    cosine = views.cosines(study)["cosine"]
    np.testing.assert_array_equal(cosine["rnn"][0, 0, :3, :9], records[0].arrays["cosine"])
    assert np.isnan(cosine["rnn"][0, 0, 3:]).all()
    assert np.isnan(cosine["gru"][0]).all()
    measured = views.smoothness(study)["measured"]
    np.testing.assert_array_equal(measured["mean cosine"]["gru"][1, 1], records[1].arrays["mean_cosine"])


def test_perturbations_need_both_cells():
    records = [record("rnn-whole-s0", loss=1), record("gru-whole-s0", loss=2), record("gru-each-s0", loss=3)]
    found = views.perturbations(Made({"perturb": records}))
    assert {reading: list(cells) for reading, cells in found.items()} == {"whole": ["rnn", "gru"]}


def test_a_cell_without_good_models_is_left_out():
    records = [record("rnn-s0", accuracy=np.empty(0)), record("gru-s0", accuracy=np.ones(2))]
    assert list(views.by_cell(Made({"states": records}), "states")) == ["gru"]


@pytest.mark.parametrize("rule", sentences.RULES)
def test_example_sentences_have_the_label_of_their_rule(rule):
    found = reader.example_sentences(Made(), num=20)
    np.testing.assert_array_equal(sentences.label(found["words"][rule], rule), found["labels"][rule])
    assert found["words"][rule].shape == (20, 10)


def test_the_player_has_as_many_models_of_each_cell_and_sentences_of_its_words():
    records = [
        record(
            f"{cell}-s0",
            accuracy=np.full(count, 0.99),
            weights={"parameters": initial(Architecture.parse(cell, "4x2"), count, 0)},
        )
        for cell, count in (("rnn", 4), ("gru", 3))
    ]
    found = reader.player(Made({"states": records}))
    assert [parts["embedding"].shape for _, parts in found["nets"].values()] == [(3, 10, 4)] * 2
    assert [cell for cell, _ in found["nets"].values()] == ["rnn", "gru"]
    for pair in found["examples"].values():
        assert all(len(sentences.parse(text)) == 10 for text in pair)
    beginnings = [found["kinds"][sentences.parse(text)] for text in found["examples"]["different beginnings"]]
    assert (beginnings[0][:3] == 0).all()
    assert (beginnings[1][:3] != 0).all()
    np.testing.assert_array_equal(beginnings[0][3:], beginnings[1][3:])
