"""The first steps of a training, seed by seed, with products in either precision: who falls back to guessing?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.curves import layout, reference
from rnnkit.figures.frame import percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import number
from rnnkit.figures.theme import NEUTRAL, net_color
from rnnkit.figures.training import CHANCE

PRECISIONS = {"fp32": "float32", "bf16": "bfloat16"}
AT_ONCE = 5  # batches whose accuracies are averaged for a point
_LOST = 0.5  # of the best accuracy: who ends below has fallen


def first_steps(accuracy: Mapping[str, NDArray[np.float64]], seeds: Sequence[int]) -> Interactive:
    """Draw the accuracy of the batches of a training's first steps, a line for each seed and precision.

    Parameters
    ----------
    accuracy : mapping of str to ndarray (n_seeds, num_steps)
        By precision, a key of `PRECISIONS`. One that is not there is left out.
    seeds : sequence of int (n_seeds,)

    Raises
    ------
    ValueError
        Where there is neither, or seeds and curves are not as many.
    """
    import plotly.graph_objects as go

    smooth = {key: _averaged(accuracy[key]) for key in PRECISIONS if key in accuracy}
    if not smooth:
        raise ValueError(f"accuracy: none of {', '.join(PRECISIONS)} is there")
    if any(len(curves) != len(seeds) for curves in smooth.values()):
        counts = {key: len(curves) for key, curves in smooth.items()}
        raise ValueError(f"accuracy: {counts} curves for {len(seeds)} seeds")
    looks = {"fp32": (NEUTRAL, "dash"), "bf16": (net_color("rnn"), "solid")}
    traces, places = [], AT_ONCE * np.arange(1, max(curves.shape[1] for curves in smooth.values()) + 1)
    for key, curves in smooth.items():
        color, dash = looks[key]
        for i, (seed, curve) in enumerate(zip(seeds, curves, strict=True)):
            traces.append(
                go.Scatter(
                    name=_name(key, seed),
                    x=places[: len(curve)],
                    y=curve,
                    mode="lines",
                    line={"color": color, "dash": dash, "width": 2},
                    legendgroup=key,
                    showlegend=False,
                    hovertemplate="step %{x}: %{y:.1%}<extra>" + _name(key, seed) + "</extra>",
                )
            )
            if i == 0:  # one entry for all of a precision, which does not name the seed
                entry = {"x": [None], "y": [None], "mode": "lines", "legendgroup": key, "hoverinfo": "skip"}
                traces.append(go.Scatter(name=PRECISIONS[key], line={"color": color, "dash": dash}, **entry))
    frame = layout(
        "step",
        "accuracy of the batches",
        xaxis={"range": [0, int(places[-1]) + 1]},
        yaxis={"range": [0, 1], "tickformat": ".0%"},
        **reference(CHANCE, "guessing"),
    )
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=_alt(smooth),
        table=_table(smooth, seeds),
        caption=f"Each point: the mean of {AT_ONCE} batches, with dropout on, before the net learns from them.",
    )
    figure.select("seed", "Seed", ["all", *(str(seed) for seed in seeds)])
    for key, curves in smooth.items():
        for i, seed in enumerate(seeds):
            alone = np.full((1 + len(seeds), curves.shape[1]), np.nan)
            alone[[0, 1 + i]] = curves[i]
            figure.bind(_name(key, seed), "y", alone, over="seed")
    return figure


def _name(key: str, seed: int) -> str:
    return f"{PRECISIONS[key]}, seed {seed}"


def _averaged(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of groups of batches: (n_seeds, num_steps) -> (n_seeds, groups); batches that fill none are left out."""
    curves = np.asarray(curves, dtype=float)
    count = max(1, min(AT_ONCE, curves.shape[1]))
    whole = curves[:, : curves.shape[1] // count * count]
    return np.asarray(whole.reshape(len(curves), -1, count).mean(axis=2))


def fallen(curves: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each curve (n_seeds, T) ends below half of the best that it has been."""
    return np.asarray(curves[:, -1] < _LOST * curves.max(axis=1))


def _alt(smooth: Mapping[str, NDArray[np.float64]]) -> str:
    told = "; ".join(
        f"{int(fallen(curves).sum())} of {len(curves)} with products in {PRECISIONS[key]}"
        for key, curves in smooth.items()
    )
    ends = "; ".join(
        f"{PRECISIONS[key]} " + ", ".join(percent(float(curve[-1])) for curve in curves)
        for key, curves in smooth.items()
    )
    return (
        "Accuracy of the simple RNN in its first steps, a line for each seed and precision. Trainings that end below "
        f"half of the best that they have been: {told}. At the end, seed by seed: {ends}."
    )


def _table(smooth: Mapping[str, NDArray[np.float64]], seeds: Sequence[int]) -> dict[str, list[Any]]:
    rows = [
        (key, seed, curve)
        for i, seed in enumerate(seeds)
        for key, curve in ((key, curves[i]) for key, curves in smooth.items())
    ]
    return {
        "seed": [seed for _, seed, _ in rows],
        "products in": [PRECISIONS[key] for key, _, _ in rows],
        "best accuracy": [number(float(curve.max())) for *_, curve in rows],
        "at the end": [number(float(curve[-1])) for *_, curve in rows],
    }
