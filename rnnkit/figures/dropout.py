"""Two readings of one word: dropout of what the readout sees, or of what the cell reads (Section II.C, Irisarri)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.curves import add_seeds, bind_curve, color_by_net, counted_seeds, curve_traces, layout
from rnnkit.figures.frame import listed, net_name, net_names, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, finite, mean, number, present, require_axes
from rnnkit.figures.theme import NEUTRAL, net_color

SUFFIX = "-input"
METRICS = {"train_accuracy": "training", "valid_accuracy": "validation"}
_PLACES = ("before the readout", "of the input")
_CEILING = "ceiling of the input's dropout"


def readings(nets: Nets, ceilings: Mapping[str, float], seeds: Sequence[int] | None = None) -> Interactive:
    """Draw training and validation accuracy by epoch under both readings, for the cell that a reader picks.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``train_accuracy`` and ``valid_accuracy`` (n_seeds, num_epochs). Beside a net ``rnn`` there is, or is
        not, its variant ``rnn-input``. Nets without curves are left out, and so are cells without a variant.
    ceilings : mapping of str to float
        By cell (``rnn``), the highest training accuracy that dropout of the input allows.
    seeds : sequence of int, optional
        Names of the seeds; 0, 1, 2 ... if not given.

    Raises
    ------
    ValueError
        When no cell has both, or a shape is another one.
    """
    import plotly.graph_objects as go

    found = present(nets, *METRICS)
    cells = [net for net in found if net + SUFFIX in found]
    if not cells:
        raise ValueError(f"no net has a variant NET{SUFFIX} beside it; nets given: {', '.join(found)}")
    pairs = [(cell, cell + SUFFIX) for cell in cells]
    shaped = {net: _curves(net, found[net]) for pair in pairs for net in pair}
    longest = max(own.shape[-1] for own in shaped.values())
    most = max(own.shape[1] for own in shaped.values())
    epochs, names = (
        np.arange(1, longest + 1),
        [f"{kind}, dropout {where}" for where in _PLACES for kind in METRICS.values()],
    )
    traces: list[Any] = []
    for i, name in enumerate(names):
        color = net_color(pairs[0][i // 2])
        hover = "epoch %{x}: %{y:.2%}<extra>" + name + "</extra>"
        traces += curve_traces(name, epochs, color, dash=("solid", "dash")[i % 2], hovertemplate=hover)
    line = {"color": NEUTRAL, "dash": "dot", "width": 2}
    traces.append(
        go.Scatter(name=_CEILING, x=[0.5, longest + 0.5], mode="lines", line=line, hoverinfo="skip")
    )
    if longest < 8:
        for trace in traces[1:-1:2]:
            trace.mode = "lines+markers"
    frame = layout(
        "epoch",
        "accuracy",
        xaxis={"range": [0.5, longest + 0.5]},
        yaxis={"range": [0, 1.01], "tickformat": ".0%"},
    )
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=_alt(pairs, shaped, ceilings, most),
        table=_table(pairs, shaped, ceilings),
        caption="Solid: training, measured with dropout; dashed: validation, without. Dotted: what training can reach "
        "at most where dropout blanks a share of the images.",
    )
    figure.select("net", "Net", net_names(cells)).select("zoom", "Axis", ["whole", "close up"])
    add_seeds(figure, list(range(most)) if seeds is None else seeds)
    for i, name in enumerate(names):
        drawn = [pair[i // 2] for pair in pairs]
        bind_curve(
            figure,
            name,
            np.stack([_padded(shaped[net][i % 2], most, longest) for net in drawn]),
            over=("net",),
        )
        color_by_net(figure, name, drawn)
    height = [ceilings.get(cell, np.nan) for cell in cells]
    figure.bind(_CEILING, "y", np.repeat(np.array(height, dtype=float)[:, None], 2, axis=1), over="net")
    return figure.bind_layout(
        "yaxis.range", [[[0, 1.01], _close_up(pair, shaped)] for pair in pairs], over=("net", "zoom")
    )


def _curves(net: str, arrays: Mapping[str, Any]) -> np.ndarray:
    """Training and validation, (2, n_seeds, epochs)."""
    return np.stack([finite(require_axes(f"{net}, {m}", arrays[m], "seeds", "epochs")) for m in METRICS])


def _padded(values: np.ndarray, seeds: int, epochs: int) -> np.ndarray:
    room = [(0, seeds - values.shape[0]), (0, epochs - values.shape[1])]
    return np.pad(values, room, constant_values=np.nan)


def _end(values: np.ndarray) -> float:
    return float(mean(values[:, -1]))


def _close_up(pair: tuple[str, str], shaped: Mapping[str, np.ndarray]) -> list[float]:
    """Where the four curves end, with half as much below."""
    ends = np.array([_end(own) for net in pair for own in shaped[net]])
    low = float(np.nanmin(ends)) if (~np.isnan(ends)).any() else 0.0
    return [max(0.0, 1 - 1.5 * (1 - low)), 1.005]


def _alt(
    pairs: Sequence[tuple[str, str]],
    shaped: Mapping[str, np.ndarray],
    ceilings: Mapping[str, float],
    most: int,
) -> str:
    told = {}
    for base, variant in pairs:
        ends = [" and ".join(percent(_end(own)) for own in shaped[net]) for net in (base, variant)]
        top = f", the ceiling being {percent(ceilings[base])}" if base in ceilings else ""
        told[base] = f"{ends[0]} with dropout before the readout, {ends[1]} with dropout of the input{top}"
    return (
        f"Training and validation accuracy by epoch under two readings of dropout, mean and range "
        f"{counted_seeds(most)}. Training and validation at the end: {listed(told)}."
    )


def _table(
    pairs: Sequence[tuple[str, str]], shaped: Mapping[str, np.ndarray], ceilings: Mapping[str, float]
) -> dict[str, list[Any]]:
    rows = [(pair, i) for pair in pairs for i in range(2)]
    return {
        "net": [net_name(pair[0]) for pair, _ in rows],
        "dropout": [_PLACES[i] for _, i in rows],
        "epochs": [shaped[pair[i]].shape[-1] for pair, i in rows],
        "training accuracy": [number(_end(shaped[pair[i]][0])) for pair, i in rows],
        "validation accuracy": [number(_end(shaped[pair[i]][1])) for pair, i in rows],
        "ceiling of training": [number(ceilings.get(pair[0])) if i else None for pair, i in rows],
    }
