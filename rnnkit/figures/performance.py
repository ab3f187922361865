"""How the psMNIST models end, beside what the paper reports (Table I, Irisarri)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from rnnkit.figures.frame import name_and_budget, net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.net_rows import PAPER, Ends, bar, interval_said, net_traces, paper_trace, rows_layout
from rnnkit.figures.nets import finite, has, mean, number
from rnnkit.figures.tables import Table

Values = Mapping[str, Mapping[str, Any]]
Paper = Mapping[str, Mapping[str, float]]
Intervals = Mapping[str, Mapping[str, Ends]]
_OF_ONE = "†"
_GLUE = "\u00a0"  # a space at which no line of a narrow column is broken


def final_values(
    here: Values,
    paper: Paper,
    intervals: Intervals,
    *,
    start: str | None = None,
    budgets: Mapping[str, str] | None = None,
) -> Interactive:
    """Draw where every seed of every net ends, with the interval of their mean, beside the paper's value.

    Parameters
    ----------
    here : mapping of str to mapping of str to ndarray (n_seeds,)
        Measure, as the reader sees it -> net -> one value per seed. A measure whose name holds ``loss`` is in nats,
        any other a fraction.
    paper : mapping of str to mapping of str to float
        The paper's values in the same units; nets and measures may be missing.
    intervals : mapping of str to mapping of str to (float, float, str)
        Measure -> net -> low and high of its 95 % interval, and what that is over; nets and measures may be missing.
        The interval of a single seed is one over images, and is told apart.
    start : str, optional
        The measure that is shown first; left out: the first.
    budgets : mapping of str to str, optional
        Net -> the budget it was trained with.

    Raises
    ------
    ValueError
        When no net has a value, or ``start`` is no measure.
    """
    import plotly.graph_objects as go

    measures = list(here)
    if start is not None and start not in measures:
        raise ValueError(f"start: {start!r} is none of {', '.join(measures)}")
    shown = 0 if start is None else measures.index(start)
    nets = _nets(here)
    ends = [[intervals.get(measure, {}).get(net) for net in nets] for measure in measures]
    bars = np.array([[bar(interval) for interval in of_measure] for of_measure in ends])
    theirs = np.array([[paper.get(measure, {}).get(net, np.nan) for net in nets] for measure in measures])
    dots = _dots(here, nets)
    single = (~np.isnan(dots)).sum(axis=2) == 1
    ranges = [
        _range(np.concatenate([dots[i].ravel(), bars[i].ravel(), theirs[i]])) for i in range(len(measures))
    ]
    frame = rows_layout(nets, budgets, measures[shown], ranges[shown])
    figure = Interactive(
        go.Figure(
            [trace for place, net in enumerate(nets) for trace in net_traces(net, place, dots.shape[2])],
            layout=frame,
        ),
        alt=_said(measures, nets, dots, ends[-1], theirs),
        table=_columns(measures, nets, dots, ends, theirs, budgets),
        caption=_caption_of_dots(bool((single & ~np.isnan(bars[..., 0])).any())),
    )
    figure.figure.add_trace(paper_trace(len(nets)))
    figure.select("measure", "Measure", measures, start=shown)
    for j, net in enumerate(nets):
        told = [
            interval_said(of_measure[j], partial(_form, measure))
            for measure, of_measure in zip(measures, ends, strict=True)
        ]
        text = np.repeat(np.array(told)[:, None], dots.shape[2], axis=1)
        symbols = ["circle-open" if one else "circle" for one in single[:, j]]
        figure.bind(net_name(net), "x", dots[:, j], over="measure")
        figure.bind(net_name(net), "text", text, over="measure")
        figure.bind(f"{net_name(net)} interval", "x", bars[:, j], over="measure")
        figure.bind_values(net_name(net), "marker.symbol", symbols, over="measure")
    figure.bind(PAPER, "x", theirs, over="measure")
    figure.bind_layout("xaxis.range", ranges, over="measure")
    figure.bind_layout("xaxis.title.text", measures, over="measure")
    return figure.bind_layout("xaxis.tickformat", [_tick_format(m) for m in measures], over="measure")


def _caption_of_dots(any_of_one: bool) -> str:
    of_one = (
        " Ring: a single training; the line of its accuracy is the 95 % interval over the images it was asked about "
        "(Wilson)."
    )
    seeds = "One dot per seed; line: 95 % interval of their mean (Student's t); open diamond: the paper."
    return seeds + (of_one if any_of_one else "")


def _dots(here: Values, nets: list[str]) -> np.ndarray:
    """Every value: (measures, nets, seeds), NaN where a net has fewer seeds than another."""
    seeds = max(_values(values, net).size for values in here.values() for net in nets)
    dots = np.full((len(here), len(nets), seeds), np.nan)
    for i, values in enumerate(here.values()):
        for j, net in enumerate(nets):
            own = _values(values, net)
            dots[i, j, : len(own)] = own
    return dots


def _values(values: Mapping[str, Any], net: str) -> np.ndarray:
    found = values.get(net)
    return finite(found if has(found) else ()).ravel()


def _known(values: Mapping[str, Any], net: str) -> np.ndarray:
    every = _values(values, net)
    return every[~np.isnan(every)]


def _nets(here: Values) -> list[str]:
    """The nets that have a value in any measure, in the order in which they are first named."""
    named = dict.fromkeys(net for values in here.values() for net in values)
    nets = [net for net in named if any(has(values.get(net)) for values in here.values())]
    if not nets:
        raise ValueError(f"no net has a value of {', '.join(here) or 'any measure'}")
    return nets


def _tick_format(measure: str) -> str:
    return ".3~g" if "loss" in measure else ".1~%"


def _range(values: np.ndarray) -> list[float]:
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    margin = 0.06 * max(high - low, 1e-3)
    return [low - margin, high + margin]


def _form(measure: str, value: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:.4f}" if "loss" in measure else f"{100 * value:.2f} %"


def _said(
    measures: list[str], nets: list[str], dots: np.ndarray, ends: list[Ends | None], theirs: np.ndarray
) -> str:
    """The last measure in numbers; of nets without a value of it nothing."""
    last, said = measures[-1], []
    for j, net in enumerate(nets):
        own = float(mean(dots[-1, j]))
        if np.isnan(own):
            continue
        found = f"{net_name(net)} {_form(last, own)}"
        if (interval := ends[j]) is not None:
            low, high, over = interval
            found += f" [{_form(last, low)}, {_form(last, high)}, over {over}]"
        found += "" if np.isnan(theirs[-1, j]) else f" (paper {_form(last, theirs[-1, j])})"
        said.append(found)
    return (
        "Where each net ends, a dot per seed, a line for the 95 % interval and a diamond for the paper's value; "
        f"to pick: {', '.join(measures)}. {last[:1].upper()}{last[1:]}, mean over seeds and its 95 % interval: "
        f"{', '.join(said) or 'not measured'}."
    )


def _columns(
    measures: list[str],
    nets: list[str],
    dots: np.ndarray,
    ends: list[list[Ends | None]],
    theirs: np.ndarray,
    budgets: Mapping[str, str] | None,
) -> dict[str, list[Any]]:
    places = [(i, j) for j in range(len(nets)) for i in range(len(measures))]
    intervals = [ends[i][j] for i, j in places]
    table: dict[str, list[Any]] = {"net": [net_name(nets[j]) for _, j in places]}
    if budgets:
        table["budget"] = [budgets.get(nets[j], "") for _, j in places]
    return table | {
        "measure": [measures[i] for i, _ in places],
        "paper": [number(theirs[place]) for place in places],
        "here, mean": [number(mean(dots[place])) for place in places],
        "seeds": [int((~np.isnan(dots[place])).sum()) for place in places],
        "95 % from": [number(bar(interval)[0]) for interval in intervals],
        "95 % to": [number(bar(interval)[1]) for interval in intervals],
        "interval over": ["" if interval is None else interval[2] for interval in intervals],
    }


def final_table(
    here: Values,
    paper: Paper,
    intervals: Intervals,
    quantity: str,
    *,
    budgets: Mapping[str, str] | None = None,
) -> Table:
    """One half of Table I: for each part of the data what was found here, and beside it what the paper has.

    Parameters
    ----------
    here, paper, intervals, budgets
        As in :func:`final_values`; measures are named ``quantity, part``.
    quantity : {"accuracy", "loss"}

    Returns
    -------
    Table
        What a notebook shows as an HTML table; accuracies in percent.

    Raises
    ------
    ValueError
        No measure is one of this quantity, or no net has a value.
    """
    nets = _nets(here)
    scale, form = (1, ".4f") if quantity == "loss" else (100, ".2f")
    chosen = [measure for measure in here if measure.partition(", ")[0] == quantity]
    if not chosen:
        raise ValueError(f"no measure of {quantity} among {', '.join(here)}")
    columns = {
        "net": [name_and_budget(net, budgets) for net in nets],
        "seeds": [str(max(_known(here[measure], net).size for measure in chosen)) for net in nets],
    }
    for measure in chosen:
        ours = [
            _cell(_known(here[measure], net), intervals.get(measure, {}).get(net), scale, form)
            for net in nets
        ]
        theirs = [paper.get(measure, {}).get(net) for net in nets]
        columns[measure.partition(", ")[2]] = [
            one if other is None else f"{one}, paper:{_GLUE}{scale * other:{form}}"
            for one, other in zip(ours, theirs, strict=True)
        ]
    return Table(columns, _caption(quantity, columns))


def _cell(known: np.ndarray, interval: Ends | None, scale: float, form: str) -> str:
    if not known.size:
        return "–"
    text = format(scale * known.mean(), form)
    if interval is None:
        return text
    low, high = (format(scale * end, form) for end in bar(interval))
    return f"{text} [{low},{_GLUE}{high}]" + (_OF_ONE if known.size == 1 else "")


def _caption(quantity: str, columns: Mapping[str, list[str]]) -> str:
    unit, cut = ("", "0; a single training has none") if quantity == "loss" else (" in %", "0 and 100")
    text = (
        f"{quantity.capitalize()}{unit}: mean over seeds with its 95 % interval (Student's t, cut at {cut}) beside "
        "the paper's value."
    )
    if not any(_OF_ONE in cell for cells in columns.values() for cell in cells):
        return text
    return (
        f"{text} {_OF_ONE} A single training: its 95 % interval (Wilson) is over the images that it was asked about, "
        "not over seeds."
    )
