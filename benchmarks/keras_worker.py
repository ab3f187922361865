"""A psMNIST model in Keras, trained step by step as another process asks for it; it imports nothing of rnnkit.

Run by `benchmarks.keras_rival` with the interpreter of an environment that has Keras, TensorFlow and keras-lmu. One
JSON object a line: the model comes in first, and its peak memory goes out; after that, a loss for each line.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

LEARNING_RATE = 1e-3


def make_model(asked: dict[str, Any]) -> Any:
    """Recurrent layer, batch normalisation where there is no memory, readout; compiled by XLA."""
    import keras

    cell, rates = asked["model"].removeprefix("lmu-"), {"recurrent_dropout": asked["recurrent_dropout"]}
    if asked["model"].startswith("lmu-"):
        import keras_lmu

        cells = {
            "rnn": keras.layers.SimpleRNNCell,
            "lstm": keras.layers.LSTMCell,
            "gru": keras.layers.GRUCell,
        }
        layers = [
            keras_lmu.LMU(
                memory_d=1,
                order=asked["memory_size"],
                theta=asked["theta"],
                hidden_cell=cells[cell](asked["hidden_size"], **rates),
                hidden_to_memory=False,
                memory_to_memory=False,
                input_to_hidden=True,
                kernel_initializer="ones",
            )
        ]
    else:
        layer = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
        layers = [layer(asked["hidden_size"], **rates), keras.layers.BatchNormalization()]
    net = keras.Sequential([keras.Input((asked["seq_len"], 1)), *layers, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.Adam(LEARNING_RATE), loss, jit_compile=True)
    return net


def make_step(asked: dict[str, Any]) -> Callable[[], float]:
    """A training step on random pixels and labels that returns its loss."""
    import numpy as np
    import tensorflow as tf

    generator = np.random.default_rng(1)
    x = tf.constant(generator.random((asked["batch"], asked["seq_len"], 1)).astype(np.float32))
    y = tf.constant(generator.integers(0, 10, asked["batch"]))
    net = make_model(asked)
    return lambda: float(net.train_on_batch(x, y))


def peak_bytes() -> int:
    """Largest resident memory so far; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0


def main() -> None:
    """Serve until there are no more lines."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    asked = json.loads(sys.stdin.readline())
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(asked["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)
    make_step(asked | {"batch": 2, "seq_len": 2})()
    before = peak_bytes()
    step = make_step(asked)
    step()
    ready = {"peak_bytes": peak_bytes() - before, "keras": keras.__version__, "tensorflow": tf.__version__}
    print(json.dumps(ready), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps({"loss": step()}), file=answers, flush=True)


if __name__ == "__main__":
    main()
