"""The library's own text, for a page that shows it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from textwrap import dedent
from typing import Any

from rnnkit.models import LMU
from rnnkit.models.recurrence import stepwise

_STEPS: dict[str, tuple[Callable[..., Any], ...]] = {
    "rnn": (stepwise.rnn_step, stepwise.recurrent_product),
    "lstm": (stepwise.lstm_step, stepwise.recurrent_product),
    "gru": (stepwise.gru_step, stepwise.recurrent_product),
    "lmu": (LMU.next_memory,),
}


def steps() -> dict[str, dict[str, str]]:
    """The functions that make a step of each cell and of the memory: cell -> where a function is -> its text."""
    return {
        cell: {f"{one.__module__}.{one.__qualname__}": _text(one) for one in functions}
        for cell, functions in _STEPS.items()
    }


def _text(function: Callable[..., Any]) -> str:
    return dedent(inspect.getsource(function)).strip()
