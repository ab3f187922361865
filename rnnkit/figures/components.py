"""Where the words lie, and what the weights make of them (Fig. 1, Mehta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.cells import axes, bind_strips, by_cell, panels, place, said, strips
from rnnkit.figures.frame import mean_and_range, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.theme import WORDS

Arrays = Mapping[str, np.ndarray]
GATES = ("reset gate", "update gate", "candidate")
CANDIDATE = 2
SYMBOLS = {"stop": "circle", "positive": "triangle-up", "negative": "diamond"}
WORD_KINDS = ("stop",) * 6 + ("positive",) * 2 + ("negative",) * 2
_QUANTITIES = ("words", "images", "readout")
_TITLES = ("word vectors x", "W<sub>ih</sub> x", "W<sub>oh</sub> W<sub>ih</sub> x")
_STEPS = {
    "step of the state": ("step_stop", "step_other"),
    "length of W_ih x": ("image_stop", "image_other"),
}
_NETS = ("trained", "untrained")
_NUMBERS = {
    "separable_words": "models whose word vectors a line separates",
    "separable_images": "models whose W_ih x a line separates",
    "separable_readout": "models whose W_oh W_ih x a line separates",
    "line_images": "variance of W_ih x along its main axis",
    "line_readout": "variance of W_oh W_ih x along its main axis",
}


def word_maps(
    found: Mapping[str, Arrays], *, kinds: Sequence[str] = WORD_KINDS, names: Sequence[str] = ()
) -> Interactive:
    """Draw the vocabulary in three spaces, for one model of each cell at a time.

    Parameters
    ----------
    found : mapping of str to mapping
        By cell, ``words`` (M, V, 2), ``images`` (M, G, V, 2) with G = 1 or, for a gru, 3 gates, ``readout``
        (M, V, 2) and ``accuracy`` (M,).
    kinds : sequence of str
        ``stop``, ``positive`` or ``negative`` for each of the V words.
    names : sequence of str, optional
        What the words are called.
    """
    import plotly.graph_objects as go

    names = list(names) or [f"word {i}" for i in range(len(kinds))]
    count = min(len(arrays["accuracy"]) for arrays in found.values())
    places = {cell: _in_panels(arrays, count) for cell, arrays in found.items()}
    figure = Interactive(
        go.Figure(layout=_maps_layout(places)),
        alt=_maps_alt(found, count),
        table=_maps_table(found, count),
        caption="Both axes of a panel have the same range for all models of a cell.",
    )
    figure.slider("model", "Model", range(1, count + 1)).select(
        "gate", "Gate of the GRU", GATES, start=CANDIDATE
    )
    for column, spaces in enumerate(places.values()):
        for row, space in enumerate(spaces):
            for kind in SYMBOLS:
                members = [i for i, own in enumerate(kinds) if own == kind]
                _add_words(figure, kind, [names[i] for i in members], 2 * row + column)
                over = ("model", "gate") if space.shape[1] > 1 else ("model",)
                shown = space[:, :, members] if space.shape[1] > 1 else space[:, 0, members]
                last = len(figure.figure.data) - 1
                figure.bind(last, "x", shown[..., 0], over=over).bind(last, "y", shown[..., 1], over=over)
    for column, (cell, arrays) in enumerate(found.items()):
        texts = [
            f"{said(cell)}: {_TITLES[0]}<br>({percent(share)} right)" for share in arrays["accuracy"][:count]
        ]
        figure.bind_layout(f"annotations[{column}].text", texts, over="model")
    return figure


def _in_panels(arrays: Arrays, count: int) -> list[np.ndarray]:
    """The three spaces of a cell, each (M, G or 1, V, 2)."""
    spaces = [np.asarray(arrays[name], dtype=float)[:count] for name in _QUANTITIES]
    return [space if space.ndim == 4 else space[:, None] for space in spaces]


def _maps_layout(places: Mapping[str, list[np.ndarray]]) -> dict[str, Any]:
    titles = [f"{said(cell)}: {title}" for title in _TITLES for cell in places]
    axis = {"zeroline": True, "nticks": 5}
    layout = panels(titles, x=axis, y=axis, height=720, columns=len(places))
    layout["margin"] = {"t": 48, "l": 40, "r": 10}
    for column, spaces in enumerate(places.values()):
        for row, space in enumerate(spaces):
            reach = 1.12 * max(float(np.abs(space).max()), 1e-6)
            number = place(len(places) * row + column)
            for side in "xy":
                layout[f"{side}axis{number}"] |= {"range": [-reach, reach], "showticklabels": True}
    return layout


def _add_words(figure: Interactive, kind: str, names: Sequence[str], panel: int) -> None:
    import plotly.graph_objects as go

    marker = {
        "color": WORDS[kind],
        "symbol": SYMBOLS[kind],
        "size": 11 if kind != "stop" else 8,
        "opacity": 0.85,
    }
    figure.figure.add_trace(
        go.Scatter(
            name=f"{kind} word",
            legendgroup=kind,
            showlegend=panel == 0,
            mode="markers",
            text=list(names),
            marker=marker,
            hovertemplate="%{text} (" + kind + "): %{x:.2f}, %{y:.2f}<extra></extra>",
            **axes(panel),
        )
    )


def _maps_alt(found: Mapping[str, Arrays], count: int) -> str:
    parts = []
    for cell, arrays in found.items():
        shares = ", ".join(
            f"{int(np.sum(arrays[f'separable_{where}']))} in {word}"
            for where, word in (
                ("words", "the word vectors"),
                ("images", "W_ih x"),
                ("readout", "W_oh W_ih x"),
            )
            if f"separable_{where}" in arrays
        )
        parts.append(f"{said(cell)}: accuracy {mean_and_range(arrays['accuracy'], '.3f')}; {shares}")
    return (
        "The ten words as points, in the plane of their vectors, after the input matrix and after the output matrix, "
        f"for {count} models of each cell. Models in which a straight line parts positive from negative words: "
        f"{'. '.join(parts)}."
    )


def _maps_table(found: Mapping[str, Arrays], count: int) -> dict[str, list[Any]]:
    return {
        "model": [i + 1 for _ in found for i in range(count)],
        "cell": [said(cell) for cell in found for _ in range(count)],
        "accuracy": [float(a["accuracy"][i]) for a in found.values() for i in range(count)],
        "length of W_ih x, stop": [float(a["image_stop"][i]) for a in found.values() for i in range(count)],
        "length of W_ih x, other": [float(a["image_other"][i]) for a in found.values() for i in range(count)],
    }


def steps(found: Mapping[str, Arrays]) -> Interactive:
    """Draw how far the state moves when it reads a stop word and when it reads another one, model by model.

    Parameters
    ----------
    found : mapping of str to mapping
        By cell, ``step_stop``, ``step_other``, ``image_stop`` and ``image_other``, each (M,), and the same of untrained
        nets with ``untrained_`` before the name, each (M',).
    """
    import plotly.graph_objects as go

    names = ("stop", "other")
    values = {cell: _steps(arrays) for cell, arrays in found.items()}  # (trained, measure, word, model)
    traces, x_axis = strips(
        {cell: a[0, 0] for cell, a in values.items()}, names, symbols=("circle", "diamond")
    )
    tops = [1.08 * max(float(np.nanmax(a[:, i])) for a in values.values()) for i in range(len(_STEPS))]
    layout = {
        "height": 420,
        "showlegend": False,
        "margin": {"t": 24},
        "xaxis": x_axis,
        "yaxis": {"title": {"text": next(iter(_STEPS))}, "range": [0, tops[0]]},
    }
    told = [
        f"{name}: {by_cell({cell: a[i, 0, 0] / a[i, 0, 1] for cell, a in values.items()})}"
        for i, name in enumerate(_NETS)
    ]
    figure = Interactive(
        go.Figure(traces, layout=layout),
        alt="Mean step of the state when a stop word is read and when another word is read, one dot per model. Step at "
        f"stop words as a share of that at other words, mean [least, most]: {'; '.join(told)}.",
        table=_steps_table(values),
        caption="One dot per model; the bar is the mean.",
    )
    figure.select("measure", "Measure", list(_STEPS)).select("net", "Nets", _NETS)
    bind_strips(figure, values, names, over=("net", "measure"))
    figure.bind_layout("yaxis.range", [[0, top] for top in tops], over="measure")
    return figure.bind_layout("yaxis.title.text", list(_STEPS), over="measure")


def _steps(arrays: Arrays) -> np.ndarray:
    """Trained and untrained nets, NaN where there are fewer: (2, measure, word, M)."""
    parts = [
        np.stack([[np.asarray(arrays[before + name], float) for name in pair] for pair in _STEPS.values()])
        for before in ("", "untrained_")
    ]
    most = max(part.shape[-1] for part in parts)
    return np.stack(
        [np.pad(part, [(0, 0)] * 2 + [(0, most - part.shape[-1])], constant_values=np.nan) for part in parts]
    )


def _steps_table(values: Mapping[str, np.ndarray]) -> dict[str, list[Any]]:
    rows = [(cell, n, i, j) for cell in values for n in (0, 1) for i in range(len(_STEPS)) for j in (0, 1)]
    return {
        "cell": [said(cell) for cell, _, _, _ in rows],
        "nets": [_NETS[n] for _, n, _, _ in rows],
        "measure": [list(_STEPS)[i] for _, _, i, _ in rows],
        "words": [("stop", "other")[j] for _, _, _, j in rows],
        "mean [least, most]": [mean_and_range(values[cell][n, i, j]) for cell, n, i, j in rows],
    }


def summary(found: Mapping[str, Arrays]) -> dict[str, list[str]]:
    """In how many models words can be parted by a line, and how nearly they lie on one: columns of text."""
    table = {"measured": list(_NUMBERS.values())}
    for cell, arrays in found.items():
        for before, net in (("", ""), ("untrained_", ", untrained")):
            table[said(cell) + net] = [_number(arrays[before + name], name) for name in _NUMBERS]
    return table


def _number(values: np.ndarray, name: str) -> str:
    if name.startswith("line"):
        return f"{mean_and_range(100 * np.asarray(values), '.1f')} %"
    return f"{int(np.sum(values))} of {len(values)}"
