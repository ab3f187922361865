"""A bidirectional LSTM reads digits: what it would say if they ended here, after each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnkit.figures.stepping import cell_shapes, read, step

READOUTS = ("last", "final")
"""Which state of the backward direction is read out: after one step from the end, or after all of them."""

CLASSES = 10


@dataclass(frozen=True)
class Recall:
    """What one net makes of T digits.

    Attributes
    ----------
    beliefs : (T, 10) float64
        Row t: probability of each digit, had the sequence ended after its first t + 1 digits.
    """

    beliefs: np.ndarray

    @property
    def said(self) -> np.ndarray:
        """The most probable digit in each row, (T,) int."""
        return self.beliefs.argmax(axis=1)


def shapes(hidden_size: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a net's parameters: both directions of the LSTM, and a readout that sees both."""
    return {
        **cell_shapes("lstm", CLASSES, hidden_size),
        **cell_shapes("lstm", CLASSES, hidden_size, "_reverse"),
        "weight_out": (CLASSES, 2 * hidden_size),
        "bias_out": (CLASSES,),
    }


def recall(readout: str, parameters: Mapping[str, np.ndarray], digits: Sequence[int] | np.ndarray) -> Recall:
    """Let one net read every beginning of a sequence, in double precision.

    The forward direction goes on from digit to digit. The backward one starts anew for each beginning, at its end:
    there ``output[:, -1]`` of ``torch.nn.LSTM`` holds its state after one step (``"last"``), ``h_n`` its state after
    all of them (``"final"``).

    Parameters
    ----------
    readout : {"last", "final"}
        Which of the two.
    parameters : mapping of str to array
        As :func:`shapes`; the readout takes the forward half first.
    digits : (T,) int
        Each in 0..9.

    Returns
    -------
    Recall
    """
    p = {name: np.asarray(values, dtype=np.float64) for name, values in parameters.items()}
    size, digits = p["weight_hh"].shape[1], np.asarray(digits, dtype=np.int64)
    onward = read("lstm", p, _images(p, digits))[1:, :size]
    back = {name.removesuffix("_reverse"): p[name] for name in p if name.endswith("_reverse")}
    images = _images(back, digits)
    if readout == "last":
        backward = step("lstm", back, images, np.zeros((len(digits), 2 * size)))
    else:
        ends = [read("lstm", back, images[t::-1])[-1] for t in range(len(digits))]
        backward = np.array(ends).reshape(-1, 2 * size)
    logits = np.concatenate([onward, backward[:, :size]], axis=1) @ p["weight_out"].T + p["bias_out"]
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Recall(weights / weights.sum(axis=1, keepdims=True))


def _images(parameters: Mapping[str, np.ndarray], digits: np.ndarray) -> np.ndarray:
    """What each digit, one-hot, adds to the gates, (T, 4 H)."""
    images: np.ndarray = parameters["weight_ih"].T[digits] + parameters["bias_ih"]
    return images
