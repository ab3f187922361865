"""What a Legendre memory holds: the window of the input read back from it.

``u(t - d) = sum_i P_i(2 d / theta - 1) m_i(t)`` for delays d from 0 to theta, with Legendre polynomials P_i (Eq. 3,
Voelker, Kajić & Eliasmith, Legendre Memory Units, 2019). It holds exactly only for infinitely many of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes

Matrices = tuple[NDArray[Any], NDArray[Any]]
"""A (Q, Q) and B (Q,) of ``m_t = A m_{t-1} + B u_t``."""


@dataclass(frozen=True)
class Window:
    """The window as read from memories of R sizes, at W times and D delays, for N signals.

    Attributes
    ----------
    orders : ndarray (R,) int64
        Legendre polynomials in each memory.
    times : ndarray (W,) int64
        Inputs read so far.
    delays : ndarray (D,)
        Steps back from each time.
    truth : ndarray (N, W, D)
        The signal at these delays, see `delayed`.
    reconstruction : ndarray (N, R, W, D)
        The same, as read from each memory.
    error : ndarray (N, R, W)
        Root mean square of the difference, over the delays at which the signal had begun; nan if there are none.
    """

    orders: NDArray[np.int64]
    times: NDArray[np.int64]
    delays: NDArray[np.float64]
    truth: NDArray[np.float64]
    reconstruction: NDArray[np.float64]
    error: NDArray[np.float64]


def window(
    signals: NDArray[Any],
    matrices: Sequence[Matrices],
    *,
    theta: float,
    times: Sequence[int] | NDArray[Any],
    delays: Sequence[float] | NDArray[Any] | None = None,
) -> Window:
    """Run signals through memories of several sizes and read the window back from each.

    Parameters
    ----------
    signals : ndarray (N, T)
        One number a step.
    matrices : sequence of R (A, B)
        Shapes (Q, Q) and (Q,), of one memory each, such as `rnnkit.models.legendre.discrete_matrices` gives.
    theta : float
        Steps in the window that the matrices are made for.
    times : array (W,) of int
        Number of inputs read, from 1 to T.
    delays : array (D,), optional
        Steps back, from 0 to theta; `middles` of every fourth step unless told.

    Returns
    -------
    Window

    Raises
    ------
    UserError
        If a shape does not fit, or a time or a delay is out of range.
    """
    signals = check_axes(signals, "signals", ("N", "T"))
    if not len(matrices):
        raise UserError("there is no memory", allowed="at least one pair of matrices")
    delays = middles(theta, every=4) if delays is None else _delays(delays, theta)
    times = _times(times, signals.shape[1])
    truth = delayed(signals, times, delays)
    memories = [run_memory(signals, *pair)[:, times - 1] for pair in matrices]
    reconstruction = np.stack([read_window(each, delays, theta=theta) for each in memories], axis=1)
    begun = delays < times[:, None]  # (W, D)
    squares = np.where(begun, (reconstruction - truth[:, None]) ** 2, 0).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        error = np.sqrt(squares / begun.sum(axis=-1))
    orders = np.array([each.shape[-1] for each in memories], dtype=np.int64)
    return Window(orders, times, delays, truth, reconstruction, error)


def middles(theta: float, *, every: int = 1) -> NDArray[np.float64]:
    """Return the delays of the middles of every so many steps, 0.5, 0.5 + every, ..., below `theta`.

    An input is held for one step, so the memory sees steps with edges at whole delays; a series of polynomials is
    nearest to them between the edges.
    """
    if not theta > 0.5 or every < 1:
        raise UserError(
            "there are no delays", value=(theta, every), allowed="theta above 0.5, every at least 1"
        )
    return np.arange(0.5, theta, every)


def run_memory(signals: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Compute ``m_t = A m_{t-1} + B u_t`` from m_0 = 0, in float64.

    Parameters
    ----------
    signals : ndarray (N, T)
    a, b : ndarray (Q, Q), (Q,)

    Returns
    -------
    ndarray (N, T, Q)
        The memory after each input.

    Raises
    ------
    UserError
        If a shape does not fit.
    """
    signals = check_axes(signals, "signals", ("N", "T")).astype(np.float64)
    b = check_axes(b, "B", ("Q",)).astype(np.float64)
    a = check_axes(a, "A", ("Q", "Q")).astype(np.float64)
    if a.shape != (len(b), len(b)):
        raise UserError(
            "A and B are not of one memory", value=(a.shape, b.shape), allowed="shapes (Q, Q) and (Q,)"
        )
    memories = np.empty((*signals.shape, len(b)))
    m = np.zeros((len(signals), len(b)))
    for step in range(signals.shape[1]):
        m = m @ a.T + signals[:, step, None] * b
        memories[:, step] = m
    return memories


def read_window(
    memories: NDArray[Any], delays: Sequence[float] | NDArray[Any], *, theta: float
) -> NDArray[np.float64]:
    """Read the input at some delays from memories.

    Parameters
    ----------
    memories : ndarray (..., Q)
        Coefficients of the first Q Legendre polynomials.
    delays : array (D,)
        Steps back, from 0 (now) to theta.
    theta : float
        Steps in the window.

    Returns
    -------
    ndarray (..., D)

    Raises
    ------
    UserError
        If a shape is wrong or a delay out of range.
    """
    memories = check_axes(memories, "memories", ("...", "Q"))
    place = 2 * _delays(delays, theta) / theta - 1
    polynomials = np.polynomial.legendre.legvander(place, memories.shape[-1] - 1)  # (D, Q)
    return memories.astype(np.float64) @ polynomials.T


def delayed(
    signals: NDArray[Any], times: Sequence[int] | NDArray[Any], delays: Sequence[float] | NDArray[Any]
) -> NDArray[np.float64]:
    """Return the signals as they were, each input held for one step: u_t for delays from 0 to below 1, and so on.

    Parameters
    ----------
    signals : ndarray (N, T)
        u_1, ..., u_T.
    times : array (W,) of int
        Number of inputs read, from 1 to T.
    delays : array (D,)
        Steps back, 0 or above.

    Returns
    -------
    ndarray (N, W, D)
        0 before the first input.

    Raises
    ------
    UserError
        If a shape is wrong, or a time or a delay out of range.
    """
    signals = check_axes(signals, "signals", ("N", "T")).astype(np.float64)
    times = _times(times, signals.shape[1])
    places = times[:, None] - 1 - np.floor(_delays(delays, np.inf)).astype(np.int64)  # (W, D)
    return np.where(places >= 0, signals[:, np.maximum(places, 0)], 0.0)


def _times(times: Sequence[int] | NDArray[Any], num_steps: int) -> NDArray[np.int64]:
    times = check_axes(np.asarray(times), "times", ("W",))
    if times.dtype.kind not in "iu" or times.min() < 1 or times.max() > num_steps:
        raise UserError(
            "times are out of range", value=times.tolist(), allowed=f"whole numbers from 1 to {num_steps}"
        )
    return times.astype(np.int64)


def _delays(delays: Sequence[float] | NDArray[Any], theta: float) -> NDArray[np.float64]:
    delays = check_axes(np.asarray(delays), "delays", ("D",)).astype(np.float64)
    if not theta > 0:
        raise UserError("theta is no length of a window", value=theta, allowed="a number of steps above 0")
    if delays.min() < 0 or delays.max() > theta:
        raise UserError(
            "delays are out of range", value=(delays.min(), delays.max()), allowed=f"0 to {theta:g} steps"
        )
    return delays
