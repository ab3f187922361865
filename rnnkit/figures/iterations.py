"""Loss and accuracy by iteration, with and without weight decay (Fig. 2 to 31, Anirudh R).

The report says that the labels of its comparison plots are interchanged by mistake; here they are right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bands import add_curve, bind_curve, outline_x, singles_x
from rnnkit.figures.curves import counted_seeds, layout
from rnnkit.figures.frame import mean_and_range
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.lab import DECAYED, all_said, color, fractions, recolor, said, smooth, thin
from rnnkit.figures.nets import finite, mean, require_axes

Arrays = Mapping[str, Any]
QUANTITIES = {
    "loss": "training loss",
    "batch_accuracy": "training accuracy",
    "test_loss": "test loss",
    "test_accuracy": "test accuracy",
}
_KINDS = {"": "without weight decay", DECAYED: "with weight decay"}
ZOOMS = ("whole", "the first iterations", "close up")
_FIRST = 0.15  # share of the iterations that are the first
_POINTS = 300


def iterations(curves: Mapping[str, Arrays], *, window: int = 25) -> Interactive:
    """Draw the loss and the accuracy of a net by iteration, with weight decay beside without.

    Parameters
    ----------
    curves : mapping of str to mapping
        By net, such as ``rnn-2x128``, and by the same name with ``-decayed`` where it was trained with weight decay:
        ``iteration`` (steps,), ``loss`` (n_seeds, steps) in nats and ``batch_accuracy`` (n_seeds, steps) on the
        batches trained on; ``test_iteration`` (k,), ``test_loss`` and ``test_accuracy`` (n_seeds, k).
    window : int
        Iterations over which the curves of the batches are averaged; then at most 300 of the points are drawn.

    Raises
    ------
    ValueError
        When there is no net, a net is only there with weight decay, or an array is missing or does not fit.
    """
    import plotly.graph_objects as go

    if window < 1:
        raise ValueError(f"window: at least 1 iteration, not {window}")
    bases = list(dict.fromkeys(name.removesuffix(DECAYED) for name in curves))
    missing = [name for name in bases if name not in curves]
    if missing or not bases:
        raise ValueError(f"no curves of {', '.join(missing) or 'any net'} without weight decay")
    drawn = {name: _drawn(name, arrays, window) for name, arrays in curves.items()}
    kinds = {kind: said_ for kind, said_ in _KINDS.items() if any(base + kind in curves for base in bases)}
    last = max(float(np.nanmax(x)) for x, _ in drawn.values())
    ranges = [
        [_ranges(name, [drawn[n][1][q] for n in _pair(net, drawn)]) for net in bases]
        for q, name in enumerate(QUANTITIES)
    ]
    fig = go.Figure(layout=layout("iteration", next(iter(QUANTITIES.values()))))
    fig.update_layout(xaxis_range=[0, last], yaxis_range=ranges[0][0][0], yaxis_nticks=7)
    blocks = {kind: _block(drawn, [base + kind for base in bases]) for kind in kinds}
    firsts = {
        kind: add_curve(
            fig, x[0, 0], y[0, 0], name=kinds[kind], color=color(bases[0]), dash="dash" if kind else "solid"
        )
        for kind, (x, y) in blocks.items()
    }
    num_seeds = max(len(arrays["loss"]) for arrays in curves.values())
    figure = Interactive(
        fig,
        alt=_alt(curves, num_seeds),
        table=_table(curves),
        caption=f"Line: mean over seeds; band: lowest to highest seed. Training curves: means over {window} steps.",
    )
    figure.select("net", "Net", all_said(bases)).select("quantity", "Show", list(QUANTITIES.values()))
    figure.select("zoom", "Axis", ZOOMS)
    for kind, (x, y) in blocks.items():
        bind_curve(figure, firsts[kind], y, over=("net", "quantity"))
        _bind_x(figure, firsts[kind], x, y.shape[2])
        recolor(figure, firsts[kind], bases, over="net")
    figure.bind_layout("yaxis.range", ranges, over=("quantity", "net", "zoom"))
    figure.bind_layout("xaxis.range", [[0, last], [0, _FIRST * last], [0, last]], over="zoom")
    formats = [".3~g" if "loss" in name else ".1~%" for name in QUANTITIES]
    figure.bind_layout("yaxis.tickformat", formats, over="quantity")
    return figure.bind_layout("yaxis.title.text", list(QUANTITIES.values()), over="quantity")


def _bind_x(figure: Interactive, first: int, x: np.ndarray, num_seeds: int) -> None:
    """Let x (net, quantity, T) follow the controls; one array serves for all nets measured at the same steps."""
    over: tuple[str, ...] = ("net", "quantity")
    shared = x[~np.isnan(x).all(axis=(1, 2))]
    if (np.nan_to_num(shared) == np.nan_to_num(shared[:1])).all():
        x, over = shared[0], over[1:]
    for offset, at in enumerate((x, outline_x(x), singles_x(x, num_seeds))):
        figure.bind(first + offset, "x", at, over=over)


def _pair(net: str, drawn: Mapping[str, Any]) -> list[str]:
    """A net without and with weight decay, as far as it is there."""
    return [name for name in (net, net + DECAYED) if name in drawn]


def _drawn(name: str, arrays: Arrays, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of every quantity: x (quantity, T), y (quantity, n_seeds, T), NaN behind the last."""
    color(name)
    checked = _checked(name, arrays)
    steps, tests = checked["iteration"], checked["test_iteration"]
    at = thin(len(steps), _POINTS)
    test_at = thin(len(tests), _POINTS)
    xs = [steps[at], steps[at], tests[test_at], tests[test_at]]
    ys = [smooth(checked[key], window)[:, at] for key in ("loss", "batch_accuracy")]
    ys += [checked[key][:, test_at] for key in ("test_loss", "test_accuracy")]
    return np.stack([_padded(x, _POINTS) for x in xs]), np.stack([_padded(y, _POINTS) for y in ys])


