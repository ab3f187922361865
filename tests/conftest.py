"""Fixtures and skips shared by all tests."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.waiting import within


def pytest_configure() -> None:
    """Let Ctrl-C be heard: a shell that runs the tests in the background has all of them ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with a word, what needs the real MNIST where RNNKIT_DATA does not hold it."""
    root = os.environ.get("RNNKIT_DATA")
    if root and (Path(root) / "mnist").is_dir():
        return
    skip = pytest.mark.skip(reason="no MNIST: RNNKIT_DATA names no folder with mnist/")
    for item in items:
        if item.get_closest_marker("mnist"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def never_for_ever() -> Iterator[None]:
    """A test that waits for what never comes fails after ten minutes instead of holding up all others."""
    with within(600, "the test"):
        yield


def idx_bytes(array: np.ndarray) -> bytes:
    """The idx format from its description: two zeros, type, number of dimensions, dimensions, data."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@dataclass(frozen=True)
class TinyMnist:
    """MNIST with 30 and 10 images: the arrays by file name, and the folders of a test."""

    arrays: dict[str, np.ndarray]
    given: Path
    cache: Path


@pytest.fixture
def tiny_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TinyMnist:
    """Four small files in $RNNKIT_DATA/mnist that pass for MNIST; an empty cache elsewhere; no network."""
    from rnnkit.datasets import _files, mnist

    generator = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 30), ("t10k", 10)):
        arrays[f"{part}-images-idx3-ubyte"] = generator.integers(0, 256, (n, 28, 28), np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = generator.integers(0, 10, n, np.uint8)
    given, cache = tmp_path / "data" / "mnist", tmp_path / "cache" / "mnist"
    given.mkdir(parents=True)
    sources = []
    for name, array in arrays.items():
        data = idx_bytes(array)
        (given / f"{name}.gz").write_bytes(gzip.compress(data))
        sources.append(_files.SourceFile(name, array.shape, hashlib.sha256(data).hexdigest()))
    monkeypatch.setattr(_files, "MNIST_FILES", tuple(sources))
    monkeypatch.setattr(_files, "cache_folder", lambda: cache)
    monkeypatch.setattr(mnist, "NUM_VALID", 10)
    monkeypatch.setattr(mnist, "_failed_fetches", {})
    _files._note_missing.cache_clear()
    mnist._note_fallback.cache_clear()
    monkeypatch.setenv("RNNKIT_DATA", str(given.parent))
    monkeypatch.setenv("RNNKIT_OFFLINE", "1")
    return TinyMnist(arrays, given, cache)
