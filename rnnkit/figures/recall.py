"""Naming the digit at a position of a sequence (section 3.2, Anirudh R): bidirectional LSTMs of several sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.by_seed import bind_panels, by_size, curve_panels, place_of
from rnnkit.figures.cells import place
from rnnkit.figures.curves import counted_seeds
from rnnkit.figures.frame import mean_and_range, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import Key, Keyed, all_said, entries, keyed, said, smooth, stacked, thin
from rnnkit.figures.nets import mean
from rnnkit.figures.theme import NEUTRAL

FIRST_LENGTH = 3
_CELL = "bilstm"
_CHANCE = 0.1
_PARTS = ("hidden size", "read-out")
_POINTS = 300
_LEAST = 1e-5  # of a loss, on a logarithmic axis
_LATE = 100  # steps at the end that the table averages
_CAPTION = "Line: mean over seeds; band: lowest to highest seed."


def recall_accuracy(test_accuracy: Keyed, paper: Mapping[int, float]) -> Interactive:
    """Draw the test accuracy of every seed by hidden size and read-out after every epoch, beside the report's.

    Parameters
    ----------
    test_accuracy : mapping of (int, str) to ndarray (n_seeds, num_epochs + 1)
        By hidden size and read-out, a fraction; the first column is before training.
    paper : mapping of int to float
        By hidden size, what the report says; a size may be missing.

    Raises
    ------
    ValueError
        When nothing is there, or a key or an array does not fit.
    """
    found = keyed("test accuracy", test_accuracy, *_PARTS)
    sizes, readouts, values = _arranged(found)  # (size, read-out, seed, epoch)
    middle = (len(readouts) - 1) / 2
    theirs = [
        (place_of(middle, k, len(readouts)), float(paper[s])) for k, s in enumerate(sizes) if s in paper
    ]
    told = ", ".join(f"{percent(paper[size])} for {size}" for size in sizes if size in paper)
    ends = "; ".join(
        f"{_key_said(key)} {mean_and_range(100 * own[:, -1], '.1f')} %" for key, own in found.items()
    )
    return by_size(
        np.swapaxes(values, 0, 1)[None],
        cells=[_CELL],
        series=all_said(readouts),
        sizes=sizes,
        paper=theirs,
        alt=f"Test accuracy by hidden size and read-out, a dot for each of {values.shape[2]} seeds. After the last "
        f"epoch, mean [least, most]: {ends}. The report: {told or 'nothing'}.",
        table=_accuracy_table(found, paper),
        caption="One dot per seed, the bar is their mean; open diamond: the report, which does not name the read-out.",
    )


def _arranged(found: Mapping[Key, np.ndarray]) -> tuple[list[int], list[str], np.ndarray]:
    sizes, readouts = sorted(entries(found, 0)), entries(found, 1)
    return sizes, readouts, stacked(found, sizes, readouts)


def _key_said(key: Key) -> str:
    return f"hidden size {key[0]}, {said(key[1])}"


def _names(found: Mapping[Key, np.ndarray]) -> dict[str, list[Any]]:
    return {
        "hidden size": [size for size, _ in found],
        "read-out": [said(readout) for _, readout in found],
        "seeds": [len(values) for values in found.values()],
    }


def _accuracy_table(found: Mapping[Key, np.ndarray], paper: Mapping[int, float]) -> dict[str, list[Any]]:
    table = _names(found)
    for epoch in range(next(iter(found.values())).shape[1]):
        title = f"epoch {epoch}, %: mean [least, most]"
        table[title] = [mean_and_range(100 * own[:, epoch], ".1f") for own in found.values()]
    return table | {"the report": [percent(paper[size]) if size in paper else "–" for size, _ in found]}


def recall_lengths(accuracy_by_length: Keyed, *, first_length: int = FIRST_LENGTH) -> Interactive:
    """Draw the accuracy against the length of the sequence, read-outs side by side.

    Parameters
    ----------
    accuracy_by_length : mapping of (int, str) to ndarray (n_seeds, L)
        By hidden size and read-out, a fraction.
    first_length : int
        Length of the first column; each further one is longer by 1.

    Raises
    ------
    ValueError
        As :func:`recall_accuracy`.
    """
    found = keyed("accuracy by length", accuracy_by_length, *_PARTS)
    sizes, readouts, values = _arranged(found)
    lengths = first_length + np.arange(values.shape[-1])
    frame = {
        "x": {
            "title": {"text": "length"},
            "range": [lengths[0] - 0.4, lengths[-1] + 0.4],
            "dtick": 1,
            "tickangle": 0,
        },
        "y": {"title": {"text": "accuracy"}, "range": [-0.02, 1.03], "tickformat": ".0%"},
    }
    fig, firsts = curve_panels(lengths, values[0], titles=all_said(readouts), cell=_CELL, frame=frame)
    for panel, first in enumerate(firsts):
        fig.data[first].update(mode="lines+markers", hovertemplate="length %{x}: %{y:.1%}<extra></extra>")
        fig.add_shape(_level(_CHANCE, panel))
    told = "; ".join(
        f"{_key_said(key)} {percent(mean(own[:, 0]))} and {percent(mean(own[:, -1]))}"
        for key, own in found.items()
    )
    figure = Interactive(
        fig,
        alt=f"Accuracy by length of the sequence, mean and range {counted_seeds(values.shape[2])}. Mean at "
        f"lengths {lengths[0]} and {lengths[-1]}: {told}.",
        table=_names(found)
        | {
            f"length {length}, %": [mean_and_range(100 * own[:, i], ".1f") for own in found.values()]
            for i, length in enumerate(lengths)
        },
        caption=f"{_CAPTION} Dotted: chance.",
    )
    figure.select("size", "Hidden size", sizes)
    return bind_panels(figure, firsts, values, over=("size",))


def _level(value: float, panel: int) -> dict[str, Any]:
    """A dotted line at a value of y through a panel."""
    number = place(panel)
    across = {"x0": 0, "x1": 1, "xref": f"x{number} domain", "y0": value, "y1": value, "yref": f"y{number}"}
    return {"type": "line", "line": {"color": NEUTRAL, "dash": "dot", "width": 1.5}, **across}


def recall_curves(loss: Keyed, *, every: int = 1, window: int = 20) -> Interactive:
    """Draw the training loss by step on a logarithmic axis, read-outs side by side (Fig. 32 to 37).

    Parameters
    ----------
    loss : mapping of (int, str) to ndarray (n_seeds, steps)
        By hidden size and read-out, in nats.
    every : int
        Steps that each of them is already the mean of.
    window : int
        Of these over which the loss is averaged; then at most 300 of the points are drawn.

    Raises
    ------
    ValueError
        As :func:`recall_accuracy`, or when the window is empty.
    """
    if window < 1 or every < 1:
        raise ValueError(f"window and every: at least 1 step, not {window} and {every}")
    found = keyed("loss", loss, *_PARTS, shares=False)
    sizes, readouts, values = _arranged(found)
    at = thin(values.shape[-1], _POINTS)
    shown = np.maximum(smooth(values, window)[..., at], _LEAST)
    ends = (
        np.log10([np.nanmin(shown), np.nanmax(shown)]) if (~np.isnan(shown)).any() else np.array([-1.0, 1.0])
    )
    frame = {
        "x": {"title": {"text": "step"}, "range": [0, every * values.shape[-1]], "nticks": 4, "tickangle": 0},
        "y": {
            "type": "log",
            "title": {"text": "training loss"},
            "range": [float(ends[0]) - 0.1, float(ends[1]) + 0.1],
            "dtick": 1,
        },
    }
    fig, firsts = curve_panels(
        every * (at + 1.0), shown[0], titles=all_said(readouts), cell=_CELL, frame=frame
    )
    for first in firsts:
        fig.data[first].hovertemplate = "step %{x}: %{y:.3g}<extra></extra>"
    last = {key: mean(own[:, -max(1, _LATE // every) :], axis=1) for key, own in found.items()}
    told = "; ".join(f"{_key_said(key)} {mean_and_range(own)}" for key, own in last.items())
    figure = Interactive(
        fig,
        alt=f"Training loss by step on a logarithmic axis, mean and range {counted_seeds(values.shape[2])}. Over "
        f"the last {_LATE} steps, mean [least, most]: {told}.",
        table=_names(found)
        | {f"loss over the last {_LATE} steps": [mean_and_range(own) for own in last.values()]},
        caption=f"{_CAPTION} Each point is a mean over {every * window} steps.",
    )
    figure.select("size", "Hidden size", sizes)
    return bind_panels(figure, firsts, shown, over=("size",))
