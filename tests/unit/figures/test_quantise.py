from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnkit.figures.quantise import decode, encode, fingerprint

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6)


@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(-1e6, 1e6, width=32)))
def test_a_float_comes_back_within_half_a_step(array):
    back = decode(encode(array))
    assert back.shape == array.shape
    if array.size:
        span = float(array.max()) - float(array.min())
        assert np.abs(back - array.astype(np.float64)).max() <= span / 65535 / 2 * 1.01


@given(hnp.arrays(np.float64, SHAPES, elements=st.floats(-10, 10) | st.just(np.nan)))
def test_nan_comes_back_as_nan_and_nothing_else_does(array):
    np.testing.assert_array_equal(np.isnan(decode(encode(array))), np.isnan(array))


@given(hnp.arrays(np.int64, SHAPES, elements=st.integers(-(2**30), 2**30)))
def test_integers_come_back_exactly(array):
    np.testing.assert_array_equal(decode(encode(array)), array)


def test_the_ends_of_the_range_are_exact():
    array = np.array([-3.25, 0.1, 7.5])
    np.testing.assert_array_equal(decode(encode(array))[[0, 2]], array[[0, 2]])


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.arange(10), "u1"),
        (np.array([True, False]), "u1"),
        (np.array([1000, 1255], dtype=np.int64), "u1"),
        (np.array([0, 256], dtype=np.int16), "u2"),
        (np.array([0, 65536]), "u4"),
        (np.array([-128, 127], dtype=np.int8), "u1"),
        (np.array([2**40, 2**40 + 3], dtype=np.uint64), "u1"),
        (np.array([0.0, 1.0]), "u2"),
        (np.array(["b", "a", "b"]), "u1"),
    ],
)
def test_the_smallest_type_that_holds_the_values_is_used(array, dtype):
    assert encode(array)["dtype"] == dtype


def test_strings_come_back():
    words = np.array([["nine", "four"], ["four", 'ü, "quoted"']])
    np.testing.assert_array_equal(decode(encode(words)), words)


def test_bytes_are_little_endian_whatever_the_input():
    array = np.array([0, 1, 65534], dtype=">i4")
    assert encode(array)["data"] == "AAABAP7/"


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        (np.array([np.inf]), "infinite"),
        (np.array([object()]), "numbers or strings"),
        (np.array([1j]), "numbers or strings"),
        (np.array([0, 2**40]), "32 bits"),
        (np.array([2**63], dtype=np.uint64), "exactly"),
    ],
)
def test_what_cannot_be_drawn_is_refused(bad, match):
    with pytest.raises(ValueError, match=match):
        encode(bad)


def test_a_payload_is_strict_json_and_its_fingerprint_hangs_on_its_content():
    one, same, other = (encode(np.array(v)) for v in ([1.0, np.nan], [1.0, np.nan], [1.0, 2.0]))
    json.dumps(one, allow_nan=False)
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)


def test_half_a_megabyte_for_ten_thousand_points_over_ten_steps():
    payload = encode(np.random.default_rng(0).random((10, 10_000)))
    assert len(payload["data"]) <= 10 * 10_000 * 2 * 4 / 3 + 4
