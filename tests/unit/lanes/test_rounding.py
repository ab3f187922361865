"""Weights rounded to bfloat16, against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

runner = pytest.importorskip("rnnkit.lanes.sequences.runner")

TIES = np.array([0x3F808000, 0x3F818000, 0x7F7FFFFF, 0x00000001, 0x80008000], np.uint32).view(np.float32)
SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, 3e38, 1e-40], np.float32)


def test_numbers_are_rounded_as_by_torch():
    drawn = np.random.default_rng(0).standard_normal(1001, np.float32)
    numbers = np.concatenate([TIES, SPECIAL, drawn]).reshape(4, -1)
    wanted = torch.from_numpy(numbers).to(torch.bfloat16)
    pairs, single = (runner._rounded(numbers, dtype) for dtype in (np.uint16, np.uint32))
    np.testing.assert_array_equal(pairs.view(np.int16), wanted.view(torch.int16).numpy())
    np.testing.assert_array_equal(single.view(np.float32), wanted.float().numpy())
    assert runner._rounded(numbers, np.float32) is numbers


def test_what_is_no_number_stays_none():
    bits = np.array([0x7FC00000, 0x7F800001, 0xFFFFFFFF], np.uint32)
    assert np.isnan(runner._rounded(bits.view(np.float32), np.uint32).view(np.float32)).all()
