"""The search over layers and hidden sizes of the nets that read digits row by row (section 3.1, Anirudh R)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import see_through
from rnnkit.figures.cells import axes, beside, panels, place
from rnnkit.figures.curves import counted_seeds, layout
from rnnkit.figures.frame import mean_and_range, percent
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import DASHES, SYMBOLS, all_said, color, fractions, legend_entry, said
from rnnkit.figures.nets import mean

Accuracy = Mapping[str, Any]
ZOOMS = ("each net its own", "close up", "one for all nets")
_SHIFT = 0.14  # of the lines of each number of layers, so that their dots stay apart


def grid(
    accuracy: Accuracy, *, cells: Sequence[str], layers: Sequence[int], hidden_sizes: Sequence[int]
) -> Interactive:
    """Draw the test accuracy of every net of the search after every epoch, and which is best.

    Parameters
    ----------
    accuracy : mapping of str to ndarray (L, H, n_seeds, num_epochs)
        By cell, a fraction; NaN where a net was not trained.
    cells : sequence of str
        Which to draw, in their order.
    layers : sequence of int (L,)
    hidden_sizes : sequence of int (H,)

    Raises
    ------
    ValueError
        When a cell is missing or unknown, or an array does not fit.
    """
    import plotly.graph_objects as go

    found = _checked(accuracy, cells, layers, hidden_sizes)
    num_seeds, num_epochs = next(iter(found.values())).shape[2:]
    frame = _grid_layout(cells, hidden_sizes)
    fig = go.Figure(
        [trace for i, cell in enumerate(cells) for trace in _traces(cell, i, layers, num_seeds, hidden_sizes)]
    )
    fig.add_traces(
        [
            legend_entry(_layers_said(count), symbol=SYMBOLS[i % 4], dash=DASHES[i % 4])
            for i, count in enumerate(layers)
        ]
    )
    fig.update_layout(frame)
    figure = Interactive(
        fig,
        alt=_grid_alt(found, layers, hidden_sizes),
        table=_grid_table(found, layers, hidden_sizes),
        caption="Line: mean over seeds; dots: seeds. A ring stands around the net of the highest mean after that "
        "epoch. Close up: the range of the later epochs.",
    )
    figure.slider("epoch", "Epoch", range(1, num_epochs + 1), start=num_epochs - 1)
    figure.select("zoom", "Axis", ZOOMS)
    for cell, values in found.items():
        by_epoch = np.moveaxis(values, -1, 0)  # (epoch, layers, hidden, seed)
        middle = mean(by_epoch, axis=-1)
        for j, count in enumerate(layers):
            name = _name(cell, count)
            figure.bind(name, "y", middle[:, j], over="epoch")
            figure.bind(f"{name}, seeds", "y", by_epoch[:, j].reshape(num_epochs, -1), over="epoch")
        figure.bind(f"{said(cell)}, best", "y", _only_best(middle).reshape(num_epochs, -1), over="epoch")
    every = _range(list(found.values()))
    for i, values in enumerate(found.values()):
        ranges = [_range([values]), _range([values[..., num_epochs // 2 :]]), every]
        figure.bind_layout(f"yaxis{place(i)}.range", ranges, over="zoom")
    return figure


def _checked(
    accuracy: Accuracy, cells: Sequence[str], layers: Sequence[int], hidden_sizes: Sequence[int]
) -> dict[str, np.ndarray]:
    missing = [cell for cell in cells if cell not in accuracy]
    if missing or not cells:
        raise ValueError(
            f"no accuracy of {', '.join(missing) or 'any cell'}; given: {', '.join(accuracy) or 'none'}"
        )
    shape: tuple[str | int, ...] = ("seeds", "epochs")
    found: dict[str, np.ndarray] = {}
    for cell in cells:
        color(cell)
        found[cell] = fractions(f"{cell}, accuracy", accuracy[cell], len(layers), len(hidden_sizes), *shape)
        shape = found[cell].shape[2:]
        if not found[cell].size:
            raise ValueError(f"{cell}, accuracy: seeds and epochs are needed, not {found[cell].shape}")
    return found


def _layers_said(count: int) -> str:
    return f"{count} layer" + ("" if count == 1 else "s")


def _name(cell: str, count: int) -> str:
    return f"{said(cell)}, {_layers_said(count)}"


def _shifts(layers: Sequence[int]) -> np.ndarray:
    return _SHIFT * (2 * np.arange(len(layers)) - (len(layers) - 1))


def _traces(
    cell: str, panel: int, layers: Sequence[int], num_seeds: int, hidden_sizes: Sequence[int]
) -> list[Any]:
    """Line and dots of every number of layers, and the sign of the best."""
    import plotly.graph_objects as go

    at, shifts, made = np.arange(len(hidden_sizes)), _shifts(layers), []
    for j, count in enumerate(layers):
        sign = {"color": color(cell), "symbol": SYMBOLS[j % 4]}
        name = _name(cell, count)
        hover = "%{customdata} units: %{y:.2%}<extra>" + name + "</extra>"
        quiet = {"showlegend": False, "hovertemplate": hover, **axes(panel)}
        made += [
            go.Scatter(
                name=f"{name}, seeds",
                x=(at[:, None] + shifts[j] + 0.35 * beside(num_seeds)).ravel(),
                customdata=np.repeat(hidden_sizes, num_seeds),
                mode="markers",
                marker={**sign, "size": 6, "opacity": 0.45},
                **quiet,
            ),
            go.Scatter(
                name=name,
                x=at + shifts[j],
                customdata=list(hidden_sizes),
                mode="lines+markers",
                line={"color": color(cell), "width": 2, "dash": DASHES[j % 4]},
                marker={**sign, "size": 10},
                **quiet,
            ),
        ]
    best = go.Scatter(
        name=f"{said(cell)}, best",
        x=(at + shifts[:, None]).ravel(),
        mode="markers",
        marker={"symbol": "circle-open", "size": 20, "color": color(cell), "line": {"width": 2}},
        hoverinfo="skip",
        showlegend=False,
        **axes(panel),
    )
    return [*made, best]


def _only_best(middle: np.ndarray) -> np.ndarray:
    """Means (epoch, L, H) of the best nets of each epoch, NaN elsewhere."""
    top = np.nanmax(np.where(np.isnan(middle), -np.inf, middle), axis=(1, 2), keepdims=True)
    return np.where(middle == top, middle, np.nan)


def _range(arrays: Sequence[np.ndarray]) -> list[float]:
    known = np.concatenate([array[~np.isnan(array)] for array in arrays])
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    margin = 0.14 * max(high - low, 0.002)
    return [low - margin, high + margin]


def _grid_layout(cells: Sequence[str], hidden_sizes: Sequence[int]) -> dict[str, Any]:
    x_axis = {
        "title": {"text": "hidden size"},
        "range": [-0.5, len(hidden_sizes) - 0.4],
        "tickvals": list(range(len(hidden_sizes))),
        "ticktext": [str(size) for size in hidden_sizes],
        "zeroline": False,
    }
    y_axis = {"title": {"text": "test accuracy"}, "range": [0, 1], "tickformat": ".1~%", "nticks": 5}
    return panels(all_said(cells), x=x_axis, y=y_axis, columns=1, height=130 + 190 * len(cells))


def _sizes(layers: Sequence[int], hidden_sizes: Sequence[int]) -> list[str]:
    return [f"{count} x {size}" for count in layers for size in hidden_sizes]


def _grid_alt(found: Accuracy, layers: Sequence[int], hidden_sizes: Sequence[int]) -> str:
    sizes = np.array(_sizes(layers, hidden_sizes))
    told = []
    for cell, values in found.items():
        best = _only_best(np.moveaxis(mean(values, axis=2), -1, 0)).reshape(values.shape[-1], -1)
        last = percent(np.nanmax(best[-1])) if (~np.isnan(best[-1])).any() else "nothing"
        names = [" and ".join(sizes[~np.isnan(row)]) or "none" for row in best]
        told.append(f"{said(cell)} {', '.join(names)} ({last} at the end)")
    shape = next(iter(found.values())).shape
    return (
        f"Test accuracy against the hidden size, by cell and number of layers, mean and dots "
        f"{counted_seeds(shape[2])}. Best net by mean, as layers x hidden size, after epoch 1 to {shape[3]}: "
        f"{'; '.join(told)}."
    )


def _grid_table(found: Accuracy, layers: Sequence[int], hidden_sizes: Sequence[int]) -> dict[str, list[Any]]:
    sizes = _sizes(layers, hidden_sizes)
    flat = [values.reshape(len(sizes), *values.shape[2:]) for values in found.values()]
    table: dict[str, list[Any]] = {
        "cell": [said(cell) for cell in found for _ in sizes],
        "layers x hidden size": sizes * len(found),
    }
    for epoch in range(flat[0].shape[-1]):
        title = f"epoch {epoch + 1}, %: mean [least, most]"
        table[title] = [mean_and_range(100 * net[:, epoch], ".2f") for own in flat for net in own]
    return table


def best_by_epoch(
    accuracy: Accuracy, *, cells: Sequence[str], layers: Sequence[int], hidden_sizes: Sequence[int]
) -> Interactive:
    """Draw how many seeds would have picked each net of the search after each epoch.

    Parameters
    ----------
    accuracy, cells, layers, hidden_sizes
        As for :func:`grid`. Nets that tie share the seed between them.

    Raises
    ------
    ValueError
        As :func:`grid`.
    """
    import plotly.graph_objects as go

    found = _checked(accuracy, cells, layers, hidden_sizes)
    sizes = _sizes(layers, hidden_sizes)
    counts = np.stack([_picked(values) for values in found.values()])  # (cell, net, epoch)
    shares = counts.sum(axis=2) / np.maximum(counts.sum(axis=(1, 2))[:, None], 1)
    num_seeds, num_epochs = next(iter(found.values())).shape[2:]
    told = "; ".join(_shares_said(*pair, sizes) for pair in zip(found, shares, strict=True))
    across, down = np.meshgrid(np.arange(1, num_epochs + 1), np.arange(len(sizes)))
    heat = go.Heatmap(
        name="seeds",
        x=np.arange(1, num_epochs + 1),
        y=np.arange(len(sizes)),
        zmin=0,
        zmax=num_seeds,
        showscale=False,
        xgap=1,
        ygap=1,
        hovertemplate="epoch %{x}: best of %{z} seeds<extra></extra>",
    )
    numbers = go.Scatter(name="numbers", x=across.ravel(), y=down.ravel(), mode="text", hoverinfo="skip")
    y_axis = {"range": [len(sizes) - 0.5, -0.5], "tickvals": list(range(len(sizes))), "showgrid": False}
    frame = layout(
        "epoch",
        "",
        height=130 + 48 * len(sizes),
        showlegend=False,
        xaxis={"range": [0.5, num_epochs + 0.5], "dtick": 1, "showgrid": False},
        yaxis={**y_axis, "zeroline": False},
    )
    figure = Interactive(
        go.Figure([heat, numbers], layout=frame),
        alt=f"Of how many of {num_seeds} seeds each net is the best of its cell, after each of {num_epochs} epochs. "
        f"Share of all seeds and epochs: {told}.",
        table={
            "cell": [said(cell) for cell in found for _ in sizes],
            "layers x hidden size": sizes * len(found),
            "best in": [f"{100 * share:.0f} %" for own in shares for share in own],
        }
        | {
            f"seeds, epoch {epoch + 1}": [_count(value) for value in counts[:, :, epoch].ravel()]
            for epoch in range(num_epochs)
        },
        caption="Each seed picks the net of its highest test accuracy. Beside the names: share of all picks.",
    )
    figure.select("cell", "Cell", all_said(cells))
    texts = np.array([_count(value) for value in counts.flat]).reshape(len(cells), -1)
    scales = [[[0, see_through(color(cell), 0)], [1, see_through(color(cell), 0.5)]] for cell in cells]
    ticks = [[f"{size}: {share:.0%}" for size, share in zip(sizes, own, strict=True)] for own in shares]
    figure.bind("seeds", "z", counts, over="cell").bind("numbers", "text", texts, over="cell")
    figure.bind_values("seeds", "colorscale", scales, over="cell")
    return figure.bind_layout("yaxis.ticktext", ticks, over="cell")


def _picked(values: np.ndarray) -> np.ndarray:
    """Seeds by best net and epoch: (L, H, n_seeds, E) -> (L * H, E)."""
    flat = np.where(np.isnan(values), -np.inf, values).reshape(-1, *values.shape[2:])
    top = flat.max(axis=0)
    best = (flat == top) & np.isfinite(top)
    total: np.ndarray = (best / np.maximum(best.sum(axis=0), 1)).sum(axis=1)
    return total


def _count(value: float) -> str:
    return "" if value == 0 else f"{value:.3g}"


def _shares_said(cell: str, shares: np.ndarray, sizes: Sequence[str]) -> str:
    order = np.argsort(-shares, kind="stable")
    return f"{said(cell)} " + ", ".join(f"{sizes[k]} {shares[k]:.0%}" for k in order if shares[k] > 0)
