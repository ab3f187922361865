from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.dropout import readings
from tests.unit.figures.psmnist import bound, rng


def curves(seed, count, epochs=9):
    draw = rng(seed)
    return {name: draw.random((count, epochs)) for name in ("train_accuracy", "valid_accuracy")}


@pytest.mark.parametrize("count", [1, 3])
def test_both_readings_of_the_picked_cell_are_shown(count):
    nets = {
        "rnn": curves(0, count, 12),
        "rnn-input": curves(1, 1),
        "lstm": curves(2, count),
        "lstm-input": None,
        "gru": curves(3, count),
        "gru-input": curves(4, count),
    }
    figure = readings(nets, {"rnn": 0.73, "gru": 0.82})
    assert figure.controls["net"].values == ("sRNN", "GRU")
    state = {"net": 1, "zoom": 0, "seeds": 0}
    shown = bound(figure, "validation, dropout of the input", "y").at(state)
    np.testing.assert_allclose(shown[:9], nets["gru-input"]["valid_accuracy"].mean(axis=0))
    assert np.isnan(shown[9:]).all()
    np.testing.assert_allclose(bound(figure, "ceiling of the input's dropout", "y").at(state), [0.82, 0.82])
    assert "the ceiling being 73.0 %" in figure.alt
    assert "LSTM" not in figure.alt
    assert figure.table["ceiling of training"] == [None, 0.73, None, 0.82]
    figure.payload()


def test_a_cell_without_a_variant_and_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match="NET-input"):
        readings({"rnn": curves(0, 1)}, {})
    with pytest.raises(ValueError, match=r"rnn, train_accuracy: an array of \(seeds, epochs\)"):
        readings(
            {"rnn": {"train_accuracy": np.ones(3), "valid_accuracy": np.ones(3)}, "rnn-input": curves(0, 1)},
            {},
        )
