"""Random nets for the tests of the recall and the adder player, and an adder that is right by construction."""

from __future__ import annotations

import numpy as np

from rnnkit.figures.adder_player import AdderPlayer
from rnnkit.figures.adder_player.walk import shapes as adder_shapes
from rnnkit.figures.recall_player import RecallPlayer
from rnnkit.figures.recall_player.walk import shapes as recall_shapes

MODELS = 3


def drawn(shapes, *seed, num_models=MODELS, scale=1.0):
    """Random arrays of some shapes, each with a leading axis of models."""
    rng = np.random.default_rng(seed)
    return {
        name: (scale * rng.normal(size=(num_models, *shape))).astype(np.float32)
        for name, shape in shapes.items()
    }


def random_recall(hidden_size, **how):
    return drawn(recall_shapes(hidden_size), 1, hidden_size, **how)


def random_adder(cell, hidden_size, **how):
    return drawn(adder_shapes(cell, hidden_size), 2, len(cell), ord(cell[0]), hidden_size, **how)


def random_carry(size, num_models=MODELS):
    rng = np.random.default_rng([3, size])
    return rng.normal(size=(num_models, size)), 0.1 * rng.normal(size=num_models)


def exact_adder(num_models=MODELS):
    """An RNN of three units that adds rightly at any length, and the direction of its carry.

    Unit k is +1 where at least k of both bits and the carry are set, else -1; the second is the carry. It counts for
    0.4 to either side, so that the zero state, too, stands for no carry: then sums below k and from k on are parted
    at k - 0.8. Of the three the first and the third, less the second, are positive where an odd number is set.
    """
    sharp, counts = 40, np.arange(1, 4)
    arrays = {
        "weight_ih": sharp * np.ones((3, 2)),
        "weight_hh": sharp * 0.4 * np.outer(np.ones(3), [0, 1, 0]),
        "bias_ih": -sharp * (counts - 0.8),
        "bias_hh": np.zeros(3),
        "weight_out": np.array([[1, -1, 1]]),
        "bias_out": np.zeros(1),
    }
    carry = (np.tile([0.0, 1.0, 0.0], (num_models, 1)), np.zeros(num_models))
    return {name: np.stack([values] * num_models) for name, values in arrays.items()}, carry


def make_recall(**changes):
    settings = {
        "nets": {
            "hidden 2, last": ("last", random_recall(2)),
            "hidden 5, final": ("final", random_recall(5)),
        },
        "alt": "A net reads digits and is asked for the second.",
        "examples": {"five digits": "7 0 5 3 9", "length 10": "0123456789"},
    }
    return RecallPlayer(**(settings | changes))


def make_adder(**changes):
    settings = {
        "nets": {
            "GRU, 2 units": ("gru", "bce", random_adder("gru", 2), random_carry(2)),
            "LSTM, 5 units": ("lstm", "mse-linear", random_adder("lstm", 5), random_carry(10)),
            "RNN, 3 units": ("rnn", "mse-sigmoid", random_adder("rnn", 3)),
        },
        "alt": "A net adds two numbers.",
    }
    return AdderPlayer(**(settings | changes))
