from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.datasets import load_digits

from rnnkit.datasets import digits, mnist


@pytest.fixture(scope="module")
def rows():
    return digits.load_rows()


def test_sizes(rows):
    assert rows.name == "digits"
    assert rows.train_x.shape == (1097, 8, 8)
    assert rows.valid_x.shape == rows.test_x.shape == (350, 8, 8)


def test_every_bundled_image_is_in_exactly_one_part_with_its_label(rows):
    bundled = load_digits()
    expected = Counter(
        (image.tobytes(), int(label))
        for image, label in zip((bundled.images / 16).astype(np.float32), bundled.target, strict=True)
    )
    x = np.concatenate([rows.train_x, rows.valid_x, rows.test_x])
    y = np.concatenate([rows.train_y, rows.valid_y, rows.test_y])
    assert Counter((image.tobytes(), int(label)) for image, label in zip(x, y, strict=True)) == expected


def test_every_part_has_all_classes_in_fair_number(rows):
    for y in (rows.train_y, rows.valid_y, rows.test_y):
        assert np.bincount(y, minlength=10).min() > 0.06 * len(y)


def test_the_split_is_the_same_in_every_call_and_scaling(rows):
    again = mnist.load_rows(dataset="digits", normalise=True)
    np.testing.assert_array_equal(again.test_y, rows.test_y)
    np.testing.assert_allclose(again.train_x * rows.std + rows.mean, rows.train_x, atol=1e-6)
    assert again.checksums == rows.checksums
    assert again.mean == rows.mean


def test_the_bundled_data_are_those_the_book_was_written_with(rows):
    assert rows.checksums["digits"].startswith("87ff0c9e40dc7e2c")
