"""Orders in which the pixels of an image are read: as they are, shuffled once and for all, or by reversed bits."""

from __future__ import annotations

import hashlib

import numpy as np

from rnnkit.errors import UserError

ORDERS = ("random", "bit_reversal", "identity")

# SHA-256 of the orders of MNIST's 784 pixels that records refer to: the random one of seed 0, and the others.
CHECKSUMS = {
    "random": "fe62e3fef305ce16e55f08cd0056a8b237e12af6c9523ff3fb35395f6ec55222",
    "bit_reversal": "30d91dc29f161321971bfea6ba16c735e4b5fe678d607efb470896d9de75ef44",
    "identity": "b608df37c700252ea49c332221bee218c64831224cf032c2b64703afbd789d0a",
}


def make(order: str, num_pixels: int, *, seed: int = 0) -> np.ndarray:
    """One order of the pixels.

    Parameters
    ----------
    order : {"random", "bit_reversal", "identity"}
        ``random`` is a permutation drawn with `seed` from NumPy's `RandomState`, whose stream is frozen for good; seed
        0 gives the permutation of keras-lmu's psMNIST example. ``bit_reversal`` counts through the numbers of as many
        bits as are needed and keeps those whose bits, read backwards, name a pixel: 0, 512, 256, 768, 128, ...
    num_pixels : int
    seed : int
        Used by ``random`` alone.

    Returns
    -------
    np.ndarray (num_pixels,) int64
        Step t of the sequence is pixel ``result[t]``.
    """
    if not isinstance(num_pixels, int) or isinstance(num_pixels, bool) or num_pixels < 1:
        raise UserError(
            "there is no such number of pixels", value=num_pixels, allowed="an integer of at least 1"
        )
    if order not in ORDERS:
        raise UserError("unknown order of pixels", value=order, allowed=ORDERS)
    if order == "identity":
        return np.arange(num_pixels)
    if order == "bit_reversal":
        bits = (num_pixels - 1).bit_length()
        counted = np.arange(2**bits)
        reversed_bits = np.zeros_like(counted)
        for bit in range(bits):
            reversed_bits |= (counted >> bit & 1) << (bits - 1 - bit)
        return reversed_bits[reversed_bits < num_pixels]
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise UserError(
            "this is no seed of a permutation", value=seed, allowed="an integer from 0 to 2**32 - 1"
        )
    return np.random.RandomState(seed).permutation(num_pixels).astype(np.int64)


def checked(permutation: object, num_pixels: int) -> np.ndarray:
    """Return a given permutation as (num_pixels,) int64.

    Raises
    ------
    UserError
        Where it is none of `num_pixels` pixels: another length, no integers, or not each of 0 .. num_pixels - 1 once.
    """
    array = np.asarray(permutation)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise UserError("a permutation is a list of integers", value=f"shape {array.shape} of {array.dtype}")
    if len(array) != num_pixels:
        raise UserError(
            "the permutation has another length than the images have pixels",
            value=len(array),
            allowed=str(num_pixels),
        )
    found, counts = np.unique(array, return_counts=True)
    if not np.array_equal(found, np.arange(num_pixels)):
        wrong = found[counts > 1] if np.any(counts > 1) else found[(found < 0) | (found >= num_pixels)]
        raise UserError(
            "this is no permutation",
            value=int(wrong[0]),
            allowed=f"each of 0 .. {num_pixels - 1} once",
            hint="The value named is there more than once or lies outside",
        )
    return array.astype(np.int64)


def checksum(permutation: np.ndarray) -> str:
    """SHA-256 of a permutation as little-endian int64, the same on every machine."""
    return hashlib.sha256(np.ascontiguousarray(permutation, dtype="<i8").tobytes()).hexdigest()
