"""What a linear probe finds in the states beside what the net's own readout says: known early, said late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import add_curve, bind_curve, see_through, stack_seeds
from rnnkit.figures.frame import EARLY_STEP, curve_layout, legend_below, listed, net_name, net_names, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.tables import measurement_table
from rnnkit.figures.theme import NEUTRAL, net_color

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
_PROBE, _OWN, _NEAR = "linear probe", "net's own readout", "nearest neighbours"

Curves = Mapping[str, np.ndarray]


def readouts(probe: Curves, own: Curves, purity: Curves, ink: np.ndarray, chance: float) -> Interactive:
    """Three ways to ask a state for its digit, after each row.

    Parameters
    ----------
    probe, own, purity : mapping of str to ndarray (n_seeds, S)
        By net: accuracy of a linear classifier fitted anew at each row; accuracy of the readout the net was
        trained with; share of nearest neighbours of the same digit.
    ink : ndarray (S,)
        Share of images with any ink so far: all others share one and the same state.
    chance : float
        Share of the same digit among neighbours at random.

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    nets = [net for net in probe if net in own and net in purity]
    seq_len, first = len(ink), nets[0]
    x = np.arange(1, seq_len + 1)
    layout = curve_layout("rows read", "share right", x_range=(1, seq_len), y_range=(0, 1.02))
    fig = go.Figure(layout=layout)
    kinds = [(_PROBE, probe, "solid"), (_OWN, own, "dash"), (_NEAR, purity, "dot")]
    starts = [
        add_curve(fig, x, values[first], name=name, color=net_color(first), dash=dash)
        for name, values, dash in kinds
    ]
    grey = {"mode": "lines", "line": {"color": NEUTRAL, "width": 1.5}}
    fig.add_trace(go.Scatter(x=x, y=ink, name="images with any ink", **grey))
    fig.add_trace(
        go.Scatter(
            x=[1, seq_len],
            y=[chance] * 2,
            name="chance",
            mode="lines",
            line={"color": NEUTRAL, "dash": "dot"},
        )
    )
    figure = Interactive(
        fig,
        alt=_readouts_alt(nets, probe, own, ink),
        table=_readouts_table(nets, probe, own, purity, ink),
        caption="Lines: mean over seeds; bands: least to most.",
    ).select("net", "Net", net_names(nets))
    for start, (_, values, _) in zip(starts, kinds, strict=True):
        bind_curve(figure, start, stack_seeds({net: values[net] for net in nets}), over="net")
        _bind_colors(figure, start, nets)
    return figure


def _bind_colors(figure: Interactive, first: int, nets: list[str]) -> None:
    """Let a curve take the colour of the net that is shown."""
    colors = [net_color(net) for net in nets]
    figure.bind_values(first, "line.color", colors, over="net")
    figure.bind_values(first + 1, "fillcolor", [see_through(color) for color in colors], over="net")
    figure.bind_values(first + 2, "line.color", colors, over="net")


