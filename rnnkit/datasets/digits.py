"""The 8 x 8 digits bundled with scikit-learn (UCI Optical Recognition of Handwritten Digits, test part).

They stand in for MNIST at quick budget where MNIST cannot be had.
"""

from __future__ import annotations

import hashlib

import numpy as np

from rnnkit.datasets._rows import Rows, rows_from_pixels

SPLIT_SEED = 1797
NUM_VALID = 350
NUM_TEST = 350
WHITE = 16


def load_rows(*, normalise: bool = False) -> Rows:
    """Digits as sequences of 8 rows of 8 pixels: 1097 for training, 350 for validation, 350 for test.

    The split is a permutation of the 1797 images drawn with the seed `SPLIT_SEED`, the same in every run.
    (The file is in the order of its writers: a split by position would test on hands never seen in training.)

    Parameters
    ----------
    normalise : bool
        Subtract the mean of the training pixels and divide by their standard deviation.
    """
    images, labels, checksums = load_images()
    return rows_from_pixels(
        images, labels, name="digits", white=WHITE, normalise=normalise, checksums=checksums
    )


def load_images() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, str]]:
    """Images (n, 8, 8) and labels (n,) as uint8 under ``train``, ``valid`` and ``test``, and the source's checksum."""
    from sklearn.datasets import load_digits

    bundled = load_digits()
    images = bundled.images.astype(np.uint8)  # (1797, 8, 8), whole numbers 0..16
    labels = bundled.target.astype(np.uint8)  # (1797,)
    checksum = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()

    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    num_train = len(images) - NUM_VALID - NUM_TEST
    parts = dict(
        zip(("train", "valid", "test"), np.split(order, [num_train, num_train + NUM_VALID]), strict=True)
    )
    return (
        {part: images[chosen] for part, chosen in parts.items()},
        {part: labels[chosen] for part, chosen in parts.items()},
        {"digits": checksum},
    )
