from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.readout import THRESHOLDS, readout_gap, readouts, rows_needed, rows_until, summary
from rnnkit.figures.theme import NETS
from tests.unit.figures.nets import bound, curves


@pytest.mark.parametrize(("seq_len", "num_seeds"), [(8, 1), (28, 5)])
def test_the_three_ways_follow_the_net_in_its_colour(seq_len, num_seeds):
    probe, own, near = (curves(seq_len, num_seeds, seed=i) for i in range(3))
    figure = readouts(probe, own, near, np.linspace(0, 1, seq_len), 0.1)
    for first, values in ((0, probe), (3, own), (6, near)):
        np.testing.assert_allclose(bound(figure, first, "y").at({"net": 2}), values["untrained"].mean(0))
        assert bound(figure, first, "line.color").at({"net": 2}) == NETS["untrained"]
    half = seq_len // 2 - 1
    shares = [f"{100 * values['tuned'][:, half].mean():.1f} %" for values in (probe, own)]
    assert f"well-tuned net {shares[0]} against {shares[1]}" in figure.alt
    np.testing.assert_allclose(figure.table["paper: own"], own["paper"].mean(0), atol=1e-4)


def test_the_gap_is_the_difference_seed_by_seed():
    probe, own = curves(8, 3, seed=0), curves(8, 3, seed=1)
    figure = readout_gap(probe, own)
    gap = probe["paper"] - own["paper"]
    np.testing.assert_allclose(figure.figure.data[0].y, gap.mean(0))
    np.testing.assert_allclose(np.asarray(figure.figure.data[1].y)[:8], gap.min(0))
    mean = gap.mean(0)
    assert f"paper's net {100 * mean.max():.1f} % after row {mean.argmax() + 1}" in figure.alt
    assert figure.figure.layout.yaxis.range[0] <= gap.min()


def test_rows_are_counted_from_one_and_never_is_one_more_than_there_are():
    accuracy = np.array([[0.1, 0.8, 0.7, 0.9], [0.9, 0.1, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4]])
    assert rows_until(accuracy, 0.8).tolist() == [2, 1, 5]


@pytest.mark.parametrize("seq_len", [8, 28])
def test_rows_needed_are_the_means_over_seeds(seq_len):
    ramp = np.linspace(0, 1, seq_len)
    probe = {"paper": np.stack([ramp, ramp**2]), "untrained": ramp[None] * 0.5}
    own = {"paper": np.stack([ramp**4, ramp**8]), "untrained": ramp[None] * 0.1}
    figure = rows_needed(probe, own)
    place = THRESHOLDS.index(0.8)
    assert figure.start == {"threshold": place}
    expected = np.mean([np.flatnonzero(curve >= 0.8)[0] + 1 for curve in probe["paper"]])
    assert bound(figure, 1, "x").at({"threshold": place})[0] == expected
    assert bound(figure, 1, "x").at({"threshold": place})[1] == seq_len + 1
    assert f"paper's net probe {expected:.1f}" in figure.alt
    assert "untrained net probe never, own readout never" in figure.alt


def test_the_summary_prints_percent_and_rows():
    found = summary(
        {"paper.linear_readout_half": np.array([0.5, 0.6]), "paper.rows_until_own_80": np.array([27])},
        ["paper"],
        num_rows=28,
    )
    by_row = dict(zip(found["measured"], found["paper's net"], strict=True))
    assert by_row["linear probe, half of the rows, %"] == "55.0 [50.0, 60.0]"
    assert by_row["rows until the own readout is right for 80 of 100"] == "27.0"
    assert by_row["own readout, last row, %"] == "–"