def _readouts_alt(nets: list[str], probe: Curves, own: Curves, ink: np.ndarray) -> str:
    half = max(len(ink) // 2, 1)
    said = {
        net: f"{percent(np.nanmean(probe[net][:, half - 1]))} against {percent(np.nanmean(own[net][:, half - 1]))}"
        for net in nets
    }
    early = min(EARLY_STEP, len(ink))
    return (
        f"Accuracy over {len(ink)} rows of a linear probe, of the net's own readout and of nearest neighbours. After "
        f"row {half}, probe against own readout: {listed(said)}. {percent(ink[early - 1])} of the images have any ink "
        f"after row {early}."
    )


def _readouts_table(
    nets: list[str], probe: Curves, own: Curves, purity: Curves, ink: np.ndarray
) -> dict[str, Any]:
    table: dict[str, Any] = {"rows read": range(1, len(ink) + 1), "any ink": np.round(ink, 4)}
    for net in nets:
        for name, values in (("probe", probe), ("own", own), ("neighbours", purity)):
            table[f"{net}: {name}"] = np.nanmean(values[net], axis=0).round(4)
    return table


def readout_gap(probe: Curves, own: Curves) -> Interactive:
    """Accuracy of the linear probe less that of the net's own readout, for every net.

    Parameters
    ----------
    probe, own : mapping of str to ndarray (n_seeds, S)

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    gaps = {net: np.asarray(probe[net]) - np.asarray(own[net]) for net in probe if net in own}
    seq_len = next(iter(gaps.values())).shape[1]
    x = np.arange(1, seq_len + 1)
    lowest = min(-0.05, 1.1 * min(float(np.nanmin(gap)) for gap in gaps.values()))
    layout = curve_layout("rows read", "probe less own readout", x_range=(1, seq_len), y_range=(lowest, 1))
    fig = go.Figure(layout=layout)
    for net, gap in gaps.items():
        add_curve(fig, x, gap, name=net_name(net), color=net_color(net))
    fig.add_hline(y=0, line={"color": NEUTRAL, "width": 1})
    means = {net: np.nanmean(gap, axis=0) for net, gap in gaps.items()}
    widest = {net: f"{percent(m.max())} after row {int(m.argmax()) + 1}" for net, m in means.items()}
    return Interactive(
        fig,
        alt=f"Accuracy of a linear probe less that of the net's own readout over {seq_len} rows. "
        f"Widest: {listed(widest)}.",
        table={"rows read": x} | {net: mean.round(4) for net, mean in means.items()},
        caption="Lines: mean over seeds; bands: least to most.",
    )


def rows_until(accuracy: np.ndarray, threshold: float) -> np.ndarray:
    """First row after which ``accuracy`` (..., S) reaches the threshold; S + 1 where it never does."""
    reached = np.asarray(accuracy) >= threshold
    return np.where(reached.any(-1), reached.argmax(-1) + 1, reached.shape[-1] + 1)


def rows_needed(probe: Curves, own: Curves) -> Interactive:
    """How many rows each way of asking needs until it is right often enough.

    Parameters
    ----------
    probe, own : mapping of str to ndarray (n_seeds, S)

    Returns
    -------
    Interactive
    """
    import plotly.graph_objects as go

    nets = [net for net in probe if net in own]
    seq_len = probe[nets[0]].shape[1]
    counts = np.array(
        [[[_mean_rows(values[net], t) for net in nets] for values in (probe, own)] for t in THRESHOLDS]
    )  # (threshold, way, net)
    gap = np.full((len(THRESHOLDS), len(nets)), np.nan)
    between = np.stack([counts[:, 0], counts[:, 1], gap], axis=-1).reshape(len(THRESHOLDS), -1)
    place = np.arange(len(nets))
    colors = [net_color(net) for net in nets]
    fig = go.Figure(
        [
            go.Scatter(y=np.repeat(place, 3), mode="lines", showlegend=False, hoverinfo="skip"),
            go.Scatter(y=place, mode="markers", name=_PROBE),
            go.Scatter(y=place, mode="markers", name=_OWN),
        ],
        layout=_needed_layout(nets, seq_len),
    )
    fig.data[0].line = {"color": NEUTRAL, "width": 2}
    for trace, symbol in ((fig.data[1], "circle"), (fig.data[2], "diamond-open")):
        trace.marker = {"color": colors, "size": 13, "symbol": symbol, "line": {"width": 2}}
        trace.hovertemplate = "%{x:.1f} rows<extra>" + trace.name + "</extra>"
    figure = Interactive(
        fig,
        alt=_needed_alt(nets, counts, seq_len),
        table=_needed_table(nets, counts, seq_len),
        caption="Mean over seeds; a seed that never gets there counts as one row more than there are.",
    ).select(
        "threshold", "Right for", [f"{t:.0%} of the images" for t in THRESHOLDS], start=THRESHOLDS.index(0.8)
    )
    figure.bind(0, "x", between, over="threshold")
    return figure.bind(1, "x", counts[:, 0], over="threshold").bind(2, "x", counts[:, 1], over="threshold")


def _mean_rows(accuracy: np.ndarray, threshold: float) -> float:
    return float(rows_until(accuracy, threshold).mean())


def _needed_layout(nets: list[str], seq_len: int) -> dict[str, Any]:
    ticks = [*range(0, seq_len - 1, 4 if seq_len > 12 else 1), seq_len + 1]
    return {
        "height": 420,
        "legend": legend_below(),
        "xaxis": {
            "title": {"text": "rows needed"},
            "range": [0, seq_len + 2],
            "tickvals": ticks,
            "ticktext": [*map(str, ticks[:-1]), "never"],
        },
        "yaxis": {
            "tickvals": list(range(len(nets))),
            "ticktext": net_names(nets),
            "range": [len(nets) - 0.5, -0.5],
            "zeroline": False,
        },
    }


def _count(rows: float, seq_len: int) -> str:
    """A mean over seeds; never, if no seed gets there."""
    return "never" if rows > seq_len + 0.99 else f"{rows:.1f}"


def _needed_alt(nets: list[str], counts: np.ndarray, seq_len: int) -> str:
    at = counts[THRESHOLDS.index(0.8)]
    found = {
        net: f"probe {_count(at[0, i], seq_len)}, own readout {_count(at[1, i], seq_len)}"
        for i, net in enumerate(nets)
    }
    return f"Rows, of {seq_len}, until 80 % of the images are named rightly: {listed(found)}."


def _needed_table(nets: list[str], counts: np.ndarray, seq_len: int) -> dict[str, Any]:
    places = [(i, j) for i in range(len(THRESHOLDS)) for j in range(len(nets))]
    return {
        "right for": [f"{THRESHOLDS[i]:.0%}" for i, _ in places],
        "net": [nets[j] for _, j in places],
        "rows, linear probe": [_count(counts[i, 0, j], seq_len) for i, j in places],
        "rows, own readout": [_count(counts[i, 1, j], seq_len) for i, j in places],
    }


_SUMMARY = {
    "linear_readout_half": "linear probe, half of the rows, %",
    "own_readout_half": "own readout, half of the rows, %",
    "readout_gap_half": "the gap, half of the rows, points",
    "readout_gap_mean": "the gap, mean over all rows but the last, points",
    "rows_until_probe_80": "rows until the probe is right for 80 of 100",
    "rows_until_own_80": "rows until the own readout is right for 80 of 100",
    "final_accuracy": "own readout, last row, %",
}


def summary(measurements: Curves, nets: Sequence[str], *, num_rows: int) -> dict[str, list[str]]:
    """The page's main numbers as columns of text, one per net, of images of ``num_rows`` rows."""
    return measurement_table(measurements, _SUMMARY, nets, num_rows=num_rows)
