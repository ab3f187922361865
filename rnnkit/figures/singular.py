"""Singular values of recurrent weights before and after training, beside those of weights without structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.curves import layout
from rnnkit.figures.frame import net_name
from rnnkit.figures.heatmaps import recurrent_gates
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, mean, number, present, require_axes
from rnnkit.figures.theme import NEUTRAL, net_color
from rnnkit.figures.weights import WHEN, Part, first_shown


def quarter_circle(size: int) -> np.ndarray:
    """Singular values, largest first, of a wide square random matrix whose entries have a spread of 1 / sqrt(size).

    Their density is that of a quarter of a circle of radius 2 (Marchenko & Pastur 1967).
    """
    s = np.linspace(0, 2, 4001)
    below = (s * np.sqrt(4 - s**2) / 2 + 2 * np.arcsin(s / 2)) / np.pi
    return np.interp((np.arange(size) + 0.5) / size, below, s)[::-1]


def singular_values(nets: Nets, *, control: Mapping[str, Any] | None = None) -> Interactive:
    """Draw the singular values of a gate's recurrent weights before and after training, beside a control.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``parts``, a list of P names; ``singular`` (n_seeds, P, 2, H), before and after, NaN for parts that are
        not recurrent; ``moments`` (n_seeds, P, 2, 4). A net without them is left out. Means over seeds are drawn.
    control : mapping of str to ndarray (n_seeds, P, H), optional
        By net, singular values of the trained weights with their entries shuffled. If not given: those of a random
        matrix with the spread of the trained weights.

    Raises
    ------
    ValueError
        When no net has them all, or a shape is another one.
    """
    import plotly.graph_objects as go

    found = present(nets, "parts", "singular", "moments")
    gates = recurrent_gates(found)
    shown = np.stack([_three(found[gate.net], gate, control) for gate in gates])  # (gate, line, H)
    top = np.nanmax(shown, axis=(1, 2))
    names = (*WHEN, "control")
    x = np.arange(1, shown.shape[-1] + 1)
    lines: tuple[dict[str, Any], ...] = ({"color": NEUTRAL}, {"width": 3}, {"color": NEUTRAL, "dash": "dot"})
    traces = [
        go.Scatter(
            name=name, x=x, mode="lines", line={"width": 2, **line}, hovertemplate="no. %{x}: %{y:.3f}"
        )
        for name, line in zip(names, lines, strict=True)
    ]
    frame = layout("number", "singular value", xaxis={"range": [1, x[-1]]}, yaxis={"range": [0, 1]})
    what = "the same weights, shuffled" if control else "a random matrix of the same spread"
    table: dict[str, list[Any]] = {
        "net": [net_name(gate.net) for gate in gates],
        "gate": [gate.name for gate in gates],
    }
    for i, name in enumerate(names):
        table[f"largest, {name}"] = [number(v) for v in shown[:, i, 0]]
    for i, name in enumerate(WHEN):
        table[f"above the control's largest, {name}"] = _above(shown, i)
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt="Singular values of a gate's recurrent weights, largest first. Largest before and after training and of "
        f"the control, {what}: "
        + "; ".join(
            "{} {:.2f}, {:.2f}, {:.2f}".format(g.label, *own[:, 0])
            for g, own in zip(gates, shown, strict=True)
        )
        + ".",
        table=table,
        caption=f"Mean over seeds. Control: {what}; its spread is that after training.",
    )
    figure.select("gate", "Net and gate", [gate.label for gate in gates], start=first_shown(gates))
    for i, name in enumerate(names):
        figure.bind(name, "y", shown[:, i], over="gate")
    figure.bind_values("after", "line.color", [net_color(gate.net) for gate in gates], over="gate")
    return figure.bind_layout("yaxis.range", [[0, 1.06 * float(t)] for t in top], over="gate")


def _three(arrays: Mapping[str, Any], gate: Part, control: Mapping[str, Any] | None) -> np.ndarray:
    """Before, after and control of a gate, (3, H)."""
    count = len(arrays["parts"])
    values = require_axes(f"{gate.net}, singular", arrays["singular"], "seeds", count, 2, "H")
    both, size = mean(values, axis=0)[gate.row], values.shape[-1]
    if control is None:
        spread = float(mean(arrays["moments"], axis=0)[gate.row, 1, 1])
        beside = quarter_circle(size) * spread * np.sqrt(size)
    elif gate.net in control:
        beside = mean(require_axes(f"{gate.net}, control", control[gate.net], "seeds", count, size), axis=0)[
            gate.row
        ]
    else:
        beside = np.full(size, np.nan)
    return np.concatenate([both, beside[None]])


def _above(shown: np.ndarray, line: int) -> list[Any]:
    """How many singular values of each gate stick out of the control's."""
    return [int((own[line] > own[2].max()).sum()) for own in shown]
