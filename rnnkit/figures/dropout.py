"""Three readings of "dropout": of what the cell reads, drawn anew each step or not, or of what the readout sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.curves import layout
from rnnkit.figures.frame import listed, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, finite, mean, number, present, require_axes
from rnnkit.figures.theme import NEUTRAL, net_color

READINGS = {
    "rnn": "of the input, a new mask each step",
    "rnn-sequence": "of the input, one mask for a sequence",
    "rnn-output": "before the readout",
}
METRICS = {"train_accuracy": "training", "valid_accuracy": "validation"}
_CEILING = "ceiling of one mask for a sequence"


def readings(nets: Nets, ceiling: float) -> Interactive:
    """Draw the simple RNN's training and validation accuracy by epoch under each reading.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net of `READINGS`, ``train_accuracy`` and ``valid_accuracy`` (n_seeds, num_epochs). Those that are not there
        are left out.
    ceiling : float
        The highest training accuracy that a mask for a whole sequence allows on average.

    Raises
    ------
    ValueError
        When there is none of them, or a shape is another one.
    """
    import plotly.graph_objects as go

    found = present(nets, *METRICS)
    shaped = {net: _curves(net, found[net]) for net in READINGS if net in found}
    if not shaped:
        raise ValueError(f"none of the nets {', '.join(READINGS)} is there; nets given: {', '.join(found)}")
    longest = max(own.shape[1] for own in shaped.values())
    traces: list[Any] = []
    for net, own in shaped.items():
        for curve, kind, dash in zip(own, METRICS.values(), ("solid", "dash"), strict=True):
            name = f"{kind}, {READINGS[net]}"
            traces.append(
                go.Scatter(
                    name=name,
                    x=np.arange(1, len(curve) + 1),
                    y=curve,
                    mode="lines+markers",
                    line={"color": net_color(net), "dash": dash},
                    hovertemplate="epoch %{x}: %{y:.1%}<extra>" + name + "</extra>",
                )
            )
    line = {"color": NEUTRAL, "dash": "dot", "width": 2}
    ends = [0.5, longest + 0.5]
    traces.append(
        go.Scatter(name=_CEILING, x=ends, y=[ceiling] * 2, mode="lines", line=line, hoverinfo="skip")
    )
    return Interactive(
        go.Figure(
            traces,
            layout=layout(
                "epoch",
                "accuracy",
                xaxis={"range": ends, "dtick": 1},
                yaxis={"range": [0, 1.01], "tickformat": ".0%"},
            ),
        ),
        alt=_alt(shaped, ceiling),
        table=_table(shaped, ceiling),
        caption="Solid: training, measured with dropout; dashed: validation, without. Dotted: what training can reach "
        "at most, on average, where dropout blanks three images in ten.",
    )


def _curves(net: str, arrays: Mapping[str, Any]) -> np.ndarray:
    """Training and validation, mean over seeds: (2, epochs)."""
    return np.stack(
        [
            mean(finite(require_axes(f"{net}, {name}", arrays[name], "seeds", "epochs")), axis=0)
            for name in METRICS
        ]
    )


def _alt(shaped: Mapping[str, np.ndarray], ceiling: float) -> str:
    told = {net: " and ".join(percent(float(curve[-1])) for curve in own) for net, own in shaped.items()}
    return (
        "Training and validation accuracy of the simple RNN by epoch under readings of dropout. At the end: "
        f"{listed({READINGS[net]: text for net, text in told.items()})}. "
        f"Where a mask lasts for a sequence, training can reach {percent(ceiling)} at most."
    )


def _table(shaped: Mapping[str, np.ndarray], ceiling: float) -> dict[str, list[Any]]:
    return {
        "dropout": [READINGS[net] for net in shaped],
        "epochs": [own.shape[1] for own in shaped.values()],
        "training accuracy": [number(float(own[0, -1])) for own in shaped.values()],
        "validation accuracy": [number(float(own[1, -1])) for own in shaped.values()],
        "ceiling of training": [number(ceiling) if net == "rnn-sequence" else None for net in shaped],
    }
