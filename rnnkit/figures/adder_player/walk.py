"""A small recurrent net adds two numbers column by column: its states, its bits, and the carry it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnkit.figures.stepping import cell_shapes, read, step

LOSSES = {"bce": 0.0, "mse-sigmoid": 0.0, "mse-linear": 0.5}
"""What an output must exceed to stand for a 1: the first two are logits, the third is the bit itself."""


@dataclass(frozen=True)
class Addition:
    """What one net does with T columns.

    Attributes
    ----------
    states : (T + 1, S) float64
        The zero state first; of an LSTM the hidden state before the cell state.
    margins : (T,) float64
        Output less what it must exceed; above 0 the net writes a 1.
    held : (T + 1,) float64
        Above 0 the net holds a carry: before the first column, and after each.
    """

    states: np.ndarray
    margins: np.ndarray
    held: np.ndarray

    @property
    def bits(self) -> np.ndarray:
        """What the net writes, (T,) of 0 and 1."""
        return (self.margins > 0).astype(np.int64)


def shapes(cell: str, hidden_size: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a net's parameters: two inputs, one output."""
    return {**cell_shapes(cell, 2, hidden_size), "weight_out": (1, hidden_size), "bias_out": (1,)}


def add(
    cell: str,
    loss: str,
    parameters: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    carry: tuple[np.ndarray, float] | None = None,
) -> Addition:
    """Add with one net, in double precision.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
        Which of the three.
    loss : {"bce", "mse-sigmoid", "mse-linear"}
        What the net was trained with; it says how an output becomes a bit.
    parameters : mapping of str to array
        As :func:`shapes`.
    inputs : (T, 2) of 0 and 1
        Bits of both numbers, least significant first.
    carry : ((H,) or (S,) array, float), optional
        Direction and threshold of a probe: the net holds a carry where ``state @ direction`` is above the threshold.
        Without it the net is asked: it holds a carry where it would write a 1 under 0 + 0.

    Returns
    -------
    Addition
    """
    p = {name: np.asarray(values, dtype=np.float64) for name, values in parameters.items()}
    states = read(
        cell, p, np.asarray(inputs, dtype=np.float64).reshape(-1, 2) @ p["weight_ih"].T + p["bias_ih"]
    )
    margins = _margins(p, loss, states)
    if carry is None:
        held = _margins(p, loss, step(cell, p, p["bias_ih"], states))
    else:
        direction, threshold = np.asarray(carry[0], dtype=np.float64), float(carry[1])
        held = states[:, : len(direction)] @ direction - threshold
    return Addition(states, margins[1:], held)


def _margins(parameters: Mapping[str, np.ndarray], loss: str, states: np.ndarray) -> np.ndarray:
    hidden = states[:, : parameters["weight_hh"].shape[1]]
    margins: np.ndarray = hidden @ parameters["weight_out"][0] + parameters["bias_out"][0] - LOSSES[loss]
    return margins
