"""The carry in nets of any size: states on the direction of a probe, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnkit.figures.adder import bind_carry, carries, carry_legend, carry_points, seed_names, value_range
from rnnkit.figures.curves import layout
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import color, said
from rnnkit.figures.nets import finite, mean, number, require_axes
from rnnkit.figures.theme import NEUTRAL

_SPREAD = 0.3  # of the points of a step, to the left and right


def carry_line(
    projection: Any,
    carry: Any,
    steps: Any,
    *,
    cell: str,
    threshold: Any = None,
    seeds: Sequence[int] | None = None,
) -> Interactive:
    """Draw the states of nets of any size on the direction that tells the carry, step by step.

    Parameters
    ----------
    projection : ndarray (n_seeds, n, T)
        State times the direction of a probe of the carry.
    carry : ndarray (n, T) or (n_seeds, n, T) of 0 and 1
        Carry out of each step.
    steps : ndarray (T,)
        Steps read, for the axis.
    cell : str
    threshold : ndarray (n_seeds,), optional
        Above which the probe says 1.
    seeds : sequence of int, optional
        What the nets are called in the select; 0, 1, 2 ... if not given.

    Raises
    ------
    ValueError
        When an array does not fit, or a carry is neither 0 nor 1.
    """
    import plotly.graph_objects as go

    projection = finite(require_axes("projection", projection, "seeds", "n", "T"))
    num_seeds, num, num_steps = projection.shape
    carry = carries(carry, projection.shape)
    steps = finite(require_axes("steps", steps, num_steps))
    names = seed_names(seeds, num_seeds)
    ranges = [value_range(own.ravel()) for own in projection]
    frame = layout(
        "step",
        "state on the carry's direction",
        xaxis={"range": [float(steps.min()) - 0.6, float(steps.max()) + 0.6], "zeroline": False},
        yaxis={"range": ranges[0], "zeroline": False},
    )
    trace = carry_points("states")
    gap = float(np.diff(np.unique(steps)).min()) if num_steps > 1 else 1.0
    trace.x = (steps + _SPREAD * gap * (2 * ((np.arange(num) * 0.618034) % 1) - 1)[:, None]).ravel()
    trace.hovertemplate = "%{y:.3f}<extra></extra>"
    fig = go.Figure([trace, *carry_legend()], layout=frame)
    figure = Interactive(
        fig,
        alt=_line_alt(cell, projection, carry, names),
        table=_line_table(projection, carry, steps),
        caption="Each point is one sum, beside its step."
        + (" Dashed: the probe's threshold." if threshold is not None else ""),
    )
    figure.select("seed", "Seed", names)
    figure.bind("states", "y", projection.reshape(num_seeds, -1), over="seed")
    bind_carry(figure, carry.reshape(num_seeds, -1), over=("seed",))
    figure.bind_layout("yaxis.range", ranges, over="seed")
    if threshold is not None:
        level = finite(require_axes("threshold", threshold, num_seeds))
        line = {"color": NEUTRAL, "width": 2, "dash": "dash"}
        ends = [float(steps.min()) - 0.6, float(steps.max()) + 0.6]
        fig = figure.figure
        fig.add_trace(
            go.Scatter(name="threshold of the probe", x=ends, mode="lines", line=line, hoverinfo="skip")
        )
        figure.bind("threshold of the probe", "y", np.stack([level, level], axis=1), over="seed")
    return figure


def _by_carry(projection: np.ndarray, carry: np.ndarray) -> np.ndarray:
    """Mean projection (2, n_seeds, T) of the states of each carry; NaN where there is none."""
    return np.stack([mean(np.where(carry == k, projection, np.nan), axis=1) for k in (0, 1)])


def _line_alt(cell: str, projection: np.ndarray, carry: np.ndarray, names: Sequence[int]) -> str:
    color(cell)
    middle = _by_carry(projection, carry)
    told = "; ".join(
        f"seed {name}: {_value_said(without)} without and {_value_said(own)} with a carry"
        for name, without, own in zip(names, *middle, strict=True)
    )
    return (
        f"States of {len(projection)} {said(cell)} nets on the direction that tells the carry, after each of "
        f"{projection.shape[2]} steps of {projection.shape[1]} sums. Mean over the steps: {told}."
    )


def _value_said(by_step: np.ndarray) -> str:
    """Mean over the steps after which there is such a carry; after the last there is none where it was added."""
    value = mean(by_step)
    return "no state" if np.isnan(value) else f"{value:.2f}"


def _line_table(projection: np.ndarray, carry: np.ndarray, steps: np.ndarray) -> dict[str, list[Any]]:
    middle = mean(_by_carry(projection, carry), axis=1)
    return {
        "step": [number(step) for step in steps],
        "mean over seeds, carry 0": [number(v) for v in middle[0]],
        "mean over seeds, carry 1": [number(v) for v in middle[1]],
    }
