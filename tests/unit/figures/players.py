"""Random nets and a vocabulary for the tests of the sentence player."""

from __future__ import annotations

import numpy as np

from rnnkit.figures.player import SentencePlayer
from rnnkit.figures.player.walk import shapes

NAMES = ("the", "a", "film", "was", "with", "its", "good", "great", "bad", "awful")
KINDS = (0,) * 6 + (1,) * 2 + (-1,) * 2
ALT = "Two nets read a sentence."
EXAMPLES = {
    "good + 30 stop words": "good .x30",
    "one pair swapped": ("... + - .. + .", "... - + .. + ."),
    "stop words only": ".x6",
}


def random_net(cell, num_models=3, input_size=4, seed=0, scale=1.0):
    """Parameters of random nets, each with a leading axis of models."""
    rng = np.random.default_rng([seed, len(cell), ord(cell[0])])
    return {
        name: (scale * rng.normal(size=(num_models, *shape))).astype(np.float32)
        for name, shape in shapes(cell, len(NAMES), input_size, 2).items()
    }


def make_player(**changes):
    settings = {
        "nets": {"RNN": ("rnn", random_net("rnn")), "GRU": ("gru", random_net("gru"))},
        "names": NAMES,
        "kinds": KINDS,
        "alt": ALT,
        "examples": EXAMPLES,
    }
    return SentencePlayer(**(settings | changes))


READINGS = {
    "": ((), ()),
    "good the bad": ((6, 0, 8), ()),
    "Good, THE; bad!": ((6, 0, 8), ()),
    ". + -": ((0, 6, 8), ()),
    "..+-": ((0, 0, 6, 8), ()),
    "…": ((0, 0, 0), ()),
    "− – -": ((8, 8, 8), ()),
    "stop pos neg positive negative": ((0, 6, 8, 6, 8), ()),
    "great awful its": ((7, 9, 5), ()),
    "good .x3": ((6, 0, 0, 0), ()),
    "good stop × 3": ((6, 0, 0, 0), ()),
    "goodx2 .*2": ((6, 6, 0, 0), ()),
    ".x2x3": ((0,) * 6, ()),
    "good x0": ((), ()),
    "fantastic good <b>": ((6,), ("fantastic", "<b>")),
    "x3 good 30 30": ((6,), ("x3", "30")),
    "foo x3 .": ((0,), ("foo", "x3")),
    "constructor __proto__ toString": ((), ("constructor", "__proto__", "toString")),
    "goodx": ((), ("goodx",)),
}
"""Texts with the words and the unknown tokens that are read from them, by Python and by the page's script."""
