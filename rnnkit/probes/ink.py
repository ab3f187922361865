"""How much of an image a net has seen by each row: the control for every finding about early steps.

Before the first ink a net without biases sits exactly at h = 0, so nothing it does there is about the digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.probes._checks import check_hidden_states, check_labels

# A pixel counts as ink when it differs from blank by more than float rounding; the faintest
# grey is 1/255 (0.013 when normalised), far above.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class InkPerRow:
    """Ink by row, over all images and per class.

    Attributes
    ----------
    classes : ndarray (C,)
        The labels, sorted; empty when no labels were given.
    share_started : ndarray (S,)
        Share of images with any ink at or before each row.
    share_started_per_class : ndarray (C, S)
        The same within each class.
    mean_ink : ndarray (S,)
        Mean of (pixel - blank) over images and the pixels of each row.
    mean_ink_per_class : ndarray (C, S)
        The same within each class.
    """

    classes: NDArray[Any]
    share_started: NDArray[np.float64]
    share_started_per_class: NDArray[np.float64]
    mean_ink: NDArray[np.float64]
    mean_ink_per_class: NDArray[np.float64]


def first_ink(images: NDArray[Any], *, blank: float = 0.0) -> NDArray[np.int64]:
    """Return the index of the first row with ink in each image (n, S, I); S for an empty image."""
    images = check_hidden_states(images, "images")
    inked = (np.abs(images - np.asarray(blank, images.dtype)) > _ROUNDING).any(axis=2)
    return np.where(inked.any(axis=1), inked.argmax(axis=1), images.shape[1])


def ink_per_row(images: NDArray[Any], labels: NDArray[Any] | None = None, *, blank: float = 0.0) -> InkPerRow:
    """Measure how many images have begun by each row, and how much ink each row holds.

    Parameters
    ----------
    images : ndarray (n, S, I)
        Images as sequences of S rows of I pixels.
    labels : ndarray (n,), optional
        Class of each image; without it the arrays per class are empty.
    blank : float
        Value of a blank pixel: 0, or (0 - mean) / std for normalised images.

    Returns
    -------
    InkPerRow

    Raises
    ------
    UserError
        If a shape is wrong.
    """
    images = check_hidden_states(images, "images")
    num_images, num_rows, _ = images.shape
    classes = np.empty(0) if labels is None else np.unique(check_labels(labels, num_images))
    started = first_ink(images, blank=blank)[:, None] <= np.arange(num_rows)
    ink = images.mean(axis=2, dtype=np.float64) - blank
    of_class = [labels == cls for cls in classes]
    return InkPerRow(
        classes=classes,
        share_started=started.mean(axis=0),
        share_started_per_class=_rows([started[members].mean(axis=0) for members in of_class], num_rows),
        mean_ink=ink.mean(axis=0),
        mean_ink_per_class=_rows([ink[members].mean(axis=0) for members in of_class], num_rows),
    )


def _rows(rows: list[NDArray[np.float64]], num_rows: int) -> NDArray[np.float64]:
    return np.stack(rows) if rows else np.empty((0, num_rows))
