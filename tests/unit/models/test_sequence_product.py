"""The product of a sequence against its definition."""

from __future__ import annotations

import pytest
import torch

from rnnkit.models import sequence_product
from rnnkit.models.sequence_product import SequenceProduct


@pytest.mark.parametrize("gates", [1, 3])
@pytest.mark.parametrize("rows_at_once", [1, 12, 1000])
def test_result_and_gradients_are_those_of_masking_first(monkeypatch, gates, rows_at_once):
    monkeypatch.setattr(sequence_product, "_ROWS_AT_ONCE", rows_at_once)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(7, 4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(gates * 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    masks = (torch.rand(gates, 4, 5, generator=generator, dtype=torch.float64) > 0.5) * 2.0
    parts = [(rows * mask) @ part.t() for mask, part in zip(masks.double(), weight.chunk(gates), strict=True)]
    result = SequenceProduct.apply(rows, weight, masks.double(), torch.float64)
    torch.testing.assert_close(result, torch.cat(parts, 2))
    assert torch.autograd.gradcheck(
        lambda a, b: SequenceProduct.apply(a, b, masks.double(), torch.float64), (rows, weight)
    )


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_operands_and_results_are_rounded_whatever_the_processor_multiplies_in(monkeypatch, native, masked):
    monkeypatch.setattr(sequence_product, "bf16_is_native", lambda: native)
    monkeypatch.setattr(sequence_product, "_ROWS_AT_ONCE", 12)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(7, 4, 64, generator=generator, requires_grad=True)
    weight = torch.randn(32, 64, generator=generator, requires_grad=True)
    masks = (torch.rand(1, 4, 64, generator=generator) > 0.5) * 2.0 if masked else None
    seen = rows if masks is None else rows * masks[0]
    exact = seen.bfloat16().double() @ weight.bfloat16().double().t()
    result = SequenceProduct.apply(rows, weight, masks, torch.bfloat16)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, exact.bfloat16().float(), rtol=2**-8, atol=1e-6)
    gradient = torch.randn(7, 4, 32, generator=generator)
    found = torch.autograd.grad(result, (rows, weight), gradient)
    wanted = torch.autograd.grad(exact, (rows, weight), gradient.bfloat16().double())
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, rtol=2**-6, atol=0.05)
