"""Regenerate what Keras and keras-lmu say of the six architectures at small sizes; no test runs this.

    python -m venv /tmp/kerasenv && /tmp/kerasenv/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 keras-lmu==0.9.0
    CUDA_VISIBLE_DEVICES= /tmp/kerasenv/bin/python tests/reference/make_keras_reference.py

It writes beside itself keras_reference.npz (inputs, weights, outputs, gradients), keras_totals.json (parameters of
the models of full size) and keras_<model>.keras (the small models as Keras saves them).
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_lmu
import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
CELLS = {"rnn": keras.layers.SimpleRNNCell, "lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}
LAYERS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
MODELS = ("rnn", "lstm", "gru", "lmu-rnn", "lmu-lstm", "lmu-gru")
SMALL = {"seq_len": 12, "hidden_size": 6, "memory_size": 8, "theta": 10, "num_classes": 4}
FULL = {"seq_len": 784, "hidden_size": 256, "memory_size": 256, "theta": 784, "num_classes": 10}
BATCH = 5


def model(name, sizes, *, dropout=0.0, recurrent_dropout=0.0, activation="softmax"):
    """One of the six models, as its authors describe it."""
    cell = name.removeprefix("lmu-")
    rates = {"dropout": dropout, "recurrent_dropout": recurrent_dropout}
    layers = [keras.Input((sizes["seq_len"], 1))]
    if name.startswith("lmu-"):
        layers.append(
            keras_lmu.LMU(
                memory_d=1,
                order=sizes["memory_size"],
                theta=sizes["theta"],
                hidden_cell=CELLS[cell](sizes["hidden_size"], **rates),
                input_to_hidden=True,
                kernel_initializer="ones",
            )
        )
    else:
        layers += [LAYERS[cell](sizes["hidden_size"], **rates), keras.layers.BatchNormalization()]
    layers.append(keras.layers.Dense(sizes["num_classes"], activation=activation))
    return keras.Sequential(layers)


def randomise(net, generator):
    """Give every weight a random value, variances a positive one."""
    for variable in net.weights:
        value = generator.normal(size=variable.shape) * 0.5
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.path else value)


def masked(name, rates, arrays, key):
    """The states of a cell in training, its dropout masks being ours: (batch, hidden_size) after the last step."""
    generator = np.random.default_rng(len(key) + sum(map(ord, key)))
    cell = CELLS[name](SMALL["hidden_size"], **rates)
    drawn = {}

    def create(step_input, rate):
        which = "recurrent" if rate == rates["recurrent_dropout"] else "input"
        count = getattr(cell, "dropout_mask_count", None)
        if which not in drawn:
            shape = (count or 1, *step_input.shape)
            drawn[which] = ((generator.random(shape) >= rate) / (1 - rate)).astype(np.float32)
        masks = [tf.constant(mask) for mask in drawn[which]]
        return masks if count else masks[0]

    cell._create_dropout_mask = create
    cell.build((BATCH, 3))
    randomise_cell(cell, generator)
    x = generator.normal(size=(BATCH, SMALL["seq_len"], 3)).astype(np.float32)
    states = [tf.zeros((BATCH, SMALL["hidden_size"]))] * (2 if name == "lstm" else 1)
    for t in range(x.shape[1]):
        _, states = cell(tf.constant(x[:, t]), states, training=True)
        states = list(states) if isinstance(states, (list, tuple)) else [states]
    arrays[f"{key}/x"], arrays[f"{key}/h"] = x, states[0].numpy()
    for which, masks in drawn.items():
        arrays[f"{key}/{which}"] = masks
    for variable in cell.weights:
        arrays[f"{key}/{variable.name}"] = variable.numpy()


def randomise_cell(cell, generator):
    for variable in cell.weights:
        variable.assign(generator.normal(size=variable.shape) * 0.5)


def lmu_outputs(arrays):
    """Outputs at all steps of an LMU layer for all its options."""
    generator = np.random.default_rng(7)
    every = range(16)
    cases = [("gru", "zoh", 1, every), ("gru", "euler", 1, every), ("gru", "zoh", 2, (0, 6, 9, 15))]
    cases += [("rnn", "zoh", 1, (0, 4, 15)), ("lstm", "zoh", 1, (0, 4, 15)), ("lstm", "euler", 2, (15,))]
    for cell, discretizer, memory_d, choices in cases:
        for flags in choices:
            to_memory, memory_to, to_hidden, bias = (bool(flags >> bit & 1) for bit in range(4))
            layer = keras_lmu.LMU(
                memory_d=memory_d,
                order=4,
                theta=20,
                hidden_cell=CELLS[cell](3),
                hidden_to_memory=to_memory,
                memory_to_memory=memory_to,
                input_to_hidden=to_hidden,
                use_bias=bias,
                discretizer=discretizer,
                return_sequences=True,
            )
            net = keras.Sequential([keras.Input((6, 2)), layer])
            x = generator.normal(size=(2, 6, 2)).astype(np.float32)
            for variable in net.weights:
                variable.assign(generator.normal(size=variable.shape) * 0.4)
            key = f"lmu/{cell}-{discretizer}-{memory_d}-{flags}"
            arrays[f"{key}/x"], arrays[f"{key}/y"] = x, net(x).numpy()
            for variable in net.weights:
                owner = "cell." if _in_hidden(layer, variable) else ""
                arrays[f"{key}/{owner}{variable.name}"] = variable.numpy()


def _in_hidden(layer, variable):
    return any(variable is mine for mine in layer.hidden_cell.weights)


def _place(variable):
    """Whose weight a trained variable of a model is, as `load_keras` calls its layers, and its name there."""
    layer, name = variable.path.split("/")[-2:]
    if "_cell" in layer:
        return f"cell/{name}"
    kinds = {"batch_normalization": "norm", "dense": "dense", "lmu_feedforward": "memory"}
    return f"{next(kind for word, kind in kinds.items() if layer.startswith(word))}/{name}"


def normalisation(arrays):
    """One training step of BatchNormalization: output and moving statistics."""
    generator = np.random.default_rng(11)
    layer = keras.layers.BatchNormalization()
    x = (generator.normal(size=(7, 3)) * [1, 2, 3] + [0, 1, -4]).astype(np.float32)
    layer.build((None, 3))
    randomise(layer, generator)
    arrays |= {f"norm/before/{variable.name}": variable.numpy() for variable in layer.weights}
    arrays["norm/x"], arrays["norm/y"] = x, layer(x, training=True).numpy()
    arrays |= {f"norm/after/{variable.name}": variable.numpy() for variable in layer.weights}


def adam(arrays):
    """Three steps of Adam with Keras's epsilon, gradients given."""
    generator = np.random.default_rng(13)
    variable = keras.Variable(generator.normal(size=4).astype(np.float32))
    optimizer = keras.optimizers.Adam(1e-3)
    gradients = (generator.normal(size=(3, 4)) * [1, 1e-3, 1e-6, 1e-8]).astype(np.float32)
    arrays["adam/before"], arrays["adam/gradients"] = variable.numpy(), gradients
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [variable])
    arrays["adam/after"] = variable.numpy()


