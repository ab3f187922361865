"""The plane of the states of a net with two units: what the readout says where, where a word leads (Fig. 2, Mehta)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes

Step = Callable[[NDArray[np.float64], NDArray[np.uint8]], NDArray[Any]]
"""``step(states (M, n, H), words (n,)) -> states (M, n, H)``: every model reads one word in each sentence."""


@dataclass(frozen=True)
class DecisionRegion:
    """What the readout says of each state in a square of the plane.

    Attributes
    ----------
    axis : ndarray (K,)
        Values of either unit on the grid.
    margin : ndarray (K, K)
        w · h + b; row i is the second unit at ``axis[i]``, column j the first at ``axis[j]``.
    line : ndarray (2, 2)
        Both ends of the line w · h + b = 0 within the square; nan where it misses the square.
    """

    axis: NDArray[np.float64]
    margin: NDArray[np.float64]
    line: NDArray[np.float64]

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Where the readout says positive, shape (K, K)."""
        return self.margin > 0


def margin_weights(
    weight_out: NDArray[Any], bias_out: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return w and b with w · h + b = logit 1 - logit 0 (from Eq. 2, Mehta): positive where it is above 0.

    Parameters
    ----------
    weight_out : ndarray (..., 2, H)
    bias_out : ndarray (..., 2)

    Returns
    -------
    w : ndarray (..., H)
    b : ndarray (...,)
    """
    weight_out = check_axes(weight_out, "weight_out", ("...", "2", "H")).astype(np.float64)
    bias_out = check_axes(bias_out, "bias_out", ("...", "2")).astype(np.float64)
    if weight_out.shape[-2] != 2 or bias_out.shape != weight_out.shape[:-1]:
        raise UserError(
            "readout does not give two logits",
            value=(weight_out.shape, bias_out.shape),
            allowed="weight_out (..., 2, H) and bias_out (..., 2)",
        )
    return weight_out[..., 1, :] - weight_out[..., 0, :], bias_out[..., 1] - bias_out[..., 0]


def decision_region(
    weight_out: NDArray[Any], bias_out: NDArray[Any], *, extent: float = 1.0, num: int = 101
) -> DecisionRegion:
    """Map what the readout of one model says of the states in [-extent, extent]² (Fig. 2, Mehta).

    Parameters
    ----------
    weight_out : ndarray (2, 2)
    bias_out : ndarray (2,)
    extent : float
        Half the side of the square; no state of an RNN or GRU lies outside 1.
    num : int
        Points along each side, K.

    Returns
    -------
    DecisionRegion

    Raises
    ------
    UserError
        If the readout does not read two units into two logits, or the grid is empty.
    """
    weight, bias = margin_weights(weight_out, bias_out)
    if weight.shape != (2,):
        raise UserError("not the readout of two units", value=np.shape(weight_out), allowed="shape (2, 2)")
    axis = _axis(extent, num)
    margin = weight[0] * axis + (weight[1] * axis)[:, None] + bias
    return DecisionRegion(axis, margin, _line_in_square(weight, float(bias), extent))


def word_field(
    step: Step, word: int, *, num_models: int, extent: float = 1.0, num: int = 21, times: int = 1
) -> NDArray[np.float64]:
    """Return where each state in a square goes when one word is read, once or many times.

    Parameters
    ----------
    step : callable
        ``step(states (M, n, 2), words (n,)) -> states (M, n, 2)``.
    word : int
    num_models : int
    extent, num : float, int
        The square [-extent, extent]² and the points along each side, K.
    times : int
        How often the word is read; a large number shows where the states come to rest.

    Returns
    -------
    ndarray (M, K, K, 2)
        Entry [m, i, j] is the image of the state (axis[j], axis[i]) in model m; the grid is that of
        `decision_region`.
    """
    axis = _axis(extent, num)
    if times < 1 or num_models < 1:
        raise UserError("nothing to read", value=(num_models, times), allowed="at least 1 model and 1 time")
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    states = np.broadcast_to(grid, (num_models, *grid.shape)).copy()
    words = np.full(len(grid), word, dtype=np.uint8)
    for _ in range(times):
        states = np.asarray(step(states, words))
    return states.reshape(num_models, num, num, 2).astype(np.float64)


def _axis(extent: float, num: int) -> NDArray[np.float64]:
    if not (extent > 0 and num >= 2):
        raise UserError("grid is empty", value=(extent, num), allowed="extent above 0 and num at least 2")
    return np.linspace(-extent, extent, num)


def _line_in_square(weight: NDArray[np.float64], bias: float, extent: float) -> NDArray[np.float64]:
    """Return the two ends of w · h + b = 0 within the square, in ascending order; nan where it misses it."""
    if not weight.any():
        return np.full((2, 2), np.nan)
    length = np.linalg.norm(weight)
    normal = weight / length
    point, along = -bias / length * normal, np.array([-normal[1], normal[0]])
    low, high = -np.inf, np.inf
    for start, direction in zip(point, along, strict=True):
        if direction == 0:
            if abs(start) > extent:
                return np.full((2, 2), np.nan)
            continue
        ends = sorted(((-extent - start) / direction, (extent - start) / direction))
        low, high = max(low, ends[0]), min(high, ends[1])
    if low > high:
        return np.full((2, 2), np.nan)
    line = point + np.array([[low], [high]]) * along
    return line[np.lexsort((line[:, 1], line[:, 0]))]
