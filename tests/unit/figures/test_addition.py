from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.addition import addition_accuracy, addition_lengths
from rnnkit.figures.failures import failures
from rnnkit.figures.lab import color
from tests.unit.figures.cells import assert_complete, by_name
from tests.unit.figures.lab import CELLS, SIZES, SUM_KEYS, seeds
from tests.unit.figures.psmnist import bound, named

PAPER = {(2, "bce"): 0.809, (2, "mse"): 1.0, (5, "bce"): 0.989}


def test_dots_are_the_seeds_of_the_picked_cell_and_epoch():
    found = seeds(SUM_KEYS, 6)
    figure = addition_accuracy(found, PAPER)
    assert_complete(figure)
    by, state = by_name(figure), {"cell": 1, "epoch": 4, "zoom": 0}
    expected = [found["gru", size, "mse-linear"][:, 4] for size in SIZES]
    np.testing.assert_array_equal(by["MSE, linear, seeds", "y"].at(state), np.concatenate(expected))
    assert by["MSE, linear, seeds", "marker.color"].values == [color(cell) for cell in CELLS]
    symbols = [
        named(figure, f"{loss}, seeds").marker.symbol for loss in ("BCE", "MSE, sigmoid", "MSE, linear")
    ]
    assert len(set(symbols)) == 3, "losses differ by more than their place"


def test_the_reports_mse_stands_beside_both_of_ours():
    figure = addition_accuracy(seeds(SUM_KEYS, 6), PAPER)
    report = named(figure, "the report")
    assert list(report.y) == [0.809, 1.0, 1.0, 0.989]
    at = [
        np.mean(np.reshape(named(figure, f"{loss}, mean").x, (3, 3))[:, :2], axis=1)
        for loss in ("BCE", "MSE, sigmoid")
    ]
    np.testing.assert_allclose(report.x[:2], [at[0][0], at[1][0]])
    np.testing.assert_allclose(report.x[3], at[0][1])
    assert figure.table["the report"][:4] == ["80.9 %", "100.0 %", "100.0 %", "98.9 %"]


def test_the_close_up_holds_all_that_it_is_for():
    found = seeds(SUM_KEYS, 6)
    figure = addition_accuracy(found, PAPER)
    low, high = bound(figure, None, "yaxis.range").at({"zoom": 1})
    assert low < min(own[:, -1].min() for own in found.values())
    assert high > 1


@pytest.mark.parametrize("both", [False, True])
def test_panels_show_the_picked_measure_cell_and_size_by_loss(both):
    bits, whole = seeds(SUM_KEYS, 64), seeds(SUM_KEYS, 64, 4)
    whole = {key: own**2 for key, own in whole.items()}
    figure = addition_lengths(bits, whole if both else None)
    assert_complete(figure)
    by, state = by_name(figure), {"cell": 2, "size": 1, "measure": int(both)}
    values = (whole if both else bits)["lstm", 5, "mse-sigmoid"]
    np.testing.assert_allclose(by["MSE, sigmoid", "y"].at(state), values.mean(axis=0))
    assert figure.controls["measure"].values == (
        ("bits right", "whole sums right") if both else ("bits right",)
    )
    assert [s.x0 for s in figure.figure.layout.shapes] == [5, 5, 5]
    assert by["MSE, sigmoid", "line.color"].values[2] == color("lstm")
    assert ("whole sums right at length 64, %" in figure.table) == both


def test_seeds_are_shown_as_thin_lines_from_the_start():
    bits = seeds(SUM_KEYS, 64, 3)
    figure = addition_lengths(bits)
    singles = [t for t in figure.figure.data if t.name == "single seeds"]
    assert [t.visible for t in singles] == [True] * 3
    curves = np.reshape(singles[1].y, (3, 65))[:, :64]
    np.testing.assert_array_equal(curves, bits["rnn", 2, "mse-sigmoid"])


def test_chance_is_one_half_for_a_bit_and_a_power_of_it_for_a_sum():
    figure = addition_lengths(seeds(SUM_KEYS, 64), seeds(SUM_KEYS, 64))
    chance = by_name(figure)["chance, panel 3", "y"]
    np.testing.assert_array_equal(chance.at({"measure": 0}), np.full(64, 0.5))
    assert chance.at({"measure": 1})[4] == 2.0**-6, "numbers of five bits have sums of six"


def test_sums_of_other_nets_are_refused():
    bits = seeds(SUM_KEYS, 64)
    with pytest.raises(
        ValueError, match="whole sums right: the nets, seeds and lengths of the bits are needed"
    ):
        addition_lengths(bits, seeds(SUM_KEYS[:3], 64))
    with pytest.raises(ValueError, match=r"keys \(cell, hidden size, loss\) are needed"):
        addition_accuracy({(2, "bce"): np.ones((1, 6))}, PAPER)
    with pytest.raises(ValueError, match="no colour for cell 'elman'"):
        addition_accuracy({("elman", 2, "bce"): np.ones((1, 6))}, PAPER)


KINDS = {
    ("rnn", 2, "bce"): {"none": 5, "carry": 15},
    ("rnn", 2, "mse-linear"): {"none": 12, "clock": 8},
    ("gru", 2, "bce"): {"read-out": 20},
}


def test_bars_are_the_nets_of_each_kind():
    figure = failures(KINDS)
    assert_complete(figure)
    by = by_name(figure)
    shown = {name: by[name, "x"].at({"cell": 0}).tolist() for name in ("none", "carry", "clock", "read-out")}
    assert shown == {"none": [5, 12], "carry": [15, 0], "clock": [0, 8], "read-out": [0, 0]}
    assert by["read-out", "x"].at({"cell": 1}).tolist() == [20, 0]
    assert list(figure.figure.layout.yaxis.ticktext) == ["2, BCE", "2, MSE, linear"]
    assert figure.figure.layout.xaxis.range[1] == 20
    patterns = [trace.marker.pattern.shape for trace in figure.figure.data]
    assert len(set(patterns)) == len(patterns), "kinds differ by more than colour"
    assert "RNN 2 BCE: 5 none, 15 carry" in figure.alt


@pytest.mark.parametrize(
    ("kinds", "match"),
    [
        ({}, "kinds of failure: nothing to draw"),
        ({("rnn", 2, "bce"): {}}, "nothing to draw"),
        ({("rnn", 2): {"none": 1}}, r"keys \(cell, hidden size, loss\) are needed, not \('rnn', 2\)"),
        ({("rnn", 2, "bce"): {"none": -1}}, r"RNN 2 BCE: counts are needed, not \{'none': -1\}"),
        ({("rnn", 2, "bce"): {"none": 0.5}}, "counts are needed"),
        ({("elman", 2, "bce"): {"none": 1}}, "no colour for cell 'elman'"),
    ],
)
def test_counts_that_do_not_fit_are_refused(kinds, match):
    with pytest.raises(ValueError, match=match):
        failures(kinds)
