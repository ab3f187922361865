"""Keras's layout of recurrent weights and ours: transposed kernels, and the gates of a GRU in another order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnkit.errors import UserError

# For each of our gates, in torch's order, its place among Keras's: LSTM i, f, c, o; GRU z, r, h.
GATE_PLACES = {"rnn": (0,), "lstm": (0, 1, 2, 3), "gru": (1, 0, 2)}


def cell_weights(cell: str, weights: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Weights of a cell as Keras holds them -> as `rnnkit.models.layers.Recurrent` does.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
    weights : sequence of np.ndarray
        kernel (input_size, G * hidden_size), recurrent_kernel (hidden_size, G * hidden_size), bias
        (G * hidden_size,), or (2, 3 * hidden_size) in the GRU (reset_after).

    Raises
    ------
    UserError
        Shapes that are not those of such a cell.
    """
    gates = len(GATE_PLACES[cell])
    shapes = [np.shape(weight) for weight in weights]
    hidden_size = shapes[1][0] if len(shapes) == 3 and len(shapes[1]) == 2 else 0
    width = gates * hidden_size
    bias_shape = (2, width) if cell == "gru" else (width,)
    fits = hidden_size > 0 and len(shapes[0]) == 2 and shapes[0][1] == width
    if not fits or shapes[1:] != [(hidden_size, width), bias_shape]:
        raise UserError(
            f"these are not the weights of Keras's {cell}",
            value=shapes,
            allowed=f"(I, {gates} H), (H, {gates} H), " + ("(2, 3 H)" if cell == "gru" else f"({gates} H,)"),
        )
    kernel, recurrent_kernel, bias = (_reorder(weight, cell) for weight in weights)
    named = {"weight_ih": kernel.T, "weight_hh": recurrent_kernel.T}
    named |= {"bias_ih": bias[0], "bias_hh": bias[1]} if cell == "gru" else {"bias_ih": bias}
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in named.items()}


def _reorder(weight: np.ndarray, cell: str) -> np.ndarray:
    """Put the gates on the last axis into torch's order."""
    parts = np.split(np.asarray(weight), len(GATE_PLACES[cell]), axis=-1)
    return np.concatenate([parts[place] for place in GATE_PLACES[cell]], axis=-1)
