from __future__ import annotations

import numpy as np
import pytest

from rnnkit.datasets._rows import pixel_statistics, rows_from_pixels


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (2300, 5, 4), np.uint8)


def test_statistics_are_those_of_numpy_in_float64(pixels):
    mean, std = pixel_statistics(pixels, 255)
    scaled = pixels.astype(np.float64) / 255
    assert mean == pytest.approx(scaled.mean(), rel=1e-12)
    assert std == pytest.approx(scaled.std(), rel=1e-12)


def make(pixels: np.ndarray, normalise: bool):
    labels = np.arange(len(pixels), dtype=np.uint8) % 10
    images = {"train": pixels[:2000], "valid": pixels[2000:2200], "test": pixels[2200:]}
    targets = {"train": labels[:2000], "valid": labels[2000:2200], "test": labels[2200:]}
    return rows_from_pixels(images, targets, name="made", white=255, normalise=normalise, checksums={})


def test_pixels_lie_in_the_unit_interval(pixels):
    rows = make(pixels, normalise=False)
    np.testing.assert_array_equal(
        rows.valid_x, (pixels[2000:2200].astype(np.float64) / 255).astype(np.float32)
    )
    assert rows.blank == 0.0


def test_normalising_uses_the_training_pixels_alone(pixels):
    pixels[2000:] //= 2
    rows = make(pixels, normalise=True)
    assert rows.train_x.mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
    assert rows.train_x.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    expected = (pixels[2200:] / 255.0 - pixels[:2000].mean() / 255) / (pixels[:2000].std() / 255)
    np.testing.assert_allclose(rows.test_x, expected, atol=1e-5)


@pytest.mark.parametrize("normalise", [False, True])
def test_blank_is_the_value_of_a_pixel_without_ink(pixels, normalise):
    rows = make(pixels, normalise)
    without_ink = rows.train_x[pixels[:2000] == 0]
    assert len(without_ink) > 0
    assert np.all(without_ink == np.float32(rows.blank))
    assert rows.blank == pytest.approx((0 - rows.mean) / rows.std if normalise else 0.0, rel=1e-6)


def test_arrays_are_what_torch_takes_without_a_copy(pixels):
    rows = make(pixels, normalise=True)
    for x in (rows.train_x, rows.valid_x, rows.test_x):
        assert x.dtype == np.float32
        assert x.flags.c_contiguous
        assert x.flags.writeable  # torch.from_numpy warns of arrays that are not
    for y in (rows.train_y, rows.valid_y, rows.test_y):
        assert y.dtype == np.int64
        assert y.flags.writeable
