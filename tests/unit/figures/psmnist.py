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
