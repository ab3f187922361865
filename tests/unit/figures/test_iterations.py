from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.iterations import QUANTITIES, iterations
from rnnkit.figures.lab import color, smooth, thin
from tests.unit.figures.cells import assert_complete, by_name
from tests.unit.figures.lab import rng


def net(seed, steps=900, count=3):
    draw = rng(seed)
    tests = np.arange(100, steps + 1, 100)
    return {
        "iteration": np.arange(1, steps + 1),
        "loss": draw.random((count, steps)),
        "batch_accuracy": draw.random((count, steps)),
        "test_iteration": tests,
        "test_loss": draw.random((count, len(tests))),
        "test_accuracy": draw.random((count, len(tests))),
    }


NETS = {"rnn-2x128": net(0), "rnn-2x128-decayed": net(1), "gru-2x256": net(2, count=2)}
PLAIN, DECAYED = "without weight decay", "with weight decay"


def test_the_line_without_weight_decay_is_that_of_the_net_without_it():
    figure = iterations(NETS, window=10)
    assert_complete(figure)
    by = by_name(figure)
    for name, line in (("rnn-2x128", PLAIN), ("rnn-2x128-decayed", DECAYED)):
        at = thin(900, 300)
        expected = smooth(NETS[name]["loss"], 10)[:, at].mean(axis=0)
        np.testing.assert_allclose(by[line, "y"].at({"net": 0, "quantity": 0, "zoom": 0}), expected)
        shown = by[line, "y"].at({"net": 0, "quantity": 3, "zoom": 0})
        np.testing.assert_allclose(shown[:9], NETS[name]["test_accuracy"].mean(axis=0))
        assert np.isnan(shown[9:]).all()
    assert np.isnan(by[DECAYED, "y"].at({"net": 1, "quantity": 0})).all(), "the GRU was not trained with it"
    assert by[PLAIN, "line.color"].values == [color("rnn"), color("gru")]


def test_points_stand_at_their_iterations_and_are_few():
    by = by_name(iterations(NETS))
    assert by[PLAIN, "y"].values.shape[-1] == 300
    batches, tests = (by[PLAIN, "x"].at({"net": 0, "quantity": q}) for q in (1, 2))
    assert (batches[0], batches[-1]) == (1, 900)
    np.testing.assert_array_equal(tests[:9], NETS["rnn-2x128"]["test_iteration"])


def test_nets_trained_for_different_times_keep_their_own_iterations():
    figure = iterations({"rnn-1x64": net(0, steps=400), "gru-1x64": net(1, steps=200)})
    x = by_name(figure)[PLAIN, "x"]
    assert np.nanmax(x.at({"net": 0, "quantity": 0})) == 400
    assert np.nanmax(x.at({"net": 1, "quantity": 0})) == 200
    assert len(figure.figure.data) == 3, "nothing is drawn of weight decay"


def test_ends_are_said_and_tabled():
    figure = iterations(NETS)
    last = 100 * NETS["rnn-2x128-decayed"]["test_accuracy"][:, -1]
    assert (
        f"RNN 2 x 128, weight decay: test accuracy {last.mean():.1f} [{last.min():.1f}, {last.max():.1f}] %"
        in figure.alt
    )
    late = NETS["gru-2x256"]["loss"][:, -100:].mean(axis=1)
    assert figure.table["training loss at the end: mean [least, most]"][2].startswith(f"{late.mean():.4f}")


def test_ranges_hold_the_curves_of_the_net_that_is_shown():
    figure = iterations(NETS)
    ranges = next(b for b in figure.bindings if b.attr == "yaxis.range").values
    for quantity, _ in enumerate(QUANTITIES):
        low, high = ranges[quantity][0][0]
        curve = by_name(figure)[PLAIN, "y"].at({"net": 0, "quantity": quantity})
        assert low <= np.nanmin(curve) <= np.nanmax(curve) <= high


@pytest.mark.parametrize(
    ("curves", "match"),
    [
        ({}, "no curves of any net without weight decay"),
        ({"rnn-2x128-decayed": net(0)}, "no curves of rnn-2x128 without weight decay"),
        ({"rnn-2x128": {"loss": np.ones((1, 3))}}, "rnn-2x128: no iteration, test_iteration, batch_accuracy"),
        ({"mlp-2": net(0)}, "no colour for cell 'mlp'"),
        ({"gru": net(0) | {"loss": np.ones((3, 5))}}, r"gru, loss: an array of \(seeds, 900\) is needed"),
        ({"gru": net(0) | {"test_accuracy": np.full((3, 9), 97)}}, "gru, test_accuracy: fractions of 1"),
    ],
)
def test_what_does_not_fit_is_refused(curves, match):
    with pytest.raises(ValueError, match=match):
        iterations(curves)


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="window: at least 1 iteration, not 0"):
        iterations(NETS, window=0)
