"""What goes wrong with data on disk and on the way: one clear message, and nothing half-written."""

from __future__ import annotations

import errno
import gzip
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from rnnkit.datasets import _fetch, mnist
from rnnkit.errors import UserError

LABELS = "train-labels-idx1-ubyte"
NAMES = {f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")}


def corrupt_middle(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def other_content(data: bytes) -> bytes:
    plain = gzip.decompress(data)
    return gzip.compress(plain[:-1] + bytes([(plain[-1] + 1) % 10]))


def label_ten(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data)[:-1] + bytes([10]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[: len(data) // 2], "truncated gzip"),
        (lambda data: gzip.compress(gzip.decompress(data)[:-7]), "truncated idx file, 7 bytes"),
        (corrupt_middle, "damaged gzip|truncated gzip|trailing"),
        (other_content, "wrong checksum"),
        (label_ten, "label 10 in the file.*allowed: 0 to 9"),
        (lambda data: b"", "truncated idx"),
    ],
)
@pytest.mark.parametrize("budget", ["quick", "paper"])
def test_a_damaged_file_that_the_user_names_is_an_error_at_any_budget(tiny_mnist, damage, message, budget):
    path = tiny_mnist.given / f"{LABELS}.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=message) as caught:
        mnist.load_rows(dataset=mnist.resolve(budget))
    assert str(path) in str(caught.value)
    with pytest.raises(UserError, match="incomplete or damaged"):
        mnist.fetch()


def test_an_incomplete_folder_that_the_user_names_is_an_error(tiny_mnist):
    (tiny_mnist.given / f"{LABELS}.gz").unlink()
    for ask in (lambda: mnist.resolve("quick"), mnist.load_rows):
        with pytest.raises(UserError, match=f"lacks {LABELS}") as caught:
            ask()
        assert str(tiny_mnist.given) in str(caught.value)


Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def whole(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def garbage(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    whole(handler, b"<html>Please log in to this network</html>")


def broken_off(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])


def absent(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.send_error(404)


def silent(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    time.sleep(2.0)


@contextmanager
def mirror(files: dict[str, bytes], answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """A server on this machine that answers in one way; its address, and the names asked of it so far."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rsplit("/", 1)[-1]
            asked.append(name)
            answer(self, files[name])

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/mnist/", asked
        server.shutdown()
        thread.join()


@pytest.fixture
def files(tiny_mnist, monkeypatch) -> dict[str, bytes]:
    """What a good mirror serves; the network is on, nothing is on disk, and no real mirror is known."""
    served = {path.name: path.read_bytes() for path in tiny_mnist.given.iterdir()}
    assert served.keys() == NAMES
    monkeypatch.delenv("RNNKIT_DATA")
    monkeypatch.delenv("RNNKIT_OFFLINE")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(_fetch, "MIRRORS", ())
    return served


def test_a_download_ends_in_four_verified_files(tiny_mnist, files, monkeypatch):
    with mirror(files, whole) as (address, asked):
        monkeypatch.setattr(_fetch, "MIRRORS", (address,))
        assert mnist.resolve("paper") == "mnist"
        rows = mnist.load_rows()
        report = mnist.fetch()
    assert sorted(asked) == sorted(NAMES)  # once each: the later calls find them in the cache
    assert report.ok
    assert report.folder == tiny_mnist.cache
    np.testing.assert_array_equal(rows.test_y, tiny_mnist.arrays["t10k-labels-idx1-ubyte"])
    assert {path.name for path in tiny_mnist.cache.iterdir()} == NAMES


@pytest.mark.parametrize("bad", [garbage, broken_off, absent, silent])
def test_the_second_mirror_helps_where_the_first_fails(tiny_mnist, files, monkeypatch, bad):
    if bad is silent:  # in less the good one might seem silent too, on a machine that has much to do
        monkeypatch.setattr(_fetch, "SILENCE_SECONDS", 0.7)
    with mirror(files, bad) as (first, asked_first), mirror(files, whole) as (second, asked_second):
        monkeypatch.setattr(_fetch, "MIRRORS", (first, second))
        assert mnist.fetch().ok
    assert set(asked_first) == set(asked_second) == NAMES
    assert {path.name for path in tiny_mnist.cache.iterdir()} == NAMES


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (garbage, "not an idx file"),
        (broken_off, "ChunkedEncodingError|ConnectionError"),
        (absent, "HTTP status 404"),
        (lambda handler, data: whole(handler, other_content(data)), "wrong checksum"),
    ],
)
def test_where_all_mirrors_fail_nothing_is_left_and_each_is_named(
    tiny_mnist, files, monkeypatch, bad, reason
):
    with mirror(files, bad) as (address, _):
        monkeypatch.setattr(_fetch, "MIRRORS", (address, address))
        with pytest.raises(UserError, match="no mirror delivered") as caught:
            mnist.fetch()
    assert len(re.findall(rf"127\.0\.0\.1: ({reason})", str(caught.value))) == 2
    assert list(tiny_mnist.cache.iterdir()) == []


def test_a_second_try_fetches_only_what_the_first_did_not(tiny_mnist, files, monkeypatch):
    def fails_from_third(handler: BaseHTTPRequestHandler, data: bytes) -> None:
        (whole if len(asked) <= 2 else broken_off)(handler, data)

    with mirror(files, fails_from_third) as (address, asked):
        monkeypatch.setattr(_fetch, "MIRRORS", (address,))
        with pytest.raises(UserError, match="t10k-images"):
            mnist.fetch()
    kept = {path.name for path in tiny_mnist.cache.iterdir()}
    assert kept == {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"}
    with mirror(files, whole) as (address, asked):
        monkeypatch.setattr(_fetch, "MIRRORS", (address,))
        assert mnist.fetch().ok
    assert set(asked) == NAMES - kept


def test_fetching_mends_a_damaged_cache(tiny_mnist, files, monkeypatch):
    tiny_mnist.cache.mkdir(parents=True)
    for name, data in files.items():
        (tiny_mnist.cache / name).write_bytes(data[:-20] if name.startswith(LABELS) else data)
    with pytest.raises(UserError, match="data fetch"):
        mnist.load_rows()
    with mirror(files, whole) as (address, asked):
        monkeypatch.setattr(_fetch, "MIRRORS", (address,))
        assert mnist.fetch().ok
    assert asked == [f"{LABELS}.gz"]


def test_a_failed_fetch_is_tried_once_per_process_but_again_when_asked_for(tiny_mnist, files, monkeypatch):
    with mirror(files, absent) as (address, asked):
        monkeypatch.setattr(_fetch, "MIRRORS", (address,))
        assert mnist.resolve("quick") == "digits"
        assert mnist.resolve("quick") == "digits"
        with pytest.raises(UserError, match="HTTP status 404"):
            mnist.load_rows()
        assert len(asked) == 1
    with mirror(files, whole) as (address, asked):
        monkeypatch.setattr(_fetch, "MIRRORS", (address,))
        mnist.fetch()
        assert mnist.resolve("quick") == "mnist"


def test_offline_asks_no_mirror(tiny_mnist, files, monkeypatch):
    monkeypatch.setenv("RNNKIT_OFFLINE", "1")
    with mirror(files, whole) as (address, asked):
        monkeypatch.setattr(_fetch, "MIRRORS", (address,))
        with pytest.raises(UserError, match="RNNKIT_OFFLINE=1"):
            mnist.fetch()
    assert asked == []


def test_a_network_that_swallows_everything_costs_no_more_than_the_limit(files, monkeypatch):
    """A look-up of a name can hang for half a minute, whatever time limit a request was given."""
    monkeypatch.setattr(_fetch, "CONNECT_SECONDS", 0.1)
    release = threading.Event()

    def hang(*args: object) -> None:
        release.wait(60)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", hang)
    monkeypatch.setattr(_fetch, "MIRRORS", ("http://one.invalid/", "http://two.invalid/"))
    start = time.monotonic()
    try:
        with pytest.raises(UserError, match=r"no answer within 0\.1 s.*no answer"):
            mnist.fetch()
        assert time.monotonic() - start < 20
    finally:
        release.set()


def test_a_cache_that_cannot_be_made_is_named(tiny_mnist, files):
    tiny_mnist.cache.parent.write_text("a file where the folder should be")
    with pytest.raises(UserError, match="cannot write MNIST into the cache") as caught:
        mnist.fetch()
    assert str(tiny_mnist.cache) in str(caught.value)
    assert mnist.resolve("quick") == "digits"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_full_or_read_only_disk_is_told_and_nothing_is_left(tiny_mnist, files, monkeypatch, code):
    def refuse(*args: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(_fetch.os, "replace", refuse)
    with mirror(files, whole) as (address, _):
        monkeypatch.setattr(_fetch, "MIRRORS", (address,))
        with pytest.raises(UserError, match=os.strerror(code)):
            mnist.fetch()
    assert list(tiny_mnist.cache.iterdir()) == []


def test_a_disk_full_during_the_download_is_not_taken_for_a_bad_mirror(tiny_mnist, files, monkeypatch):
    def fill_disk(url: str, part: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(_fetch, "_download", fill_disk)
    with mirror(files, whole) as (address, _):
        monkeypatch.setattr(_fetch, "MIRRORS", (address, address))
        with pytest.raises(UserError, match=r"No space left.*Free space"):
            mnist.fetch()
    assert list(tiny_mnist.cache.iterdir()) == []


def test_an_interrupt_leaves_nothing_half_written(tiny_mnist, files, monkeypatch):
    def interrupt(url: str, part) -> None:
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(_fetch, "_download", interrupt)
    with mirror(files, whole) as (address, _):
        monkeypatch.setattr(_fetch, "MIRRORS", (address,))
        with pytest.raises(KeyboardInterrupt):
            mnist.fetch()
    assert list(tiny_mnist.cache.iterdir()) == []
