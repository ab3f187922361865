"""Arrays as small base64 payloads for a page: floats in 16 bits, small integers and labels exactly.

Decoding is ``lo + code * step``. A float array uses the codes 0..65534 over its finite range and 65535 for
NaN, so the error is at most half a step, ``(hi - lo) / 65534 / 2``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import numpy as np

MISSING = 65535
"""Code of NaN."""

EXACT = 2**53
"""Largest integer that a page's numbers hold exactly."""

_LITTLE_ENDIAN = {"u1": "<u1", "u2": "<u2", "u4": "<u4", "f4": "<f4"}


def encode(array: np.ndarray) -> dict[str, Any]:
    """Turn an array into a JSON object that a page's script decodes.

    Parameters
    ----------
    array : (...) float, int, bool or str
        Floats are quantised to 16 bits, NaN allowed; integers and strings are exact.

    Returns
    -------
    dict
        ``shape, dtype, data`` (base64, little-endian) with ``lo, step`` for numbers or ``labels`` for
        strings; ``missing`` is the code that stands for NaN, when there is one.

    Raises
    ------
    ValueError
        When a float is infinite, integers spread over more than 32 bits, or the array holds other things.
    """
    array = np.asarray(array)
    if array.dtype.kind == "f":
        return _encode_floats(array)
    if array.dtype.kind in "iub":
        return _encode_integers(array)
    if array.dtype.kind in "UO" and all(isinstance(item, str) for item in array.flat):
        labels, codes = np.unique(array.astype(str), return_inverse=True)
        return _pack(codes.reshape(array.shape), _smallest(len(labels) - 1), labels=labels.tolist())
    raise ValueError(f"an array of numbers or strings is needed, not dtype {array.dtype}")


def encode_exactly(array: np.ndarray) -> dict[str, Any]:
    """Turn an array (...) of finite float32 into a JSON object that decodes to the very same numbers."""
    return _pack(np.asarray(array, dtype=np.float32), "f4", lo=0, step=1)


def decode(payload: dict[str, Any]) -> np.ndarray:
    """Array held by a payload of either encoding: float64 where it was float, else int64 or str."""
    codes = np.frombuffer(base64.b64decode(payload["data"]), _LITTLE_ENDIAN[payload["dtype"]])
    codes = codes.reshape(payload["shape"])
    if "labels" in payload:
        return np.asarray(payload["labels"], dtype=str)[codes]
    if payload["dtype"] == "f4":
        return codes.astype(np.float64)
    if "missing" not in payload:
        return codes.astype(np.int64) + payload["lo"]
    values = payload["lo"] + codes * float(payload["step"])
    return np.where(codes == payload["missing"], np.nan, values)


def fingerprint(payload: Any) -> str:
    """First 16 hex digits of the SHA-256 of a JSON value in canonical form."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _encode_floats(array: np.ndarray) -> dict[str, Any]:
    values = array.astype(np.float64)
    missing = np.isnan(values)
    if np.isinf(values).any():
        raise ValueError("infinite values cannot be drawn; replace them by NaN")
    finite = values[~missing]
    lo, hi = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    step = (hi - lo) / (MISSING - 1)
    codes = np.rint((np.where(missing, lo, values) - lo) / step) if step > 0 else np.zeros(values.shape)
    return _pack(np.where(missing, MISSING, codes), "u2", lo=lo, step=step, missing=MISSING)


def _encode_integers(array: np.ndarray) -> dict[str, Any]:
    lo, hi = (int(array.min()), int(array.max())) if array.size else (0, 0)
    if max(-lo, hi) > EXACT:
        raise ValueError(f"integers beyond {EXACT} cannot be drawn exactly; use floats")
    return _pack(array.astype(np.int64) - lo, _smallest(hi - lo), lo=lo, step=1)


def _smallest(highest: int) -> str:
    if highest <= 255:
        return "u1"
    if highest <= MISSING:
        return "u2"
    if highest < 2**32:
        return "u4"
    raise ValueError("integers spread over more than 32 bits cannot be drawn exactly; use floats")


def _pack(codes: np.ndarray, dtype: str, **extra: Any) -> dict[str, Any]:
    data = np.ascontiguousarray(codes.astype(_LITTLE_ENDIAN[dtype])).tobytes()
    return {"shape": list(codes.shape), "dtype": dtype, "data": base64.b64encode(data).decode(), **extra}
