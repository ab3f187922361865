"""The masked product against its definition."""

from __future__ import annotations

import pytest
import torch

from rnnkit.models import masked
from rnnkit.models.masked import MaskedProduct


@pytest.mark.parametrize("gates", [1, 3])
@pytest.mark.parametrize("rows_at_once", [1, 12, 1000])
def test_result_and_gradients_are_those_of_masking_first(monkeypatch, gates, rows_at_once):
    monkeypatch.setattr(masked, "_ROWS_AT_ONCE", rows_at_once)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(7, 4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(gates * 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    masks = (torch.rand(gates, 4, 5, generator=generator, dtype=torch.float64) > 0.5) * 2.0
    parts = [(rows * mask) @ part.t() for mask, part in zip(masks.double(), weight.chunk(gates), strict=True)]
    result = MaskedProduct.apply(rows, weight, masks.double(), torch.float64)
    torch.testing.assert_close(result, torch.cat(parts, 2))
    assert torch.autograd.gradcheck(
        lambda a, b: MaskedProduct.apply(a, b, masks.double(), torch.float64), (rows, weight)
    )
