"""One step of a small recurrent cell and a sequence of them, in double precision.

The page's script has the same equations (rnnkit-cells.js); tests in a browser hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
"""Blocks of the weight matrices, in torch's order: reset, update, new; of an LSTM input, forget, new, output."""


def cell_shapes(cell: str, input_size: int, hidden_size: int, suffix: str = "") -> dict[str, tuple[int, ...]]:
    """Names and shapes of a cell's parameters; torch's names, without the number of the layer."""
    rows = GATES[cell] * hidden_size
    shapes: dict[str, tuple[int, ...]] = {
        "weight_ih": (rows, input_size),
        "weight_hh": (rows, hidden_size),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
    }
    return {name + suffix: shape for name, shape in shapes.items()}


def logistic(values: np.ndarray) -> np.ndarray:
    """The logistic function, without overflow."""
    result: np.ndarray = 0.5 * (1 + np.tanh(0.5 * values))
    return result


def step(cell: str, parameters: Mapping[str, np.ndarray], image: np.ndarray, state: np.ndarray) -> np.ndarray:
    """State after one more input.

    The equations are those of ``torch.nn.RNN`` (tanh), ``torch.nn.GRU`` and ``torch.nn.LSTM``.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
        Which of the three.
    parameters : mapping of str to (..) float64
        At least ``weight_hh`` (G*H, H) and ``bias_hh`` (G*H,).
    image : (..., G*H) float64
        What the input adds to the gates: ``weight_ih @ x + bias_ih``.
    state : (..., S) float64
        S is H; for an LSTM 2H, the hidden state before the cell state.

    Returns
    -------
    (..., S) float64
    """
    size = parameters["weight_hh"].shape[1]
    hidden = state[..., :size]
    inner = hidden @ parameters["weight_hh"].T + parameters["bias_hh"]
    result: np.ndarray
    if cell == "rnn":
        result = np.tanh(image + inner)
    elif cell == "gru":
        reset, update = np.split(logistic((image + inner)[..., : 2 * size]), 2, axis=-1)
        new = np.tanh(image[..., 2 * size :] + reset * inner[..., 2 * size :])
        result = (1 - update) * new + update * hidden
    else:
        let_in, keep, new, let_out = np.split(image + inner, 4, axis=-1)
        memory = logistic(keep) * state[..., size:] + logistic(let_in) * np.tanh(new)
        result = np.concatenate([logistic(let_out) * np.tanh(memory), memory], axis=-1)
    return result


def read(cell: str, parameters: Mapping[str, np.ndarray], images: np.ndarray) -> np.ndarray:
    """Every state on the way through a sequence, (T + 1, S), the zero state first.

    Parameters
    ----------
    cell, parameters
        As for :func:`step`.
    images : (T, G*H) float64
        Of each input in turn.
    """
    size = parameters["weight_hh"].shape[1] * (2 if cell == "lstm" else 1)
    states = np.zeros((len(images) + 1, size))
    for t, image in enumerate(images):
        states[t + 1] = step(cell, parameters, image, states[t])
    return states
