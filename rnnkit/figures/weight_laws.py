"""Whether weights are nearer to a uniform or to a normal law, before and after training (Fig. 4, Irisarri)."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnkit.figures.curves import layout
from rnnkit.figures.frame import net_name
from rnnkit.figures.interactive import Interactive
from rnnkit.figures.nets import Nets, mean, number, present, require_axes
from rnnkit.figures.theme import NEUTRAL, net_color


def nearest_law(nets: Nets, scatter: tuple[int, float] | None = None) -> Interactive:
    """Draw every part of every net by its distance to the uniform and to the normal law.

    Parameters
    ----------
    nets : mapping of str to mapping
        By net, ``parts``, a list of P names; ``uniform_gap`` and ``normal_gap`` (n_seeds, P, 2), Kolmogorov distance
        before and after training to the law with the same moments; or, of nets that were only initialised,
        (n_seeds, P). A net without them is left out.
    scatter : (int, float), optional
        A number of weights, and the distance to the uniform law that 95 in 100 uniform samples of so many stay below.

    Raises
    ------
    ValueError
        When no net has them all, or a shape is another one.
    """
    import plotly.graph_objects as go

    found = present(nets, "parts", "uniform_gap", "normal_gap")
    gaps = {net: _gaps(net, arrays) for net, arrays in found.items()}  # (when, law, part)
    top = 1.08 * max(float(np.nanmax(own)) for own in gaps.values())
    traces: list[Any] = [
        go.Scatter(
            name="as near to both",
            showlegend=False,
            x=[0, top],
            y=[0, top],
            mode="lines",
            line={"color": NEUTRAL, "dash": "dot", "width": 1.5},
            hoverinfo="skip",
        )
    ]
    if scatter is not None:
        traces.append(_scatter_line(*scatter, top))
    for net, own in gaps.items():
        parts = [str(part) for part in found[net]["parts"]]
        shown = ("before", "after")[len(own) - 1]
        traces += [
            go.Scatter(
                name=net_name(net) + ("" if when == shown else f", {when}"),
                x=uniform,
                y=normal,
                text=parts,
                mode="markers",
                legendgroup=net,
                showlegend=when == shown,
                marker={
                    "color": net_color(net),
                    "size": 10,
                    "symbol": "circle-open" if when == "before" else "circle",
                    "line": {"width": 2 if when == "before" else 0},
                    "opacity": 0.85,
                },
                hovertemplate="%{text}: %{x:.3f} to the uniform, %{y:.3f} to the normal law<extra>"
                + f"{net_name(net)}, {when}</extra>",
            )
            for when, (uniform, normal) in zip(("before", "after"), own, strict=False)
        ]
    frame = layout(
        "distance to the uniform law",
        "distance to the normal law",
        height=480,
        xaxis={"range": [0, top], "zeroline": False},
        yaxis={"range": [0, top], "zeroline": False},
    )
    return Interactive(
        go.Figure(traces, layout=frame),
        alt="Parts of the nets by the Kolmogorov distance of their weights to the uniform law (across) and to the "
        f"normal law (up). Nearer to the normal law: {'; '.join(_said(net, own) for net, own in gaps.items())}."
        + (_said_scatter(*scatter, "lie at most {:.3f} from the uniform law") if scatter else ""),
        table=_table(found, gaps),
        caption="Below the dotted line weights are nearer to a normal law. Open: before training; filled: after."
        + (_said_scatter(*scatter, "lie left of the dashed line, at {:.3f}") if scatter else ""),
    )


def _scatter_line(count: int, gap: float, top: float) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        name=f"95 in 100 uniform samples of {count}",
        x=[gap, gap],
        y=[0, top],
        mode="lines",
        line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
        hovertemplate="%{x:.3f}<extra></extra>",
    )


def _said_scatter(count: int, gap: float, where: str) -> str:
    return f" Of 100 uniform samples of {count} numbers, 95 {where.format(gap)}."


def _gaps(net: str, arrays: Any) -> np.ndarray:
    """Mean over seeds, (2 or 1, law, P): before and after, or only before."""
    count, found = len(arrays["parts"]), []
    for law in ("uniform_gap", "normal_gap"):
        values = np.asarray(arrays[law], dtype=float)
        values = values[..., None] if values.ndim == 2 else values
        require_axes(f"{net}, {law}", values, "seeds", count, "when")
        found.append(mean(values, axis=0).T)
    return np.stack(found, axis=1)


def _said(net: str, gaps: np.ndarray) -> str:
    count = gaps.shape[2]
    shares = [
        f"{int((normal < uniform).sum())} of {count} parts {when}"
        for when, (uniform, normal) in zip(("before", "after"), gaps, strict=False)
    ]
    return f"{net_name(net)} {' and '.join(shares)} training"


def _table(found: Any, gaps: dict[str, np.ndarray]) -> dict[str, list[Any]]:
    rows = [
        (net, str(part), when, own[when, :, row])
        for net, own in gaps.items()
        for row, part in enumerate(found[net]["parts"])
        for when in range(len(own))
    ]
    return {
        "net": [net_name(net) for net, *_ in rows],
        "part": [part for _, part, *_ in rows],
        "training": [("before", "after")[when] for *_, when, _ in rows],
        "distance to the uniform law": [number(pair[0]) for *_, pair in rows],
        "distance to the normal law": [number(pair[1]) for *_, pair in rows],
    }
