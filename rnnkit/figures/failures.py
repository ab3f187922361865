"""How nets that add fail on long numbers, counted by kind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnnkit.figures.addition import PARTS, key_said, named
from rnnkit.figures.curves import layout
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import Key, all_said, color, entries, said
from rnnkit.figures.theme import CLUSTERS

_PATTERNS = ("", "/", "x", ".", "+", "-", "|", "\\")


def failures(kinds: Mapping[Key, Mapping[str, int]]) -> Interactive:
    """Draw how nets fail on long numbers, as stacked bars.

    Parameters
    ----------
    kinds : mapping of (str, int, str) to mapping of str to int
        By cell, hidden size and loss: nets by kind of failure; the kinds are named by who counted them.

    Raises
    ------
    ValueError
        When nothing is there, a key does not fit, or a count is negative or no whole number.
    """
    import plotly.graph_objects as go

    _check_counts(kinds)
    cells, sizes, losses = entries(kinds, 0), sorted(entries(kinds, 1)), entries(kinds, 2)
    names = list(dict.fromkeys(name for own in kinds.values() for name in own))
    rows = [(size, loss) for size in sizes for loss in losses]
    counts = np.array([[[kinds.get((c, *row), {}).get(n, 0) for row in rows] for n in names] for c in cells])
    bars = [
        go.Bar(
            name=name,
            y=np.arange(len(rows)),
            orientation="h",
            marker={
                "color": CLUSTERS[(5, 7, 2, 0, 4, 6, 8, 3)[i % 8]],
                "pattern": {
                    "shape": _PATTERNS[i % 8],
                    "solidity": 0.3,
                    "fillmode": "overlay",
                    "fgcolor": "#ffffff",
                },
            },
            hovertemplate="%{x} nets: " + name + "<extra></extra>",
        )
        for i, name in enumerate(names)
    ]
    most = int(counts.sum(axis=1).max())
    frame = layout(
        "nets", "", height=130 + 38 * len(rows), barmode="stack", xaxis={"range": [0, max(most, 1)]}
    )
    frame["legend"] |= {"traceorder": "normal"}
    frame["yaxis"] = {
        "range": [len(rows) - 0.4, -0.6],
        "tickvals": list(range(len(rows))),
        "ticktext": [f"{size}, {said(loss)}" for size, loss in rows],
        "showgrid": False,
        "zeroline": False,
    }
    told = "; ".join(
        f"{key_said(key)}: "
        + (", ".join(f"{count} {name}" for name, count in own.items() if count) or "no net")
        for key, own in kinds.items()
    )
    figure = Interactive(
        go.Figure(bars, layout=frame),
        alt=f"How nets fail on numbers longer than those they were trained on, nets by kind. {told}.",
        table=named(list(kinds))
        | {name: [int(own.get(name, 0)) for own in kinds.values()] for name in names},
        caption="Rows: hidden size and loss.",
    )
    figure.select("cell", "Cell", all_said(cells))
    for i, name in enumerate(names):
        figure.bind(name, "x", counts[:, i], over="cell")
    return figure


def _check_counts(kinds: Mapping[Key, Mapping[str, int]]) -> None:
    if not any(kinds.values()):
        raise ValueError("kinds of failure: nothing to draw")
    for key, own in kinds.items():
        if not isinstance(key, tuple) or len(key) != len(PARTS):
            raise ValueError(f"kinds of failure: keys ({', '.join(PARTS)}) are needed, not {key!r}")
        color(key[0])
        wrong = {
            name: count for name, count in own.items() if not isinstance(count, int | np.integer) or count < 0
        }
        if wrong:
            raise ValueError(f"kinds of failure, {key_said(key)}: counts are needed, not {wrong}")
