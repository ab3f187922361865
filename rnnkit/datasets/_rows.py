"""Images as sequences of rows, split for training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rows:
    """Images read row by row: one row of pixels is one step of a sequence.

    Attributes
    ----------
    train_x, valid_x, test_x : np.ndarray
        (n, seq_len, input_size) float32, C-contiguous: pixels in [0, 1], or (pixel - mean) / std.
    train_y, valid_y, test_y : np.ndarray
        (n,) int64, classes 0 to 9.
    name : str
        ``"mnist"`` (28 x 28) or ``"digits"`` (8 x 8).
    mean, std : float
        Of the training pixels in [0, 1], in float64, whether or not `train_x` is normalised.
    blank : float
        The value of a pixel without ink, exactly as in the arrays: 0, or (0 - mean) / std when normalised.
    checksums : dict of str to str
        SHA-256 of each source, for provenance.
    """

    train_x: np.ndarray
    train_y: np.ndarray
    valid_x: np.ndarray
    valid_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    name: str
    mean: float
    std: float
    blank: float
    checksums: dict[str, str]


@dataclass(frozen=True)
class Pixels(Rows):
    """Images read pixel by pixel in one order: seq_len is the number of pixels, input_size is 1.

    Attributes
    ----------
    permutation : np.ndarray
        (seq_len,) int64: step t is pixel ``permutation[t]`` of the image read row by row. Its SHA-256 is among the
        checksums under ``"permutation"``.
    """

    permutation: np.ndarray


def pixel_statistics(pixels: np.ndarray, white: int) -> tuple[float, float]:
    """Mean and population standard deviation of `pixels / white`, exact up to float64.

    Parameters
    ----------
    pixels : np.ndarray
        (n, ...) uint8.
    white : int
        The value of full ink.
    """
    counts = np.zeros(256, np.int64)
    for start in range(0, len(pixels), 1000):  # bincount widens its input to int64: one slice at a time
        counts += np.bincount(pixels[start : start + 1000].ravel(), minlength=256)
    levels = np.arange(256) / white
    mean = counts @ levels / counts.sum()
    variance = counts @ (levels - mean) ** 2 / counts.sum()
    return float(mean), float(np.sqrt(variance))


def scale_pixels(pixels: np.ndarray, white: int, normalise: tuple[float, float] | None) -> np.ndarray:
    """Pixels as float32 in [0, 1], or shifted and scaled by `normalise` = (mean, std).

    Parameters
    ----------
    pixels : np.ndarray
        uint8, any shape.
    white : int
        The value of full ink.
    normalise : tuple of float or None
        (mean, std) of pixels in [0, 1].
    """
    scaled = np.divide(pixels, np.float32(white), dtype=np.float32)
    if normalise is not None:
        mean, std = normalise
        scaled -= np.float32(mean)
        scaled /= np.float32(std)
    return scaled


def rows_from_pixels(
    images: dict[str, np.ndarray],
    labels: dict[str, np.ndarray],
    *,
    name: str,
    white: int,
    normalise: bool,
    checksums: dict[str, str],
) -> Rows:
    """Make `Rows` of uint8 images and labels under the keys ``train``, ``valid`` and ``test``."""
    mean, std = pixel_statistics(images["train"], white)
    scaling = (mean, std) if normalise else None
    blank = scale_pixels(np.zeros(1, np.uint8), white, scaling)[0]
    x = {part: scale_pixels(images[part], white, scaling) for part in ("train", "valid", "test")}
    y = {part: labels[part].astype(np.int64) for part in ("train", "valid", "test")}
    return Rows(
        train_x=x["train"],
        train_y=y["train"],
        valid_x=x["valid"],
        valid_y=y["valid"],
        test_x=x["test"],
        test_y=y["test"],
        name=name,
        mean=mean,
        std=std,
        blank=float(blank),
        checksums=checksums,
    )
