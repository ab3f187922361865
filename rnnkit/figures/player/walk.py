"""A small recurrent net reads a sentence word by word: every state on the way, and what the readout says there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnkit.figures.stepping import cell_shapes, logistic, read


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
        return logistic(self.margins)


def shapes(cell: str, vocabulary_size: int, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a net's parameters: an embedding, a cell with torch's names, a readout of two logits."""
    return {
        "embedding": (vocabulary_size, input_size),
        **cell_shapes(cell, input_size, hidden_size),
        "weight_out": (2, hidden_size),
        "bias_out": (2,),
    }


def walk(cell: str, parameters: Mapping[str, np.ndarray], words: Sequence[int] | np.ndarray) -> Walk:
    """Read a sentence with one net, in double precision.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
        Which of the three.
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
    states = read(cell, p, images[np.asarray(words, dtype=np.int64)])[:, : p["weight_hh"].shape[1]]
    normal, offset = boundary(p)
    return Walk(states, states @ normal + offset)


def boundary(parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, float]:
    """Normal (H,) and offset of the readout's margin: positive where ``normal @ h + offset > 0``."""
    weight, bias = (np.asarray(parameters[name], dtype=np.float64) for name in ("weight_out", "bias_out"))
    return weight[1] - weight[0], float(bias[1] - bias[0])
