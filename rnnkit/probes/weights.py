"""How the weights of a net are spread before and after training, part by part (Fig. 4, Irisarri).

The paper sees "uniformly distributed non-trained weights" and "more bell-shaped" trained ones. Both are
measured: by the kurtosis, and by the distance to the uniform and to the normal law of the same mean and spread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes, check_same_shape

GATES = {"rnn": ("",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}
"""Gates of each cell in the order of the rows of its matrices: input, forget, cell, output; reset, update, new."""

MOMENTS = ("mean", "standard deviation", "skewness", "excess kurtosis")


@dataclass(frozen=True)
class Spread:
    """How the weights of P parts are spread.

    Attributes
    ----------
    parts : tuple of P str
    moments : ndarray (P, 4)
        In the order of `MOMENTS`.
    uniform_gap, normal_gap : ndarray (P,)
        Kolmogorov distance to the uniform and to the normal law with the same mean and standard deviation.
    """

    parts: tuple[str, ...]
    moments: NDArray[np.float64]
    uniform_gap: NDArray[np.float64]
    normal_gap: NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """How training changed the spread of the weights of P parts.

    Attributes
    ----------
    parts : tuple of P str
    edges : ndarray (P, B + 1)
        Edges of the bins of both histograms, from the least to the greatest weight of either.
    before, after : ndarray (P, B) of int
        Weights in each bin.
    moments : ndarray (P, 2, 4)
        Before and after, in the order of `MOMENTS`.
    uniform_gap, normal_gap : ndarray (P, 2)
        Before and after, see `Spread`.
    distance : ndarray (P,)
        Wasserstein distance between the weights before and after, in standard deviations of those before.
    """

    parts: tuple[str, ...]
    edges: NDArray[np.float64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    moments: NDArray[np.float64]
    uniform_gap: NDArray[np.float64]
    normal_gap: NDArray[np.float64]
    distance: NDArray[np.float64]


def split_parts(
    cell: str,
    weight_ih: NDArray[Any],
    weight_hh: NDArray[Any],
    weight_out: NDArray[Any] | None = None,
    *,
    memory_width: int = 0,
) -> dict[str, NDArray[Any]]:
    """Split the matrices of a net into named parts, one for each matrix and gate; biases are left out.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
    weight_ih : ndarray (G * H, I)
        Gates one under the other, in the order of `GATES`.
    weight_hh : ndarray (G * H, H)
    weight_out : ndarray (C, H), optional
    memory_width : int
        How many of the first columns of `weight_ih` read a memory (in an LMU memory_d * memory_size); they are
        parts of their own. The others, if there are any, read the input.

    Returns
    -------
    dict of str to ndarray
        "memory i" (H, memory_width), "input i" (H, I - memory_width), "recurrent i" (H, H) for each gate, all of
        one matrix before the next, and "readout" (C, H). A cell of one gate has no letter: "input", "recurrent".

    Raises
    ------
    UserError
        If the cell is unknown or a shape does not fit.
    """
    if cell not in GATES:
        raise UserError("unknown cell", value=cell, allowed=GATES)
    weight_ih = check_axes(weight_ih, "weight_ih", ("G * H", "I"))
    weight_hh = check_axes(weight_hh, "weight_hh", ("G * H", "H"))
    num_gates, (rows, hidden_size) = len(GATES[cell]), weight_hh.shape
    if rows != num_gates * hidden_size or len(weight_ih) != rows:
        raise UserError(
            f"these are not the matrices of a cell {cell!r}",
            value=(weight_ih.shape, weight_hh.shape),
            allowed=f"shapes ({num_gates} H, I) and ({num_gates} H, H)",
        )
    if not 0 <= memory_width <= weight_ih.shape[1]:
        raise UserError(
            "memory_width is out of range", value=memory_width, allowed=f"0 to {weight_ih.shape[1]}"
        )
    matrices = {
        "memory": weight_ih[:, :memory_width],
        "input": weight_ih[:, memory_width:],
        "recurrent": weight_hh,
    }
    parts = {
        f"{name} {gate}".strip(): matrix[g * hidden_size : (g + 1) * hidden_size]
        for name, matrix in matrices.items()
        if matrix.shape[1]
        for g, gate in enumerate(GATES[cell])
    }
    if weight_out is not None:
        parts["readout"] = check_axes(weight_out, "weight_out", ("C", "H"))
        if parts["readout"].shape[1] != hidden_size:
            raise UserError(
                "weight_out does not fit the cell",
                value=parts["readout"].shape,
                allowed=f"shape (C, {hidden_size})",
            )
    return parts


def spread(parts: Mapping[str, NDArray[Any]]) -> Spread:
    """Describe how the weights of each part are spread.

    Parameters
    ----------
    parts : mapping of P names to ndarrays of any shape
        As from `split_parts`.

    Returns
    -------
    Spread
        Nan for what equal weights do not have: skewness, kurtosis and gaps.

    Raises
    ------
    UserError
        If there are no parts, or one is empty or not finite.
    """
    weights = [_flat(values, name) for name, values in _some(parts).items()]
    return Spread(
        parts=tuple(parts),
        moments=np.stack([moments(values) for values in weights]),
        uniform_gap=np.array([uniform_gap(values) for values in weights]),
        normal_gap=np.array([normal_gap(values) for values in weights]),
    )


def change(
    before: Mapping[str, NDArray[Any]], after: Mapping[str, NDArray[Any]], *, num_bins: int = 80
) -> Change:
    """Compare the weights of each part before and after training.

    Parameters
    ----------
    before, after : mapping of P names to ndarrays
        The same names and shapes in both.
    num_bins : int
        B, bins of the histograms.

    Returns
    -------
    Change
        Nan where `spread` has it, and for the distance where all weights before were equal.

    Raises
    ------
    UserError
        If the parts differ in name or shape, one is empty or not finite, or `num_bins` is below 1.
    """
    if list(_some(before)) != list(after):
        raise UserError("after has other parts than before", value=list(after), allowed=list(before))
    if num_bins < 1:
        raise UserError("num_bins is out of range", value=num_bins, allowed="at least 1")
    edges, counts, distances = [], [], []
    for name in before:
        check_same_shape(np.asarray(before[name]), np.asarray(after[name]), f"{name} before and after")
        both = _flat(before[name], name), _flat(after[name], name)
        edges.append(np.histogram_bin_edges(np.concatenate(both), num_bins))
        counts.append([np.histogram(values, edges[-1])[0] for values in both])
        distances.append(_distance(*both))
    spreads = spread(before), spread(after)
    return Change(
        parts=tuple(before),
        edges=np.stack(edges),
        before=np.array(counts, dtype=np.int64)[:, 0],
        after=np.array(counts, dtype=np.int64)[:, 1],
        moments=np.stack([each.moments for each in spreads], axis=1),
        uniform_gap=np.stack([each.uniform_gap for each in spreads], axis=1),
        normal_gap=np.stack([each.normal_gap for each in spreads], axis=1),
        distance=np.array(distances),
    )


def moments(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return mean, standard deviation, skewness and excess kurtosis of `values` (any shape), shape (4,).

    All divide by the number of values. The excess kurtosis is 0 for a normal and -1.2 for a uniform law; it and
    the skewness are nan for equal values.
    """
    values = _flat(values, "values")
    mean, std = _mean_and_std(values)
    if std == 0:
        return np.array([mean, 0.0, np.nan, np.nan])
    scaled = (values - mean) / std
    return np.array([mean, std, (scaled**3).mean(), (scaled**4).mean() - 3])


