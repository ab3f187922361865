from __future__ import annotations

import gzip
import logging
import shutil
import subprocess
import sys

import numpy as np
import pytest

from rnnkit.datasets import _files, mnist
from rnnkit.errors import UserError


def test_the_last_training_images_are_the_validation_set(tiny_mnist):
    rows = mnist.load_rows()
    images = tiny_mnist.arrays["train-images-idx3-ubyte"] / np.float32(255)
    labels = tiny_mnist.arrays["train-labels-idx1-ubyte"]
    np.testing.assert_array_equal(rows.train_x, images[:20])
    np.testing.assert_array_equal(rows.valid_x, images[20:])
    np.testing.assert_array_equal(rows.train_y, labels[:20])
    np.testing.assert_array_equal(rows.valid_y, labels[20:])
    np.testing.assert_array_equal(rows.test_x, tiny_mnist.arrays["t10k-images-idx3-ubyte"] / np.float32(255))
    assert rows.name == "mnist"
    assert rows.checksums == {source.name: source.checksum for source in _files.MNIST_FILES}


def test_plain_files_serve_as_well_as_gzipped_ones(tiny_mnist):
    before = mnist.load_rows()
    for path in tiny_mnist.given.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    np.testing.assert_array_equal(mnist.load_rows().train_x, before.train_x)


def test_the_cache_serves_where_rnnkit_data_is_unset(tiny_mnist, monkeypatch):
    shutil.copytree(tiny_mnist.given, tiny_mnist.cache)
    monkeypatch.delenv("RNNKIT_DATA")
    assert mnist.resolve("paper") == "mnist"
    assert len(mnist.load_rows().test_x) == 10


def test_a_given_folder_without_mnist_is_said_once_before_the_cache_is_used(tiny_mnist, monkeypatch, caplog):
    shutil.move(tiny_mnist.given, tiny_mnist.cache)
    monkeypatch.setenv("RNNKIT_DATA", str(tiny_mnist.given.parent))
    with caplog.at_level(logging.WARNING):
        mnist.load_rows()
        mnist.load_rows()
    (record,) = caplog.records
    assert str(tiny_mnist.given) in record.getMessage()


def test_the_budget_decides_what_happens_without_mnist(tiny_mnist, monkeypatch, caplog):
    monkeypatch.delenv("RNNKIT_DATA")
    assert mnist.resolve("quick") == "digits"
    assert mnist.resolve("quick") == "digits"
    assert [record.getMessage().count("8x8 digits") for record in caplog.records] == [1]
    for ask in (lambda: mnist.resolve("paper"), mnist.load_rows):
        with pytest.raises(UserError) as caught:
            ask()
        for way_out in ("RNNKIT_DATA", "python -m rnnkit data fetch", "--budget quick", "RNNKIT_OFFLINE"):
            assert way_out in str(caught.value)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: mnist.resolve("huge"), "unknown budget: 'huge'; allowed: quick, paper"),
        (lambda: mnist.load_rows(dataset="cifar"), "unknown dataset: 'cifar'; allowed: mnist, digits"),
    ],
)
def test_unknown_names_are_told_with_the_known_ones(ask, message):
    with pytest.raises(UserError, match=message):
        ask()


def test_verify_and_fetch_report_on_the_given_folder(tiny_mnist):
    for report in (mnist.verify(), mnist.fetch()):
        assert report.ok
        assert report.folder == tiny_mnist.given
        assert str(report).count("\n  ok ") == 4
    assert not tiny_mnist.cache.exists()


def test_verify_tells_missing_from_damaged(tiny_mnist):
    (tiny_mnist.given / "train-labels-idx1-ubyte.gz").unlink()
    (tiny_mnist.given / "t10k-labels-idx1-ubyte.gz").write_bytes(b"nothing of the kind")
    report = mnist.verify()
    assert not report.ok
    assert [file.state for file in report.files] == ["ok", "missing", "ok", "damaged"]
    assert "not an idx file" in str(report)
    assert "data fetch" in str(report)


def test_the_cache_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with_platformdirs = _files.cache_folder()
    assert with_platformdirs.parts[-2:] == ("rnnkit", "mnist")
    if sys.platform == "linux":
        monkeypatch.setitem(sys.modules, "platformdirs", None)  # as on a bare compute node
        assert _files.cache_folder() == with_platformdirs == tmp_path / "rnnkit" / "mnist"


def test_importing_the_datasets_is_light():
    code = "import sys, rnnkit.datasets; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "rnnkit.datasets.mnist" in loaded
    assert not loaded & {"torch", "sklearn", "pooch", "requests", "platformdirs", "tqdm"}


@pytest.fixture(scope="module")
def real() -> mnist.Rows:
    return mnist.load_rows()


@pytest.mark.mnist
def test_real_sizes_and_types(real):
    assert real.train_x.shape == (50_000, 28, 28)
    assert real.valid_x.shape == real.test_x.shape == (10_000, 28, 28)
    assert real.train_x.dtype == np.float32
    assert real.train_x.flags.c_contiguous
    assert real.train_y.dtype == np.int64
    assert (real.train_x.min(), real.train_x.max()) == (0, 1)


@pytest.mark.mnist
def test_real_labels_are_those_known_of_mnist(real):
    labels = np.concatenate([real.train_y, real.valid_y])
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert real.test_y[:5].tolist() == [7, 2, 1, 0, 4]
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(labels).tolist() == counts
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(real.test_y).tolist() == counts


@pytest.mark.mnist
def test_real_mean_and_deviation_are_those_everybody_uses(real):
    """0.1307 and 0.3081 are of all 60,000 training images; `Rows.mean` and `std` of the first 50,000."""
    pixels = np.concatenate([real.train_x, real.valid_x])
    assert pixels.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert pixels.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)
    assert real.mean == pytest.approx(real.train_x.mean(dtype=np.float64), abs=1e-7)
    assert real.std == pytest.approx(real.train_x.std(dtype=np.float64), abs=1e-7)
