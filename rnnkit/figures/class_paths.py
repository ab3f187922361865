"""The mean path of each class through the hidden states, in three dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.curves import add_nets
from rnnkit.figures.frame import legend_below, listed, net_names, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, finite, number, present, require_axes
from rnnkit.figures.theme import DIGITS

_AXES = ("x", "y", "z")
_TRAIL, _THIN = 28, 2  # steps of a path that are drawn, and steps between two drawn points


def class_paths(nets: Nets) -> Interactive:
    """Draw where the mean state of each class goes while a sequence is read: a mark that moves in time, with a trail.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``paths`` (n_seeds, 10, T, 3), class means of the hidden state; ``paths_spread`` (n_seeds, 10, S, 3),
        standard deviation of the class's states around them; ``steps`` (n_seeds, S) or (S,), the time steps
        looked at, from 1; ``explained`` (n_seeds, 3), each axis's share of the variance. A net without them is left
        out. The first seed is drawn, every net at a scale of its own.

    Raises
    ------
    ValueError
        When no net has them all, or a shape is another one.
    """
    import plotly.graph_objects as go

    found = present(nets, "paths", "paths_spread", "steps", "explained")
    steps = steps_of(found)
    paths, spreads = _scaled(found, len(steps))
    now, trails = steps - 1, _trails(paths, steps)
    figure = Interactive(
        go.Figure(_traces(), layout=_layout()),
        alt=_alt(found, paths, spreads, steps),
        table=_table(found, paths, spreads, steps),
        caption=f"Ball: the mean state of a digit at the chosen step, hover for its spread. Line: where it was in the "
        f"{_TRAIL} steps before. Every net fills the cube.",
    )
    add_nets(figure, list(found)).slider("time", "Step", steps.tolist(), start=len(steps) - 1)
    for digit in range(10):
        for i, axis in enumerate(_AXES):
            figure.bind(digit, axis, trails[:, digit, :, :, i], over=("net", "time"))
            figure.bind(10 + digit, axis, paths[:, digit, now, i, None], over=("net", "time"))
        spread = np.linalg.norm(spreads[:, digit], axis=-1)[..., None]
        figure.bind(10 + digit, "text", _spread_words(spread), over=("net", "time"))
    return figure


def steps_of(found: Mapping[str, Mapping[str, Any]]) -> np.ndarray:
    """The time steps that all nets were looked at, (S,) int.

    Raises
    ------
    ValueError
        When nets differ in them.
    """
    each = {net: np.asarray(arrays["steps"]).astype(np.int64) for net, arrays in found.items()}
    each = {net: steps[0] if steps.ndim == 2 else steps for net, steps in each.items()}
    first = next(iter(each.values()))
    for net, steps in each.items():
        if not np.array_equal(steps, first):
            raise ValueError(f"{net}, steps: not those of {next(iter(each))}")
    return first


def _scaled(found: Mapping[str, Mapping[str, Any]], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Paths (net, 10, T, 3) and spreads (net, 10, S, 3) of the first seed, each net's in the cube from -1 to 1."""
    paths, spreads = [], []
    for net, arrays in found.items():
        path = finite(require_axes(f"{net}, paths", arrays["paths"], "seeds", 10, "T", 3))[0]
        spread = finite(require_axes(f"{net}, paths_spread", arrays["paths_spread"], "seeds", 10, count, 3))[
            0
        ]
        middle, half = _box(path)
        paths.append((path - middle) / half)
        spreads.append(spread / half)
    return np.stack(paths), np.stack(spreads)


def _trails(paths: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The last stretch of each path before each step looked at, (net, 10, S, L, 3); NaN before the first step."""
    back = np.arange(-(_TRAIL // _THIN), 1) * _THIN
    at = steps[:, None] - 1 + back  # (S, L)
    return np.where((at >= 0)[..., None], paths[:, :, np.maximum(at, 0)], np.nan)


def _box(path: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle of the box around all paths, (3,), and half its longest edge."""
    known = path[~np.isnan(path).any(axis=-1)]
    if not known.size:
        return np.zeros(3), 1.0
    low, high = known.min(axis=0), known.max(axis=0)
    return (low + high) / 2, float((high - low).max()) / 2 or 1.0


def _spread_words(spread: np.ndarray) -> np.ndarray:
    flat = ["" if np.isnan(value) else f"spread {value:.2f}" for value in spread.flat]
    return np.array(flat).reshape(spread.shape)


def _traces() -> list[Any]:
    import plotly.graph_objects as go

    lines = [
        go.Scatter3d(
            name=str(digit),
            legendgroup=str(digit),
            mode="lines",
            line={"color": color, "width": 3},
            opacity=0.9,
            hoverinfo="skip",
        )
        for digit, color in enumerate(DIGITS)
    ]
    marks = [
        go.Scatter3d(
            name=f"{digit} now",
            legendgroup=str(digit),
            showlegend=False,
            mode="markers",
            marker={"color": color, "size": 8},
            hovertemplate="mean of the " + str(digit) + "s, %{text}<extra></extra>",
        )
        for digit, color in enumerate(DIGITS)
    ]
    return lines + marks


def _layout() -> dict[str, Any]:
    scene = {
        f"{axis}axis": {"range": [-1.05, 1.05], "title": {"text": f"PC {i + 1}"}, "nticks": 5}
        for i, axis in enumerate(_AXES)
    }
    return {
        "height": 540,
        "scene": {**scene, "aspectmode": "cube", "camera": {"eye": {"x": 1.5, "y": 1.3, "z": 0.8}}},
        "legend": legend_below(0),
    }


def _apart(paths: np.ndarray, spreads: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean distance of two classes' means, and mean spread of a class, by net and step looked at."""
    means = paths[:, :, steps - 1]  # (net, class, S, axis)
    distance = np.linalg.norm(means[:, :, None] - means[:, None], axis=-1)
    pairs = np.triu_indices(means.shape[1], 1)
    return distance[:, pairs[0], pairs[1]].mean(axis=1), np.linalg.norm(spreads, axis=-1).mean(axis=1)


def _alt(found: Mapping[str, Any], paths: np.ndarray, spreads: np.ndarray, steps: np.ndarray) -> str:
    between, within = _apart(paths, spreads, steps)
    held = {net: percent(np.asarray(arrays["explained"])[0].sum()) for net, arrays in found.items()}
    told = {net: f"{between[i, -1]:.2f} against {within[i, -1]:.2f}" for i, net in enumerate(found)}
    return (
        f"Mean paths of the hidden state in three dimensions, one for each digit, over {paths.shape[2]} steps. The "
        f"three axes hold this much of the states' variance: {listed(held)}. Mean distance of two classes' means "
        f"against the mean spread within a class after step {steps[-1]}, in halves of the cube's edge: "
        f"{listed(told)}."
    )


def _table(
    found: Mapping[str, Any], paths: np.ndarray, spreads: np.ndarray, steps: np.ndarray
) -> dict[str, list[Any]]:
    between, within = _apart(paths, spreads, steps)
    table: dict[str, list[Any]] = {"step": steps.tolist()}
    for i, name in enumerate(net_names(found)):
        table[f"{name}: between classes"] = [number(value) for value in between[i]]
        table[f"{name}: within a class"] = [number(value) for value in within[i]]
    return table
