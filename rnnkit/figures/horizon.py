"""How long one word is remembered through a tail of stop words (Fig. 2c, 2d, Mehta)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.cells import add_models, bind_strips, said, strips
from rnnkit.figures.frame import legend_below, mean_and_range
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.models import bind_lines, lines
from rnnkit.figures.theme import NEUTRAL, cell_color

Arrays = Mapping[str, np.ndarray]
TRAINED_LENGTH = 10
_TABLED = (1, 2, 5, 10, 15, 20, 30, 50, 100, 200, 500, 1000, 2000)
_LAST = {"horizon": "all right up to this length", "forgets": "states meet at this length"}


def right_by_length(found: Mapping[str, Arrays]) -> Interactive:
    """Draw the share of sentences named rightly against their length: one word that counts, then stop words.

    Parameters
    ----------
    found : mapping of str to mapping
        By cell, ``lengths`` (L,) and ``right`` (M, L).
    """
    axis = {"title": {"text": "share right"}, "range": [-0.02, 1.03], "tickformat": ".0%"}
    figure = _by_length(found, "right", axis, "%{y:.0%} at length %{x}")
    figure.alt = (
        "Share of sentences named rightly, against their length on a logarithmic axis: one positive or negative "
        f"word and then only stop words. Mean over models: {_said_at(found, 'right')}."
    )
    return figure


def distance_by_length(found: Mapping[str, Arrays]) -> Interactive:
    """Draw the distance of the state after a positive first word from that after a negative one, against the length.

    Parameters
    ----------
    found : mapping of str to mapping
        By cell, ``lengths`` (L,) and ``distance`` (M, L); drawn as a share of each model's distance at length 1.
    """
    relative = {
        cell: {"lengths": a["lengths"], "distance": _relative(np.asarray(a["distance"], float))}
        for cell, a in found.items()
    }
    top = 1.05 * max(float(np.nanmax(a["distance"])) for a in relative.values())
    axis = {"title": {"text": "distance, first = 1"}, "range": [0, top]}
    figure = _by_length(relative, "distance", axis, "%{y:.3f} at length %{x}")
    figure.alt = (
        "Distance of the states after a positive and after a negative first word, as a share of that at length 1 "
        f"and while only stop words follow. Mean over models: {_said_at(relative, 'distance')}."
    )
    return figure


def _relative(distance: np.ndarray) -> np.ndarray:
    first = distance[:, :1]
    return distance / np.where(first > 0, first, np.nan)


def _by_length(found: Mapping[str, Arrays], what: str, axis: dict[str, Any], hover: str) -> Interactive:
    import plotly.graph_objects as go

    traces = [
        trace
        for cell in found
        for trace in lines(said(cell), cell_color(cell), hovertemplate=hover + "<extra></extra>")
    ]
    longest = max(int(a["lengths"].max()) for a in found.values())
    figure = Interactive(
        go.Figure(traces, layout=_layout(axis, longest)),
        alt="Curves by length.",
        table=_table(found, what),
        caption="Line: mean over models, or one model; band: least to most. Dotted: the length trained at.",
    )
    add_models(figure, max(len(a[what]) for a in found.values()))
    for cell, arrays in found.items():
        bind_lines(figure, said(cell), arrays["lengths"], arrays[what])
    return figure


def _layout(y_axis: dict[str, Any], longest: int) -> dict[str, Any]:
    ticks = [n for n in (1, 3, 10, 30, 100, 300, 1000, 2000) if n <= longest]
    trained = {
        "type": "line",
        "x0": TRAINED_LENGTH,
        "x1": TRAINED_LENGTH,
        "y0": 0,
        "y1": 1,
        "yref": "y domain",
    }
    return {
        "height": 440,
        "margin": {"t": 24},
        "legend": legend_below(),
        "xaxis": {
            "type": "log",
            "title": {"text": "length of the sentence"},
            "range": [-0.05, float(np.log10(max(longest, 2))) + 0.05],
            "tickvals": ticks,
            "ticktext": [str(n) for n in ticks],
        },
        "yaxis": y_axis,
        "shapes": [trained | {"line": {"color": NEUTRAL, "dash": "dot", "width": 1.5}}],
    }


def _places(lengths: np.ndarray) -> list[int]:
    """Where the lengths that are told stand among those that were measured."""
    return [int(np.flatnonzero(lengths == n)[0]) for n in _TABLED if n in lengths]


def _said_at(found: Mapping[str, Arrays], what: str) -> str:
    parts = []
    for cell, arrays in found.items():
        mean = np.nanmean(arrays[what], axis=0)
        at = [i for i in _places(arrays["lengths"]) if arrays["lengths"][i] in (1, 10, 30, 100, 2000)]
        parts.append(f"{said(cell)} " + ", ".join(f"{mean[i]:.2f} at {arrays['lengths'][i]}" for i in at))
    return "; ".join(parts)


def _table(found: Mapping[str, Arrays], what: str) -> dict[str, list[Any]]:
    lengths = next(iter(found.values()))["lengths"]
    table: dict[str, list[Any]] = {"length": [int(lengths[i]) for i in _places(lengths)]}
    for cell, arrays in found.items():
        at = _places(arrays["lengths"])
        table[f"{said(cell)}, mean [least, most]"] = [mean_and_range(arrays[what][:, i]) for i in at]
    return table


def horizons(found: Mapping[str, Arrays]) -> Interactive:
    """Draw, model by model, how far its memory reaches: to the last length without a mistake, or until states meet.

    Parameters
    ----------
    found : mapping of str to mapping
        By cell, ``lengths`` (L,), ``horizon`` (M,) and ``forgets`` (M,), the latter above the longest length if never.
    """
    import plotly.graph_objects as go

    longest = max(int(a["lengths"].max()) for a in found.values())
    values = {
        cell: np.stack([np.clip(np.asarray(a[name], float), 0.5, 1.2 * longest) for name in _LAST])[:, None]
        for cell, a in found.items()
    }
    traces, x_axis = strips({cell: array[0] for cell, array in values.items()}, ["models"])
    layout = _layout({}, longest) | {"showlegend": False, "shapes": [], "xaxis": x_axis}
    ticks = [n for n in (1, 3, 10, 30, 100, 300, 1000, 2000) if n <= longest]
    layout["yaxis"] = {
        "type": "log",
        "title": {"text": next(iter(_LAST.values()))},
        "range": [-0.4, float(np.log10(1.4 * longest))],
        "tickvals": ticks,
        "ticktext": [str(n) for n in ticks],
    }
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt="How many words a model remembers one word for, one dot per model on a logarithmic axis. "
        f"{'; '.join(_horizon_said(cell, arrays, longest) for cell, arrays in found.items())}.",
        table=_horizon_table(found, longest),
        caption=f"One dot per model; the bar is the median. At the top: never, up to length {longest}.",
    ).select("measure", "Show", list(_LAST.values()))
    bind_strips(figure, values, ["models"], over="measure", median=True)
    return figure.bind_layout("yaxis.title.text", list(_LAST.values()), over="measure")


def _horizon_said(cell: str, arrays: Arrays, longest: int) -> str:
    reached, forgets = np.asarray(arrays["horizon"]), np.asarray(arrays["forgets"])
    return (
        f"{said(cell)}: median horizon {np.median(reached):g}, least {reached.min():g}, "
        f"{int((reached >= longest).sum())} of {len(reached)} without a mistake up to {longest}, "
        f"{int((forgets <= longest).sum())} whose states meet"
    )


def _horizon_table(found: Mapping[str, Arrays], longest: int) -> dict[str, list[Any]]:
    count = max(len(a["horizon"]) for a in found.values())
    table: dict[str, list[Any]] = {"model": list(range(1, count + 1))}
    for cell, arrays in found.items():
        for name, title in _LAST.items():
            own = [f"{int(v)}" if v <= longest else "never" for v in arrays[name]]
            table[f"{said(cell)}: {title}"] = own + ["–"] * (count - len(own))
    return table
