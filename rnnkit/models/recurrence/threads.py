"""How many threads a fused recurrence takes: its bits do not depend on it, so cores may be lent to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_LENDER: ContextVar[Callable[[int], int] | None] = ContextVar("lender", default=None)


def num_threads(most: int) -> int:
    """As many as torch has, or within :func:`lending` as many as are lent at this moment; ``most`` can be used."""
    lender = _LENDER.get()
    return min(torch.get_num_threads(), most) if lender is None else lender(most)


@contextmanager
def lending(lender: Callable[[int], int]) -> Iterator[None]:
    """Have ``lender(most)`` asked before each pass over a sequence, whatever torch's number of threads is."""
    token = _LENDER.set(lender)
    try:
        yield
    finally:
        _LENDER.reset(token)
