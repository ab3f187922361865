"""What single units do while digits of each class are read: the further work that Irisarri's Section IV asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.class_paths import steps_of
from rnnkit.figures.curves import add_nets, layout
from rnnkit.figures.frame import net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, finite, number, present, require_axes
from rnnkit.figures.theme import certainty_colorscale

_LEVELS = 60  # of each sign
_WORDS = "unit no. {place} of {count} (index {index})"


def unit_by_class(nets: Nets) -> Interactive:
    """Draw the mean activation of one unit by class and time.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``units`` (n_seeds, 10, S, U), mean activation by class of the U most class-selective units, the most
        selective first; ``unit_index`` (n_seeds, U), their places in the hidden state; ``steps`` (n_seeds, S) or (S,).
        A net without them is left out; the first seed is drawn.

    Raises
    ------
    ValueError
        When no net has them all, or a shape is another one.
    """
    found, steps, shown, tops = _prepared(nets)
    count = shown.shape[-1]
    figure = Interactive(
        _heat(steps, np.arange(10), "digit", list(range(10)), list(map(str, range(10)))),
        alt=_alt(
            found, shown, steps, f"one of the {count} most class-selective units at a time, by digit and step"
        ),
        table=_table(found, shown),
        caption="Mean activation over the images of a digit, one seed. Units: the most selective first. Each net has a "
        "colour scale of its own.",
    )
    add_nets(figure, list(found)).slider("unit", "Unit", range(1, count + 1))
    figure.bind("activation", "z", _whole(np.moveaxis(shown, 3, 1), tops), over=("net", "unit"))
    _bind_scale(figure, tops)
    titles = [
        [
            _WORDS.format(place=k + 1, count=count, index=int(index))
            for k, index in enumerate(arrays["unit_index"][0])
        ]
        for arrays in found.values()
    ]
    return figure.bind_layout("title.text", titles, over=("net", "unit"))


def units_of_class(nets: Nets) -> Interactive:
    """Draw the mean activation of all shown units over time, for one class.

    Parameters
    ----------
    nets : mapping of str to mapping
        As in :func:`unit_by_class`.

    Raises
    ------
    ValueError
        As :func:`unit_by_class`.
    """
    found, steps, shown, tops = _prepared(nets)
    count = shown.shape[-1]
    ticks = sorted({1, *range(8, count + 1, 8)})
    figure = Interactive(
        _heat(
            steps,
            np.arange(1, count + 1),
            "unit, the most selective first",
            ticks,
            list(map(str, ticks)),
        ),
        alt=_alt(
            found, shown, steps, f"of the {count} most class-selective units by step, for one digit at a time"
        ),
        table=_table(found, shown),
        caption="Mean activation over the images of a digit, one seed. Each net has a colour scale of its own.",
    )
    add_nets(figure, list(found)).select("digit", "Digit", range(10))
    figure.bind("activation", "z", _whole(shown.swapaxes(2, 3), tops), over=("net", "digit"))
    return _bind_scale(figure, tops)


def _prepared(nets: Nets) -> tuple[dict[str, Mapping[str, Any]], np.ndarray, np.ndarray, np.ndarray]:
    """The nets, their steps, activations of the first seed (net, 10, S, U), and the end of each net's colour scale."""
    found = present(nets, "units", "unit_index", "steps")
    steps = steps_of(found)
    first = np.shape(next(iter(found.values()))["units"])[-1]
    shown = []
    for net, arrays in found.items():
        shown.append(
            finite(require_axes(f"{net}, units", arrays["units"], "seeds", 10, len(steps), first))[0]
        )
        require_axes(f"{net}, unit_index", arrays["unit_index"], "seeds", first)
    stacked = np.stack(shown)
    tops = np.nanmax(np.abs(stacked), axis=(1, 2, 3), initial=0)
    return found, steps, stacked, np.where(tops > 0, tops, 1.0)


def _whole(values: np.ndarray, tops: np.ndarray) -> np.ndarray:
    """Levels of colour (net, ...): whole numbers, which a page holds in one byte each; missing ones in the middle."""
    scales = _LEVELS / tops.reshape(-1, *(1,) * (values.ndim - 1))
    return np.rint(np.nan_to_num(values) * scales).astype(np.int64)


def _bind_scale(figure: Interactive, tops: np.ndarray) -> Interactive:
    """Name the ends of the colour scale of the net that is shown."""
    texts = [[f"−{top:.2g}", "0", f"{top:.2g}"] for top in tops]
    return figure.bind_values("activation", "colorbar.ticktext", texts, over="net")


def _heat(steps: np.ndarray, rows: np.ndarray, title: str, ticks: list[int], words: list[str]) -> Any:
    import plotly.graph_objects as go

    low, _, high = (color for _, color in certainty_colorscale())
    scale = [[0, low], [0.5, see_through(low, 0)], [0.5, see_through(high, 0)], [1, high]]
    bar = {
        "tickvals": [-_LEVELS, 0, _LEVELS],
        "title": {"text": "activation"},
        "thickness": 12,
    }
    heat = go.Heatmap(
        name="activation",
        x=steps,
        y=rows,
        colorscale=scale,
        zmin=-_LEVELS,
        zmax=_LEVELS,
        colorbar=bar,
        hovertemplate="step %{x}, %{y}<extra></extra>",
    )
    frame = layout(
        "step",
        title,
        height=440,
        margin={"t": 40},
        xaxis={"showgrid": False, "zeroline": False},
        yaxis={
            "tickvals": ticks,
            "ticktext": words,
            "range": [rows[-1] + 0.5, rows[0] - 0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )
    return go.Figure(heat, layout=frame)


def _last(shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per net and unit, the class of the highest mean activation at the end, and how far the classes lie apart."""
    last = np.nan_to_num(shown[:, :, -1])  # (net, class, unit)
    return last.argmax(axis=1), np.ptp(last, axis=1)


def _alt(found: Mapping[str, Any], shown: np.ndarray, steps: np.ndarray, what: str) -> str:
    highest, apart = _last(shown)
    told = "; ".join(
        f"{net_name(net)} highest for digit {highest[i, 0]}, classes {apart[i, 0]:.2f} apart"
        for i, net in enumerate(found)
    )
    return f"Mean activation {what}. The most selective unit of each net after step {steps[-1]}: {told}."


def _table(found: Mapping[str, Any], shown: np.ndarray) -> dict[str, list[Any]]:
    highest, apart = _last(shown)
    places = [(i, k) for i in range(len(found)) for k in range(shown.shape[-1])]
    names, index = [net_name(net) for net in found], [arrays["unit_index"][0] for arrays in found.values()]
    return {
        "net": [names[i] for i, _ in places],
        "unit": [k + 1 for _, k in places],
        "index": [int(index[i][k]) for i, k in places],
        "digit of the highest mean at the end": [int(highest[place]) for place in places],
        "highest minus lowest class mean": [number(apart[place]) for place in places],
    }
