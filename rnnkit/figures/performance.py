"""How the psMNIST models end, beside what the paper reports (Table I, Irisarri)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnkit.figures.frame import mean_and_range, name_and_budget, net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.net_rows import PAPER, ends, net_traces, paper_trace, rows_layout
from rnnkit.figures.nets import finite, has, mean, number
from rnnkit.figures.tables import Table

Values = Mapping[str, Mapping[str, Any]]
Paper = Mapping[str, Mapping[str, float]]
Ends = Mapping[str, Mapping[str, tuple[float, float]]]


def final_values(
    here: Values,
    paper: Paper,
    *,
    start: str | None = None,
    intervals: Ends | None = None,
    budgets: Mapping[str, str] | None = None,
) -> Interactive:
    """Draw where every seed of every net ends, beside the paper's value.

    Parameters
    ----------
    here : mapping of str to mapping of str to ndarray (n_seeds,)
        Measure, as the reader sees it -> net -> one value per seed. A measure whose name holds ``loss`` is in nats,
        any other a fraction.
    paper : mapping of str to mapping of str to float
        The paper's values in the same units; nets and measures may be missing.
    start : str, optional
        The measure that is shown first; left out: the first.
    intervals : mapping of str to mapping of str to (float, float), optional
        Measure -> net -> interval to draw; where there is none, the range over seeds is drawn.
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
    seeds = max(_values(values, net).size for values in here.values() for net in nets)
    dots = np.full((len(measures), len(nets), seeds), np.nan)
    bars = np.full((len(measures), len(nets), 2), np.nan)
    theirs = np.full((len(measures), len(nets)), np.nan)
    for i, measure in enumerate(measures):
        for j, net in enumerate(nets):
            values = _values(here[measure], net)
            dots[i, j, : len(values)] = values
            bars[i, j] = ends(values, (intervals or {}).get(measure, {}).get(net))
            theirs[i, j] = paper.get(measure, {}).get(net, np.nan)
    ranges = [
        _range(np.concatenate([dots[i].ravel(), bars[i].ravel(), theirs[i]])) for i in range(len(measures))
    ]
    frame = rows_layout(nets, budgets, measures[shown], ranges[shown])
    figure = Interactive(
        go.Figure(
            [trace for place, net in enumerate(nets) for trace in net_traces(net, place, seeds)],
            layout=frame,
        ),
        alt=_said(measures, nets, dots, theirs),
        table=_columns(measures, nets, dots, bars, theirs, budgets),
        caption="One dot per seed; line: "
        + ("its interval" if intervals else "lowest to highest seed")
        + "; open diamond: the paper.",
    )
    figure.figure.add_trace(paper_trace(len(nets)))
    figure.select("measure", "Measure", measures, start=shown)
    for j, net in enumerate(nets):
        figure.bind(net_name(net), "x", dots[:, j], over="measure")
        figure.bind(f"{net_name(net)} interval", "x", bars[:, j], over="measure")
    figure.bind(PAPER, "x", theirs, over="measure")
    figure.bind_layout("xaxis.range", ranges, over="measure")
    figure.bind_layout("xaxis.title.text", measures, over="measure")
    return figure.bind_layout("xaxis.tickformat", [_tick_format(m) for m in measures], over="measure")


def _values(values: Mapping[str, Any], net: str) -> np.ndarray:
    found = values.get(net)
    return finite(found if has(found) else ()).ravel()


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


def _said(measures: list[str], nets: list[str], dots: np.ndarray, theirs: np.ndarray) -> str:
    """The last measure in numbers; of nets without a value of it nothing."""
    last, said = measures[-1], []
    for j, net in enumerate(nets):
        own = float(mean(dots[-1, j]))
        if np.isnan(own):
            continue
        beside = "" if np.isnan(theirs[-1, j]) else f" (paper {_form(last, theirs[-1, j])})"
        said.append(f"{net_name(net)} {_form(last, own)}{beside}")
    return (
        f"Where each net ends, a dot per seed and a diamond for the paper's value; to pick: {', '.join(measures)}. "
        f"{last[:1].upper()}{last[1:]}, mean over seeds: {', '.join(said) or 'not measured'}."
    )


def _columns(
    measures: list[str],
    nets: list[str],
    dots: np.ndarray,
    bars: np.ndarray,
    theirs: np.ndarray,
    budgets: Mapping[str, str] | None,
) -> dict[str, list[Any]]:
    places = [(i, j) for j in range(len(nets)) for i in range(len(measures))]
    table: dict[str, list[Any]] = {"net": [net_name(nets[j]) for _, j in places]}
    if budgets:
        table["budget"] = [budgets.get(nets[j], "") for _, j in places]
    return table | {
        "measure": [measures[i] for i, _ in places],
        "paper": [number(theirs[place]) for place in places],
        "here, mean": [number(mean(dots[place])) for place in places],
        "seeds": [int((~np.isnan(dots[place])).sum()) for place in places],
        "from": [number(bars[place][0]) for place in places],
        "to": [number(bars[place][1]) for place in places],
    }


def final_table(
    here: Values, paper: Paper, quantity: str, *, budgets: Mapping[str, str] | None = None
) -> Table:
    """One half of Table I with a column for the paper and one for what was found here, per part of the data.

    Parameters
    ----------
    here, paper, budgets
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
    scale, form, unit = (1, ".4f", "") if quantity == "loss" else (100, ".2f", " in %")
    columns = {"net": [name_and_budget(net, budgets) for net in nets]}
    for measure, values in here.items():
        measured, _, part = measure.partition(", ")
        if measured == quantity:
            theirs = [paper.get(measure, {}).get(net) for net in nets]
            columns[f"{part}: paper"] = ["–" if v is None else format(scale * v, form) for v in theirs]
            columns[f"{part}: here"] = [mean_and_range(scale * _values(values, net), form) for net in nets]
    if len(columns) == 1:
        raise ValueError(f"no measure of {quantity} among {', '.join(here)}")
    words = f"{quantity.capitalize()}{unit}: mean over seeds [lowest, highest] beside the paper's value."
    return Table(columns, words)
