"""What an order of the pixels makes of an image read one by one: the control for "long-range" in psMNIST.

A shuffled order takes away that neighbours in time are alike, and that ink comes at certain times only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes
from rnnkit.probes.dynamics import autocorrelation


@dataclass(frozen=True)
class OrderEffect:
    """The same sequences in P orders.

    Attributes
    ----------
    mean : ndarray (P, T)
        Mean value at each step.
    autocorrelation : ndarray (P, L)
        Mean autocorrelation at lags 0..L-1, see `mean_autocorrelation`.
    """

    mean: NDArray[np.float64]
    autocorrelation: NDArray[np.float64]


def order_effect(sequences: NDArray[Any], orders: NDArray[Any], *, max_lag: int = 199) -> OrderEffect:
    """Compare what some orders make of the same sequences.

    Parameters
    ----------
    sequences : ndarray (n, T)
        One number a step, such as images row by row.
    orders : ndarray (P, T) of int
        Step t of order p reads place ``orders[p, t]``; each a permutation of 0..T-1.
    max_lag : int
        Largest lag, below T.

    Returns
    -------
    OrderEffect
        With L = max_lag + 1.

    Raises
    ------
    UserError
        If a shape is wrong, an order is no permutation or `max_lag` is out of range.
    """
    sequences = _check_sequences(sequences)
    orders = check_axes(orders, "orders", ("P", "T"))
    num_steps = sequences.shape[1]
    if orders.shape[1] != num_steps or (np.sort(orders, axis=1) != np.arange(num_steps)).any():
        raise UserError(
            "orders are not orders of the sequences",
            value=orders.shape,
            allowed=f"shape (P, {num_steps}), in each row 0 to {num_steps - 1} once",
        )
    reordered = [sequences[:, order.astype(np.int64)] for order in orders]
    return OrderEffect(
        mean=np.stack([each.mean(axis=0, dtype=np.float64) for each in reordered]),
        autocorrelation=np.stack([mean_autocorrelation(each, max_lag=max_lag) for each in reordered]),
    )


def mean_autocorrelation(sequences: NDArray[Any], *, max_lag: int = 199) -> NDArray[np.float64]:
    """Average the autocorrelations of sequences, each about its own mean.

    Parameters
    ----------
    sequences : ndarray (n, T)
        T at least 4.
    max_lag : int
        Largest lag, below T.

    Returns
    -------
    ndarray (max_lag + 1,)
        The mean of `rnnkit.probes.dynamics.autocorrelation`. A constant sequence has none and is left out; zeros if
        all are. In a random order it is about -1 / (T - 1) at every lag but 0, not 0: the values of a sequence that
        lie above its mean leave fewer such ones for the other steps.

    Raises
    ------
    UserError
        If the shape is wrong, T is below 4, or `max_lag` is out of range.
    """
    sequences = _check_sequences(sequences)
    if not 0 <= max_lag < sequences.shape[1]:
        raise UserError(
            "max_lag is out of range", value=max_lag, allowed=f"0 to {sequences.shape[1] - 1} steps"
        )
    varying = sequences[(sequences != sequences[:, :1]).any(axis=1)]
    if not len(varying):
        return np.zeros(max_lag + 1)
    total = np.zeros(max_lag + 1)
    for sequence in varying:
        total += autocorrelation(sequence, max_lag=max_lag)
    return total / len(varying)


def _check_sequences(sequences: NDArray[Any]) -> NDArray[Any]:
    sequences = check_axes(sequences, "sequences", ("n", "T"))
    if sequences.shape[1] < 4:
        raise UserError(
            "sequences are too short", value=sequences.shape, allowed="shape (n, T), T at least 4"
        )
    return sequences
