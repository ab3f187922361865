"""A small recurrent net reads a sentence word by word: every state on the way, and what the readout says there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

GATES = {"rnn": 1, "gru": 3}
"""Blocks of the weight matrices, in torch's order; of a GRU reset, update, new."""

LIMIT = 1.05
"""The panels show states between minus this and this; a state of either cell never leaves [-1, 1]."""


@dataclass(frozen=True)
class Walk:
    """What one net does with one sentence of T words.

    Attributes
    ----------
    states : (T + 1, H) float64
        Hidden states, the zero state first.
    margins : (T + 1,) float64
        Logit of positive minus logit of negative; above 0 the net says positive.
    """

    states: np.ndarray
    margins: np.ndarray

    @property
    def positive(self) -> np.ndarray:
        """Probability of positive after each word, (T + 1,)."""
        return 0.5 * (1 + np.tanh(0.5 * self.margins))  # the logistic function, without overflow


def shapes(cell: str, vocabulary_size: int, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a net's parameters: an embedding, a cell with torch's names, a readout of two logits."""
    rows = GATES[cell] * hidden_size
    return {
        "embedding": (vocabulary_size, input_size),
        "weight_ih": (rows, input_size),
        "weight_hh": (rows, hidden_size),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
        "weight_out": (2, hidden_size),
        "bias_out": (2,),
    }


def walk(cell: str, parameters: Mapping[str, np.ndarray], words: Sequence[int] | np.ndarray) -> Walk:
    """Read a sentence with one net, in double precision.

    The equations are those of ``torch.nn.RNN`` (tanh) and ``torch.nn.GRU``.

    Parameters
    ----------
    cell : {"rnn", "gru"}
        Which of the two.
    parameters : mapping of str to array
        As :func:`shapes`; of the two logits the second stands for positive.
    words : (T,) int
        Rows of the embedding.

    Returns
    -------
    Walk
    """
    p = {name: np.asarray(values, dtype=np.float64) for name, values in parameters.items()}
    images = p["embedding"] @ p["weight_ih"].T + p["bias_ih"]  # (V, G H)
    size = p["weight_hh"].shape[1]
    states = np.zeros((len(words) + 1, size))
    for t, word in enumerate(words):
        image, inner = images[word], p["weight_hh"] @ states[t] + p["bias_hh"]
        if cell == "rnn":
            states[t + 1] = np.tanh(image + inner)
            continue
        reset, update = 0.5 * (1 + np.tanh(0.5 * (image + inner)[: 2 * size].reshape(2, size)))
        new = np.tanh(image[2 * size :] + reset * inner[2 * size :])
        states[t + 1] = (1 - update) * new + update * states[t]
    normal, offset = boundary(p)
    return Walk(states, states @ normal + offset)


def boundary(parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, float]:
    """Normal (H,) and offset of the readout's margin: positive where ``normal @ h + offset > 0``."""
    weight, bias = (np.asarray(parameters[name], dtype=np.float64) for name in ("weight_out", "bias_out"))
    return weight[1] - weight[0], float(bias[1] - bias[0])


def half_plane(normal: np.ndarray, offset: float, limit: float = LIMIT) -> np.ndarray:
    """Corners (k, 2) of the part of the square ``[-limit, limit]²`` where ``normal @ h + offset > 0``.

    The edges are cut one by one; k is 0 where that part is empty.
    """
    square = limit * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    corners: list[np.ndarray] = []
    for here, there in zip(square, np.roll(square, -1, axis=0), strict=True):
        inside, next_inside = (float(normal @ point) + offset for point in (here, there))
        if inside > 0:
            corners.append(here)
        if (inside > 0) != (next_inside > 0):
            corners.append(here + (there - here) * inside / (inside - next_inside))
    return np.array(corners).reshape(-1, 2)
