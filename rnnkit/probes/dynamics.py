"""How the state moves: the period of an oscillation, the spectrum of weight_hh, the change per step."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_hidden_states

# Of the peaks of the autocorrelation, the first one about as high as the highest is the period; lower ones
# before it are harmonics, equal ones after it are multiples (McLeod & Wyvill, A smarter way to find pitch,
# 2005).
_MAJOR = 0.8


@dataclass(frozen=True)
class Oscillation:
    """The period found in a series; nan twice when there is none.

    Attributes
    ----------
    period : float
        Steps per cycle, interpolated between lags.
    height : float
        Autocorrelation at that lag, at most 1: how alike one cycle is to the next, up to its size.
    autocorrelation : ndarray (L,)
        Autocorrelation at lags 0..L-1, for a figure.
    """

    period: float
    height: float
    autocorrelation: NDArray[np.float64]

    @property
    def found(self) -> bool:
        """Whether the series oscillates."""
        return not np.isnan(self.period)


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of a recurrent weight matrix, largest modulus first.

    Attributes
    ----------
    eigenvalues : ndarray (H,) complex
        Conjugates next to each other, the one with positive imaginary part first.
    radius : float
        The spectral radius, the largest modulus.
    moduli, periods : ndarray (P,)
        Modulus, and 2 pi / angle in steps, of each complex pair, largest modulus first.
    """

    eigenvalues: NDArray[np.complex128]
    radius: float
    moduli: NDArray[np.float64]
    periods: NDArray[np.float64]


def autocorrelation(series: NDArray[Any], *, max_lag: int | None = None) -> NDArray[np.float64]:
    """Correlate a series with itself at lags 0..max_lag.

    Parameters
    ----------
    series : ndarray (T,) or (T, D)
        One value, or one vector, per step; its mean over time is taken off.
    max_lag : int, optional
        Largest lag; T // 2 unless told.

    Returns
    -------
    ndarray (max_lag + 1,)
        Each lag's sum of products is divided by the size of the two stretches that overlap, so that a dying
        oscillation scores as high as a steady one. Zeros for a constant series.

    Raises
    ------
    UserError
        If the series is not finite, or is shorter than 4 steps.
    """
    series = np.asarray(series, dtype=np.float64)
    if series.ndim not in (1, 2) or len(series) < 4 or not np.isfinite(series).all():
        raise UserError(
            "series cannot be correlated",
            value=series.shape,
            allowed="finite values of shape (T,) or (T, D) with T >= 4",
        )
    num_steps = len(series)
    # Shifting by one value first makes a constant series exactly zero, not rounding noise that correlates.
    centred = (series - series[0]).reshape(num_steps, -1)
    centred -= centred.mean(axis=0)
    max_lag = num_steps // 2 if max_lag is None else min(max_lag, num_steps - 1)
    energy = np.concatenate(([0.0], np.cumsum((centred**2).sum(axis=1))))
    result = np.zeros(max_lag + 1)
    for lag in range(max_lag + 1):
        sizes = energy[num_steps - lag] * (energy[num_steps] - energy[lag])
        if sizes > 0:
            result[lag] = (centred[: num_steps - lag] * centred[lag:]).sum() / np.sqrt(sizes)
    return result


