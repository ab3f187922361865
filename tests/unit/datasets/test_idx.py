from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.datasets._idx import read_idx
from rnnkit.errors import UserError

SHAPE = (3, 2, 2)
PIXELS = bytes(range(12))
GOOD = struct.pack(">BBBBIII", 0, 0, 8, 3, *SHAPE) + PIXELS


def write(folder: Path, data: bytes, name: str = "some-file") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, lambda data: gzip.compress(data, 1)])
@pytest.mark.parametrize("name", ["some-file", "some-file.gz"])
def test_content_and_checksum_do_not_depend_on_wrapper_or_name(tmp_path, wrap, name):
    array, checksum = read_idx(write(tmp_path, wrap(GOOD), name), SHAPE)
    assert array.dtype == np.uint8
    assert array.shape == SHAPE
    assert array.tobytes() == PIXELS
    assert checksum == hashlib.sha256(GOOD).hexdigest()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends within its magic number"),
        (b"\0\0\x08", "ends within its magic number"),
        (b"<html>404</html>", "not an idx file"),
        (b"\0\0\x07" + GOOD[3:], "not an idx file"),
        (b"\0\0\x0d" + GOOD[3:], "float32.*allowed: uint8"),
        (b"\0\0\x08\x01" + GOOD[4:], r"1 dimensions.*allowed: \(3, 2, 2\)"),
        (GOOD[:9], "ends within its header"),
        (struct.pack(">BBBBIII", 0, 0, 8, 3, 3, 2, 9) + PIXELS, r"\(3, 2, 9\).*allowed: \(3, 2, 2\)"),
        (GOOD[:-5], "5 bytes are missing"),
        (GOOD + b"\0", "trailing bytes"),
        (gzip.compress(GOOD[:-5]), "5 bytes are missing"),
        (gzip.compress(GOOD + b"\0"), "trailing bytes"),
        (gzip.compress(GOOD)[:-9], "truncated gzip"),
        (gzip.compress(GOOD)[:-1], "truncated gzip"),
        (gzip.compress(GOOD) + b"\0", "trailing bytes after the gzip data"),
        (b"\x1f\x8b", "truncated gzip"),
        (b"\x1f\x8b" + GOOD, "damaged gzip"),
    ],
)
def test_damage_is_told_and_the_file_named(tmp_path, data, message):
    with pytest.raises(UserError, match=message) as caught:
        read_idx(write(tmp_path, data), SHAPE)
    assert "some-file" in str(caught.value)


@given(position=st.integers(0, len(gzip.compress(GOOD)) - 1), flip=st.integers(1, 255))
def test_no_changed_byte_of_a_gzip_passes_for_the_file(tmp_path_factory, position, flip):
    """Either the damage is told, or the content is the same (gzip has idle fields: its time stamp)."""
    wrapped = bytearray(gzip.compress(GOOD))
    wrapped[position] ^= flip
    path = write(tmp_path_factory.getbasetemp(), bytes(wrapped), "flipped")
    try:
        _, checksum = read_idx(path, SHAPE)
    except UserError:
        return
    assert checksum == hashlib.sha256(GOOD).hexdigest()


def test_a_gzip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    import tracemalloc

    path = write(tmp_path, gzip.compress(GOOD + bytes(50_000_000)))
    tracemalloc.start()
    with pytest.raises(UserError, match="trailing bytes"):
        read_idx(path, SHAPE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_an_unreadable_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"cannot read the file.*absent"):
        read_idx(tmp_path / "absent", SHAPE)
