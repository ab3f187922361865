"""How many settings of the weights solve the task without any training (Fig. 7, Mehta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.cells import accuracy_axis, said
from rnnkit.figures.frame import legend_below
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import cell_color

Counts = Mapping[str, np.ndarray]
PER_MILLION = 1_000_000
SYMBOLS = {"rnn": "square", "gru": "circle"}


def distribution(counts: Counts, scales: np.ndarray, architectures: Sequence[str]) -> Interactive:
    """Draw how many of a million random settings reach each accuracy, rounded to whole percents, on a log axis.

    Parameters
    ----------
    counts : mapping of str to ndarray (architectures, S, 101)
        By cell: random settings by accuracy in whole percents, 0 to 100.
    scales : ndarray (S,)
        Of the weights; 1 is the default initialisation.
    architectures : sequence of str
    """
    import plotly.graph_objects as go

    shown = {cell: _per_million(np.asarray(values)) for cell, values in counts.items()}
    traces = [
        go.Scatter(
            name=said(cell),
            x=np.arange(101) / 100,
            mode="lines+markers",
            connectgaps=False,
            line={"color": cell_color(cell), "width": 1.5},
            marker={"color": cell_color(cell), "size": 5, "symbol": SYMBOLS.get(cell, "circle")},
            hovertemplate="%{x:.0%}: %{y:.3g} of a million<extra>" + said(cell) + "</extra>",
        )
        for cell in counts
    ]
    layout = {
        "height": 460,
        "margin": {"t": 24},
        "legend": legend_below(),
        "xaxis": accuracy_axis("validation accuracy, untrained", -0.01, 1.01),
        "yaxis": {
            "type": "log",
            "title": {"text": "settings in a million"},
            "range": [-0.3, 6.1],
            "dtick": 1,
        },
    }
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt="Random settings of the weights by the accuracy that they reach untrained, per million, on a log axis. "
        f"{_default_said(counts, scales, architectures)}",
        table=_reached_table(counts, scales, architectures),
        caption="Accuracies in whole percents. A point near the bottom stands on very few settings.",
    )
    _add_controls(figure, scales, architectures)
    for cell, values in shown.items():
        figure.bind(said(cell), "y", values, over=("architecture", "scale"))
    return figure


def _add_controls(figure: Interactive, scales: np.ndarray, architectures: Sequence[str]) -> Interactive:
    figure.select("architecture", "Input x hidden", architectures)
    return add_scales(figure, scales)


def add_scales(figure: Interactive, scales: np.ndarray) -> Interactive:
    """Add the slider over the scales of the weights; it starts at the default initialisation."""
    start = int(np.abs(np.log(np.asarray(scales, dtype=float))).argmin())
    return figure.slider("scale", "Scale of the weights", [f"{scale:g}" for scale in scales], start=start)


def _per_million(counts: np.ndarray) -> np.ndarray:
    """Of a million; NaN for none, which a logarithmic axis does not have."""
    total = np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    return np.where(counts > 0, PER_MILLION * counts / total, np.nan)


def _from(counts: np.ndarray, percent: int) -> int:
    """Settings whose accuracy, rounded to whole percents, is at least so much; counts are (101,)."""
    return int(np.asarray(counts)[percent:].sum())


def _default_said(counts: Counts, scales: np.ndarray, architectures: Sequence[str]) -> str:
    at = int(np.abs(np.log(np.asarray(scales, dtype=float))).argmin())
    told = "; ".join(
        f"{architecture} "
        + ", ".join(
            f"{said(cell)} {_from(values[i, at], 60)} at 60 % or more, {_from(values[i, at], 90)} at 90 %"
            for cell, values in counts.items()
        )
        for i, architecture in enumerate(architectures)
    )
    tried = ", ".join(f"{said(cell)} {int(values[0, at].sum())}" for cell, values in counts.items())
    return f"At scale {scales[at]:g} (settings tried: {tried}): {told}."


def _reached_table(counts: Counts, scales: np.ndarray, architectures: Sequence[str]) -> dict[str, list[Any]]:
    rows = [(i, j) for i in range(len(architectures)) for j in range(len(scales))]
    table: dict[str, list[Any]] = {
        "input x hidden": [architectures[i] for i, _ in rows],
        "scale": [f"{scales[j]:g}" for _, j in rows],
    }
    for cell, values in counts.items():
        table[f"{said(cell)}: tried"] = [int(values[i, j].sum()) for i, j in rows]
        for percent in (60, 90):
            table[f"{said(cell)}: {percent} % or more"] = [_from(values[i, j], percent) for i, j in rows]
    return table


def above_threshold(
    shares: Counts, scales: np.ndarray, thresholds: Sequence[float], architectures: Sequence[str]
) -> Interactive:
    """Draw the share of random settings above an accuracy against the scale of the weights, with its interval.

    Parameters
    ----------
    shares : mapping of str to ndarray (architectures, thresholds, 3, S)
        By cell: share, lower and upper end of its interval.
    scales : ndarray (S,)
    thresholds : sequence of float
    architectures : sequence of str
    """
    import plotly.graph_objects as go

    least = min(float(v[v > 0].min()) for v in map(np.asarray, shares.values()) if (v > 0).any())
    logs = np.log10(np.asarray(scales, dtype=float))
    layout = {
        "height": 460,
        "margin": {"t": 24},
        "legend": legend_below(),
        "xaxis": {
            "type": "log",
            "title": {"text": "scale of the weights"},
            "range": [float(logs.min()) - 0.1, float(logs.max()) + 0.1],
            "tickvals": [float(scale) for scale in scales],
            "ticktext": [f"{scale:g}" for scale in scales],
        },
        "yaxis": {
            "type": "log",
            "title": {"text": "share of settings"},
            "range": [float(np.log10(least)) - 0.3, 0.1],
            "dtick": 1,
            "exponentformat": "power",
        },
    }
    figure = Interactive(
        go.Figure([_with_bars(cell, scales) for cell in shares], layout=layout),
        alt="Share of random settings at or above an accuracy, against the scale of the weights, on log axes. "
        f"{_shares_said(shares, scales, thresholds, architectures)}",
        table=_shares_table(shares, scales, thresholds, architectures),
        caption="Bars: 95 % intervals (Wilson). Where no setting reached the accuracy, nothing is drawn.",
    )
    figure.select("architecture", "Input x hidden", architectures)
    figure.slider("threshold", "Accuracy at least", [f"{threshold:.0%}" for threshold in thresholds])
    for cell, values in shares.items():
        share, low, high = np.moveaxis(np.asarray(values, dtype=float), 2, 0)
        share = np.where(share > 0, share, np.nan)
        over = ("architecture", "threshold")
        figure.bind(said(cell), "y", share, over=over)
        figure.bind(said(cell), "error_y.array", high - share, over=over)
        figure.bind(said(cell), "error_y.arrayminus", share - low, over=over)
    return figure


def _with_bars(cell: str, scales: np.ndarray) -> Any:
    import plotly.graph_objects as go

    color = cell_color(cell)
    return go.Scatter(
        name=said(cell),
        x=np.asarray(scales, dtype=float),
        mode="lines+markers",
        line={"color": color, "width": 2},
        marker={"color": color, "size": 8, "symbol": SYMBOLS.get(cell, "circle")},
        error_y={"type": "data", "thickness": 1.5, "color": color},
        hovertemplate="%{y:.3g} at scale %{x}<extra>" + said(cell) + "</extra>",
    )


def _shares_said(
    shares: Counts, scales: np.ndarray, thresholds: Sequence[float], architectures: Sequence[str]
) -> str:
    told = "; ".join(
        f"{architecture} "
        + ", ".join(f"{said(cell)} {_largest(values[i, -1, 0], scales)}" for cell, values in shares.items())
        for i, architecture in enumerate(architectures)
    )
    return f"Largest share at {thresholds[-1]:.0%} or more: {told}."


def _largest(share: np.ndarray, scales: np.ndarray) -> str:
    at = int(share.argmax())
    return f"{share[at]:.2g} at scale {scales[at]:g}" if share[at] > 0 else "none at any scale"


def _shares_table(
    shares: Counts, scales: np.ndarray, thresholds: Sequence[float], architectures: Sequence[str]
) -> dict[str, list[Any]]:
    rows = [(i, j) for i in range(len(architectures)) for j in range(len(scales))]
    table: dict[str, list[Any]] = {
        "input x hidden": [architectures[i] for i, _ in rows],
        "scale": [f"{scales[j]:g}" for _, j in rows],
    }
    for cell, values in shares.items():
        table[f"{said(cell)}: {thresholds[-1]:.0%} or more [95 % interval]"] = [
            "{:.2g} [{:.2g}, {:.2g}]".format(*values[i, -1, :, j]) for i, j in rows
        ]
    return table