def uniform_gap(values: NDArray[Any]) -> float:
    """Return the Kolmogorov distance of `values` to the uniform law of their mean and standard deviation.

    The greatest difference between the two shares of values below a point; nan for equal values.
    """
    half = np.sqrt(3)  # a uniform law on mean +- sqrt(3) std has that std
    return _gap(values, lambda scaled: np.clip((scaled + half) / (2 * half), 0, 1))


def uniform_scatter(
    num_values: int, *, generator: np.random.Generator, share: float = 0.95, num_samples: int = 4000
) -> float:
    """Return the `uniform_gap` that this share of samples of so many uniform numbers stays below.

    Simulated, since a sample lies nearer to the law of its own mean and standard deviation than to the one that it was
    drawn from, of which the Kolmogorov law tells.
    """
    samples = generator.random((num_samples, num_values))
    return float(np.quantile([uniform_gap(sample) for sample in samples], share))


def normal_gap(values: NDArray[Any]) -> float:
    """Return the Kolmogorov distance of `values` to the normal law of their mean and standard deviation."""
    from scipy.special import ndtr

    return _gap(values, ndtr)


def _gap(values: NDArray[Any], cdf: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
    values = np.sort(_flat(values, "values"))
    mean, std = _mean_and_std(values)
    if std == 0:
        return float("nan")
    law = cdf((values - mean) / std)
    steps = np.arange(len(values) + 1) / len(values)
    return float(max((steps[1:] - law).max(), (law - steps[:-1]).max()))


def _distance(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    _, std = _mean_and_std(before)
    if std == 0:
        return float("nan")
    # Of equally many values, the best transport moves each to the one of the same rank.
    return float(np.abs(np.sort(after) - np.sort(before)).mean() / std)


def _mean_and_std(values: NDArray[np.float64]) -> tuple[float, float]:
    # Shifting by one value first makes the spread of equal values exactly zero.
    shifted = values - values[0]
    return float(values[0] + shifted.mean()), float(shifted.std())


def _flat(values: NDArray[Any], name: str) -> NDArray[np.float64]:
    return check_axes(np.asarray(values).reshape(-1), name, ("n",)).astype(np.float64)


def _some(parts: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    if not parts:
        raise UserError("there are no parts", allowed="at least one named matrix")
    return parts
