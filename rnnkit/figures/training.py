"""How the nets learned: metrics by epoch, and the accuracy they end at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.figures.curves import add_seeds, bind_curve, counted_seeds, curve_traces, layout, reference
from rnnkit.figures.frame import net_name, net_names, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import net_color

Curves = Mapping[str, NDArray[np.float64]]
CHANCE = 0.1
LEARNED = 0.2  # a net above this accuracy counts as one that learned, for where close-ups begin


def learning_curves(metrics: Mapping[str, Curves], seeds: Sequence[int]) -> Interactive:
    """Draw metrics by epoch for every net that was trained.

    Parameters
    ----------
    metrics : mapping of str to mapping of str to ndarray (n_seeds, num_epochs)
        What the reader sees as the metric's name -> net -> values; nets may differ in epochs. A metric
        whose name holds ``loss`` is in nats, any other a fraction.
    seeds : sequence of int
    """
    import plotly.graph_objects as go

    names = list(metrics)
    nets = [net for net, curve in metrics[names[0]].items() if np.shape(curve)[1]]
    epochs = {net: np.arange(1, np.shape(metrics[names[0]][net])[1] + 1) for net in nets}
    longest = max(len(e) for e in epochs.values())
    traces: list[Any] = []
    for net in nets:
        mode = "lines+markers" if len(epochs[net]) < 8 else "lines"
        hover = "epoch %{x}: %{y:.4f}<extra>" + net_name(net) + "</extra>"
        traces += curve_traces(net_name(net), epochs[net], net_color(net), hovertemplate=hover)
        traces[-1].mode = mode
    ranges = [_ranges(name, [metrics[name][net] for net in nets]) for name in names]
    frame = layout("epoch", names[0], xaxis={"range": [0.5, longest + 0.5]}, yaxis={"range": ranges[0][0]})
    last = names[-1]
    ends = ", ".join(f"{net_name(net)} {metrics[last][net][:, -1].mean():.3f}" for net in nets)
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=f"Metrics by epoch for {len(nets)} nets, mean and range {counted_seeds(len(seeds))}. "
        f"{last} at the end of training: {ends}.",
        table=_ends(metrics, nets),
        caption="Line: mean over seeds; band: lowest to highest seed.",
    )
    figure.select("metric", "Metric", names).select("zoom", "Axis", ["whole", "close up"])
    add_seeds(figure, seeds)
    for net in nets:
        values = np.stack([np.asarray(metrics[name][net], dtype=np.float64) for name in names])
        bind_curve(figure, net_name(net), values, over=("metric",))
    figure.bind_layout("yaxis.range", ranges, over=("metric", "zoom"))
    return figure.bind_layout("yaxis.title.text", names, over="metric")


def _ranges(name: str, curves: Sequence[NDArray[Any]]) -> list[list[float]]:
    """The axis for a metric: all of it, and where the nets that learned end."""
    ends = np.array([curve[:, -1].mean() for curve in curves])
    if "loss" in name:
        top = max(float(curve.max()) for curve in curves)
        return [[0, 1.05 * top], [0, max(1.5 * float(np.median(ends)), 0.01)]]
    learned = ends[ends > LEARNED]
    low = 1 - 3 * (1 - learned.min()) if len(learned) else 0.0
    return [[0, 1], [max(float(low), 0.0), 1]]


def _ends(metrics: Mapping[str, Curves], nets: Sequence[str]) -> dict[str, list[Any]]:
    """The mean over seeds at the last epoch."""
    columns: dict[str, list[Any]] = {
        "net": net_names(nets),
        "epochs": [np.shape(next(iter(metrics.values()))[net])[1] for net in nets],
    }
    for name, curves in metrics.items():
        columns[name] = [float(curves[net][:, -1].mean()) for net in nets]
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