def save(path, arrays):
    """All arrays as one float32 vector with an index: an entry each would take more room than the numbers."""
    index = {name: list(np.shape(array)) for name, array in arrays.items()}
    values = np.concatenate([np.ravel(array).astype(np.float32) for array in arrays.values()])
    np.savez_compressed(path, values=values, index=np.frombuffer(json.dumps(index).encode(), np.uint8))


def main():
    keras.utils.set_random_seed(0)
    arrays, totals = {}, {}
    generator = np.random.default_rng(5)
    for name in MODELS:
        totals[name] = model(name, FULL).count_params()
        net = model(name, SMALL)
        randomise(net, generator)
        x = generator.random((BATCH, SMALL["seq_len"], 1)).astype(np.float32)
        arrays[f"model/{name}/x"], arrays[f"model/{name}/probabilities"] = x, net(x).numpy()
        net.save(HERE / f"keras_{name}.keras")
        target = generator.integers(0, SMALL["num_classes"], BATCH)
        with tf.GradientTape() as tape:
            loss = keras.losses.sparse_categorical_crossentropy(target, net(x, training=True))
            loss = tf.reduce_mean(loss)
        gradients = tape.gradient(loss, [w.value for w in net.trainable_weights])
        arrays[f"model/{name}/target"], arrays[f"model/{name}/loss"] = target, loss.numpy()
        for variable, gradient in zip(net.trainable_weights, gradients, strict=True):
            arrays[f"gradient/{name}/{_place(variable)}"] = gradient.numpy()
    for name in CELLS:
        masked(name, {"dropout": 0.25, "recurrent_dropout": 0.5}, arrays, f"masked/{name}/both")
        masked(name, {"dropout": 0.25, "recurrent_dropout": 0.0}, arrays, f"masked/{name}/input")
    lmu_outputs(arrays)
    normalisation(arrays)
    adam(arrays)
    save(HERE / "keras_reference.npz", arrays)
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "python": sys.version.split()[0]}
    text = json.dumps({"versions": versions, "totals": totals}, indent=2)
    (HERE / "keras_totals.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
