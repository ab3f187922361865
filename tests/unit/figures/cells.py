"""Made-up arrays of the shapes that the records of the trainability chapter have."""

from __future__ import annotations

import itertools

import numpy as np

from rnnkit.figures import Interactive

CELLS = ("rnn", "gru")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def by_name(figure: Interactive) -> dict:
    """Bindings of traces by (name of the trace, attribute); names are those of unique traces."""
    return {(figure.figure.data[b.trace].name, b.attr): b for b in figure.bindings if b.trace is not None}


def every_state(figure: Interactive):
    """All combinations of the controls' positions."""
    sizes = [range(len(control.values)) for control in figure.controls.values()]
    for positions in itertools.product(*sizes):
        yield dict(zip(figure.controls, positions, strict=True))


def assert_complete(figure: Interactive) -> None:
    """Every control is followed by something, every binding answers in every state, and the page can have it."""
    followed = {name for binding in figure.bindings for name in binding.over}
    assert followed == set(figure.controls)
    states = list(every_state(figure))
    for binding in figure.bindings:
        for state in states[:: max(len(states) // 50, 1)] + states[-1:]:
            binding.at(state)
    figure.mimebundle()
    assert len(next(iter(figure.table.values()))) <= 60


def bound_text(figure: Interactive, name: str):
    """The binding of a trace's text."""
    return by_name(figure)[name, "text"]
