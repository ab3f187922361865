"""Where a net that adds keeps its carry: hidden states by the carry they have to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.curves import layout
from rnnkit.figures.frame import percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import CARRY_COLORS, CARRY_SYMBOLS, color, legend_entry, said
from rnnkit.figures.nets import finite, mean, number, require_axes
from rnnkit.figures.theme import NEUTRAL

FixedPoints = Mapping[str, tuple[Any, Any]]
Boundary = tuple[Any, Any]
_STABLE, _UNSTABLE = "square", "square-open"


def carry_states(
    states: Any,
    carry: Any,
    *,
    cell: str,
    fixed_points: FixedPoints | None = None,
    boundary: Boundary | None = None,
    seeds: Sequence[int] | None = None,
) -> Interactive:
    """Draw the plane of hidden states of nets of two units after each step, marked by the carry.

    Parameters
    ----------
    states : ndarray (n_seeds, n, T, 2)
    carry : ndarray (n, T) or (n_seeds, n, T) of 0 and 1
        Carry out of each step.
    cell : str
    fixed_points : mapping of str to (ndarray (n_seeds, K, 2), ndarray (n_seeds, K)), optional
        By pair of input bits that is held, such as ``"0 + 1"``: where the state comes to rest, NaN where there is no
        K-th such point, and whether it is stable.
    boundary : (ndarray (n_seeds, 2), ndarray (n_seeds,)), optional
        Direction d and threshold of a probe of the carry: the line d . h = threshold.
    seeds : sequence of int, optional
        What the nets are called in the select; 0, 1, 2 ... if not given.

    Raises
    ------
    ValueError
        When an array does not fit, or a carry is neither 0 nor 1.
    """
    import plotly.graph_objects as go

    states = finite(require_axes("states", states, "seeds", "n", "T", 2))
    carry = carries(carry, states.shape[:3])
    points = _rests(fixed_points, len(states)) if fixed_points else None
    every = [states.reshape(-1, 2)] + ([points[0].reshape(-1, 2)] if points else [])
    ranges = [value_range(np.concatenate([own[:, axis] for own in every])) for axis in (0, 1)]
    frame = layout("unit 1", "unit 2", height=520)
    frame["xaxis"] |= {"range": ranges[0], "constrain": "domain"}
    frame["yaxis"] |= {"range": ranges[1], "scaleanchor": "x", "constrain": "domain"}
    fig = go.Figure([carry_points("states"), *carry_legend()], layout=frame)
    apart = _told_apart(states, carry, boundary)
    figure = Interactive(
        fig,
        alt=_states_alt(cell, states, carry, fixed_points, apart),
        table=_states_table(carry, apart),
        caption=_states_caption(points is not None, boundary is not None),
    )
    num_seeds, _, num_steps, _ = states.shape
    figure.select("seed", "Seed", seed_names(seeds, num_seeds))
    figure.slider("step", "After step", range(1, num_steps + 1), start=num_steps // 2)
    for axis, attr in enumerate("xy"):
        figure.bind("states", attr, np.moveaxis(states[..., axis], 1, 2), over=("seed", "step"))
    bind_carry(figure, np.moveaxis(carry, 1, 2), over=("seed", "step"))
    if points:
        _add_rests(figure, *points)
    if boundary:
        _add_boundary(figure, boundary, ranges)
    return figure


def seed_names(seeds: Sequence[int] | None, count: int) -> list[int]:
    """What the nets are called.

    Raises
    ------
    ValueError
        When there are not as many names as nets.
    """
    names = list(range(count)) if seeds is None else list(seeds)
    if len(names) != count:
        raise ValueError(f"seeds: {count} are needed, not {len(names)}")
    return names


def carries(carry: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Carries (n_seeds, n, T), the same for each seed where there is one array for all."""
    found = np.asarray(carry)
    found = require_axes("carry", found, *(shape if found.ndim == 3 else shape[1:]))
    if not np.isin(found, (0, 1)).all():
        raise ValueError(f"carry: 0 and 1 are needed, not {np.unique(found)[:5].tolist()}")
    whole: np.ndarray = np.broadcast_to(found.astype(int), shape)
    return whole


def carry_points(name: str) -> Any:
    """Dots whose colour and sign say the carry."""
    import plotly.graph_objects as go

    low, high = CARRY_COLORS
    scale = [[0, low], [0.5, low], [0.5, high], [1, high]]
    marker = {"colorscale": scale, "cmin": 0, "cmax": 1, "size": 7, "opacity": 0.7, "showscale": False}
    return go.Scatter(
        name=name,
        mode="markers",
        marker=marker,
        showlegend=False,
        hovertemplate="%{x:.2f}, %{y:.2f}<extra></extra>",
    )


def carry_legend() -> list[Any]:
    """Entries of the legend for the two signs."""
    signs = zip(CARRY_COLORS, CARRY_SYMBOLS, strict=True)
    return [legend_entry(f"carry {k}", color=tone, symbol=sign) for k, (tone, sign) in enumerate(signs)]


def bind_carry(figure: Interactive, carry: np.ndarray, over: tuple[str, ...]) -> None:
    """Let colour and sign of the dots follow the carry; one array serves for all seeds where they share it."""
    if (carry == carry[:1]).all():
        carry, over = carry[0], over[1:]
    if not over:
        trace = figure.figure.data[0]
        trace.marker.color, trace.marker.symbol = carry, np.asarray(CARRY_SYMBOLS)[carry]
        return
    figure.bind(0, "marker.color", carry, over=over)
    figure.bind(0, "marker.symbol", np.asarray(CARRY_SYMBOLS)[carry], over=over)


