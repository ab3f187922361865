"""What the chapter's figures have in common: names of nets, axes, a legend below, numbers in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

EARLY_STEP = 4
"""The row after which the paper looks at the first map (Fig. 4)."""

_NET_NAMES = {
    "paper": "paper's net",
    "tuned": "well-tuned net",
    "normalised": "normalised pixels",
    "shuffled": "shuffled labels",
    "untrained": "untrained net",
    "rnn": "sRNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "lmu-rnn": "LMU + sRNN",
    "lmu-lstm": "LMU + LSTM",
    "lmu-gru": "LMU + GRU",
    "rnn-sequence": "sRNN, a mask for each sequence",
    "rnn-output": "sRNN, dropout before the readout",
    "lmu-rnn-fp32": "LMU + sRNN in float32",
    "lmu-rnn-bf16": "LMU + sRNN in bfloat16",
    "rnn-unscaled": "sRNN at the full learning rate",
    "lstm-free": "LSTM without recurrent dropout",
    "rnn-full": "sRNN at full length",
    "lstm-full": "LSTM at full length",
    "gru-full": "GRU at full length",
    "lmu-rnn-full": "LMU + sRNN at full length",
    "lmu-lstm-full": "LMU + LSTM at full length",
    "lmu-gru-full": "LMU + GRU at full length",
}


def net_name(net: str) -> str:
    """How a net is called on a page."""
    return _NET_NAMES.get(net, net)


def net_names(nets: Iterable[str]) -> list[str]:
    """How nets are called on a page, in their order."""
    return [net_name(net) for net in nets]


def name_and_budget(net: str, budgets: Mapping[str, str] | None) -> str:
    """How a net is called on a page, with the budget it was trained with where it is given one."""
    budget = (budgets or {}).get(net)
    return f"{net_name(net)} ({budget})" if budget else net_name(net)


def rows(seq_len: int) -> list[str]:
    """Printed positions of a slider over the rows that have been read: 1 to S."""
    return [str(row) for row in range(1, seq_len + 1)]


def legend_below(y: float = -0.2) -> dict[str, Any]:
    """A legend under the plot, where it takes no width."""
    return {"orientation": "h", "x": 0, "xanchor": "left", "y": y, "yanchor": "top"}


def curve_layout(
    x_title: str, y_title: str, *, x_range: Any, y_range: Any = (0, 1), height: int = 460
) -> dict[str, Any]:
    """Layout of curves with fixed axes and a legend below; fractions of 1 are printed as percent."""
    y_axis: dict[str, Any] = {"title": {"text": y_title}, "range": list(y_range)}
    if max(y_range) <= 1.1:
        y_axis["tickformat"] = ".0%"
    return {
        "height": height,
        "hovermode": "x unified",
        "legend": legend_below(),
        "xaxis": {"title": {"text": x_title}, "range": list(x_range)},
        "yaxis": y_axis,
    }


def bare_axis(**extra: Any) -> dict[str, Any]:
    """An axis of a map or an image: fixed range, neither ticks nor grid, since its units mean nothing."""
    hidden = dict.fromkeys(("showgrid", "showline", "zeroline", "showticklabels"), False)
    return {**hidden, "ticks": "", **extra}


def percent(value: Any) -> str:
    """A fraction as it is said in a sentence: ``93.1 %``."""
    return f"{100 * float(value):.1f} %"


def mean_and_range(values: Any, form: str = ".3g", *, never: float = math.inf) -> str:
    """Mean over seeds with the least and the most: ``0.93 [0.92, 0.94]``; the value alone for one seed.

    Parameters
    ----------
    values : array_like (n_seeds,)
        NaN for a seed without a value.
    form : str
        As for :func:`format`; what rounds to zero is printed without a sign.
    never : float
        The value that stands for what never happens, and is printed as that word.
    """
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if not values.size:
        return "–"
    mean, low, high = (
        "never" if value >= never else format(value, f"z{form}")
        for value in (values.mean(), values.min(), values.max())
    )
    return mean if values.size == 1 or low == high == "never" else f"{mean} [{low}, {high}]"


def listed(numbers: Mapping[str, str]) -> str:
    """Nets with what belongs to each, as part of a sentence: ``paper's net 93 %, untrained net 11 %``."""
    return ", ".join(f"{net_name(net)} {text}" for net, text in numbers.items())
