"""How many threads a fused recurrence takes: its bits do not depend on them, so it may take cores that are idle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_SHARE: ContextVar[Callable[[], int] | None] = ContextVar("share", default=None)


def num_threads() -> int:
    """What the share says at this moment, within `sharing`; else as many as torch has."""
    share = _SHARE.get()
    return torch.get_num_threads() if share is None else share()


@contextmanager
def sharing(share: Callable[[], int]) -> Iterator[None]:
    """Have ``share`` asked before each pass over a sequence, whatever torch's number of threads is."""
    token = _SHARE.set(share)
    try:
        yield
    finally:
        _SHARE.reset(token)
