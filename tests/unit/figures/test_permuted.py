from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import permuted
from rnnkit.figures.parameters import parameters
from tests.unit.figures.psmnist import bound, rng

PERMUTATION = rng().permutation(784)


@pytest.mark.parametrize("count", [2, 21])
def test_every_stage_is_a_permutation_whose_first_steps_are_in_place(count):
    found = permuted.stages(PERMUTATION, count)
    assert found.shape == (count, 784)
    np.testing.assert_array_equal(found[0], np.arange(784))
    np.testing.assert_array_equal(found[-1], PERMUTATION)
    for share, order in zip(np.linspace(0, 1, count), found, strict=True):
        np.testing.assert_array_equal(np.sort(order), np.arange(784))
        done = round(share * 784)
        np.testing.assert_array_equal(order[:done], PERMUTATION[:done])
        assert (order != np.arange(784)).sum() <= 2 * done


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: permuted.stages(np.zeros(5, int)), r"each of 0\.\.4"),
        (lambda: permuted.stages(np.arange(5), 1), "at least 2"),
        (
            lambda: permuted.scrambling(np.zeros((10, 784)), PERMUTATION),
            r"images, height, width.*\(10, 784\)",
        ),
        (lambda: permuted.scrambling(np.zeros((10, 8, 8)), PERMUTATION), r"\(64,\).*\(784,\)"),
        (lambda: permuted.autocorrelation(np.zeros(4)), r"\(2, lags\)"),
    ],
)
def test_wrong_arrays_are_refused_with_what_is_needed(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_the_net_reads_the_pixels_in_the_order_of_the_stage():
    images = rng().integers(0, 256, size=(10, 28, 28), dtype=np.uint8)
    figure = permuted.scrambling(images, PERMUTATION)
    assert len(figure.controls["share"].values) == 21
    assert figure.controls["share"].values[10] == "50%"
    last = {"digit": 4, "share": 20}
    np.testing.assert_array_equal(bound(figure, "sequence", "y").at(last), images[4].ravel()[PERMUTATION])
    np.testing.assert_array_equal(
        bound(figure, "scrambled", "z").at(last).ravel(), bound(figure, "sequence", "y").at(last)
    )
    first = {"digit": 4, "share": 0}
    np.testing.assert_array_equal(bound(figure, "scrambled", "z").at(first), images[4])
    change = np.abs(np.diff(images.reshape(10, -1)[:, PERMUTATION].astype(int), axis=1)).mean()
    assert f"by {change:.0f} permuted" in figure.alt


def test_the_lines_of_both_orders_are_said_in_numbers():
    values = np.stack([np.linspace(1, 0, 200), np.r_[1, np.zeros(199)]])
    figure = permuted.autocorrelation(values)
    np.testing.assert_array_equal(figure.figure.data[1].y, values[1])
    assert f"{values[0, 28]:.2f} at lag 28" in figure.alt
    ink = np.stack([np.r_[np.zeros(30), np.full(70, 0.5)], np.tile([0.0, 0.5], 50)])
    figure = permuted.ink_by_step(ink)
    assert "30% of the steps are almost blank (below 1 %), at most 30 of them in a row" in figure.alt
    assert "50% of the steps are almost blank (below 1 %), at most 1 of them in a row" in figure.alt


COUNTS = {
    "rnn": {"input": 256, "recurrent": 65536},
    "lmu-rnn": {"memory": 65536, "recurrent": 65536},
    "gru": {},
}


def test_parts_add_up_and_the_papers_number_stands_beside():
    figure = parameters(COUNTS, {"rnn": 65792, "lmu-rnn": 131000})
    np.testing.assert_array_equal(bound(figure, "recurrent", "x").at({"shown": 0}), [65536, 65536])
    np.testing.assert_allclose(bound(figure, "memory", "x").at({"shown": 1}), [0, 50])
    assert figure.table["in all"] == [65792, 131072]
    assert "Against the paper: LMU + sRNN +72." in figure.alt
    assert "GRU" not in figure.alt
    assert "The paper has the same numbers." in parameters(COUNTS, {"rnn": 65792}).alt
    assert "paper" not in parameters(COUNTS).alt


def test_too_many_parts_or_none_are_refused():
    for counts in ({"rnn": {}}, {"rnn": {str(i): 1 for i in range(11)}}):
        with pytest.raises(ValueError, match="1 to 10 parts"):
            parameters(counts)
