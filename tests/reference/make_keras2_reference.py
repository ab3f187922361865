"""Regenerate what Keras 2.15 and keras-lmu 0.7, which the psMNIST study used, do with dropout; no test runs this.

    python3.11 -m venv /tmp/keras2env
    /tmp/keras2env/bin/pip install tensorflow-cpu==2.15.0 keras==2.15.0 keras-lmu==0.7.0
    CUDA_VISIBLE_DEVICES= /tmp/keras2env/bin/python tests/reference/make_keras2_reference.py

It writes keras2_reference.npz beside itself. Two questions are answered. How long does a mask last where a layer is
run in a compiled graph, as `fit` does? And what are the last states where each step has masks of its own?
"""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_lmu
import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
CELLS = {
    "rnn": tf.keras.layers.SimpleRNNCell,
    "lstm": tf.keras.layers.LSTMCell,
    "gru": tf.keras.layers.GRUCell,
}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
SEQ_LEN, BATCH, UNITS, ORDER = 7, 4, 5, 6
RATES = {"dropout": 0.25, "recurrent_dropout": 0.5}


def adding_up(**rates):
    """A layer that adds up ones which it reads, in a compiled graph: (500,) sums over 16 steps."""
    layer = tf.keras.layers.SimpleRNN(
        1, activation=None, kernel_initializer="ones", recurrent_initializer="ones", **rates
    )
    x = np.ones((500, 16, 1), np.float32)
    return tf.function(lambda x: layer(x, training=True))(x).numpy()[:, 0]


def draw(generator, rate, *shape):
    return ((generator.random(shape) >= rate) / (1 - rate)).astype(np.float32)


def randomise(cell, generator):
    for variable in cell.weights:
        variable.assign(generator.normal(size=variable.shape) * 0.5)


def states_of(cell, x, masks):
    """The last state of a cell whose masks at step t are ``masks[t]``: (input's, recurrent) for each gate."""
    states = [tf.zeros((BATCH, size)) for size in tf.nest.flatten(cell.state_size)]
    for t in range(SEQ_LEN):
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()
        of_input, of_state = masks[t]
        cell.get_dropout_mask_for_cell = lambda *_, given=of_input, **__: given
        cell.get_recurrent_dropout_mask_for_cell = lambda *_, given=of_state, **__: given
        output, states = cell(tf.constant(x[:, t]), states, training=True)
    return output.numpy()


def main():
    tf.random.set_seed(0)
    generator = np.random.default_rng(3)
    arrays = {
        "sums/input": adding_up(dropout=0.5),
        "sums/recurrent": adding_up(recurrent_dropout=0.5),
    }
    for name, make in CELLS.items():
        cell = make(UNITS, **RATES)
        cell.build((BATCH, 1))
        randomise(cell, generator)
        x = generator.normal(size=(BATCH, SEQ_LEN, 1)).astype(np.float32)
        of_input = draw(generator, 0.25, SEQ_LEN, GATES[name], BATCH, 1)
        of_state = draw(generator, 0.5, SEQ_LEN, GATES[name], BATCH, UNITS)
        single = name == "rnn"
        masks = [
            (a[0] if single else list(a), b[0] if single else list(b))
            for a, b in zip(of_input, of_state, strict=True)
        ]
        found = {"x": x, "input": of_input, "recurrent": of_state, "h": states_of(cell, x, masks)}
        found |= {variable.name.split("/")[-1].split(":")[0]: variable.numpy() for variable in cell.weights}
        arrays |= {f"cell/{name}/{key}": value for key, value in found.items()}
    for name, make in CELLS.items():
        hidden = make(UNITS)
        cell = keras_lmu.LMUCell(
            memory_d=1, order=ORDER, theta=5, hidden_cell=hidden, input_to_hidden=True, dropout=0.25
        )
        cell.build((BATCH, 1))
        randomise(cell, generator)
        x = generator.normal(size=(BATCH, SEQ_LEN, 1)).astype(np.float32)
        of_memory = draw(generator, 0.25, SEQ_LEN, BATCH, 1)
        found = {"x": x, "memory": of_memory, "h": states_of(cell, x, [(mask, None) for mask in of_memory])}
        found |= {variable.name.split("/")[-1].split(":")[0]: variable.numpy() for variable in hidden.weights}
        found["encoder"] = cell.kernel.numpy()
        arrays |= {f"lmu/{name}/{key}": value for key, value in found.items()}
    np.savez_compressed(HERE / "keras2_reference.npz", **arrays)
    print({name: array.shape for name, array in arrays.items()})


if __name__ == "__main__":
    main()
