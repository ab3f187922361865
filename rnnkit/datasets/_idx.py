"""Reader of idx files, the format of MNIST (LeCun's MNIST page describes it), plain or gzipped."""

from __future__ import annotations

import hashlib
import math
import zlib
from pathlib import Path

import numpy as np

from rnnkit.errors import UserError

_GZIP_MAGIC = b"\x1f\x8b"
_UINT8 = 0x08
_TYPE_NAMES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
REPLACE_HINT = "Replace it by an intact copy; `python -m rnnkit data fetch` mends rnnkit's own cache"


def read_idx(path: Path, shape: tuple[int, ...]) -> tuple[np.ndarray, str]:
    """Read an idx file of bytes whose shape is known beforehand.

    Parameters
    ----------
    path : Path
        The file. Whether it is gzipped is seen from its content: browsers unpack ``.gz`` without renaming.
    shape : tuple of int
        The shape that the file must hold.

    Returns
    -------
    array : np.ndarray
        uint8, of the given shape, read-only.
    checksum : str
        SHA-256 of the decompressed bytes, header included: equal for every gzip wrapper around the same data.

    Raises
    ------
    UserError
        If the file cannot be read, is damaged, or holds something else; the message names the file.
    """
    # One byte more than should be there shows trailing bytes and bounds what a wrapper can unpack to.
    header = 4 + 4 * len(shape)
    expected = header + math.prod(shape)
    data = _content(path, expected + 1)
    _check_header(data, path, shape)
    if len(data) < expected:
        raise _damaged(path, f"truncated idx file, {expected - len(data)} bytes are missing")
    if len(data) > expected:
        raise _damaged(path, "trailing bytes after the idx data")
    array = np.frombuffer(data, np.uint8, offset=header).reshape(shape)
    return array, hashlib.sha256(data).hexdigest()


def _damaged(path: Path, what: str, allowed: str | None = None) -> UserError:
    return UserError(what, value=str(path), allowed=allowed, hint=REPLACE_HINT)


def _content(path: Path, limit: int) -> bytes:
    """Decompressed bytes of a file, at most `limit` of them."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the file ({error.strerror or error})", value=str(path)) from None
    if not raw.startswith(_GZIP_MAGIC):
        return raw[:limit]
    stream = zlib.decompressobj(wbits=31)  # gzip wrapper; one call is far faster than gzip.GzipFile
    try:
        data = stream.decompress(raw, limit)
    except zlib.error as error:
        raise _damaged(path, f"damaged gzip file ({error})") from None
    if not stream.eof and len(data) < limit:
        raise _damaged(path, "truncated gzip file")
    if stream.unused_data:
        raise _damaged(path, "trailing bytes after the gzip data")
    return data


def _check_header(data: bytes, path: Path, shape: tuple[int, ...]) -> None:
    """Compare magic number, element type and dimensions with what is expected."""
    if len(data) < 4:
        raise _damaged(path, "truncated idx file, it ends within its magic number")
    if data[:2] != b"\0\0" or data[2] not in _TYPE_NAMES:
        raise _damaged(path, f"not an idx file, it starts with {data[:4].hex(' ')}")
    if data[2] != _UINT8:
        raise _damaged(path, f"idx file of {_TYPE_NAMES[data[2]]}", allowed=_TYPE_NAMES[_UINT8])
    if data[3] != len(shape):
        raise _damaged(path, f"idx file with {data[3]} dimensions", allowed=str(shape))
    header = 4 + 4 * len(shape)
    if len(data) < header:
        raise _damaged(path, "truncated idx file, it ends within its header")
    found = tuple(np.frombuffer(data[4:header], ">u4").tolist())
    if found != shape:
        raise _damaged(path, f"idx file with dimensions {found}", allowed=str(shape))