def _checked(name: str, arrays: Arrays) -> dict[str, np.ndarray]:
    wanted = ("iteration", "test_iteration", *QUANTITIES)
    missing = [key for key in wanted if key not in arrays]
    if missing:
        raise ValueError(f"{name}: no {', '.join(missing)}")
    found = {key: finite(require_axes(f"{name}, {key}", arrays[key], "T")) for key in wanted[:2]}
    for key in QUANTITIES:
        length = len(found["test_iteration" if key.startswith("test") else "iteration"])
        check = fractions if "accuracy" in key else lambda *args: finite(require_axes(*args))
        found[key] = check(f"{name}, {key}", arrays[key], "seeds", length)
    return found


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    around = [(0, 0)] * (values.ndim - 1) + [(0, length - values.shape[-1])]
    return np.pad(values, around, constant_values=np.nan)


def _block(
    drawn: Mapping[str, tuple[np.ndarray, np.ndarray]], names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Nets as one: x (net, quantity, T) and y (net, quantity, most seeds, T), NaN where a net or seed is missing."""
    used = max(int((~np.isnan(x)).sum(axis=1).max()) for x, _ in drawn.values())
    seeds = max(y.shape[1] for _, y in drawn.values())
    x = np.full((len(names), len(QUANTITIES), used), np.nan)
    y = np.full((len(names), len(QUANTITIES), seeds, used), np.nan)
    for i, name in enumerate(names):
        if name in drawn:
            own_x, own_y = drawn[name]
            x[i], y[i, :, : own_y.shape[1]] = own_x[:, :used], own_y[..., :used]
    return x, y


def _ranges(quantity: str, curves: Sequence[np.ndarray]) -> list[list[float]]:
    """The axis for a quantity of one net: whole, whole, and where the second half of the training lies."""
    means = [mean(curve, axis=0) for curve in curves]
    known = [middle[~np.isnan(middle)] for middle in means]
    late = np.concatenate([own[len(own) // 2 :] for own in known])
    every = np.concatenate([curve[~np.isnan(curve)] for curve in curves])
    if not every.size:
        return [[0.0, 1.0]] * 3
    low, high = float(late.min()), float(late.max())
    margin = 0.15 * max(high - low, 1e-3)
    whole = [0.0, 1.05 * float(every.max())] if "loss" in quantity else [0.0, 1.02]
    return [whole, whole, [max(low - margin, 0), high + margin]]


def _ends(arrays: Arrays, key: str) -> np.ndarray:
    """Last value of each seed; of what is measured on batches the mean over the last hundred."""
    values = finite(arrays[key])
    last: np.ndarray = values[:, -1] if key.startswith("test") else mean(values[:, -100:], axis=1)
    return last


def _alt(curves: Mapping[str, Arrays], num_seeds: int) -> str:
    told = "; ".join(
        f"{said(name)}: test accuracy {mean_and_range(100 * _ends(arrays, 'test_accuracy'), '.1f')} %, "
        f"test loss {mean_and_range(_ends(arrays, 'test_loss'))}"
        for name, arrays in curves.items()
    )
    return f"Loss and accuracy by iteration, mean and range {counted_seeds(num_seeds)}. At the end: {told}."


def _table(curves: Mapping[str, Arrays]) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {"net": all_said(curves)}
    for key, title in QUANTITIES.items():
        scale, form = (100, ".2f") if "accuracy" in key else (1, ".4f")
        unit = ", %" if scale == 100 else ""
        table[f"{title} at the end{unit}: mean [least, most]"] = [
            mean_and_range(scale * _ends(arrays, key), form) for arrays in curves.values()
        ]
    return table
