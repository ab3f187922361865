from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.lab import color
from rnnkit.figures.reading_rows import reading, reading_accuracy
from rnnkit.figures.samples import samples
from rnnkit.figures.theme import DIGITS
from tests.unit.figures.cells import assert_complete, by_name
from tests.unit.figures.lab import rng
from tests.unit.figures.psmnist import bound, named

NETS = ("rnn-2x128", "gru-2x256", "bilstm-2x128")
IMAGES = rng().integers(0, 256, size=(5, 28, 28), dtype=np.uint8)
LABELS = np.array([7, 2, 1, 0, 4])


def beliefs(num=5):
    draw, made = rng(1), {}
    for net in NETS:
        raw = draw.random((num, 28, 10))
        made[net] = raw / raw.sum(axis=-1, keepdims=True)
    return made


def test_bars_are_the_belief_of_the_picked_net_in_the_picked_image_after_the_picked_row():
    found = beliefs()
    figure = reading(IMAGES, LABELS, found)
    assert_complete(figure)
    by, state = by_name(figure), {"net": 1, "image": 3, "row": 11}
    np.testing.assert_array_equal(by["belief", "y"].at(state), np.rint(100 * found["gru-2x256"][3, 11]))
    assert tuple(named(figure, "belief").marker.color) == DIGITS
    np.testing.assert_array_equal(by["image", "z"].at(state), IMAGES[3])
    assert by["true digit", "x"].at(state).tolist() == [0]
    assert bound(figure, None, "shapes[0].y0").at(state) == 12.5, (
        "the rows from the thirteenth on are covered"
    )
    assert bound(figure, None, "shapes[1].x0").at(state) == 12


def test_lines_are_the_belief_in_the_true_digit():
    found = beliefs()
    figure = reading(IMAGES, LABELS, found, nets=NETS[:2])
    by = by_name(figure)
    np.testing.assert_array_equal(by["RNN 2 x 128", "y"].at({"image": 2}), found["rnn-2x128"][2, :, 1])
    assert "BiLSTM" not in figure.alt
    means = found["rnn-2x128"][np.arange(5), :, LABELS].mean(axis=0)
    assert figure.table["mean belief in the truth, RNN 2 x 128"][9] == round(float(means[9]), 4)


def test_images_that_a_net_names_wrongly_are_marked_in_the_select():
    found = {net: np.full((5, 28, 10), 0.01) for net in NETS}
    for values in found.values():
        values[np.arange(5), :, LABELS] = 0.91
    found["gru-2x256"][1, -1] = np.eye(10)[9]
    figure = reading(IMAGES, LABELS, found)
    assert figure.controls["image"].values[:2] == ("1: a 7", "2: a 2, wrong: GRU 2 x 256")
    assert "4 of 5 images named rightly" in figure.alt


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"labels": np.array([7, 2, 1, 0, 10])}, r"labels: digits 0 to 9 are needed, not \[0, 1, 2, 7, 10\]"),
        ({"labels": LABELS / 1.0}, "labels: digits 0 to 9 are needed"),
        ({"labels": LABELS[:4]}, r"labels: an array of \(5,\) is needed"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "images: at least one is needed"),
        ({"belief": {}}, "no belief of any net; given: none"),
        ({"nets": ("lstm",)}, "no belief of lstm; given: rnn-2x128"),
        (
            {"belief": beliefs(4)},
            r"rnn-2x128, belief: an array of \(5, 28, 10\) is needed, not one of \(4, 28, 10\)",
        ),
        ({"belief": {"rnn": 100 * beliefs()["rnn-2x128"]}}, "rnn, belief: fractions of 1 are needed"),
    ],
)
def test_what_does_not_fit_is_refused(change, match):
    arrays = {"images": IMAGES, "labels": LABELS, "belief": beliefs()} | change
    with pytest.raises(ValueError, match=match):
        reading(**arrays)


def test_accuracy_by_row_takes_one_seed_or_several():
    several, single = rng(2).random((3, 28)), rng(3).random(28)
    figure = reading_accuracy({"rnn-2x128": several, "gru-2x256": single, "gru-1x64": single})
    np.testing.assert_allclose(named(figure, "RNN 2 x 128").y, several.mean(axis=0))
    np.testing.assert_array_equal(named(figure, "GRU 2 x 256").y, single)
    assert f"{100 * several[:, 13].mean():.1f} % after row 14" in figure.alt
    dashes = [named(figure, name).line.dash for name in ("GRU 2 x 256", "GRU 1 x 64")]
    assert dashes[0] != dashes[1], "two nets of one cell have one colour and two dashes"
    assert named(figure, "GRU 1 x 64").line.color == color("gru")
    with pytest.raises(ValueError, match="no net has an accuracy by row"):
        reading_accuracy({})
    with pytest.raises(ValueError, match=r"gru, accuracy by row: an array of \(seeds, 28\) is needed"):
        reading_accuracy({"rnn": several, "gru": several[:, :5]})


def test_each_sample_has_its_image_the_digit_named_and_a_sign():
    predictions = {"rnn-2x128": np.array([7, 2, 8, 0, 9]), "gru-2x256": LABELS}
    figure = samples(IMAGES, LABELS, predictions, columns=2)
    assert_complete(figure)
    words = by_name(figure)["words", "text"]
    assert words.at({"net": 0}).tolist() == ["7 ✓", "2 ✓", "8 ✗<br>true 1", "0 ✓", "9 ✗<br>true 4"]
    assert all(word.endswith("✓") for word in words.at({"net": 1}))
    mosaic = np.asarray(named(figure, "images").z)
    tall = mosaic.shape[0] // 3
    np.testing.assert_array_equal(mosaic[tall + 1 : tall + 29, 31:59] - 1, IMAGES[3])
    assert (mosaic[2 * tall :, 30:] == 0).all(), "there is no sixth image"
    framed = [bound(figure, None, f"shapes[{k}].visible").at({"net": 0}) for k in range(5)]
    assert framed == [False, False, True, False, True]
    assert "RNN 2 x 128 2 (a 1 as 8, a 4 as 9); GRU 2 x 256 0." in figure.alt


def test_samples_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="an image, a net and a column are needed"):
        samples(IMAGES, LABELS, {})
    with pytest.raises(
        ValueError, match=r"gru, predictions: an array of \(5,\) is needed, not one of \(4,\)"
    ):
        samples(IMAGES, LABELS, {"gru": LABELS[:4]})
