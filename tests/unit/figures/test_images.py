from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import images

RNG = np.random.default_rng(0)
NETS = ("paper", "untrained")


def paths(num_rows, per_class=2):
    labels = np.repeat(np.arange(10), per_class)
    count = len(labels)
    pixels = RNG.integers(0, 256, size=(count, num_rows, num_rows), dtype=np.uint8)
    steps = num_rows + 6
    named = {net: RNG.integers(0, 10, size=(1, count, steps), dtype=np.uint8) for net in NETS}
    named["paper"][0, :, num_rows - 1] = labels
    sure = {net: RNG.integers(0, 256, size=(1, count, steps), dtype=np.uint8) for net in NETS}
    return dict.fromkeys(NETS, pixels[None]), dict.fromkeys(NETS, labels[None]), named, sure


@pytest.mark.parametrize("num_rows", [8, 28])
def test_a_reader_sees_the_chosen_digit_and_what_the_chosen_net_says(num_rows):
    pixels, labels, named, sure = paths(num_rows)
    figure = images.reading(pixels, labels, named, sure)
    state = {"net": 1, "digit": 3, "example": 1, "row": 4}
    shown = {b.attr: b.at(state) for b in figure.bindings}
    place = 3 * 2 + 1
    np.testing.assert_array_equal(shown["z"], pixels["paper"][0, place])
    np.testing.assert_array_equal(shown["marker.color"], named["untrained"][0, place, :num_rows])
    np.testing.assert_array_equal(shown["text"], named["untrained"][0, place, :num_rows].astype(str))
    np.testing.assert_allclose(shown["x"], sure["untrained"][0, place, :num_rows] / 2.55, atol=0.5)


def test_what_is_not_yet_read_is_covered_and_not_yet_named():
    figure = images.reading(*paths(8))
    by = {b.attr: b for b in figure.bindings}
    low, high = sorted(figure.figure.layout.yaxis.range)
    for row in range(8):
        assert by["shapes[0].y0"].at({"row": row}) == row + 1.5
        y = by["y"].at({"row": row})
        inside = (y > low) & (y < high)
        np.testing.assert_array_equal(np.flatnonzero(inside), np.arange(row + 1))
        np.testing.assert_array_equal(y[inside], np.arange(1, row + 2))


def test_the_description_counts_what_is_named_rightly():
    pixels, labels, named, sure = paths(8)
    figure = images.reading(pixels, labels, named, sure)
    assert "Of the 20 images" in figure.alt
    assert "100.0 % after the last row" in figure.alt
    assert figure.table["named rightly: paper's net"][-1] == 1
    assert figure.table["rows read"] == list(range(1, 9))


def test_classes_with_more_images_than_others_offer_as_many():
    pixels, labels, named, sure = paths(8, per_class=3)
    fewer = slice(0, 29)  # the last class has one image less
    cut = [{net: stack[net][:, fewer] for net in NETS} for stack in (pixels, labels, named, sure)]
    assert images.reading(*cut).controls["example"].values == ("1", "2")


@pytest.mark.parametrize("num_rows", [8, 28])
def test_ink_by_row_is_drawn_for_each_class_with_the_early_row_marked(num_rows):
    per_class = np.sort(RNG.random((10, num_rows)), axis=1)
    started, mean = per_class.mean(axis=0), RNG.random(num_rows)
    figure = images.ink(started, per_class, mean, early_step=4)
    by = {trace.name: trace for trace in figure.figure.data}
    np.testing.assert_array_equal(by["6"].y, per_class[6])
    np.testing.assert_array_equal(by["all images"].y, started)
    np.testing.assert_allclose(by["ink in row"].y, mean / mean.max())
    assert figure.figure.layout.shapes[0].x0 == 4
    assert f"6: {100 * per_class[6, 3]:.1f} %" in figure.alt
    assert len(figure.table["row"]) == num_rows


def test_images_without_any_ink_are_drawn():
    figure = images.ink(np.zeros(8), np.zeros((10, 8)), np.zeros(8), early_step=4)
    assert "0.0 % have some ink" in figure.alt
