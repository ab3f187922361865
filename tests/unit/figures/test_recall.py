from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.lab import color, smooth, thin
from rnnkit.figures.recall import recall_accuracy, recall_curves, recall_lengths
from tests.unit.figures.cells import assert_complete, by_name
from tests.unit.figures.lab import RECALL_KEYS, SIZES, rng, seeds
from tests.unit.figures.psmnist import named

PAPER = {2: 0.47, 5: 0.958, 10: 1.0}


@pytest.mark.parametrize("count", [1, 4])
def test_dots_are_the_seeds_after_the_picked_epoch(count):
    found = seeds(RECALL_KEYS, 4, count)
    figure = recall_accuracy(found, PAPER)
    assert_complete(figure)
    dots = by_name(figure)["final states, seeds", "y"].at({"epoch": 1, "zoom": 0})
    expected = [found[size, "final"][:, 1] for size in SIZES]
    np.testing.assert_array_equal(dots, np.concatenate(expected))
    bars = by_name(figure)["final states, mean", "y"].at({"epoch": 1}).reshape(3, 3)
    np.testing.assert_allclose(bars[:, 0], [own.mean() for own in expected])
    assert figure.start["epoch"] == 3, "the end of training is shown first"
    assert list(figure.controls["epoch"].values) == ["0", "1", "2", "3"]
    assert "cell" not in figure.controls
    assert named(figure, "final states, seeds").marker.color == color("lstm")


def test_the_reports_number_stands_at_its_size():
    report = named(recall_accuracy(seeds(RECALL_KEYS, 4), PAPER), "the report")
    assert dict(zip(report.x, report.y, strict=True)) == pytest.approx({0: 0.47, 1: 0.958, 2: 1.0})
    figure = recall_accuracy(seeds(RECALL_KEYS, 4), {5: 0.958})
    assert list(named(figure, "the report").x) == [1]
    assert figure.table["the report"][:4] == ["–", "–", "95.8 %", "95.8 %"]
    assert "The report: 95.8 % for 5." in figure.alt


def test_a_net_or_seed_that_is_missing_leaves_a_gap():
    found = seeds(RECALL_KEYS, 4)
    del found[5, "last"]
    found[2, "last"] = found[2, "last"][:2]
    figure = recall_accuracy(found, PAPER)
    dots = by_name(figure)["last output, seeds", "y"].at({"epoch": 3}).reshape(3, 4)
    assert np.isnan(dots).tolist() == [[False, False, True, True], [True] * 4, [False] * 4]
    assert figure.table["seeds"][0] == 2
    figure.payload()


def test_each_read_out_has_its_curve_by_length():
    found = seeds(RECALL_KEYS, 8)
    figure = recall_lengths(found)
    assert_complete(figure)
    by = by_name(figure)
    for title, readout in (("last output", "last"), ("final states", "final")):
        line = by[title, "y"].at({"size": 1})
        np.testing.assert_allclose(line, found[5, readout].mean(axis=0))
        band = by[f"{title}, least to most", "y"].at({"size": 1})
        np.testing.assert_array_equal(band[:8], found[5, readout].min(axis=0))
        np.testing.assert_array_equal(named(figure, title).x, range(3, 11))
    assert (
        f"Mean at lengths 3 and 10: hidden size 2, last output {100 * found[2, 'last'][:, 0].mean():.1f} %"
        in figure.alt
    )


def test_losses_are_smoothed_and_thinned_and_none_leaves_the_axis():
    found = {key: rng(i).random((3, 700)) for i, key in enumerate(RECALL_KEYS)}
    found[2, "last"][:, 100:200] = 0
    figure = recall_curves(found, window=7)
    assert_complete(figure)
    line = by_name(figure)["final states", "y"].at({"size": 2})
    expected = smooth(found[10, "final"], 7)[:, thin(700, 300)].mean(axis=0)
    np.testing.assert_allclose(line, expected)
    low, high = figure.figure.layout.yaxis.range
    flat = by_name(figure)["last output", "y"].at({"size": 0})
    assert 10**low < flat.min()
    assert flat.max() < 10**high
    assert (flat > 0).all(), "a logarithmic axis has no zero"
    late = found[10, "last"][:, -100:].mean(axis=1)
    assert figure.table["loss over the last 100 steps"][4].startswith(f"{late.mean():.3g}")


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: recall_accuracy({}, PAPER), "test accuracy: nothing to draw"),
        (
            lambda: recall_accuracy({2: np.ones((1, 4))}, PAPER),
            r"keys \(hidden size, read-out\) are needed, not 2",
        ),
        (
            lambda: recall_lengths({(2, "last"): np.full((2, 8), 47.0)}),
            "accuracy by length, 2 last: fractions of 1",
        ),
        (
            lambda: recall_curves({(2, "last"): np.ones(5)}),
            r"loss, 2 last: an array of \(seeds, 5\) is needed",
        ),
        (
            lambda: recall_curves({(2, "last"): np.ones((1, 5))}, window=0),
            "window and every: at least 1 step, not 0",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