def oscillation_period(
    series: NDArray[Any], *, min_lag: int = 2, max_lag: int | None = None, false_alarm: float = 0.01
) -> Oscillation:
    """Find the period of a series by its autocorrelation.

    The period is the lag of the first major peak after the autocorrelation first falls to zero.

    Parameters
    ----------
    series : ndarray (T,) or (T, D)
        One value, or one vector, per step. Cut off a transient before the call.
    min_lag : int
        Shortest period, in steps, that is believed.
    max_lag : int, optional
        Longest lag looked at; T // 2 unless told, so that each period is seen at least twice.
    false_alarm : float
        Chance at which white noise of this length is taken for an oscillation (a Bonferroni bound over lags).

    Returns
    -------
    Oscillation
        With nan for period and height where no peak passes: a constant, a trend, white noise.

    Raises
    ------
    UserError
        If the series is not finite or is shorter than 4 steps.

    Notes
    -----
    Fig. 1b, Horoi et al.: "the recurring pattern in the accuracy" over up to 500 blank rows.
    """
    correlation = autocorrelation(series, max_lag=max_lag)
    lags = np.array([lag for lag in _lobe_tops(correlation) if lag >= min_lag], dtype=int)
    overlap = len(series) - lags
    bound = NormalDist().inv_cdf(1 - false_alarm / len(correlation)) / np.sqrt(overlap)
    lags = lags[correlation[lags] > bound]
    if not len(lags):
        return Oscillation(np.nan, np.nan, correlation)
    heights = correlation[lags]
    lag = int(lags[np.argmax(heights >= _MAJOR * heights.max())])
    return Oscillation(_between_lags(correlation, lag), float(correlation[lag]), correlation)


def spectrum(weight_hh: NDArray[Any]) -> Spectrum:
    """Compute the eigenvalues of a recurrent weight matrix and the periods they stand for.

    Parameters
    ----------
    weight_hh : ndarray (H, H)
        Recurrent weights; around h = 0 a tanh net without biases is h_t = weight_hh h_{t-1}.

    Returns
    -------
    Spectrum

    Raises
    ------
    UserError
        If the matrix is not square and finite.
    """
    weight_hh = np.asarray(weight_hh, dtype=np.float64)
    if weight_hh.ndim != 2 or len(set(weight_hh.shape)) != 1 or not np.isfinite(weight_hh).all():
        raise UserError(
            "weight_hh has no spectrum", value=weight_hh.shape, allowed="a finite matrix of shape (H, H)"
        )
    eigenvalues = np.linalg.eigvals(weight_hh).astype(np.complex128)
    eigenvalues = eigenvalues[np.lexsort((-eigenvalues.imag, np.abs(eigenvalues.imag), -np.abs(eigenvalues)))]
    upper = eigenvalues[eigenvalues.imag > 0]
    return Spectrum(
        eigenvalues=eigenvalues,
        radius=float(np.abs(eigenvalues[0])),
        moduli=np.abs(upper),
        periods=2 * np.pi / np.angle(upper),
    )


def state_change(hidden_states: NDArray[Any], *, initial: NDArray[Any] | float = 0.0) -> NDArray[np.float64]:
    """Return the mean over samples of ||h_t - h_{t-1}|| at each step, shape (S,).

    Parameters
    ----------
    hidden_states : ndarray (n, S, H)
        Hidden states of n samples over S steps.
    initial : float or ndarray broadcastable to (n, H)
        The state before the first step.
    """
    hidden_states = check_hidden_states(hidden_states)
    change = np.empty(hidden_states.shape[1])
    before: NDArray[Any] | float = initial
    for step in range(len(change)):
        now = hidden_states[:, step]
        change[step] = np.linalg.norm(now - before, axis=1).mean(dtype=np.float64)
        before = now
    return change


def _lobe_tops(correlation: NDArray[np.float64]) -> list[int]:
    """Return the lag of the highest point of each positive lobe after the first fall to zero or below."""
    positive = correlation > 0
    if positive.all():
        return []
    first = int(np.argmin(positive))
    edges = np.flatnonzero(np.diff(positive[first:].astype(int))) + first + 1
    # Lobes lie between rises (even places) and falls (odd); one cut off by the end has no known top ...
    ends = [*edges[1::2], len(correlation)]
    tops = [
        start + int(np.argmax(correlation[start:end])) for start, end in zip(edges[::2], ends, strict=False)
    ]
    # ... unless it has turned down again before the end.
    return [top for top in tops if top < len(correlation) - 1]


def _between_lags(correlation: NDArray[np.float64], lag: int) -> float:
    """Return the top of the parabola through the peak and its two neighbours."""
    left, top, right = correlation[lag - 1 : lag + 2]
    curvature = left - 2 * top + right
    return float(lag) if curvature >= 0 else float(lag + 0.5 * (left - right) / curvature)