def value_range(values: np.ndarray) -> list[float]:
    """Ends of an axis with some room around all values."""
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (-1.0, 1.0)
    margin = 0.08 * max(high - low, 1e-3)
    return [low - margin, high + margin]


def _rests(fixed_points: FixedPoints, num_seeds: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """All points (n_seeds, K, 2), whether they are stable (n_seeds, K), and which input each belongs to."""
    places, stable, names = [], [], []
    for name, (points, flags) in fixed_points.items():
        points = finite(require_axes(f"fixed points of {name}", points, num_seeds, "K", 2))
        places.append(points)
        stable.append(require_axes(f"stability of {name}", flags, num_seeds, points.shape[1]).astype(bool))
        names += [name] * points.shape[1]
    return np.concatenate(places, axis=1), np.concatenate(stable, axis=1), names


def _add_rests(figure: Interactive, places: np.ndarray, stable: np.ndarray, names: list[str]) -> None:
    import plotly.graph_objects as go

    figure.figure.add_trace(
        go.Scatter(
            name="fixed points",
            text=names,
            mode="markers+text",
            textposition="top center",
            marker={"size": 12, "color": NEUTRAL, "line": {"width": 2, "color": NEUTRAL}},
            hovertemplate="%{text} held: %{x:.2f}, %{y:.2f}<extra></extra>",
            showlegend=False,
        )
    )
    figure.figure.add_traces(
        [
            legend_entry("stable", symbol=_STABLE),
            legend_entry("unstable", symbol=_UNSTABLE),
        ]
    )
    for axis, attr in enumerate("xy"):
        figure.bind("fixed points", attr, places[..., axis], over="seed")
    figure.bind("fixed points", "marker.symbol", np.where(stable, _STABLE, _UNSTABLE), over="seed")


def _add_boundary(figure: Interactive, boundary: Boundary, ranges: list[list[float]]) -> None:
    """The line d . h = threshold, as long as the plane is wide."""
    import plotly.graph_objects as go

    direction, threshold = _probe(boundary, len(figure.controls["seed"].values))
    square = (direction**2).sum(axis=1, keepdims=True)
    foot = direction * threshold[:, None] / np.where(square > 0, square, np.nan)
    along = np.stack([-direction[:, 1], direction[:, 0]], axis=1) / np.sqrt(
        np.where(square > 0, square, np.nan)
    )
    centre = np.array([np.mean(ends) for ends in ranges])
    foot = foot + ((centre - foot) * along).sum(axis=1, keepdims=True) * along
    far = sum(ends[1] - ends[0] for ends in ranges)
    ends = np.stack([foot - far * along, foot + far * along], axis=1)  # (seed, end, axis)
    line = {"color": NEUTRAL, "width": 2, "dash": "dash"}
    figure.figure.add_trace(
        go.Scatter(name="boundary of the probe", mode="lines", line=line, hoverinfo="skip")
    )
    for axis, attr in enumerate("xy"):
        figure.bind("boundary of the probe", attr, ends[..., axis], over="seed")


def _probe(boundary: Boundary, num_seeds: int) -> tuple[np.ndarray, np.ndarray]:
    direction, threshold = boundary
    return (
        finite(require_axes("direction", direction, num_seeds, 2)),
        finite(require_axes("threshold", threshold, num_seeds)),
    )


def _told_apart(states: np.ndarray, carry: np.ndarray, boundary: Boundary | None) -> np.ndarray | None:
    """Share of states (n_seeds, T) on the side of the probe's line that belongs to their carry."""
    if boundary is None:
        return None
    direction, threshold = _probe(boundary, len(states))
    above = np.einsum("snth,sh->snt", states, direction) > threshold[:, None, None]
    share: np.ndarray = (above == carry.astype(bool)).mean(axis=1)
    return share


def _states_alt(
    cell: str, states: np.ndarray, carry: np.ndarray, rests: FixedPoints | None, apart: np.ndarray | None
) -> str:
    color(cell)
    num_seeds, num, num_steps, _ = states.shape
    told = ""
    if apart is not None:
        told += f" A straight line tells the carry of {percent(mean(apart))} of all states."
    for name, (points, stable) in (rests or {}).items():
        there = ~np.isnan(np.asarray(points, dtype=float)).any(axis=-1)
        count = (there & np.asarray(stable, dtype=bool)).sum(axis=1)
        told += f" With {name} held, stable fixed points by seed: {', '.join(map(str, count))}."
    return (
        f"Hidden states of {num_seeds} {said(cell)} nets of two units after each of {num_steps} steps of {num} sums, "
        f"marked by the carry, which is 1 in {percent(carry.mean())} of them.{told}"
    )


def _states_table(carry: np.ndarray, apart: np.ndarray | None) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {
        "after step": list(range(1, carry.shape[2] + 1)),
        "states with carry 1": [number(v) for v in carry.mean(axis=(0, 1))],
    }
    if apart is not None:
        table["on the right side of the line, mean over seeds"] = [number(v) for v in apart.mean(axis=0)]
        table["on the right side, worst seed"] = [number(v) for v in apart.min(axis=0)]
    return table


def _states_caption(rests: bool, boundary: bool) -> str:
    words = "Each point is the state after one step of one sum."
    if rests:
        words += " Squares: where the state rests while the two bits beside it are held."
    return words + (" Dashed: the line of a linear probe of the carry." if boundary else "")
