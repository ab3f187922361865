"""What the readout says when the sequence is cut, blanked or prolonged (experiments 1 to 3, Horoi, Lajoie & Wolf)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Truncation:
    """Accuracies (fractions) of the three experiments on sequences of ``seq_len`` rows.

    Attributes
    ----------
    blank_after : ndarray (seq_len + 1,)
        Experiment 1: entry n is the accuracy at the last step when only the first n rows are shown and the rest is blank.
    stop_after : ndarray (seq_len + 1,)
        Experiment 2: entry n is the accuracy read out right after the first n rows. Entry 0 reads the zero state.
    extra_blank : ndarray (num_extra + 1,)
        Experiment 3: entry n is the accuracy after the whole sequence and n blank rows.
    """

    blank_after: np.ndarray
    stop_after: np.ndarray
    extra_blank: np.ndarray


@torch.no_grad()
def truncation(
    step: Callable[[Tensor, Tensor], Tensor],
    readout: Callable[[Tensor], Tensor],
    x: Tensor,
    y: Tensor,
    *,
    h_0: Tensor,
    blank: float = 0.0,
    num_extra: int = 500,
    batch_size: int = 500,
    on_batch: Callable[[int], None] | None = None,
) -> Truncation:
    """Run the three experiments in one pass over the prefixes.

    The state after n rows is shared by all three: experiment 2 reads it, experiment 1 sets it aside and carries it on
    through blank rows together with the states set aside before, experiment 3 carries on the last. No prefix is run twice.

    Parameters
    ----------
    step : callable
        ``step(x_t, h) -> h`` with x_t (batch, input_size) and h (batch, hidden_size).
    readout : callable
        ``readout(h) -> logits``.
    x : Tensor (n, seq_len, input_size)
    y : Tensor (n,)
    h_0 : Tensor (hidden_size,)
        The state before the first row.
    blank : float
        Value of a blank pixel: 0 for pixels in [0, 1], (0 - mean) / std for normalised ones.
    num_extra : int
        Blank rows appended in experiment 3.
    batch_size : int
        Images at a time; memory grows with ``batch_size * seq_len``.
    on_batch : callable, optional
        Told the number of images finished, for progress.
    """
    seq_len, input_size = x.shape[1:]
    blank_after = np.zeros(seq_len + 1, dtype=np.int64)
    stop_after = np.zeros(seq_len + 1, dtype=np.int64)
    extra_blank = np.zeros(num_extra + 1, dtype=np.int64)
    for images, labels in zip(x.split(batch_size), y.split(batch_size), strict=True):
        count = len(images)

        def correct(h: Tensor, labels: Tensor = labels, count: int = count) -> np.ndarray:
            hits = readout(h).argmax(1).view(-1, count) == labels
            return hits.sum(1).cpu().numpy()

        h = h_0.expand(count, -1)
        set_aside = h
        for t in range(seq_len):
            stop_after[t] += correct(h)[0]
            blank_rows = images.new_full((1, input_size), blank).expand(len(set_aside), -1)
            set_aside = torch.cat([step(blank_rows, set_aside), h := step(images[:, t], h)])
        stop_after[seq_len] += correct(h)[0]
        blank_after += correct(set_aside)
        blank_rows = images.new_full((count, input_size), blank)
        for n in range(num_extra + 1):
            extra_blank[n] += correct(h)[0]
            h = step(blank_rows, h)
        if on_batch is not None:
            on_batch(count)
    total = len(y)
    return Truncation(blank_after / total, stop_after / total, extra_blank / total)
