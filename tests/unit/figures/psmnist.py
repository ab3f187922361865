"""Made-up arrays of the psMNIST chapter, small, in the shapes of its records."""

from __future__ import annotations

import numpy as np

SIX = ("rnn", "lstm", "gru", "lmu-rnn", "lmu-lstm", "lmu-gru")
GATES = {"rnn": ("",), "lstm": (" i", " f", " g", " o"), "gru": (" z", " r", " n")}


def rng(seed=0):
    return np.random.default_rng(seed)


def bound(figure, trace, attr):
    """The only binding of a trace's attribute."""
    names = [t.name for t in figure.figure.data]
    (found,) = [
        b
        for b in figure.bindings
        if b.attr == attr
        and (trace is None) == (b.trace is None)
        and (trace is None or names[b.trace] == trace)
    ]
    return found


def named(figure, name):
    """The only trace of this name."""
    (found,) = [trace for trace in figure.figure.data if trace.name == name]
    return found


def weights(net, count=2, size=16, bins=8, seed=0):
    """Made-up record ``weights`` of one net: uniform before, normal after."""
    draw, gates = rng(seed), GATES[net.removeprefix("lmu-")]
    parts = [f"{kind}{gate}" for kind in ("input", "recurrent") for gate in gates] + ["readout"]
    total = len(parts)
    edges = np.broadcast_to(np.linspace(-0.4, 0.4, bins + 1), (count, total, bins + 1))
    moments = np.zeros((count, total, 2, 4))
    moments[..., 1] = [0.1, 0.15]
    moments[..., 0, 3], moments[..., 1, 3] = -1.2, 0.5
    recurrent = np.array([part.startswith("recurrent") for part in parts])
    singular = np.sort(draw.random((count, total, 2, size)), axis=-1)[..., ::-1].copy()
    singular[:, ~recurrent] = np.nan
    heat = draw.normal(size=(2, count, len(gates), 2, size // 2, size // 2)).astype(np.float16)
    return {
        "parts": parts,
        "edges": edges,
        "before": draw.integers(1, 50, size=(count, total, bins)),
        "after": draw.integers(1, 50, size=(count, total, bins)),
        "moments": moments,
        "distance": draw.random((count, total)),
        "uniform_gap": np.broadcast_to([0.01, 0.2], (count, total, 2)),
        "normal_gap": np.broadcast_to([0.1, 0.03], (count, total, 2)),
        "singular": singular,
        "heat": heat[0],
        "heat_plain": heat[1],
    }


def inside(count=2, length=56, hidden=40, seed=0):
    """Made-up record ``inside`` of one net."""
    draw = rng(seed)
    steps = np.arange(14, length + 1, 14)
    return {
        "steps": np.broadcast_to(steps, (count, len(steps))),
        **{
            name: draw.random((count, len(steps)))
            for name in ("own", "linear", "linear_untrained", "separation")
        },
        "components": draw.normal(size=(count, 3, hidden)),
        "explained": np.broadcast_to([0.4, 0.2, 0.1], (count, 3)),
        "paths": draw.normal(size=(count, 10, length, 3)),
        "paths_spread": draw.random((count, 10, len(steps), 3)),
        "units": draw.uniform(-1, 1, size=(count, 10, len(steps), 32)),
        "unit_index": np.stack([draw.permutation(hidden)[:32] for _ in range(count)]),
        "grad_input": 10 ** draw.uniform(-6, 0, size=(count, 2, length)),
        "grad_state": 10 ** draw.uniform(-6, 0, size=(count, 2, length)),
    }
