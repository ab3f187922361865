"""What the hidden state knows of the digit while a sequence is read, net by net."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnkit.figures.class_paths import steps_of
from rnnkit.figures.curves import add_seeds, bind_curve, counted_seeds, curve_traces, layout, reference
from rnnkit.figures.frame import listed, net_name, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, finite, mean, number, present, require_axes
from rnnkit.figures.theme import net_color

MEASURES = {
    "linear": "accuracy of a linear probe",
    "linear_untrained": "accuracy of a linear probe, before training",
    "own": "accuracy of the net's own readout",
    "separation": "share of variance between classes",
}
_CHANCE = 0.1


def through_time(nets: Nets, seeds: list[int] | range | None = None) -> Interactive:
    """Draw how well the digit can be told from the state after each step, by three measures.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``steps`` (n_seeds, S) or (S,), time steps from 1; those of `MEASURES` (n_seeds, S).
        A net without them is left out.
    seeds : sequence of int, optional
        Names of the seeds; 0, 1, 2 ... if not given.

    Raises
    ------
    ValueError
        When no net has them all, or a shape is another one.
    """
    import plotly.graph_objects as go

    found = present(nets, "steps", *MEASURES)
    steps = steps_of(found)
    values = {
        net: np.stack([finite(require_axes(f"{net}, {m}", arrays[m], "seeds", len(steps))) for m in MEASURES])
        for net, arrays in found.items()
    }  # (measure, seed, step)
    most = max(own.shape[1] for own in values.values())
    shown = list(range(most)) if seeds is None else list(seeds)
    traces: list[Any] = []
    for net in found:
        hover = "step %{x}: %{y:.1%}<extra>" + net_name(net) + "</extra>"
        traces += curve_traces(net_name(net), steps, net_color(net), hovertemplate=hover)
    titles = list(MEASURES.values())
    tops = [max(float(np.nanmax(own[i], initial=0)) for own in values.values()) for i in range(len(MEASURES))]
    ranges = [
        [0, 1.02 if name.startswith("accuracy") else max(1.1 * top, 0.01)]
        for name, top in zip(titles, tops, strict=True)
    ]
    frame = layout(
        "step",
        titles[0],
        xaxis={"range": [0, int(steps[-1])]},
        yaxis={"range": ranges[0], "tickformat": ".0%"},
        **reference(_CHANCE, "chance"),
    )
    figure = Interactive(
        go.Figure(traces, layout=frame),
        alt=_alt(values, steps, most),
        table={"step": steps.tolist()}
        | {
            f"{net_name(net)}: {title}": [number(v) for v in mean(own[i], axis=0)]
            for net, own in values.items()
            for i, title in enumerate(titles)
        },
        caption="Line: mean over seeds; band: lowest to highest seed. A probe is fitted anew at each step.",
    )
    figure.select("measure", "Measure", titles)
    add_seeds(figure, shown)
    for net, own in values.items():
        bind_curve(figure, net_name(net), own, over=("measure",))
    figure.bind_layout("yaxis.range", ranges, over="measure")
    figure.bind_layout("yaxis.title.text", titles, over="measure")
    visible = [title.startswith("accuracy") for title in titles]
    figure.bind_layout("shapes[0].visible", visible, over="measure")
    return figure.bind_layout("annotations[0].visible", visible, over="measure")


def _alt(values: dict[str, np.ndarray], steps: np.ndarray, most: int) -> str:
    names = list(MEASURES)
    middle = int(np.abs(steps - steps[-1] / 2).argmin())

    def both(own: np.ndarray, at: int) -> str:
        shares = (percent(mean(own[names.index(name), :, at])) for name in ("linear", "own"))
        return f"{' and '.join(shares)} after step {steps[at]}"

    told = {net: f"{both(own, middle)}, {both(own, -1)}" for net, own in values.items()}
    apart = {net: percent(mean(own[names.index("separation"), :, -1])) for net, own in values.items()}
    return (
        f"What the hidden state knows of the digit by step, mean and range {counted_seeds(most)}. Accuracy of a linear "
        f"probe and of the net's own readout: {listed(told)}. Share of the states' variance between classes at the "
        f"end: {listed(apart)}."
    )
