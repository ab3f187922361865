"""MNIST as sequences of rows or of pixels: found on disk or downloaded, always verified; or the digits in its stead.

Source: LeCun, Cortes, Burges, The MNIST database of handwritten digits (1998).
"""

from __future__ import annotations

import logging
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rnnkit.datasets import _fetch, _files, digits, permutations
from rnnkit.datasets._files import Report
from rnnkit.datasets._rows import Pixels, Rows, rows_from_pixels
from rnnkit.errors import UserError

DATASETS = ("mnist", "digits")
BUDGETS = ("quick", "paper")
NUM_VALID = 10_000
_WHITE = 255
_THREE_WAYS = (
    "Three ways out: set RNNKIT_DATA to a folder that holds mnist/ with the four idx files; "
    "run `python -m rnnkit data fetch` where there is a network; "
    "or use --budget quick, which falls back to the 8x8 digits bundled with scikit-learn"
)

_log = logging.getLogger(__name__)
_failed_fetches: dict[Path, UserError] = {}  # by cache folder, so that one process waits for the network once


def load_rows(*, dataset: str = "mnist", normalise: bool = False) -> Rows:
    """Images as sequences of rows of pixels.

    MNIST: 28 rows of 28 pixels, 50,000 images for training, the last 10,000 of the 60,000 training images for
    validation, 10,000 for test. Digits: 8 rows of 8 pixels, see `rnnkit.datasets.digits`.

    Parameters
    ----------
    dataset : str
        ``"mnist"`` or ``"digits"``.
    normalise : bool
        Subtract the mean of the training pixels and divide by their standard deviation.

    Returns
    -------
    Rows
        Fresh arrays: x (n, seq_len, input_size) float32, y (n,) int64.

    Raises
    ------
    UserError
        If the dataset is unknown, a file is damaged, or MNIST is neither on disk nor to be downloaded.
    """
    images, labels, source = _load(dataset)
    return rows_from_pixels(images, labels, normalise=normalise, **source)


def permuted(
    *, dataset: str = "mnist", order: str | np.ndarray = "random", permutation_seed: int = 0
) -> Pixels:
    """Images as sequences of single pixels in one order for all images (psMNIST; Section II A, Irisarri).

    Pixels lie in [0, 1]. MNIST: 784 steps of one pixel, split as by `load_rows`. Digits: 64 steps.

    Parameters
    ----------
    dataset : str
        ``"mnist"`` or ``"digits"``.
    order : str or sequence of int
        ``"random"``, ``"bit_reversal"`` or ``"identity"`` (sequential MNIST), see `permutations.make`; or a
        permutation of one's own.
    permutation_seed : int
        Seed of ``"random"``.

    Returns
    -------
    Pixels
        Fresh arrays: x (n, seq_len, 1) float32, y (n,) int64.

    Raises
    ------
    UserError
        As of `load_rows`; if the order is unknown, or what is given is no permutation of the images' pixels.
    """
    if isinstance(order, str) and order not in permutations.ORDERS:
        raise UserError("unknown order of pixels", value=order, allowed=permutations.ORDERS)
    images, labels, source = _load(dataset)
    num_pixels = int(np.prod(images["train"].shape[1:]))
    if isinstance(order, str):
        permutation = permutations.make(order, num_pixels, seed=permutation_seed)
    else:
        permutation = permutations.checked(order, num_pixels)
    source["checksums"] = source["checksums"] | {"permutation": permutations.checksum(permutation)}
    sequences = {
        part: np.take(pixels.reshape(len(pixels), num_pixels), permutation, axis=1)[
            ..., None
        ]  # (n, seq_len, 1)
        for part, pixels in images.items()
    }
    rows = rows_from_pixels(sequences, labels, normalise=False, **source)
    return Pixels(
        **{field.name: getattr(rows, field.name) for field in fields(rows)}, permutation=permutation
    )


def _load(dataset: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, Any]]:
    """Images and labels as uint8 under ``train``, ``valid`` and ``test``; name, white and checksums of the source."""
    if dataset not in DATASETS:
        raise UserError("unknown dataset", value=dataset, allowed=DATASETS)
    if dataset == "digits":
        images, labels, checksums = digits.load_images()
        return images, labels, {"name": "digits", "white": digits.WHITE, "checksums": checksums}
    folder = _find_or_fetch(_files.find_folder())
    arrays = {source.name: _read(source, folder) for source in _files.MNIST_FILES}
    train_images, train_labels, test_images, test_labels = arrays.values()
    return (
        {"train": train_images[:-NUM_VALID], "valid": train_images[-NUM_VALID:], "test": test_images},
        {"train": train_labels[:-NUM_VALID], "valid": train_labels[-NUM_VALID:], "test": test_labels},
        {
            "name": "mnist",
            "white": _WHITE,
            "checksums": {source.name: source.checksum for source in _files.MNIST_FILES},
        },
    )


def resolve(budget: str) -> str:
    """Which dataset a run can use: ``"mnist"`` where it is on disk or can be downloaded.

    Where it cannot be had, a quick run gets ``"digits"`` and a warning is logged; a paper run is refused. An
    incomplete folder named by RNNKIT_DATA is an error at either budget.

    The files are found, not read: damage shows in `load_rows`, as an error at either budget.

    Parameters
    ----------
    budget : str
        ``"quick"`` or ``"paper"``.
    """
    if budget not in BUDGETS:
        raise UserError("unknown budget", value=budget, allowed=BUDGETS)
    try:
        _find_or_fetch(_files.find_folder())
    except _Unobtainable as error:
        if budget == "paper":
            raise
        _note_fallback(error.what)
        return "digits"
    return "mnist"


def fetch() -> Report:
    """Make MNIST available and say where: download what the cache lacks, unless RNNKIT_DATA holds the files.

    Raises
    ------
    UserError
        If a file in RNNKIT_DATA is missing or damaged (that folder is the user's and is never written), or if
        the download fails. What was fetched before stays, so that running it again resumes.
    """
    given = _files.given_folder()
    if given is not None:
        report = _files.survey(given)
        if not report.ok:
            raise UserError(
                "the folder named by RNNKIT_DATA is incomplete or damaged",
                value=str(given),
                hint=f"Mend it, or unset RNNKIT_DATA and run this again.\n{report}",
            )
        return report
    folder = _files.cache_folder()
    _fetch.fetch_into(folder)
    _failed_fetches.pop(folder, None)
    return _files.survey(folder)


def verify() -> Report:
    """Check the files that a run would read, without downloading; `ok` of the report sums it up."""
    return _files.survey(_files.given_folder() or _files.cache_folder())


@cache  # said once per process
def _note_fallback(reason: str) -> None:
    _log.warning("%s; using the 8x8 digits bundled with scikit-learn instead", reason)


class _Unobtainable(UserError):
    """MNIST is neither on disk nor to be downloaded."""


def _find_or_fetch(folder: Path | None) -> Path:
    """`folder`, or where it is None the cache after a download, tried once per process."""
    if folder is not None:
        return folder
    cached = _files.cache_folder()
    if cached not in _failed_fetches:
        try:
            _fetch.fetch_into(cached)
        except UserError as error:
            _failed_fetches[cached] = error
    if cached in _failed_fetches:
        raise _Unobtainable(f"MNIST cannot be had: {_failed_fetches[cached]}", hint=_THREE_WAYS)
    return cached


def _read(source: _files.SourceFile, folder: Path) -> np.ndarray:
    path = source.find(folder)
    if path is None:
        raise UserError("a file of MNIST vanished", value=str(folder / source.name), hint=_THREE_WAYS)
    return source.read(path)
