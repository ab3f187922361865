"""How the nets learned: metrics by epoch, and the accuracy they end at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.bands import outline_x
from rnnkit.figures.curves import add_seeds, bind_curve, counted_seeds, curve_traces, layout, reference
from rnnkit.figures.frame import name_and_budget, net_name, net_names, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import finite, has, mean
from rnnkit.figures.theme import net_color

Curves = Mapping[str, NDArray[np.float64]]
CHANCE = 0.1
FAR_LONGER = 2.0  # trainings that differ so much in epochs can be looked at to the end of each
LEARNED = 0.2  # a net above this accuracy counts as one that learned, for where close-ups begin


def learning_curves(
    metrics: Mapping[str, Curves],
    seeds: Sequence[int],
    *,
    beside: Mapping[str, Curves] | None = None,
    lines: tuple[str, str] = ("training", "validation"),
    budgets: Mapping[str, str] | None = None,
) -> Interactive:
    """Draw metrics by epoch for every net that was trained.

    Parameters
    ----------
    metrics : mapping of str to mapping of str to ndarray (n_seeds, num_epochs)
        What the reader sees as the metric's name -> net -> values; nets may differ in epochs. A metric
        whose name holds ``loss`` is in nats, any other a fraction.
    seeds : sequence of int
    beside : mapping of str to mapping of str to ndarray (n_seeds, num_epochs), optional
        The same metrics of the same nets on other images, drawn dashed beside the first.
    lines : (str, str)
        What the solid and the dashed lines are called, where there are dashed ones.
    budgets : mapping of str to str, optional
        Net -> the budget it was trained with, written behind its name.

    Raises
    ------
    ValueError
        When no net was trained.
    """
    import plotly.graph_objects as go

    names = list(metrics)
    every = [curves[name] for curves in (metrics, beside or metrics) for name in names]
    nets = [net for net in every[0] if all(has(curves.get(net)) for curves in every)]
    if not nets:
        raise ValueError(f"no net has {' and '.join(names)} by epoch")
    called = {net: name_and_budget(net, budgets) for net in nets}
    kinds = [("solid", "", metrics)]
    if beside is not None:
        kinds = [("solid", f", {lines[0]}", metrics), ("dash", f", {lines[1]}", beside)]
    traces = [
        trace for net in nets for dash, kind, _ in kinds for trace in _lines(net, called[net], kind, dash)
    ]
    lengths = sorted({np.shape(metrics[names[0]][net])[1] for net in nets})
    longest = lengths[-1]
    ranges = [_ranges(name, [curves[name][net] for _, _, curves in kinds for net in nets]) for name in names]
    frame = layout("epoch", names[0], xaxis={"range": [0.5, longest + 0.5]}, yaxis={"range": ranges[0][0]})
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=f"Metrics by epoch for {len(nets)} nets, mean and range {counted_seeds(len(seeds))}. "
        + _ends_said([kind.removeprefix(", ") for _, kind, _ in kinds], [c for *_, c in kinds], called),
        table=_ends(kinds, nets, budgets),
        caption="Line: mean over seeds; band: lowest to highest seed."
        + (f" Solid: {lines[0]}; dashed: {lines[1]}." if beside is not None else ""),
    )
    figure.select("metric", "Metric", names).select("zoom", "Axis", ["whole", "close up"])
    if longest >= FAR_LONGER * lengths[0]:
        figure.select("epochs", "Epochs", [f"1 to {last}" for last in lengths], start=len(lengths) - 1)
        figure.bind_layout("xaxis.range", [[0.5, last + 0.5] for last in lengths], over="epochs")
    add_seeds(figure, seeds)
    for net in nets:
        for _, kind, curves in kinds:
            values = np.stack([finite(curves[name][net]) for name in names])
            epochs = np.arange(1, values.shape[-1] + 1)
            _place(figure, called[net] + kind, epochs)
            bind_curve(figure, called[net] + kind, values, over=("metric",))
    figure.bind_layout("yaxis.range", ranges, over=("metric", "zoom"))
    return figure.bind_layout("yaxis.title.text", names, over="metric")


def _lines(net: str, name: str, kind: str, dash: str) -> list[Any]:
    """Range and line of one kind of images; a net's lines are hidden together, by the entry of the solid one."""
    hover = "epoch %{x}: %{y:.4f}<extra>" + name + kind + "</extra>"
    traces = curve_traces(name + kind, [], net_color(net), dash=dash, hovertemplate=hover)
    for trace in traces:
        trace.legendgroup = name
    if dash == "dash":  # a phone has no room for both: the caption says what it is
        traces[-1].showlegend = False
    return traces


def _place(figure: Interactive, name: str, epochs: NDArray[Any]) -> None:
    """Give the traces of one curve their epochs; few of them are marked, since a line of one point is invisible."""
    mode = "lines+markers" if len(epochs) < 8 else "lines"
    figure.figure.update_traces(x=epochs, mode=mode, selector={"name": name})
    figure.figure.update_traces(x=outline_x(epochs), selector={"name": f"{name} range"})


