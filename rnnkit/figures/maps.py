"""t-SNE maps of hidden states: through time (Figs. 4 to 6, Horoi, Lajoie & Wolf) and under other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.frame import EARLY_STEP, bare_axis, listed, net_name, net_names, percent, rows
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import certainty_colorscale, digit_colorscale, digit_marker

GRID = 1000  # a map's half width; 2000 positions are more than a screen tells apart
_SURENESS = 16  # 1/255 steps of certainty that share a colour: nobody sees finer ones, and they compress well
_CHANCE, _SURE = 26, 255
_SEEN, _FAINT = 0.85, 0.06  # opacity of the digits shown, and of the others
_COLOURS = ("digit", "class the readout names", "its certainty")
_DIGIT_TICKS = [list(range(10)), [str(digit) for digit in range(10)]]
_SURE_TICKS = [[_CHANCE, 128, _SURE], ["10 %", "50 %", "100 %"]]


def on_grid(maps: np.ndarray) -> np.ndarray:
    """Maps (..., n, 2) on a grid of whole numbers, each scaled to fill it: (..., n, 2) int64.

    Units of a t-SNE map mean nothing; only that x and y share one scale does.
    """
    maps = np.asarray(maps, dtype=np.float64)
    farthest = np.abs(maps).max(axis=(-2, -1), keepdims=True)
    return np.rint(maps * (GRID / np.maximum(farthest, 1e-12))).astype(np.int64)


def map_layout(height: int = 520, **extra: Any) -> dict[str, Any]:
    """Layout of one map: equal, fixed and bare axes."""
    edge = [-1.04 * GRID, 1.04 * GRID]
    return {
        "height": height,
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": bare_axis(range=edge, constrain="domain"),
        "yaxis": bare_axis(range=edge, scaleanchor="x", constrain="domain"),
        "margin": {"l": 8, "r": 8, "b": 24},
        **extra,
    }


def points(labels: np.ndarray, **extra: Any) -> Any:
    """Trace of the points of a map, larger where they are few; a hover names the digit."""
    import plotly.graph_objects as go

    size = 4 if len(labels) >= 2000 else 6
    return go.Scattergl(
        mode="markers",
        marker=digit_marker(size=size, opacity=0.85),
        customdata=np.asarray(labels, dtype=np.int64),
        hovertemplate="digit %{customdata}<extra></extra>",
        **extra,
    )


def maps_through_time(
    embedding: Mapping[str, np.ndarray],
    labels: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    confidence: Mapping[str, np.ndarray],
) -> Interactive:
    """One map per row read, each started from the last, so that points can be followed.

    Parameters
    ----------
    embedding : mapping of str to ndarray (S, n, 2)
        By net; the first is shown first.
    labels : ndarray (n,)
        Digit of each image.
    predicted : mapping of str to ndarray (S, n)
        Class that the net's readout names after each row.
    confidence : mapping of str to ndarray (S, n)
        Softmax of that class in 1/255.

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    nets, labels = list(embedding), np.asarray(labels).astype(np.int64)
    named = np.stack([predicted[net] for net in nets]).astype(np.int64)
    sure = np.stack([confidence[net] for net in nets]).astype(np.int64)
    coordinates = np.stack([on_grid(embedding[net]) for net in nets])
    seq_len = named.shape[1]
    right = (named == labels).mean(2)
    figure = Interactive(
        go.Figure(points(labels, name="images"), layout=map_layout()),
        alt=_through_time_alt(nets, len(labels), right, sure.mean(2) / 255),
        table=_through_time_table(nets, right, sure.mean(2) / 255),
        caption="Each point is one test image; nearby points have similar hidden states. Every map is scaled to fit.",
    )
    figure.slider("row", "Rows read", rows(seq_len), start=min(EARLY_STEP, seq_len) - 1)
    figure.select("colour", "Colour by", _COLOURS).select("net", "Net", net_names(nets))
    figure.bind(0, "x", coordinates[..., 0], over=("net", "row"))
    figure.bind(0, "y", coordinates[..., 1], over=("net", "row"))
    coarse = np.clip(np.rint(sure / _SURENESS).astype(np.int64) * _SURENESS, 0, 255)
    colors = np.stack([np.broadcast_to(labels, named.shape), named, coarse])
    figure.bind(0, "marker.color", colors, over=("colour", "net", "row"))
    everyone, alone = np.ones((1, len(labels)), bool), np.arange(10)[:, None] == labels
    figure.select("shown", "Show", ["all digits", *map(str, range(10))])
    figure.bind(0, "marker.opacity", np.where(np.concatenate([everyone, alone]), _SEEN, _FAINT), over="shown")
    return _bind_scales(figure)


