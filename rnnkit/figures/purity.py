"""Neighbours of the same digit in the full state space, and how far the sixes stand apart early."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.bands import add_curve, bind_curve
from rnnkit.figures.frame import (
    EARLY_STEP,
    curve_layout,
    legend_below,
    listed,
    mean_and_range,
    net_name,
    net_names,
    percent,
)
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import NEUTRAL, net_color


def purity_through_time(
    purity: Mapping[str, np.ndarray], per_class: Mapping[str, np.ndarray], chance: float
) -> Interactive:
    """Share of a state's nearest neighbours that belong to its digit, row by row.

    Parameters
    ----------
    purity : mapping of str to ndarray (n_seeds, S)
        By net, over all digits.
    per_class : mapping of str to ndarray (n_seeds, 10, S)
        By net, among the images of one digit.
    chance : float
        What neighbours at random would give, over all digits.

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    seq_len = next(iter(purity.values())).shape[1]
    x = np.arange(1, seq_len + 1)
    layout = curve_layout("rows read", "same-digit neighbours", x_range=(1, seq_len), y_range=(0, 1.02))
    fig = go.Figure(layout=layout)
    starts = {net: add_curve(fig, x, purity[net], name=net_name(net), color=net_color(net)) for net in purity}
    fig.add_trace(
        go.Scatter(
            x=[1, seq_len],
            y=[chance, chance],
            mode="lines",
            name="chance",
            line={"color": NEUTRAL, "dash": "dot"},
        )
    )
    means = {net: np.nanmean(values, axis=0) for net, values in purity.items()}
    early = min(EARLY_STEP, seq_len)
    figure = Interactive(
        fig,
        alt=f"Share of nearest neighbours of the same digit over {seq_len} rows, by net. After row {early}: "
        + listed({net: percent(mean[early - 1]) for net, mean in means.items()})
        + "; after the last: "
        + listed({net: percent(mean[-1]) for net, mean in means.items()})
        + f". Chance is {percent(chance)}.",
        table={"rows read": x} | {net: mean.round(4) for net, mean in means.items()},
        caption="Lines: mean over seeds; bands: least to most.",
    ).select("digit", "Images of", ["all digits", *map(str, range(10))])
    for net, first in starts.items():
        every = np.concatenate([purity[net][None], np.moveaxis(per_class[net], 1, 0)])
        bind_curve(figure, first, every, over="digit")
    return figure


_SIX_MEASURES = {"precision": "precision", "recall": "recall", "auc": "AUC"}
_SIX_PLACES = {
    "state": ("six_state_", "hidden states", "circle", -0.22),
    "pixels": ("six_pixels_", "the same rows as pixels", "diamond-open", 0.0),
    "map": ("map_six_", "best cluster of the map", "square-open", 0.22),
}


def six_separation(measurements: Mapping[str, np.ndarray], nets: list[str]) -> Interactive:
    """How far the sixes stand apart after row 4: in the hidden states, in the pixels read so far, in the map.

    Parameters
    ----------
    measurements : mapping of str to ndarray (n_seeds,)
        With ``NET.six_state_precision`` and so on.
    nets : list of str

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    nets = [net for net in nets if f"{net}.six_state_auc" in measurements]
    values = {place: _six_values(measurements, nets, place) for place in _SIX_PLACES}
    fig = go.Figure(layout=_six_layout(nets))
    for place, (_, name, symbol, shift) in _SIX_PLACES.items():
        color = NEUTRAL if place == "pixels" else [net_color(net) for net in nets]
        fig.add_trace(
            go.Scatter(
                y=np.arange(len(nets)) + shift,
                name=name,
                mode="markers",
                marker={"symbol": symbol, "size": 12, "color": color, "line": {"width": 2}},
                error_x={"type": "data", "thickness": 1.5, "color": NEUTRAL},
                hovertemplate="%{x:.3f}<extra>" + name + "</extra>",
            )
        )
    share = float(measurements[f"{nets[0]}.six_share"].mean())
    fig.add_trace(
        go.Scatter(
            y=[-0.5, len(nets) - 0.5],
            mode="lines",
            name="blind guess",
            line={"color": NEUTRAL, "dash": "dot"},
        )
    )
    figure = Interactive(fig, alt=_six_alt(measurements, nets, share), table=_six_table(measurements, nets))
    figure.select("measure", "Measure", list(_SIX_MEASURES.values()))
    for index, place in enumerate(_SIX_PLACES):
        mean, low, high = values[place]
        figure.bind(index, "x", mean, over="measure")
        figure.bind(index, "error_x.array", high - mean, over="measure")
        figure.bind(index, "error_x.arrayminus", mean - low, over="measure")
    return figure.bind(len(_SIX_PLACES), "x", np.array([[share] * 2, [share] * 2, [0.5] * 2]), over="measure")


def _six_layout(nets: list[str]) -> dict[str, Any]:
    return {
        "height": 440,
        "legend": legend_below(),
        "xaxis": {
            "title": {"text": f"after row {EARLY_STEP}"},
            "range": [-0.04, 1.06],
        },
        "yaxis": {
            "tickvals": list(range(len(nets))),
            "ticktext": net_names(nets),
            "range": [len(nets) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    }


def _six_values(measurements: Mapping[str, np.ndarray], nets: list[str], place: str) -> np.ndarray:
    """Mean, least and most over seeds: (3, measure, net); NaN where a place has no such measure."""
    found = np.full((3, len(_SIX_MEASURES), len(nets)), np.nan)
    for i, measure in enumerate(_SIX_MEASURES):
        for j, net in enumerate(nets):
            seeds = measurements.get(f"{net}.{_SIX_PLACES[place][0]}{measure}")
            if seeds is not None:
                found[:, i, j] = seeds.mean(), seeds.min(), seeds.max()
    return found


def _six_alt(measurements: Mapping[str, np.ndarray], nets: list[str], share: float) -> str:
    found = {
        net: f"{mean_and_range(measurements[f'{net}.six_state_auc'])} in the states, "
        f"{mean_and_range(measurements[f'{net}.six_pixels_auc'])} in the pixels"
        for net in nets
    }
    return (
        f"How well sixes can be told from all other digits after row {EARLY_STEP}, by net, in the hidden states, in "
        f"the pixels read so far and in the map's best cluster. {percent(share)} of the images are sixes. "
        f"Area under the curve (0.5 is chance): {listed(found)}."
    )


def _six_table(measurements: Mapping[str, np.ndarray], nets: list[str]) -> dict[str, Any]:
    places = [(net, place, measure) for net in nets for place in _SIX_PLACES for measure in _SIX_MEASURES]
    keys = [f"{net}.{_SIX_PLACES[place][0]}{measure}" for net, place, measure in places]
    kept = [(where, key) for where, key in zip(places, keys, strict=True) if key in measurements]
    return {
        "net": [net for (net, _, _), _ in kept],
        "where": [_SIX_PLACES[place][1] for (_, place, _), _ in kept],
        "measure": [_SIX_MEASURES[measure] for (_, _, measure), _ in kept],
        "mean [least, most]": [mean_and_range(measurements[key]) for _, key in kept],
    }
