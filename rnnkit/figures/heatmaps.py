"""Recurrent weights as pictures before and after training (Fig. 5, Irisarri)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.frame import bare_axis, net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, finite, mean, number, present, require_axes
from rnnkit.figures.theme import certainty_colorscale
from rnnkit.figures.weights import WHEN, Part, first_shown, listed_parts

RECURRENT = "recurrent"
_LEVELS = 16  # of each sign: finer ones are not seen, and noise compresses badly
_TOP = 0.995  # share of the weights within the colour scale
_ORDERS = {"heat": "ordered, so that structure shows", "heat_plain": "as the units are numbered"}


def heat_maps(nets: Nets, *, most: int = 128) -> Interactive:
    """Draw the recurrent weights of a gate before and after training, as they are numbered or in an order.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``parts``, a list of P names, of which those that begin with ``recurrent`` are the G gates in their
        order; ``heat`` and ``heat_plain`` (n_seeds, G, 2, N, N), before and after, with and without ordering;
        ``moments`` (n_seeds, P, 2, 4). A net without them is left out. The first seed is drawn.
    most : int
        Rows and columns that are drawn at most, from the first on: a smaller page.

    Raises
    ------
    ValueError
        When no net has them all, or a shape is another one.
    """
    import plotly.graph_objects as go

    found = present(nets, "parts", "heat", "heat_plain", "moments")
    gates = recurrent_gates(found)
    shown, tops = _levels(found, gates, most)
    size = shown.shape[-1]
    panel = {"colorscale": _colorscale(), "zmin": -_LEVELS, "zmax": _LEVELS, "hoverinfo": "skip"}
    bar = {"tickvals": [-_LEVELS, 0, _LEVELS], "title": {"text": "weight"}, "thickness": 12, "len": 0.7}
    figure = Interactive(
        go.Figure(
            [
                go.Heatmap(name="before", showscale=False, **panel),
                go.Heatmap(name="after", xaxis="x2", yaxis="y2", colorbar=bar, **panel),
            ],
            layout=_maps_layout(size),
        ),
        alt=_maps_alt(found, gates, size),
        table=_spread_table(found, gates),
        caption="One seed. Both pictures of a gate have one scale; colours end where 99.5 % of its weights do.",
    )
    figure.select("gate", "Net and gate", [gate.label for gate in gates], start=first_shown(gates))
    figure.select("order", "Units", list(_ORDERS.values()))
    for i, when in enumerate(WHEN):
        figure.bind(when, "z", shown[:, :, i], over=("gate", "order"))
    texts = [[f"−{top:.2g}", "0", f"{top:.2g}"] for top in tops]
    return figure.bind_values("after", "colorbar.ticktext", texts, over="gate")


def recurrent_gates(found: Mapping[str, Mapping[str, Any]]) -> list[Part]:
    """The parts that are recurrent, of all nets.

    Raises
    ------
    ValueError
        When there is none.
    """
    gates = listed_parts(found, RECURRENT)
    if not gates:
        raise ValueError(f"parts: no name begins with {RECURRENT!r}")
    return gates


def _levels(
    found: Mapping[str, Mapping[str, Any]], gates: Sequence[Part], most: int
) -> tuple[np.ndarray, list[float]]:
    """Weights as whole levels of colour, (gate, order, when, N, N), and the weight at the end of each gate's scale."""
    pictures, tops = [], []
    for net, arrays in found.items():
        own = sum(gate.net == net for gate in gates)
        both = np.stack(
            [
                finite(require_axes(f"{net}, {name}", arrays[name], "seeds", own, 2, "N", "N"))[
                    0, ..., :most, :most
                ]
                for name in _ORDERS
            ],
            axis=1,
        )  # (gate, order, when, N, N)
        for picture in np.nan_to_num(both):
            tops.append(float(np.quantile(np.abs(picture), _TOP)) or 1.0)
            pictures.append(
                np.clip(np.rint(picture * (_LEVELS / tops[-1])), -_LEVELS, _LEVELS).astype(np.int64)
            )
    side = max(picture.shape[-1] for picture in pictures)
    room = [[(0, 0)] * 2 + [(0, side - picture.shape[-1])] * 2 for picture in pictures]
    return np.stack([np.pad(picture, r) for picture, r in zip(pictures, room, strict=True)]), tops


def _colorscale() -> list[list[Any]]:
    """Negative and positive ends; nothing in between lets the page through."""
    low, _, high = (color for _, color in certainty_colorscale())
    return [[0, low], [0.5, see_through(low, 0)], [0.5, see_through(high, 0)], [1, high]]


def _maps_layout(size: int) -> dict[str, Any]:
    """One picture under the other, so that both are large enough on a phone."""
    made: dict[str, Any] = {"height": 720, "margin": {"t": 32, "l": 8, "r": 8, "b": 16}, "annotations": []}
    for count, domain, word in (("", [0.53, 1], WHEN[0]), ("2", [0, 0.47], WHEN[1])):
        made[f"xaxis{count}"] = bare_axis(range=[-0.5, size - 0.5], constrain="domain", anchor=f"y{count}")
        made[f"yaxis{count}"] = bare_axis(
            range=[size - 0.5, -0.5],
            domain=domain,
            scaleanchor=f"x{count}",
            constrain="domain",
            anchor=f"x{count}",
        )
        place = {
            "x": 0.5,
            "y": domain[1],
            "xref": "paper",
            "yref": "paper",
            "xanchor": "center",
            "yanchor": "bottom",
        }
        made["annotations"].append({"text": f"{word} training", "showarrow": False, **place})
    return made


def _spreads(found: Mapping[str, Mapping[str, Any]], gate: Part) -> np.ndarray:
    """Standard deviation of a gate's weights before and after, mean over seeds."""
    moments = require_axes(f"{gate.net}, moments", found[gate.net]["moments"], "seeds", "P", 2, 4)
    return np.asarray(mean(moments, axis=0)[gate.row, :, 1])


def _maps_alt(found: Mapping[str, Mapping[str, Any]], gates: Sequence[Part], size: int) -> str:
    told = "; ".join("{} {:.3f} and {:.3f}".format(gate.label, *_spreads(found, gate)) for gate in gates)
    return (
        f"Recurrent weights of {size} units of a gate as two pictures, before and after training. Standard deviation "
        f"of all its weights before and after: {told}."
    )


def _spread_table(found: Mapping[str, Mapping[str, Any]], gates: Sequence[Part]) -> dict[str, list[Any]]:
    spreads = [_spreads(found, gate) for gate in gates]
    return {
        "net": [net_name(gate.net) for gate in gates],
        "gate": [gate.name for gate in gates],
        "std before": [number(before) for before, _ in spreads],
        "std after": [number(after) for _, after in spreads],
    }
