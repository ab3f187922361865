"""The eigenvalues of the recurrent weights in the complex plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.bands import stack_seeds
from rnnkit.figures.curves import SEEDS, add_nets, layout, span
from rnnkit.figures.frame import net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import NEUTRAL, net_color

Stack = Mapping[str, NDArray[np.float64]]
INSIDE, LEADING = "eigenvalue", "leading complex pair"


def leading_pair(real: NDArray[np.float64], imag: NDArray[np.float64]) -> tuple[complex, float]:
    """The eigenvalue of largest modulus above the real axis, and 2 pi / its angle in steps.

    Parameters
    ----------
    real, imag : ndarray (H,)

    Returns
    -------
    tuple of complex and float
        NaN twice when all eigenvalues are real.
    """
    upper = np.asarray(real)[np.asarray(imag) > 0] + 1j * np.asarray(imag)[np.asarray(imag) > 0]
    if not len(upper):
        return complex(np.nan, np.nan), float("nan")
    found = complex(upper[np.abs(upper).argmax()])
    return found, float(2 * np.pi / np.angle(found))


def eigenvalues(real: Stack, imag: Stack, seeds: Sequence[int]) -> Interactive:
    """Draw the eigenvalues of weight_hh in the complex plane with the unit circle.

    Parameters
    ----------
    real, imag : mapping of str to ndarray (n_seeds, H)
        Net -> parts of the eigenvalues.
    seeds : sequence of int
    """
    import plotly.graph_objects as go

    nets, parts = list(real), (stack_seeds(real), stack_seeds(imag))
    moduli = np.hypot(*parts)
    edges = [1.08 * max(1.0, float(np.nanmax(one))) for one in moduli]
    ranges = [[-edge, edge] for edge in edges]
    pairs = np.array([[_pair(r, i) for r, i in zip(*both, strict=True)] for both in zip(*parts, strict=True)])
    frame = layout("real part", "imaginary part", height=500, xaxis={"range": ranges[0]})
    frame["xaxis"] |= {"constrain": "domain"}
    frame["yaxis"] |= {"range": ranges[0], "scaleanchor": "x", "constrain": "domain"}
    figure = Interactive(
        go.Figure(_plane_traces(), layout=frame),
        alt="Eigenvalues of the recurrent weights in the complex plane with the unit circle. "
        + "; ".join(_spectrum_words(net, real[net], imag[net]) for net in nets)
        + ".",
        table=_spectrum_table(nets, real, imag, seeds),
        caption="Outside the circle a small state grows, inside it dies out; the angle sets how fast it turns.",
    )
    add_nets(figure, nets).select(SEEDS, "Seed", [f"seed {seed}" for seed in seeds])
    for attr, values in zip("xy", parts, strict=True):
        figure.bind(INSIDE, attr, values, over=("net", SEEDS))
    figure.bind(INSIDE, "text", np.vectorize("{:.3f}".format)(moduli), over=("net", SEEDS))
    figure.bind(LEADING, "x", np.stack([pairs.real, pairs.real], axis=-1), over=("net", SEEDS))
    figure.bind(LEADING, "y", np.stack([pairs.imag, -pairs.imag], axis=-1), over=("net", SEEDS))
    colors = [net_color(net) for net in nets]
    for name in (INSIDE, LEADING):
        figure.bind_values(name, "marker.color", colors, over="net")
    return figure.bind_layout("xaxis.range", ranges, over="net").bind_layout(
        "yaxis.range", ranges, over="net"
    )


def _pair(real: NDArray[Any], imag: NDArray[Any]) -> complex:
    return leading_pair(real, imag)[0]


def _plane_traces() -> list[Any]:
    import plotly.graph_objects as go

    angle = np.linspace(0, 2 * np.pi, 181)
    circle = go.Scatter(
        name="unit circle",
        x=np.cos(angle),
        y=np.sin(angle),
        mode="lines",
        line={"color": NEUTRAL, "width": 1.5},
        hoverinfo="skip",
    )
    hover = "%{x:.3f} + %{y:.3f} i, modulus %{text}<extra></extra>"
    inside = go.Scatter(name=INSIDE, mode="markers", marker={"size": 6, "opacity": 0.75}, hovertemplate=hover)
    ring = {"symbol": "circle-open", "size": 15, "line": {"width": 2.5}}
    leading = go.Scatter(name=LEADING, mode="markers", marker=ring, hoverinfo="skip")
    return [circle, inside, leading]


def _spectrum_words(net: str, real: NDArray[Any], imag: NDArray[Any]) -> str:
    moduli = np.hypot(real, imag)
    outside = (moduli > 1).sum(axis=1)
    radius = moduli.max(axis=1)
    return (
        f"{net_name(net)}: spectral radius {span(radius, '.2f')}, {span(outside, 'd')} of "
        f"{moduli.shape[1]} outside the circle"
    )


def _spectrum_table(nets: list[str], real: Stack, imag: Stack, seeds: Sequence[int]) -> dict[str, list[Any]]:
    names = (
        "net",
        "seed",
        "spectral radius",
        "outside the circle",
        "leading pair: modulus",
        "leading pair: period",
    )
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for net in nets:
        for seed, r, i in zip(seeds, real[net], imag[net], strict=False):
            moduli, (pair, period) = np.hypot(r, i), leading_pair(r, i)
            row = (net_name(net), seed, float(moduli.max()), int((moduli > 1).sum()), abs(pair), period)
            for name, value in zip(names, row, strict=True):
                columns[name].append(value)
    return columns
