"""Adding two binary numbers bit by bit (section 3.3, Anirudh R): three cells, three sizes, three losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.by_seed import bind_panels, by_size, curve_panels, place_of
from rnnkit.figures.cells import axes
from rnnkit.figures.curves import counted_seeds
from rnnkit.figures.frame import mean_and_range, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import Key, Keyed, all_said, entries, keyed, said, stacked, upright
from rnnkit.figures.nets import mean
from rnnkit.figures.theme import NEUTRAL

TRAINED_LENGTH = 5
MEASURES = ("bits right", "whole sums right")
PARTS = ("cell", "hidden size", "loss")
_TABLED = (1, 3, 5, 6, 10, 20, 40, 64)


def addition_accuracy(test_accuracy: Keyed, paper: Mapping[tuple[int, str], float]) -> Interactive:
    """Draw the bit accuracy of every seed by cell, hidden size and loss after every epoch, beside the report's.

    Parameters
    ----------
    test_accuracy : mapping of (str, int, str) to ndarray (n_seeds, num_epochs + 1)
        By cell, hidden size and loss, a fraction; the first column is before training.
    paper : mapping of (int, str) to float
        By hidden size and ``bce`` or ``mse``, what the report says. It does not name the cell, nor which MSE.

    Raises
    ------
    ValueError
        When nothing is there, or a key or an array does not fit.
    """
    found = keyed("test accuracy", test_accuracy, *PARTS)
    cells, sizes, losses, values = _arranged(found)  # (cell, size, loss, seed, epoch)
    theirs = [
        (place_of(j, k, len(losses)), float(paper[size, loss.split("-")[0]]))
        for k, size in enumerate(sizes)
        for j, loss in enumerate(losses)
        if (size, loss.split("-")[0]) in paper
    ]
    ends = "; ".join(
        f"{key_said(key)} {mean_and_range(100 * own[:, -1], '.1f')} %" for key, own in found.items()
    )
    told = ", ".join(
        f"{percent(value)} for {size} and {loss.upper()}" for (size, loss), value in paper.items()
    )
    return by_size(
        np.swapaxes(values, 1, 2),
        cells=cells,
        series=all_said(losses),
        sizes=sizes,
        paper=theirs,
        alt=f"Share of bits right on test sums of the trained length, a dot for each of {values.shape[3]} seeds, "
        f"by cell, hidden size and loss. After the last epoch, mean [least, most]: {ends}. "
        f"The report: {told or 'nothing'}.",
        table=_accuracy_table(found, paper),
        caption="One dot per seed, the bar is their mean; open diamond: the report, which names neither the cell nor "
        "which MSE.",
    )


def _arranged(found: Mapping[Key, np.ndarray]) -> tuple[list[str], list[int], list[str], np.ndarray]:
    cells, sizes, losses = entries(found, 0), sorted(entries(found, 1)), entries(found, 2)
    return cells, sizes, losses, stacked(found, cells, sizes, losses)


def key_said(key: Key) -> str:
    """How a net of this task is called, from its cell, hidden size and loss."""
    return f"{said(key[0])} {key[1]} {said(key[2])}"


def named(keys: Sequence[Key]) -> dict[str, list[Any]]:
    """The first columns of a table of nets."""
    return {
        "cell": [said(cell) for cell, _, _ in keys],
        "hidden size": [size for _, size, _ in keys],
        "loss": [said(loss) for _, _, loss in keys],
    }


def _accuracy_table(
    found: Mapping[Key, np.ndarray], paper: Mapping[tuple[int, str], float]
) -> dict[str, list[Any]]:
    table = named(list(found)) | {"seeds": [len(own) for own in found.values()]}
    for epoch in range(next(iter(found.values())).shape[1]):
        title = f"epoch {epoch}, %: mean [least, most]"
        table[title] = [mean_and_range(100 * own[:, epoch], ".1f") for own in found.values()]
    theirs = [paper.get((size, loss.split("-")[0])) for _, size, loss in found]
    return table | {"the report": ["–" if value is None else percent(value) for value in theirs]}


def addition_lengths(length_accuracy: Keyed, whole_accuracy: Keyed | None = None) -> Interactive:
    """Draw the share of bits, or of whole sums, that are right against the length of the numbers (Fig. 50 to 55).

    Parameters
    ----------
    length_accuracy : mapping of (str, int, str) to ndarray (n_seeds, L)
        By cell, hidden size and loss: share of bits right at lengths 1 to L.
    whole_accuracy : the same, optional
        Share of sums right in every bit.

    Raises
    ------
    ValueError
        As :func:`addition_accuracy`, or when the two have other nets.
    """
    found = [keyed("bits right", length_accuracy, *PARTS)]
    if whole_accuracy is not None:
        found.append(keyed("whole sums right", whole_accuracy, *PARTS))
        if {key: own.shape for key, own in found[0].items()} != {
            key: own.shape for key, own in found[1].items()
        }:
            raise ValueError("whole sums right: the nets, seeds and lengths of the bits are needed")
    measures = MEASURES[: len(found)]
    cells, sizes, losses, values = _arranged(found[0])
    shown = np.stack(
        [stacked(own, cells, sizes, losses) for own in found]
    )  # (measure, cell, size, loss, seed, length)
    lengths = np.arange(1, values.shape[-1] + 1)
    longest = int(lengths[-1])
    frame = {
        "x": {
            "title": {"text": "length"},
            "range": [0, longest + 1],
            "nticks": 4,
            "zeroline": False,
            "tickangle": 0,
        },
        "y": {"title": {"text": measures[0]}, "range": [-0.02, 1.03], "tickformat": ".0%"},
    }
    titles = [said(loss) for loss in losses]
    fig, firsts = curve_panels(lengths, values[0, 0], titles=titles, cell=cells[0], frame=frame, seeds=True)
    fig.update_layout(shapes=[upright(TRAINED_LENGTH, panel) for panel in range(len(losses))])
    fig.add_traces([_chance_trace(lengths, panel) for panel in range(len(losses))])
    for first in firsts:
        fig.data[first].hovertemplate = "length %{x}: %{y:.1%}<extra></extra>"
    figure = Interactive(
        fig,
        alt=_lengths_alt(found, longest),
        table=_lengths_table(found, longest),
        caption=f"Thick: mean over seeds; thin: seeds; band: lowest to highest. Upright: trained at "
        f"length {TRAINED_LENGTH}; dashed: chance.",
    )
    figure.select("cell", "Cell", all_said(cells)).select("size", "Hidden size", sizes)
    figure.select("measure", "Show", measures)
    bind_panels(figure, firsts, shown, ("measure", "cell", "size"), cells)
    chance = np.stack([np.full(longest, 0.5), 0.5 ** (lengths + 1.0)])[: len(measures)]
    for panel in range(len(losses)):
        figure.bind(_chance_name(panel), "y", chance, over="measure")
    return figure.bind_layout("yaxis.title.text", measures, over="measure")


def _chance_name(panel: int) -> str:
    return "chance" if panel == 0 else f"chance, panel {panel + 1}"


def _chance_trace(lengths: np.ndarray, panel: int) -> Any:
    import plotly.graph_objects as go

    line = {"color": NEUTRAL, "width": 1.5, "dash": "dash"}
    quiet = {"showlegend": panel == 0, "legendgroup": "chance", "hoverinfo": "skip"}
    return go.Scatter(name=_chance_name(panel), x=lengths, mode="lines", line=line, **quiet, **axes(panel))


def _at(longest: int) -> list[int]:
    return [length for length in _TABLED if length <= longest]


def _lengths_alt(found: Sequence[Mapping[Key, np.ndarray]], longest: int) -> str:
    seeds = max(len(own) for own in found[0].values())

    def told(key: Key, own: np.ndarray) -> str:
        said_ = [percent(mean(own[:, length - 1])) for length in (min(TRAINED_LENGTH, longest), longest)]
        return f"{key_said(key)} {said_[0]} and {said_[1]}"

    return (
        f"Share of bits right against the length of the numbers, losses side by side, mean, range and single seeds "
        f"{counted_seeds(seeds)}. Mean at lengths {min(TRAINED_LENGTH, longest)} and {longest}: "
        f"{'; '.join(told(key, own) for key, own in found[0].items())}."
    )


def _lengths_table(found: Sequence[Mapping[Key, np.ndarray]], longest: int) -> dict[str, list[Any]]:
    table = named(list(found[0]))
    for measure, values in zip(MEASURES, found, strict=False):
        for length in _at(longest):
            table[f"{measure} at length {length}, %"] = [
                mean_and_range(100 * own[:, length - 1], ".1f") for own in values.values()
            ]
    return table
