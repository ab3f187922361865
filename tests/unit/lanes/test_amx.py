"""Tiles: who may use them, and how columns become rows for them."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest
import torch

amx = pytest.importorskip("rnnkit.lanes.sequences.amx")
FEATURES = {"amx-tile": True, "amx-bf16": True}


def _machine(monkeypatch, features, answer):
    """A machine of these features whose kernel answers so; returns what it is asked."""
    asked = []
    monkeypatch.setattr(amx.llvmlite.binding, "get_host_cpu_features", lambda: features)
    monkeypatch.setattr(amx.sys, "platform", "linux")
    kernel = SimpleNamespace(syscall=lambda *request: asked.append(request) or answer)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: kernel)
    return asked


def test_the_kernel_is_asked_for_tiles_and_may_refuse(monkeypatch):
    asked = _machine(monkeypatch, FEATURES, 0)
    assert amx.usable.__wrapped__()
    assert asked == [(158, 0x1023, 18)]  # arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA
    _machine(monkeypatch, FEATURES, -1)
    assert not amx.usable.__wrapped__()


@pytest.mark.parametrize("missing", FEATURES)
def test_a_processor_without_them_is_not_asked(monkeypatch, missing):
    asked = _machine(monkeypatch, {**FEATURES, missing: False}, 0)
    assert not amx.usable.__wrapped__()
    assert asked == []


def test_nor_is_another_kernel(monkeypatch):
    asked = _machine(monkeypatch, FEATURES, 0)
    monkeypatch.setattr(amx.sys, "platform", "win32")
    assert not amx.usable.__wrapped__()
    assert asked == []


def test_pairs_in_columns_become_rows():
    from rnnkit.lanes.compiling import compiled
    from rnnkit.lanes.sequences.operands import turn

    @compiled
    def turned(operand, row):
        turn(operand, row)

    pairs = np.arange(3 * 16 * 16 * 2, dtype=np.int16)
    wanted = pairs.reshape(3, 16, 16, 2).copy()
    wanted[1] = wanted[1].transpose(1, 0, 2)
    turned(pairs, 32)  # the second of three blocks
    np.testing.assert_array_equal(pairs.reshape(wanted.shape), wanted)
    for left_alone in (np.uint16, np.float32):
        operand = np.arange(512).astype(left_alone)
        turned(operand, 0)
        np.testing.assert_array_equal(operand, np.arange(512))


def test_torch_multiplies_in_tiles_as_before_after_a_recurrence_has():
    from rnnkit.models.recurrence import recur

    generator = torch.Generator().manual_seed(0)
    one = torch.randn(64, 96, generator=generator).bfloat16()
    other = torch.randn(96, 48, generator=generator).bfloat16()
    before = one @ other
    drive, weight = torch.randn(5, 40, 64, generator=generator), torch.randn(64, 64, generator=generator)
    recur("rnn", drive, weight, None, precision="bf16", form="fused")
    assert torch.equal(one @ other, before)
