"""What others report on psMNIST, beside what was found here, with what a test set of that size can tell apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np

from rnnkit.figures.curves import layout
from rnnkit.figures.frame import net_name, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import has, number
from rnnkit.figures.theme import NEUTRAL, net_color

PROTOCOL = ("permutation", "split", "augmentation", "selection", "epochs")
_Z = 1.959963984540054  # 97.5 % quantile of the normal law
_OTHERS = "published"
_CLOSE = 0.96  # from where the best nets can be told apart by eye


def wilson(share: Any, count: Any) -> np.ndarray:
    """95 % interval of a share found on so many images (Wilson 1927): ``(2, ...)``, low and high."""
    share, count = np.asarray(share, dtype=float), np.asarray(count, dtype=float)
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return np.stack([middle - half, middle + half])


def published(
    entries: Sequence[Mapping[str, Any]],
    ours: Mapping[str, Any],
    *,
    n_test: Mapping[str, int],
    budgets: Mapping[str, str] | None = None,
    protocol: Mapping[str, str] | None = None,
    parameters: Mapping[str, int] | None = None,
) -> Interactive:
    """Draw reported accuracies on psMNIST beside ours, each with the interval that its test set leaves open.

    Parameters
    ----------
    entries : sequence of mapping
        ``name``, ``key`` (in the bibliography), ``accuracy`` (a fraction), ``n_test``; and, for the table,
        ``seeds``, ``parameters``, ``permutation``, ``split``, ``augmentation``, ``selection``, ``epochs``, and
        ``sources`` of these fields. What is missing or None is printed as "not said".
    ours : mapping of str to ndarray (n_seeds,)
        Net -> test accuracy of each seed; a net without one is left out.
    n_test : mapping of str to int
        Net -> images that it was tested on.
    budgets : mapping of str to str, optional
        Net -> the budget it was trained with.
    protocol : mapping of str to str, optional
        The same fields as those of an entry, for ours.
    parameters : mapping of str to int, optional
        Net -> parameters of ours.

    Raises
    ------
    ValueError
        When an accuracy is no fraction or an entry has no name or number of images.
    """
    import plotly.graph_objects as go

    rows = [_reported(entry) for entry in entries]
    for net, values in ours.items():
        if has(values):
            budget = (budgets or {}).get(net)
            row = _own(net, np.asarray(values, dtype=float), n_test[net], budget, protocol or {})
            rows.append(row | {"parameters": (parameters or {}).get(net)})
    if not rows:
        raise ValueError("there is neither an entry nor a net of ours")
    rows.sort(key=lambda row: -row["accuracy"])
    for row in rows:
        if not 0 <= row["accuracy"] <= 1:
            raise ValueError(f"{row['name']}, accuracy: a fraction is needed, not {row['accuracy']}")
        row["low"], row["high"] = (float(end) for end in wilson(row["accuracy"], row["n_test"]))
    low = min(row["low"] for row in rows)
    traces = [_trace(_OTHERS, NEUTRAL, "diamond", [(i, r) for i, r in enumerate(rows) if r["net"] is None])]
    traces += [
        _trace(r["name"], net_color(r["net"]), "circle", [(i, r)]) for i, r in enumerate(rows) if r["net"]
    ]
    figure = Interactive(
        go.Figure(traces, layout=_frame(rows, low)),
        alt=_alt(rows),
        table=_table(rows),
        caption="Diamonds: as published; circles: here, mean over seeds. Lines: 95 % interval (Wilson) of a share "
        "found on that many test images; differences of seeds, split and tuning come on top.",
    )
    figure.select("zoom", "Axis", ["all", "from 96 %", "from 0 %"])
    ends = [[start - 0.04 * (1 - start), 1 + 0.01 * (1 - start)] for start in (low, _CLOSE)]
    return figure.bind_layout("xaxis.range", [*ends, [0, 1]], over="zoom")


def _reported(entry: Mapping[str, Any]) -> dict[str, Any]:
    for field in ("name", "accuracy", "n_test"):
        if entry.get(field) is None:
            raise ValueError(f"{entry.get('name', 'an entry')}: {field} is missing")
    return {**entry, "accuracy": float(entry["accuracy"]), "net": None}


def _own(
    net: str, values: np.ndarray, n_test: int, budget: str | None, protocol: Mapping[str, str]
) -> dict[str, Any]:
    name = f"{net_name(net)}, here" + (f" ({budget})" if budget else "")
    known = values[~np.isnan(values)]
    if not known.size:
        raise ValueError(f"{net}: no seed has an accuracy")
    mean = float(known.mean())
    return {
        **protocol,
        "net": net,
        "name": name,
        "accuracy": mean,
        "n_test": n_test,
        "seeds": int(known.size),
    }


def _trace(name: str, color: str, symbol: str, rows: Sequence[tuple[int, dict[str, Any]]]) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        name=name,
        x=[row["accuracy"] for _, row in rows],
        y=[place for place, _ in rows],
        text=[row["name"] for _, row in rows],
        mode="markers",
        marker={"color": color, "size": 10, "symbol": symbol},
        error_x={
            "type": "data",
            "array": [row["high"] - row["accuracy"] for _, row in rows],
            "arrayminus": [row["accuracy"] - row["low"] for _, row in rows],
            "color": color,
            "thickness": 2,
            "width": 0,
        },
        hovertemplate="%{text}: %{x:.2%}<extra></extra>",
    )


def _frame(rows: Sequence[Mapping[str, Any]], low: float) -> dict[str, Any]:
    frame = layout(
        "test accuracy",
        "",
        height=130 + len(rows) * max(30, 15 * max(_short(row["name"]).count("<br>") + 1 for row in rows) + 4),
        xaxis={"range": [low, 1], "tickformat": ".1~%", "nticks": 4},
        yaxis={
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": list(range(len(rows))),
            "ticktext": [_short(row["name"]) for row in rows],
            "zeroline": False,
        },
    )
    frame["showlegend"] = False
    return frame


def _short(name: str) -> str:
    """A name over several lines where it would leave no room on a phone."""
    return "<br>".join(wrap(name, 20, break_long_words=False))


def _alt(rows: Sequence[Mapping[str, Any]]) -> str:
    def said(row: Mapping[str, Any]) -> str:
        return f"{row['name']} {percent(row['accuracy'])} [{percent(row['low'])}, {percent(row['high'])}]"

    others, own = ([row for row in rows if (row["net"] is None) == outside] for outside in (True, False))
    parts = []
    if others:
        parts.append(f"{len(others)} published, from {said(others[-1])} to {said(others[0])}")
    if own:
        parts.append("here: " + ", ".join(said(row) for row in own))
    left = "the 95 % interval that the number of test images leaves"
    return f"Test accuracies on psMNIST with {left}: {'; '.join(parts)}."


def _table(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    def text(value: Any) -> str:
        missing = value is None or (isinstance(value, float) and math.isnan(value))
        return "not said" if missing else f"{value:,}" if isinstance(value, int) else str(value)

    table: dict[str, list[Any]] = {
        "model": [row["name"] for row in rows],
        "accuracy": [number(row["accuracy"]) for row in rows],
        "95 % from": [number(row["low"]) for row in rows],
        "95 % to": [number(row["high"]) for row in rows],
        "test images": [int(row["n_test"]) for row in rows],
        "seeds": [text(row.get("seeds")) for row in rows],
        "parameters": [text(row.get("parameters")) for row in rows],
    }
    table |= {field: [text(row.get(field)) for row in rows] for field in PROTOCOL}
    return table | {"source": [_source(row) for row in rows]}


def _source(row: Mapping[str, Any]) -> str:
    """Where the fields of a row were read, those of one place together."""
    if row["net"]:
        return "here"
    places: dict[str, list[str]] = {}
    for field, place in (row.get("sources") or {}).items():
        places.setdefault(place, []).append(field)
    return "; ".join(f"{', '.join(fields)}: {place}" for place, fields in places.items()) or "not said"
