from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.mistakes import Cell, cells, mistakes, recall
from rnnkit.figures.quantise import encode
from tests.unit.figures.psmnist import bound, named, rng

K = 3


def net(seed, count=2):
    draw = rng(seed)
    matrix = draw.integers(0, 3, size=(count, 10, 10))
    matrix[:, np.arange(10), np.arange(10)] = 90
    matrix[:, 4, 9] = 40
    index = draw.integers(0, 1000, size=(count, 10, 10, K))
    index[..., 2] = -1
    return {
        "matrix": matrix,
        "index": index,
        "images": draw.integers(0, 256, size=(count, 10, 10, K, 28, 28), dtype=np.uint8),
        "confidence": draw.random((count, 10, 10, K)),
    }


@pytest.mark.parametrize("count", [1, 3])
def test_the_picked_cell_shows_its_images_and_how_sure_the_net_was(count):
    nets = {
        "lstm": net(0, count),
        "gru": None,
        "lmu-rnn": net(1, count),
        "rnn": {"matrix": np.ones((1, 10, 10))},
    }
    figure = mistakes(nets)
    assert figure.controls["net"].values == ("LSTM", "LMU + sRNN")
    labels = figure.controls["cell"].values
    assert labels[0] == "4 named 9"
    state = {"net": 1, "cell": 0, "shown": 0}
    mosaic = bound(figure, "gallery", "z").at(state)
    own = nets["lmu-rnn"]
    np.testing.assert_array_equal(mosaic[1:29, 31:59] - 1, own["images"][0, 4, 9, 1].astype(int) * 15 // 255)
    assert (mosaic[:, 60:90] == 0).all()  # the third has no image
    words = bound(figure, "names", "text").at(state)
    assert words.tolist() == [*(f"9: {100 * p:.0f} %" for p in own["confidence"][0, 4, 9, :2]), ""]
    assert "sRNN named" not in figure.alt
    assert "GRU" not in str(figure.alt)


def test_the_errors_of_a_row_come_from_all_its_columns_surest_first():
    nets = {"lstm": net(0)}
    figure = mistakes(nets)
    at = figure.controls["cell"].values.index("all errors of the 5s")
    words = bound(figure, "names", "text").at({"net": 0, "cell": at})
    sure = np.delete(nets["lstm"]["confidence"][0, 5, :, :2], 5, axis=0)
    top = np.sort(sure.ravel())[::-1][:K]
    assert [word.split(": ")[1] for word in words] == [f"{100 * p:.0f} %" for p in top]
    frame = {c: bound(figure, None, f"shapes[0].{c}").at({"cell": at}) for c in ("x0", "x1", "y0", "y1")}
    assert frame == {"x0": -0.5, "x1": 9.5, "y0": 4.5, "y1": 5.5}


def test_a_cell_without_images_says_so():
    arrays = net(0)
    arrays["index"][:] = -1
    figure = mistakes({"lstm": arrays})
    assert bound(figure, "names", "text").at({"net": 0, "cell": 0})[0] == "no image here"
    assert (bound(figure, "gallery", "z").at({"net": 0, "cell": 0}) == 0).all()


def test_the_most_frequent_errors_are_offered_first_and_only_those_that_happen():
    matrix = np.diag([10] * 10)[None]
    matrix[0, 3, 5], matrix[0, 8, 1] = 2, 7
    offered = cells({"gru": matrix})
    assert offered[:2] == [Cell(8, 1), Cell(3, 5)]
    assert len(offered) == 2 + 10 + 10


def test_wrong_shapes_and_no_net_are_refused():
    with pytest.raises(ValueError, match=r"gru, images: an array of \(seeds, 10, 10, 3, S, S\)"):
        mistakes({"gru": net(0) | {"images": np.zeros((1, 10, 10, K, 784))}})
    with pytest.raises(ValueError, match="no net has matrix, index, images, confidence; nets given: rnn"):
        mistakes({"rnn": None})
    with pytest.raises(ValueError, match="no net has a confusion matrix"):
        recall({})


@pytest.mark.parametrize("count", [1, 4])
def test_recall_is_the_share_of_a_row_on_the_diagonal(count):
    matrix = net(3, count)["matrix"]
    figure = recall({"lstm": matrix, "gru": None})
    shares = np.stack([np.diag(m) / m.sum(axis=1) for m in matrix])
    np.testing.assert_allclose(named(figure, "LSTM").y, shares.mean(axis=0))
    assert named(figure, "LSTM").error_y.visible == (count > 1)
    worst = int(shares.mean(axis=0).argmin())
    assert f"and {worst} (" in figure.alt
    assert "GRU" not in figure.alt
    assert figure.table["named rightly"][worst] == round(shares[:, worst].mean(), 4)


def test_images_take_one_byte_a_pixel_in_sixteen_levels():
    figure = mistakes({"lstm": net(0)})
    binding = bound(figure, "gallery", "z")
    assert encode(binding.values)["dtype"] == "u1"
    assert binding.values.max() == 16


def test_smaller_images_are_enlarged():
    from rnnkit.figures.mistakes import _enlarged

    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    large = _enlarged(image)
    assert large.shape == (28, 28)
    assert (large[0, 0], large[27, 27], large[0, 27]) == (0, 63, 7)
    np.testing.assert_array_equal(np.unique(large), image.ravel())
