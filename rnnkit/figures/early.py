"""The map after row 4 (Fig. 4, Horoi, Lajoie & Wolf), held against what has been drawn by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.frame import (
    EARLY_STEP,
    legend_below,
    listed,
    mean_and_range,
    net_name,
    net_names,
    percent,
)
from rnnkit.figures.frame import rows as row_labels
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.maps import map_layout, on_grid, points
from rnnkit.figures.theme import CLUSTERS, DIGITS, NEUTRAL, certainty_colorscale, digit_colorscale

SIX = 6
NUM_COLOURED = len(CLUSTERS)  # clusters that have a colour of their own
NUM_BARS = 12  # clusters whose content is drawn
_COLOURS = ("digit", "any ink so far", "cluster", "sixes in its cluster")

Arrays = Mapping[str, np.ndarray]


def early_maps(maps: Mapping[str, Arrays], measurements: Mapping[str, np.ndarray]) -> Interactive:
    """The first net's map after row 4 beside another net's.

    Parameters
    ----------
    maps : mapping of str to mapping
        By net, the arrays ``embedding`` (n, 2), ``labels`` (n,), ``inked`` (n,) bool, ``cluster`` (n,) with -1
        for points in none, and ``counts`` (K, 10) of digits in each cluster.
    measurements : mapping of str to ndarray (n_seeds,)
        With ``NET.map_six_precision``, ``NET.map_six_recall`` and ``NET.map_share_inked``.

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    first, *others = maps
    left, right = points(maps[first]["labels"]), points(maps[others[0]]["labels"], xaxis="x2", yaxis="y2")
    for trace, net in ((left, first), (right, others[0])):
        trace.name, trace.marker.size = net, 4
    right.marker.colorbar, right.marker.showscale = None, False
    figure = Interactive(
        go.Figure([left, right], layout=_two_maps()),
        alt=_alt(maps, measurements),
        table=_measured(list(maps), measurements),
        caption=f"Hidden states of the same test images after {EARLY_STEP} rows, two nets.",
    )
    figure.select("colour", "Colour by", _COLOURS, start=1).select(
        "net", "Beside it", net_names(others), start=_start(others)
    )
    places = [on_grid(maps[net]["embedding"]) for net in others]
    colors = [np.stack(colour_codes(maps[net])) for net in others]
    figure.bind(0, "marker.color", np.stack(colour_codes(maps[first])), over="colour")
    figure.bind(1, "marker.color", np.stack(colors), over=("net", "colour"))
    figure.figure.data[0].update(_xy(on_grid(maps[first]["embedding"])))
    figure.bind(1, "x", np.stack([xy[:, 0] for xy in places]), over="net")
    figure.bind(1, "y", np.stack([xy[:, 1] for xy in places]), over="net")
    figure.bind_layout("annotations[1].text", net_names(others), over="net")
    figure.figure.layout.annotations[0].text = net_name(first)
    return _bind_scales(figure)


def colour_codes(arrays: Arrays) -> list[np.ndarray]:
    """Whole numbers that the points are coloured by: digit, ink or not, cluster, percent of sixes in it."""
    cluster, counts = np.asarray(arrays["cluster"], np.int64), np.asarray(arrays["counts"])
    order, numbered = ranked(arrays)
    code = np.full(len(counts) + 1, NUM_COLOURED)  # the last: points in no cluster
    code[order[: min(numbered, NUM_COLOURED)]] = np.arange(min(numbered, NUM_COLOURED))
    shares = np.append(counts[:, SIX] / np.maximum(counts.sum(1), 1), 0)  # the last: points in no cluster
    return [
        np.asarray(arrays["labels"], np.int64),
        np.asarray(arrays["inked"], np.int64),
        code[cluster],
        np.rint(100 * shares[cluster]).astype(np.int64),
    ]


def ranked(arrays: Arrays) -> tuple[np.ndarray, int]:
    """Clusters in the order of their numbers, and how many have one.

    Those mostly of images with ink are numbered by their share of sixes, the largest first; those of images without
    ink, which share one state, follow without a number.
    """
    cluster, counts = np.asarray(arrays["cluster"], np.int64), np.asarray(arrays["counts"])
    inked = np.bincount(cluster[(cluster >= 0) & np.asarray(arrays["inked"], bool)], minlength=len(counts))
    sizes = np.maximum(counts.sum(1), 1)
    begun = inked > 0.5 * sizes
    return np.lexsort((-counts[:, SIX] / sizes, ~begun)), int(begun.sum())


