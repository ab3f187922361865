"""A net that adds as an automaton: clusters of its states, and how the sum of two bits leads from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnkit.figures.cells import axes, place
from rnnkit.figures.frame import bare_axis, legend_below
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import require_axes
from rnnkit.figures.theme import CLUSTERS, NEUTRAL

SUMS = ("sum 0", "sum 1", "sum 2")
IDEAL = np.array([[[1, 0], [1, 0]], [[1, 0], [0, 1]], [[0, 1], [0, 1]]])
"""The least automaton that adds, (sum, from, to): 0 clears the carry, 1 keeps it, 2 sets it."""

_COLORS = (CLUSTERS[2], CLUSTERS[6], CLUSTERS[7])
_DASHES = ("solid", "dash", "dot")
_RARE = 0.05  # share of the times that a state is left under a sum, below which an edge is drawn thin
_BEND = (0.16, 0.32, 0.48)  # of an edge of each sum, so that parallel ones stay apart
_LOOP = (0.16, 0.25, 0.34)  # radius of a loop of each sum
_POINTS = 24
_FEW_NODES, _FEW_EDGES = 5, 15  # above which the drawing is made finer, and counts wait until a sum is picked
_TABLE_ROWS = 60


def transitions(matrix: Any, labels: Sequence[str], *, net: str = "One net") -> Interactive:
    """Draw which cluster of states follows which under each sum of the two bits, above the ideal automaton.

    Parameters
    ----------
    matrix : ndarray (3, K, K) of int
        How often a state of one cluster (rows) was followed by one of another (columns), by sum of the bits read.
    labels : sequence of str (K,)
        What the clusters are called, such as ``"carry 0"``.
    net : str
        Whose states they are, for the caption.

    Raises
    ------
    ValueError
        When the matrix does not fit the labels, is empty, or holds something else than counts.
    """
    import plotly.graph_objects as go

    matrix = require_axes("matrix", matrix, len(SUMS), len(labels), len(labels))
    if matrix.dtype.kind not in "iu" or (matrix < 0).any() or not matrix.any():
        raise ValueError("matrix: counts are needed, at least one of them above 0")
    fig = go.Figure(layout=_layout())
    shown = [
        *_graph(fig, matrix, list(labels), panel=0, counted=True),
        *_graph(fig, IDEAL, ["carry 0", "carry 1"], panel=1, counted=False),
    ]
    figure = Interactive(
        fig,
        alt=_alt(matrix, labels),
        table=_table(matrix, labels),
        caption=f"{net}. Arrows: from one cluster of states to the next under a sum of two bits, with how often; "
        f"thin: less than {_RARE:.0%} of the times. Below: the automaton of two states that adds.",
    )
    figure.select("sum", "Edges", ["all", *SUMS])
    crowded = int((matrix > 0).sum()) > _FEW_EDGES
    for index, which in shown:
        at_once = not (crowded and fig.data[index].mode == "text")
        figure.bind_values(index, "visible", [at_once, *(k == which for k in range(len(SUMS)))], over="sum")
    return figure


def _places(count: int) -> np.ndarray:
    """Nodes on a circle, (K, 2), the first on the left."""
    angle = np.pi - 2 * np.pi * np.arange(count) / max(count, 1)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) if count > 1 else np.zeros((1, 2))


def _scale(count: int) -> float:
    """How much smaller loops and bends are where there are many nodes."""
    return min(1.0, _FEW_NODES / count)


def _edge(start: np.ndarray, end: np.ndarray, which: int, scale: float) -> np.ndarray:
    """Points (P, 2) of an edge that leaves a node to its left, or of a loop on the outer side of it."""
    t = np.linspace(0, 1, _POINTS)[:, None]
    if np.array_equal(start, end):
        radius = scale * _LOOP[which]
        outward = start / np.linalg.norm(start) if start.any() else np.array([0.0, 1.0])
        turn = np.arctan2(-outward[1], -outward[0]) + 2 * np.pi * t
        loop: np.ndarray = (
            start + radius * outward + radius * np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
        )
        return loop[2:-2]
    across = np.array([start[1] - end[1], end[0] - start[0]])
    middle = (start + end) / 2 + scale * _BEND[which] * across
    curve: np.ndarray = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    return curve[2:-2]


def _graph(
    fig: Any, matrix: np.ndarray, labels: list[str], *, panel: int, counted: bool
) -> list[tuple[int, int]]:
    """Add edges and nodes of an automaton; the indices of the traces of edges, each with its sum."""
    import plotly.graph_objects as go

    nodes, shown = _places(len(labels)), []
    shares = matrix / np.maximum(matrix.sum(axis=2, keepdims=True), 1)
    for which in range(len(SUMS)):
        for rare in (False, True):
            chosen = (matrix[which] > 0) & ((shares[which] < _RARE) == rare)
            if chosen.any() or not rare:
                for trace in _edges(nodes, matrix[which], chosen, which, rare, counted):
                    trace.update(showlegend=panel == 0 and trace.mode == "lines" and not rare, **axes(panel))
                    fig.add_trace(trace)
                    shown.append((len(fig.data) - 1, which))
    fig.add_trace(
        go.Scatter(
            name=("states", "ideal states")[panel],
            x=nodes[:, 0],
            y=nodes[:, 1],
            text=labels,
            mode="markers",
            marker={"size": 16 * _scale(len(nodes)), "color": NEUTRAL},
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
            **axes(panel),
        )
    )
    fig.add_trace(_names(nodes, labels, panel))
    return shown


def _names(nodes: np.ndarray, labels: list[str], panel: int) -> Any:
    """Names of the nodes: on their inner side, or outside of the loops where many nodes leave no room there."""
    import plotly.graph_objects as go

    few = len(nodes) <= _FEW_NODES
    at = nodes * (1.12 + 2 * _scale(len(nodes)) * max(_LOOP))
    if few:
        aside = np.abs(nodes[:, 0]) > 0.5
        inward = (
            np.where(aside, -np.sign(nodes[:, 0]), 0),
            np.where(aside, 0, np.where(nodes[:, 1] > 0, -1, 1)),
        )
        at = nodes + 0.12 * np.stack(inward, axis=1)
    return go.Scatter(
        name=("names", "ideal names")[panel],
        x=at[:, 0],
        y=at[:, 1],
        text=labels,
        mode="text",
        textposition=[_inward(x, y) if few else "middle center" for x, y in nodes],
        hoverinfo="skip",
        showlegend=False,
        **axes(panel),
    )


def _inward(x: float, y: float) -> str:
    """On which side of a node its name stands: away from its loops."""
    if abs(x) > 0.5:
        return "middle right" if x < 0 else "middle left"
    return "bottom center" if y > 0 else "top center"


def _edges(
    nodes: np.ndarray, counts: np.ndarray, chosen: np.ndarray, which: int, rare: bool, counted: bool
) -> list[Any]:
    """Lines of the edges of one sum, and their arrowheads with the counts."""
    import plotly.graph_objects as go

    pairs = [(int(i), int(j)) for i, j in np.argwhere(chosen)]
    curves = [_edge(nodes[i], nodes[j], which, _scale(len(nodes))) for i, j in pairs]
    gap = np.full((1, 2), np.nan)
    line = np.concatenate([part for curve in curves for part in (curve, gap)]) if curves else gap
    heads = np.array([curve[-1] for curve in curves] or [[np.nan, np.nan]])
    along = np.array([curve[-1] - curve[-3] for curve in curves] or [[0.0, 1.0]])
    middles = np.array([curve[len(curve) // 2] for curve in curves] or [[np.nan, np.nan]])
    numbers = [str(counts[pair]) for pair in pairs] or [""]
    sign = {"color": _COLORS[which], "size": 7 if rare else 12, "symbol": "arrow"}
    name = SUMS[which] + (", rare" if rare else "")
    quiet = {"legendgroup": SUMS[which], "opacity": 0.6 if rare else 1, "hoverinfo": "skip"}
    width = 1 if rare else 2.5
    made = [
        go.Scatter(
            name=name,
            x=line[:, 0],
            y=line[:, 1],
            mode="lines",
            line={"color": _COLORS[which], "width": width, "dash": _DASHES[which]},
            **quiet,
        ),
        go.Scatter(
            name=f"{name}, heads",
            x=heads[:, 0],
            y=heads[:, 1],
            mode="markers",
            marker=sign | {"angle": np.degrees(np.arctan2(along[:, 0], along[:, 1]))},
            **quiet,
        ),
    ]
    if counted:
        words = {"x": middles[:, 0], "y": middles[:, 1], "text": numbers, "textfont": {"size": 11}}
        made.append(go.Scatter(name=f"{name}, counts", mode="text", **words, **quiet))
    return made


def _layout() -> dict[str, Any]:
    made: dict[str, Any] = {"height": 760, "margin": {"t": 16, "l": 8, "r": 8}, "legend": legend_below(-0.02)}
    for panel, (domain, ends) in enumerate((([0.36, 1], 1.75), ([0, 0.32], 1.75))):
        number = place(panel)
        made[f"xaxis{number}"] = bare_axis(range=[-ends, ends], constrain="domain", anchor=f"y{number}")
        made[f"yaxis{number}"] = bare_axis(
            range=[-ends, ends] if panel == 0 else [-0.9, 0.9],
            domain=domain,
            scaleanchor=f"x{number}",
            constrain="domain",
            anchor=f"x{number}",
        )
    return made


def _next(matrix: np.ndarray) -> list[tuple[int, int, int, int, float]]:
    """Transitions that occur: cluster, sum, next cluster, count and share of the times, in that order."""
    shares = matrix / np.maximum(matrix.sum(axis=2, keepdims=True), 1)
    return [
        (i, which, j, int(matrix[which, i, j]), float(shares[which, i, j]))
        for i in range(matrix.shape[1])
        for which in range(len(SUMS))
        for j in np.argsort(-matrix[which, i], kind="stable")
        if matrix[which, i, j] > 0
    ]


def _alt(matrix: np.ndarray, labels: Sequence[str]) -> str:
    found = _next(matrix)
    sure = sum(share >= 1 - _RARE for *_, share in found)
    left = int((matrix.sum(axis=2) > 0).sum())
    told = "; ".join(
        f"{labels[i]} under {SUMS[which]} to {labels[j]} ({share:.0%})"
        for i, which, j, _, share in found
        if share >= 1 - _RARE
    )
    return (
        f"An automaton of {len(labels)} clusters of hidden states. Of {left} pairs of cluster and sum that occur, "
        f"{sure} lead to one cluster at least {1 - _RARE:.0%} of the times: {told or 'none'}. The ideal automaton has "
        "two states: sum 0 clears the carry, sum 1 keeps it, sum 2 sets it."
    )


def _table(matrix: np.ndarray, labels: Sequence[str]) -> dict[str, list[Any]]:
    found = _next(matrix)
    if len(found) > _TABLE_ROWS:
        found = sorted(sorted(found, key=lambda row: -row[3])[:_TABLE_ROWS])
    return {
        "state": [labels[i] for i, *_ in found],
        "sum": [SUMS[which] for _, which, *_ in found],
        "next state": [labels[j] for _, _, j, *_ in found],
        "times": [count for *_, count, _ in found],
        "share": [round(share, 4) for *_, share in found],
    }