def _end(curve: NDArray[Any]) -> float:
    """The mean over seeds at the last epoch."""
    return float(mean(finite(curve)[:, -1]))


def _ranges(name: str, curves: Sequence[NDArray[Any]]) -> list[list[float]]:
    """The axis for a metric: all of it, and where the nets that learned end."""
    ends = np.array([_end(curve) for curve in curves])
    ends = ends[~np.isnan(ends)]
    if "loss" in name:
        every = np.concatenate([finite(curve).ravel() for curve in curves])
        top = float(np.nanmax(every)) if (~np.isnan(every)).any() else 1.0
        return [[0, 1.05 * top], [0, max(1.5 * float(np.median(ends)), 0.01) if len(ends) else top]]
    learned = ends[ends > LEARNED]
    low = 1 - 3 * (1 - learned.min()) if len(learned) else 0.0
    return [[0, 1], [max(float(low), 0.0), 1]]


def _ends_said(
    kinds: Sequence[str], curves: Sequence[Mapping[str, Curves]], called: Mapping[str, str]
) -> str:
    """Where nets end: of the last metric, or of every metric where there are two lines per net."""
    names = list(curves[0])
    told = []
    for name in names if len(kinds) > 1 else names[-1:]:
        ends = ", ".join(
            f"{word} {' / '.join(f'{_end(c[name][net]):.3f}' for c in curves)}"
            for net, word in called.items()
        )
        how = f" ({' / '.join(kinds)})" if len(kinds) > 1 else ""
        told.append(f"{name} at the end of training{how}: {ends}.")
    return " ".join(told)


def _ends(
    kinds: Sequence[tuple[str, str, Mapping[str, Curves]]],
    nets: Sequence[str],
    budgets: Mapping[str, str] | None,
) -> dict[str, list[Any]]:
    """The mean over seeds at the last epoch."""
    first = next(iter(kinds[0][2].values()))
    columns: dict[str, list[Any]] = {
        "net": net_names(nets),
        "epochs": [np.shape(first[net])[1] for net in nets],
    }
    if budgets:
        columns["budget"] = [budgets.get(net, "") for net in nets]
    for name in kinds[0][2]:
        for _, kind, curves in kinds:
            columns[name + kind] = [_end(curves[name][net]) for net in nets]
    return columns


def final_accuracy(accuracy: Curves, *, paper: float, paper_text: str) -> Interactive:
    """Draw the test accuracy that each seed of each net ends at, beside the paper's.

    Parameters
    ----------
    accuracy : mapping of str to ndarray (n_seeds,)
        Net -> fraction of test images named rightly after the last row.
    paper : float
        Where the line is drawn.
    paper_text : str
        What the paper says, written beside the line.
    """
    import plotly.graph_objects as go

    nets = list(accuracy)[::-1]  # the first net on top
    traces = [_seed_dots(net, np.asarray(accuracy[net])) for net in nets]
    learned = [float(np.min(accuracy[net])) for net in nets if np.mean(accuracy[net]) > LEARNED]
    low = max(0.0, min([*learned, paper]) - 0.02)
    frame = layout(
        "test accuracy after the last row",
        "",
        height=420,
        xaxis={"range": [0, 1.02], "tickformat": ".0%"},
        yaxis={"type": "category", "categoryarray": nets, "range": [-0.6, len(nets) - 0.2]},
        **reference(paper, paper_text, axis="x"),
    )
    frame["yaxis"] |= {"tickvals": nets, "ticktext": net_names(nets)}
    frame["showlegend"] = False
    said = "; ".join(
        f"{net_name(net)} {percent(np.mean(accuracy[net]))} "
        f"({percent(np.min(accuracy[net]))} to {percent(np.max(accuracy[net]))})"
        for net in accuracy
    )
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=f"Test accuracy of every net and seed, mean (lowest to highest): {said}. "
        f"The paper: {paper_text}, drawn at {percent(paper)}.",
        table={
            "net": [net_name(net) for net in accuracy],
            "seeds": [len(values) for values in accuracy.values()],
            "mean": [float(np.mean(values)) for values in accuracy.values()],
            "lowest": [float(np.min(values)) for values in accuracy.values()],
            "highest": [float(np.max(values)) for values in accuracy.values()],
        },
        caption="One dot per seed; the bar is the mean.",
    )
    figure.select("zoom", "Axis", ["0 to 100 %", "close up"])
    return figure.bind_layout("xaxis.range", [[0, 1.02], [low, 1.005]], over="zoom")


def _seed_dots(net: str, values: NDArray[Any]) -> Any:
    """The seeds of one net as dots, its mean as an upright bar."""
    import plotly.graph_objects as go

    count = len(values)
    return go.Scatter(
        name=net_name(net),
        x=[*values.tolist(), float(values.mean())],
        y=[net] * (count + 1),
        mode="markers",
        marker={
            "color": net_color(net),
            "size": [9] * count + [26],
            "opacity": [0.6] * count + [1],
            "symbol": ["circle"] * count + ["line-ns"],
            "line": {"color": net_color(net), "width": [0] * count + [3]},
        },
        hovertemplate="%{x:.2%}<extra>" + net_name(net) + "</extra>",
    )