def _start(others: list[str]) -> int:
    return others.index("untrained") if "untrained" in others else 0


def _xy(places: np.ndarray) -> dict[str, np.ndarray]:
    return {"x": places[:, 0], "y": places[:, 1]}


def _two_maps() -> dict[str, Any]:
    """Two square maps side by side, each under its net's name."""
    layout = map_layout(height=440)
    second = {
        "xaxis2": {**layout["xaxis"], "domain": [0.52, 1]},
        "yaxis2": {**layout["yaxis"], "anchor": "x2", "scaleanchor": "x2"},
    }
    layout["xaxis"] = {**layout["xaxis"], "domain": [0, 0.48]}
    head = {"x": 0.5, "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False, "text": ""}
    return {
        **layout,
        **second,
        "margin": {"l": 8, "r": 8, "t": 36, "b": 24},
        "annotations": [{**head, "xref": "x domain"}, {**head, "xref": "x2 domain"}],
    }


def _bind_scales(figure: Interactive) -> Interactive:
    two = [[0, NEUTRAL], [0.5, NEUTRAL], [0.5, DIGITS[0]], [1, DIGITS[0]]]
    eleven = [[(i + end) / 11, color] for i, color in enumerate((*CLUSTERS, NEUTRAL)) for end in (0, 1)]
    scales = [digit_colorscale(), two, eleven, certainty_colorscale()]
    limits = [(-0.5, 9.5), (-0.5, 1.5), (-0.5, 10.5), (0, 100)]
    ticks = [
        ([*range(10)], [*map(str, range(10))]),
        ([0, 1], ["none", "ink"]),
        ([*range(11)], [*map(str, range(1, 11)), "other"]),
        ([0, 50, 100], ["0 %", "50 %", "100 %"]),
    ]
    for trace in (0, 1):
        figure.bind_values(trace, "marker.colorscale", scales, over="colour")
        figure.bind_values(trace, "marker.cmin", [low for low, _ in limits], over="colour")
        figure.bind_values(trace, "marker.cmax", [high for _, high in limits], over="colour")
    figure.bind_values(0, "marker.colorbar.tickvals", [at for at, _ in ticks], over="colour")
    figure.bind_values(0, "marker.colorbar.ticktext", [text for _, text in ticks], over="colour")
    return figure.bind_values(
        0, "marker.colorbar.title.text", ["digit", "ink", "cluster", "sixes"], over="colour"
    )


_MEASURED = {
    "map_six_precision": "sixes in their best cluster",
    "map_six_recall": "of all sixes in it",
    "map_share_inked": "images with ink",
}


def _measured(nets: list[str], measurements: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Mean [least, most] over seeds by net."""
    return {
        "net": net_names(nets),
        **{
            title: [mean_and_range(measurements.get(f"{net}.{name}", []), ".1%") for net in nets]
            for name, title in _MEASURED.items()
        },
    }


def _alt(maps: Mapping[str, Arrays], measurements: Mapping[str, np.ndarray]) -> str:
    first = next(iter(maps))
    found = {
        net: f"{mean_and_range(measurements.get(f'{net}.map_six_precision', []), '.0%')} sixes in it, "
        f"{mean_and_range(measurements.get(f'{net}.map_six_recall', []), '.0%')} of all sixes"
        for net in maps
    }
    return (
        f"t-SNE maps of {len(maps[first]['labels'])} hidden states after row {EARLY_STEP}, the {net_name(first)} "
        f"beside another, coloured by digit, by whether any ink has appeared, by cluster or by its share of sixes. "
        f"{percent(np.mean(maps[first]['inked']))} of the images have any ink by then. The cluster with the "
        f"largest share of sixes: {listed(found)}."
    )


def cluster_content(maps: Mapping[str, Arrays]) -> Interactive:
    """Which digits each cluster of the map after row 4 holds, the clusters with most sixes first.

    Parameters
    ----------
    maps : mapping of str to mapping
        As in :func:`early_maps`.

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    nets = list(maps)
    shares = np.stack([_most_sixes_first(maps[net]) for net in nets])
    names = [_bar_names(maps[net], content) for net, content in zip(nets, shares, strict=True)]
    sizes = shares.sum(2, keepdims=True)
    within = np.divide(shares, sizes, out=np.zeros_like(shares), where=sizes > 0)
    ticks = [
        [
            f"{name}<br>{percent(float(size))}" if name else ""
            for name, size in zip(row, size_row[:, 0], strict=True)
        ]
        for row, size_row in zip(names, sizes, strict=True)
    ]
    widths = [[0.4, max(int((content.sum(1) > 0).sum()), 1) + 0.6] for content in shares]
    bars = [
        go.Bar(name=str(digit), x=[*range(1, NUM_BARS + 1)], marker={"color": color, "line": {"width": 0}})
        for digit, color in enumerate(DIGITS)
    ]
    layout = {
        "height": 440,
        "barmode": "stack",
        "bargap": 0.15,
        "legend": {**legend_below(), "traceorder": "normal"},
        "xaxis": {
            "title": {"text": "cluster, and its share of the images"},
            "range": widths[0],
            "tickvals": [*range(1, NUM_BARS + 1)],
            "ticktext": ticks[0],
        },
        "yaxis": {"title": {"text": "share within the cluster"}, "range": [0, 1], "tickformat": ".0%"},
    }
    best = {
        net: percent(row[0, SIX] / max(row[0].sum(), 1e-12)) for net, row in zip(nets, shares, strict=True)
    }
    figure = Interactive(
        go.Figure(bars, layout=layout),
        alt=f"Stacked bars: digits in the clusters of the map after row {EARLY_STEP}. "
        f"Share of sixes in the cluster that has most of them: {listed(best)}.",
        table=_content_table(nets, shares, names),
        caption="Clusters are numbered by their share of sixes, as on the map; those mostly of images without ink have "
        "no number. Below each: its share of all images in clusters.",
    ).select("net", "Net", net_names(nets))
    for digit in range(10):
        figure.bind(digit, "y", within[:, :, digit], over="net")
    return figure.bind_layout("xaxis.ticktext", ticks, over="net").bind_layout(
        "xaxis.range", widths, over="net"
    )


def _most_sixes_first(arrays: Arrays) -> np.ndarray:
    """Share of all images in (cluster, digit), at most NUM_BARS clusters, empty rows where there are fewer."""
    content, counts = np.zeros((NUM_BARS, 10)), np.asarray(arrays["counts"], float)
    order = ranked(arrays)[0][:NUM_BARS]
    content[: len(order)] = counts[order] / max(counts.sum(), 1)
    return content


def _bar_names(arrays: Arrays, content: np.ndarray) -> list[str]:
    """What stands under each bar: the cluster's number, or that it is of images without ink."""
    numbered, drawn = ranked(arrays)[1], int((content.sum(1) > 0).sum())
    return ["" if k >= drawn else str(k + 1) if k < numbered else "no ink" for k in range(NUM_BARS)]


def _content_table(nets: list[str], shares: np.ndarray, names: list[list[str]]) -> dict[str, Any]:
    places = [(i, k) for i, k in np.ndindex(*shares.shape[:2]) if shares[i, k].sum() > 0]
    sizes = [shares[place].sum() for place in places]
    return {
        "net": [nets[i] for i, _ in places],
        "cluster": [names[i][k] for i, k in places],
        "share of clustered images": [round(float(size), 4) for size in sizes],
        "share of sixes": [
            round(float(shares[place][SIX] / size), 4) for place, size in zip(places, sizes, strict=True)
        ],
        "commonest digit": [int(shares[place].argmax()) for place in places],
    }


def ink_by_digit(started: np.ndarray) -> Interactive:
    """Share of the images of each digit in which any ink has appeared, row by row.

    Parameters
    ----------
    started : ndarray (10, S)

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    started = np.asarray(started, dtype=float)
    seq_len = started.shape[1]
    early = min(EARLY_STEP, seq_len)
    layout = {
        "height": 420,
        "showlegend": False,
        "xaxis": {"title": {"text": "digit"}, "dtick": 1, "range": [-0.6, 9.6]},
        "yaxis": {"title": {"text": "images with ink"}, "range": [0, 1.02], "tickformat": ".0%"},
    }
    bars = go.Bar(
        x=[*range(10)], marker={"color": list(DIGITS)}, hovertemplate="%{x}: %{y:.1%}<extra></extra>"
    )
    shares = ", ".join(f"{digit}: {percent(share)}" for digit, share in enumerate(started[:, early - 1]))
    figure = Interactive(
        go.Figure(bars, layout=layout),
        alt=f"Bars: share of each digit's images with any ink after each of {seq_len} rows. "
        f"After row {early}: {shares}.",
        table={"rows read": range(1, seq_len + 1)} | {str(d): started[d].round(4) for d in range(10)},
    )
    return figure.slider("row", "Rows read", row_labels(seq_len), start=early - 1).bind(
        0, "y", started.T, over="row"
    )
