from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.dropout import readings
from tests.unit.figures.psmnist import rng


def curves(seed, count, epochs=9):
    draw = rng(seed)
    return {name: draw.random((count, epochs)) for name in ("train_accuracy", "valid_accuracy")}


@pytest.mark.parametrize("count", [1, 3])
def test_each_reading_has_its_two_curves_and_the_ceiling_stands_beside_them(count):
    nets = {
        "rnn": curves(0, count),
        "rnn-sequence": curves(1, 1, 4),
        "rnn-output": None,
        "lstm": curves(2, 1),
    }
    figure = readings(nets, 0.73)
    drawn = {trace.name: np.asarray(trace.y) for trace in figure.figure.data}
    assert len(drawn) == 5
    np.testing.assert_allclose(
        drawn["validation, of the input, a new mask each step"], nets["rnn"]["valid_accuracy"].mean(axis=0)
    )
    np.testing.assert_allclose(
        drawn["training, of the input, one mask for a sequence"], nets["rnn-sequence"]["train_accuracy"][0]
    )
    np.testing.assert_allclose(drawn["ceiling of one mask for a sequence"], [0.73, 0.73])
    assert "can reach 73.0 % at most" in figure.alt
    assert figure.table["ceiling of training"] == [None, 0.73]
    assert figure.table["epochs"] == [9, 4]
    figure.payload()


def test_no_reading_and_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match="nets given: lstm"):
        readings({"lstm": curves(0, 1)}, 0.7)
    with pytest.raises(ValueError, match=r"rnn, train_accuracy: an array of \(seeds, epochs\)"):
        readings({"rnn": {"train_accuracy": np.ones(3), "valid_accuracy": np.ones(3)}}, 0.7)
