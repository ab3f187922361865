"""Do states forget what should not matter, and keep what does (Fig. 2, Mehta)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.cells import add_models, bind_strips, by_cell, said, strips
from rnnkit.figures.frame import legend_below, mean_and_range
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.models import QUARTILES, lines, spread
from rnnkit.figures.theme import NEUTRAL, cell_color

Arrays = Mapping[str, np.ndarray]
PREFIX = 3
"""Words in which the two sentences of a pair differ."""

_SCALES = ("share of the distance of random states", "distance")
_SUBSETS = ("all pairs", "pairs of one label")
_JUDGED = (
    "sentences with swapped neighbours, right",
    "the same, answer changes with the swap",
    "sentences with stop words in front, right",
    "the same with other words in front, right",
)


def prefix_gap(found: Mapping[str, Arrays]) -> Interactive:
    """Draw the distance of two states that have read different first words and the same words ever since.

    Parameters
    ----------
    found : mapping of str to mapping
        By cell, ``prefix_gap`` (M, P, T + 1), ``prefix_scale`` (M,) and ``prefix_same_label`` (P,).

    Notes
    -----
    For all models the line is the median over models and pairs and the band the quartiles; for one model both
    are over its pairs.
    """
    import plotly.graph_objects as go

    drawn = {cell: _gaps(arrays) for cell, arrays in found.items()}
    steps = next(iter(drawn.values())).shape[-1]
    tops = [1.05 * max(float(np.nanmax(spread_[:, i])) for spread_ in drawn.values()) for i in (0, 1)]
    traces = [
        trace
        for cell in found
        for trace in lines(
            said(cell), cell_color(cell), hovertemplate="%{y:.3f} after %{x} words<extra></extra>"
        )
    ]
    figure = Interactive(
        go.Figure(traces, layout=_gap_layout(steps, tops[0])),
        alt=_gap_alt(drawn),
        table=_gap_table(drawn),
        caption="Line: median over pairs; band: half of the pairs. Dotted: the last word in which the two differ.",
    )
    count = min(len(arrays["prefix_scale"]) for arrays in found.values())
    add_models(figure, count).select("pairs", "Pairs", _SUBSETS).select("scale", "Distance", _SCALES)
    x, over = np.arange(steps), ("model", "scale", "pairs")
    for cell, quartiles in drawn.items():
        for attr, array in _traced(quartiles[: count + 1], x).items():
            name, what = attr
            figure.bind(said(cell) if name == "line" else f"{said(cell)} band", what, array, over=over)
        figure.figure.update_traces(x=x, selector={"name": said(cell)})
    figure.bind_layout("yaxis.range", [[0, top] for top in tops], over="scale")
    return figure.bind_layout("yaxis.title.text", list(_SCALES), over="scale")


def _gaps(arrays: Arrays) -> np.ndarray:
    """Low quartile, median and high quartile: (1 + M, scale, pairs, 3, T + 1); the first row is of all models."""
    gap, scale = np.asarray(arrays["prefix_gap"], float), np.asarray(arrays["prefix_scale"], float)
    same = np.asarray(arrays["prefix_same_label"], bool)
    by_scale = np.stack([gap / scale[:, None, None], gap])
    found = []
    for chosen in (by_scale, np.where(same[:, None], by_scale, np.nan)):
        flat = chosen.reshape(2, 1, -1, chosen.shape[-1])
        parts = [spread(part, middle="median", quantiles=QUARTILES) for part in (flat, chosen)]
        found.append(np.concatenate([np.stack([s.low, s.middle, s.high], axis=-2) for s in parts], axis=1))
    return np.stack(found).transpose(2, 1, 0, 3, 4)


def _traced(quartiles: np.ndarray, x: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    low, middle, high = np.moveaxis(quartiles, -2, 0)
    there_and_back = np.broadcast_to(np.concatenate([x, x[::-1]]), (*low.shape[:-1], 2 * len(x)))
    outline = np.concatenate([low, high[..., ::-1]], axis=-1)
    return {("line", "y"): middle, ("band", "x"): there_and_back.astype(float), ("band", "y"): outline}


def _gap_layout(steps: int, top: float) -> dict[str, Any]:
    return {
        "height": 440,
        "margin": {"t": 24},
        "legend": legend_below(),
        "xaxis": {"title": {"text": "words read"}, "range": [-0.2, steps - 0.8], "dtick": 2},
        "yaxis": {"title": {"text": _SCALES[0]}, "range": [0, top]},
        "shapes": [
            {"type": "line", "x0": PREFIX, "x1": PREFIX, "y0": 0, "y1": 1, "yref": "y domain"}
            | {"line": {"color": NEUTRAL, "dash": "dot", "width": 1.5}}
        ],
    }


def _gap_alt(drawn: Mapping[str, np.ndarray]) -> str:
    parts = [
        f"{said(cell)} {middle[PREFIX]:.3f} after word {PREFIX}, {middle[-1]:.3f} at the end "
        f"(half of the pairs {low[-1]:.3f} to {high[-1]:.3f})"
        for cell, (low, middle, high) in ((cell, quartiles[0, 0, 0]) for cell, quartiles in drawn.items())
    ]
    return (
        f"Distance of the states of two sentences that differ in their first {PREFIX} words only, after each word, as "
        f"a share of the mean distance of two random states. Median over models and pairs: {'; '.join(parts)}."
    )


def _gap_table(drawn: Mapping[str, np.ndarray]) -> dict[str, list[Any]]:
    steps = next(iter(drawn.values())).shape[-1]
    table: dict[str, list[Any]] = {"words read": list(range(steps))}
    for cell, quartiles in drawn.items():
        for i, part in enumerate(("lower quartile", "median", "upper quartile")):
            table[f"{said(cell)}, {part}"] = quartiles[0, 0, 0, i].tolist()
    return table


def judged(found: Mapping[str, Arrays]) -> Interactive:
    """Draw the share of sentences named rightly when neighbours are swapped and when the first words differ.

    Parameters
    ----------
    found : mapping of str to mapping
        By cell, ``swap_right`` (M, S, 2), ``swap_flipped`` (M, S) and ``prefix_right`` (M, P, 2).
    """
    import plotly.graph_objects as go

    values = {cell: _shares(arrays) for cell, arrays in found.items()}
    traces, x_axis = strips({cell: array[0] for cell, array in values.items()}, ["models"])
    layout = {
        "height": 420,
        "showlegend": False,
        "margin": {"t": 24},
        "xaxis": x_axis,
        "yaxis": {"title": {"text": "share"}, "range": [-0.03, 1.03], "tickformat": ".0%"},
    }
    told = "; ".join(
        f"{name}: {by_cell({cell: array[i, 0] for cell, array in values.items()}, '.1f', scale=100, unit=' %')}"
        for i, name in enumerate(_JUDGED)
    )
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt=f"Shares of validation sentences, one dot per model. {told}.",
        table=_rows(values, _JUDGED),
        caption="One dot per model; the bar is the mean.",
    ).select("measure", "Share of", _JUDGED)
    return bind_strips(figure, values, ["models"], over="measure")


def _shares(arrays: Arrays) -> np.ndarray:
    """One share per measure and model: (4, 1, M)."""
    swap, prefix = np.asarray(arrays["swap_right"], float), np.asarray(arrays["prefix_right"], float)
    flipped = np.asarray(arrays["swap_flipped"], float)
    shares = [
        swap.mean(axis=(1, 2)),
        flipped.mean(axis=1),
        prefix[..., 0].mean(axis=1),
        prefix[..., 1].mean(axis=1),
    ]
    return np.stack(shares)[:, None]


def _rows(values: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, list[Any]]:
    rows = [(cell, i) for i in range(len(names)) for cell in values]
    return {
        "share of": [names[i] for _, i in rows],
        "cell": [said(cell) for cell, _ in rows],
        "percent, mean [least, most]": [mean_and_range(100 * values[cell][i, 0], ".1f") for cell, i in rows],
    }