def _bind_scales(figure: Interactive) -> Interactive:
    """Digits and named classes share a scale of ten steps; certainty runs from chance to sure."""
    ticks = [_DIGIT_TICKS, _DIGIT_TICKS, _SURE_TICKS]
    settings: dict[str, list[Any]] = {
        "colorscale": [digit_colorscale(), digit_colorscale(), certainty_colorscale()],
        "cmin": [-0.5, -0.5, _CHANCE],
        "cmax": [9.5, 9.5, _SURE],
        "colorbar.tickvals": [values for values, _ in ticks],
        "colorbar.ticktext": [texts for _, texts in ticks],
        "colorbar.title.text": ["digit", "named", "certainty"],
    }
    for attr, values in settings.items():
        figure.bind_values(0, f"marker.{attr}", values, over="colour")
    return figure


def _through_time_alt(nets: list[str], count: int, right: np.ndarray, sure: np.ndarray) -> str:
    early = min(EARLY_STEP, right.shape[1])
    shares = {
        net: f"{percent(right[i, early - 1])} after row {early}, {percent(right[i, -1])} after the last"
        for i, net in enumerate(nets)
    }
    return (
        f"t-SNE maps of the hidden states of {count} test images after each of {right.shape[1]} rows, for "
        f"{len(nets)} nets, coloured by digit, by the class that the readout names, or by its certainty. "
        f"The readout names the right digit for: {listed(shares)}. The mean certainty ({net_name(nets[0])}) goes from "
        f"{percent(sure[0, early - 1])} to {percent(sure[0, -1])}."
    )


def _through_time_table(nets: list[str], right: np.ndarray, sure: np.ndarray) -> dict[str, Any]:
    table: dict[str, Any] = {"rows read": range(1, right.shape[1] + 1)}
    for i, net in enumerate(nets):
        table[f"{net}: named rightly"] = right[i].round(4)
        table[f"{net}: mean certainty"] = sure[i].round(4)
    return table


def map_variants(
    maps: np.ndarray,
    labels: np.ndarray,
    map_purity: np.ndarray,
    state_purity: np.ndarray,
    *,
    steps: np.ndarray,
    perplexities: np.ndarray,
    seeds: np.ndarray,
) -> Interactive:
    """The same states mapped under several perplexities and t-SNE seeds.

    Parameters
    ----------
    maps : ndarray (n_steps, n_perplexities, n_seeds, n, 2)
    labels : ndarray (n,)
    map_purity : ndarray (n_steps, n_perplexities, n_seeds)
        Share of a point's neighbours in the map that are of its digit.
    state_purity : ndarray (n_steps,)
        The same among the states themselves.
    steps, perplexities, seeds : ndarray
        What the leading axes stand for; steps count rows read.

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    labels = np.asarray(labels).astype(np.int64)
    kept = np.unique(steps, return_index=True)[1]  # short images: half of them may be the early step itself
    maps, map_purity, state_purity, steps = (
        np.asarray(array)[kept] for array in (maps, map_purity, state_purity, steps)
    )
    coordinates = on_grid(maps)
    figure = Interactive(
        go.Figure(points(labels, name="images"), layout=map_layout()),
        alt=_variants_alt(len(labels), map_purity, state_purity, steps, perplexities, seeds),
        table=_variants_table(map_purity, state_purity, steps, perplexities, seeds),
    )
    figure.select("step", "Rows read", list(steps), start=len(steps) - 1)
    figure.select("perplexity", "Perplexity", list(perplexities), start=len(perplexities) // 2)
    figure.select("seed", "t-SNE seed", list(seeds))
    over = ("step", "perplexity", "seed")
    figure.bind(0, "x", coordinates[..., 0], over=over).bind(0, "y", coordinates[..., 1], over=over)
    figure.figure.data[0].marker.color = labels
    titles = [
        [
            [
                f"Neighbours of the same digit: {percent(p)} in the map, {percent(s)} among the states"
                for p in row
            ]
            for row in block
        ]
        for block, s in zip(map_purity, state_purity, strict=True)
    ]
    return figure.bind_layout("title.text", titles, over=over)


def _variants_alt(
    count: int, map_purity: Any, state_purity: Any, steps: Any, perplexities: Any, seeds: Any
) -> str:
    found = "; ".join(
        f"after row {step} between {percent(block.min())} and {percent(block.max())} in the maps, "
        f"{percent(own)} among the states"
        for step, block, own in zip(steps, map_purity, state_purity, strict=True)
    )
    settings = f"perplexities {', '.join(map(str, perplexities))} and {len(seeds)} t-SNE seeds"
    return (
        f"Maps of the same {count} hidden states under {settings}, coloured by digit. "
        f"Share of a point's neighbours that are of its own digit: {found}."
    )


def _variants_table(
    map_purity: Any, state_purity: Any, steps: Any, perplexities: Any, seeds: Any
) -> dict[str, Any]:
    places = list(np.ndindex(*np.shape(map_purity)))
    return {
        "rows read": [steps[i] for i, _, _ in places],
        "perplexity": [perplexities[j] for _, j, _ in places],
        "t-SNE seed": [seeds[k] for _, _, k in places],
        "neighbours of the same digit, map": [round(float(map_purity[place]), 4) for place in places],
        "neighbours of the same digit, states": [round(float(state_purity[i]), 4) for i, _, _ in places],
    }
