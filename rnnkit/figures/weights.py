"""How the weights of a model are distributed, before and after training (Fig. 4, Irisarri)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.curves import layout
from rnnkit.figures.frame import net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, finite, mean, number, present, require_axes
from rnnkit.figures.theme import NEUTRAL, net_color

WHEN = ("before", "after")
MOMENTS = ("mean", "std", "skewness", "excess kurtosis")
_LAWS = ("normal law", "uniform law")
_MATCHED = ("like the weights after training", "like the weights before", "hidden")
_POINTS = 121
_START = ("lstm", "recurrent")  # what the paper shows first


@dataclass(frozen=True)
class Part:
    """A matrix, or one gate's share of it, of one net.

    Attributes
    ----------
    net, name : str
    row : int
        Its place in the net's arrays.
    """

    net: str
    name: str
    row: int

    @property
    def label(self) -> str:
        """``LSTM: recurrent f``."""
        return f"{net_name(self.net)}: {self.name}"


def listed_parts(nets: Mapping[str, Mapping[str, Any]], only: str = "") -> list[Part]:
    """All parts of all nets, or those whose name begins with a word."""
    return [
        Part(net, str(name), row)
        for net, arrays in nets.items()
        for row, name in enumerate(arrays["parts"])
        if str(name).startswith(only)
    ]


def first_shown(parts: Sequence[Part]) -> int:
    """Place of the part that the paper shows, or 0."""
    net, word = _START
    return next((i for i, part in enumerate(parts) if part.net == net and part.name.startswith(word)), 0)


def distributions(nets: Nets) -> Interactive:
    """Draw how the weights of a part are distributed before and after training, beside a normal and a uniform law.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``parts``, a list of P names; ``edges`` (n_seeds, P, B + 1); ``before`` and ``after`` (n_seeds, P, B),
        counts; ``moments`` (n_seeds, P, 2, 4), before and after, of :data:`MOMENTS`; ``distance`` (n_seeds, P),
        Wasserstein distance between the two over the standard deviation before; ``uniform_gap`` and ``normal_gap``
        (n_seeds, P, 2), Kolmogorov distance to the law with the same moments. A net without them is left out. The
        first seed is drawn, the table holds means over seeds.

    Raises
    ------
    ValueError
        When no net has them all, or a shape is another one.
    """
    import plotly.graph_objects as go

    names = ("edges", "before", "after", "moments", "distance", "uniform_gap", "normal_gap")
    found = present(nets, "parts", *names)
    _check(found)
    parts = listed_parts(found)
    start = first_shown(parts)
    shown = [_histograms(found[part.net], part.row) for part in parts]
    laws = np.stack([[_laws(found[part.net], part.row, when) for when in (1, 0)] for part in parts])
    frame = layout(
        "weight",
        "density",
        xaxis={"range": [-1, 1], "zeroline": False},
        yaxis={"range": [0, 1]},
        hovermode="x",
    )
    figure = Interactive(
        go.Figure(_traces(), layout=frame),
        alt=_alt(found),
        table=_table(found, parts),
        caption="Density of the weights of one seed; biases are left out.",
    )
    figure.select("part", "Net and part", [part.label for part in parts], start=start)
    figure.select("law", "Laws", _MATCHED)
    for when in WHEN:
        figure.bind(when, "x", np.stack([h["x"] for h in shown]), over="part")
        figure.bind(when, "y", np.stack([h[when] for h in shown]), over="part")
    hidden = np.full((len(parts), 1, *laws.shape[2:]), np.nan)
    laws = np.concatenate([laws, hidden], axis=1)  # (part, law control, x or law, point)
    for i, law in enumerate(_LAWS):
        figure.bind(law, "x", laws[:, :, 0], over=("part", "law")).bind(
            law, "y", laws[:, :, i + 1], over=("part", "law")
        )
    colors = [net_color(part.net) for part in parts]
    figure.bind_values("after", "line.color", colors, over="part")
    figure.bind_values("after", "fillcolor", [see_through(color) for color in colors], over="part")
    figure.bind_layout("xaxis.range", [h["range"] for h in shown], over="part")
    return figure.bind_layout("yaxis.range", [[0, h["top"]] for h in shown], over="part")


def _check(found: Mapping[str, Mapping[str, Any]]) -> None:
    for net, arrays in found.items():
        count = len(arrays["parts"])
        bins = np.shape(arrays["before"])[-1]
        require_axes(f"{net}, edges", arrays["edges"], "seeds", count, bins + 1)
        for when in WHEN:
            require_axes(f"{net}, {when}", arrays[when], "seeds", count, bins)
        require_axes(f"{net}, moments", arrays["moments"], "seeds", count, 2, len(MOMENTS))
        require_axes(f"{net}, distance", arrays["distance"], "seeds", count)
        for law in ("uniform_gap", "normal_gap"):
            require_axes(f"{net}, {law}", arrays[law], "seeds", count, 2)


def _histograms(arrays: Mapping[str, Any], row: int) -> dict[str, Any]:
    """Densities of the first seed as outlines with a step at every edge, and the axes that they need."""
    edges = np.asarray(arrays["edges"], dtype=float)[0, row]
    made: dict[str, Any] = {"x": np.repeat(edges, 2)}
    held = np.zeros(len(edges) - 1, dtype=bool)
    for when in WHEN:
        counts = np.asarray(arrays[when], dtype=float)[0, row]
        density = counts / max(counts.sum(), 1) / np.maximum(np.diff(edges), 1e-12)
        made[when] = np.concatenate([[0], np.repeat(density, 2), [0]])
        held |= counts > 5e-4 * counts.sum()
    first, last = (np.flatnonzero(held)[[0, -1]] + [0, 1]) if held.any() else (0, len(edges) - 1)
    room = 0.05 * (edges[last] - edges[first])
    made["range"] = [float(edges[first] - room), float(edges[last] + room)]
    made["top"] = 1.08 * max(float(made[when].max()) for when in WHEN) or 1.0
    return made


def _laws(arrays: Mapping[str, Any], row: int, when: int) -> np.ndarray:
    """Places, and the densities of the normal and of the uniform law with the same mean and spread, (3, points)."""
    middle, spread = finite(np.asarray(arrays["moments"])[0, row, when, :2])
    if not spread > 0:
        return np.full((3, _POINTS), np.nan)
    half = math.sqrt(3)
    z = np.concatenate(
        [np.linspace(-4, 4, _POINTS - 4), half + np.array([-1, 1]) * 1e-6, -half + np.array([-1, 1]) * 1e-6]
    )
    z.sort()
    normal = np.exp(-(z**2) / 2) / (math.sqrt(2 * math.pi) * spread)
    uniform = np.where(np.abs(z) <= half, 1 / (2 * half * spread), 0)
    return np.stack([middle + spread * z, normal, uniform])


def _traces() -> list[Any]:
    import plotly.graph_objects as go

    lines = {"before": (NEUTRAL, "solid"), "after": (NEUTRAL, "solid")}
    traces = [
        go.Scatter(
            name=name,
            mode="lines",
            fill="tozeroy",
            fillcolor=see_through(color),
            line={"color": color, "width": 2},
            hoverinfo="skip",
        )
        for name, (color, _) in lines.items()
    ]
    dashes = ("dash", "dot")
    return traces + [
        go.Scatter(
            name=name, mode="lines", line={"color": NEUTRAL, "width": 1.5, "dash": dash}, hoverinfo="skip"
        )
        for name, dash in zip(_LAWS, dashes, strict=True)
    ]


def _nearer(found: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, int, list[int]]]:
    """Per net: its parts, and in how many of them the weights are nearer to the normal law, before and after."""
    for net, arrays in found.items():
        uniform, normal = (mean(arrays[name], axis=0) for name in ("uniform_gap", "normal_gap"))
        yield net, len(uniform), [int((normal[:, when] < uniform[:, when]).sum()) for when in (0, 1)]


def _alt(found: Mapping[str, Mapping[str, Any]]) -> str:
    told = "; ".join(
        f"{net_name(net)} {before} of {count} before and {after} of {count} after"
        for net, count, (before, after) in _nearer(found)
    )
    return (
        "Distributions of the weights before and after training, a part of a net at a time, beside a normal and a "
        f"uniform law of the same mean and spread. Parts whose weights are nearer to the normal law: {told}."
    )


def _table(found: Mapping[str, Mapping[str, Any]], parts: Sequence[Part]) -> dict[str, list[Any]]:
    """Means over seeds, a row for each part before and after."""
    rows = [(part, when) for part in parts for when in (0, 1)]
    table: dict[str, list[Any]] = {
        "net": [net_name(part.net) for part, _ in rows],
        "part": [part.name for part, _ in rows],
        "training": [WHEN[when] for _, when in rows],
    }
    averaged = {
        net: {
            name: mean(arrays[name], axis=0) for name in ("moments", "uniform_gap", "normal_gap", "distance")
        }
        for net, arrays in found.items()
    }
    for i, moment in enumerate(MOMENTS):
        table[moment] = [number(averaged[p.net]["moments"][p.row, when, i]) for p, when in rows]
    for law in ("uniform", "normal"):
        table[f"gap to the {law} law"] = [
            number(averaged[p.net][f"{law}_gap"][p.row, when]) for p, when in rows
        ]
    table["distance moved, in std before"] = [
        number(averaged[p.net]["distance"][p.row]) if when else None for p, when in rows
    ]
    return table
