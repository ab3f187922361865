"""Read the weights of the six architectures out of a .keras file, without Keras and without running anything in it.

A .keras file is a zip with config.json (the layers) and model.weights.h5 (their weights). The config is only
compared with what these architectures are made of; nothing named in it is imported or called.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnkit.errors import UserError
from rnnkit.models.classifier import ClassifierConfig, SequenceClassifier
from rnnkit.models.keras_layout import cell_weights

_LAYERS = {"SimpleRNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
_CELLS = {f"{name}Cell": cell for name, cell in _LAYERS.items()}
_EXPECTED = (
    "InputLayer or none, then SimpleRNN, LSTM, GRU or keras_lmu.LMU, BatchNormalization or none, Dense"
)
_LARGEST = 2**30  # bytes of one file in the zip, unpacked


def load_keras(path: str | Path) -> SequenceClassifier:
    """Load a classifier trained in Keras.

    Parameters
    ----------
    path : str or Path
        A file that Keras 3 saved with ``model.save("name.keras")``: SimpleRNN, LSTM, GRU or keras_lmu.LMU, then
        BatchNormalization or none, Dropout layers or none, and Dense.

    Returns
    -------
    SequenceClassifier
        On the CPU, in evaluation mode. It returns logits; a softmax in Keras's last layer is left out.

    Raises
    ------
    UserError
        The file is missing, is no zip, is damaged, or holds another architecture or other shapes than it says.
    """
    path = Path(path)
    files = _unzip(path)
    config, expected = _read_config(_parse(files["config.json"], path), path)
    model = SequenceClassifier(config, generator=torch.Generator().manual_seed(0))
    weights = _read_weights(files["model.weights.h5"], path, expected)
    state = _state(config, weights, path)
    needed = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name, shape in needed.items():
        if state[name].shape != shape:
            raise UserError(
                f"{path} holds other weights than its config says: {name}",
                value=state[name].shape,
                allowed=str(shape),
            )
    model.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    return model.eval()


def _unzip(path: Path) -> dict[str, bytes]:
    if not path.is_file():
        raise UserError("there is no such file", value=str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            present = {info.filename: info for info in archive.infolist()}
            for name in ("config.json", "model.weights.h5"):
                if name not in present:
                    raise UserError(f"{path} is no .keras file: it has no {name}", value=sorted(present))
                if present[name].file_size > _LARGEST:
                    raise UserError(
                        f"{name} in {path} is too large",
                        value=present[name].file_size,
                        allowed=f"up to {_LARGEST} bytes",
                    )
            return {name: archive.read(name) for name in ("config.json", "model.weights.h5")}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        hint = "It is no zip, or was cut short or damaged on its way; copy or save it again"
        if path.suffix in (".h5", ".hdf5"):
            hint = 'It is in the older HDF5 format: load it in Keras and call model.save("name.keras")'
        raise UserError(f"{path} cannot be read as a .keras file ({error})", hint=hint) from error


def _parse(data: bytes, path: Path) -> dict[str, Any]:
    try:
        config = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"config.json in {path} cannot be read ({error})") from error
    if not isinstance(config, dict) or config.get("class_name") not in ("Sequential", "Functional"):
        found = config.get("class_name") if isinstance(config, dict) else type(config).__name__
        raise _another(path, found, "a Sequential or Functional model")
    return config


def _read_config(model: dict[str, Any], path: Path) -> tuple[ClassifierConfig, dict[str, list[str]]]:
    """Return the classifier's config, and under our names where in the weights file its layers lie."""
    try:
        layers = [(layer["class_name"], layer["config"]) for layer in model["config"]["layers"]]
        shape = next(settings["batch_shape"] for name, settings in layers if name == "InputLayer")
        found: dict[str, dict[str, Any]] = {}
        for name, settings in layers:
            kind = "layer" if name in _LAYERS or name == "LMU" else name
            if kind in ("InputLayer", "Dropout"):
                continue
            if kind in found or kind not in ("layer", "BatchNormalization", "Dense"):
                raise _another(path, [name for name, _ in layers], _EXPECTED)
            found[kind] = settings | {"class_name": name}
        order = (
            ["layer", "BatchNormalization", "Dense"] if "BatchNormalization" in found else ["layer", "Dense"]
        )
        if list(found) != order or len(shape) != 3:
            raise _another(path, [name for name, _ in layers], _EXPECTED)
        return _translate(found, int(shape[2]), path)
    except (KeyError, TypeError, AttributeError, StopIteration, ValueError) as error:
        raise UserError(
            f"config.json in {path} does not say what it should ({type(error).__name__}: {error})",
            allowed=_EXPECTED,
        ) from error


def _translate(
    found: dict[str, dict[str, Any]], input_size: int, path: Path
) -> tuple[ClassifierConfig, dict[str, list[str]]]:
    layer, dense = found["layer"], found["Dense"]
    must = _must(path)
    must(dense, "Dense", use_bias=(True,), activation=("softmax", "linear"))
    if (norm := found.get("BatchNormalization")) is not None:
        must(norm, "BatchNormalization", center=(True,), scale=(True,), axis=(-1, 1, [-1], [1]))
        must(norm, "BatchNormalization", epsilon=(1e-3,), momentum=(0.99,), renorm=(False, None))
    name = layer["class_name"]
    places = {"dense": ["layers/dense"], "norm": ["layers/batch_normalization"] if norm is not None else []}
    memory: dict[str, Any] = {}
    must(layer, name, return_sequences=(False,), return_state=(False, None), go_backwards=(False, None))
    if name == "LMU":
        feedback = {"hidden_to_memory": (False,), "memory_to_memory": (False,), "trainable_theta": (False,)}
        must(layer, "LMU", **feedback, use_bias=(False, None))
        hidden = layer["hidden_cell"]
        if not isinstance(hidden, dict) or hidden.get("class_name") not in _CELLS:
            found_cell = hidden.get("class_name") if isinstance(hidden, dict) else hidden
            raise _another(path, f"LMU with the hidden cell {found_cell}", ", ".join(_CELLS))
        cell, units = _CELLS[hidden["class_name"]], hidden["config"]
        places |= {
            "cell": ["layers/lmu/hidden_cell", "layers/lmu/layer/hidden_cell"],
            "memory": ["layers/lmu/layer"],
        }
        memory = {"memory_size": layer["order"], "theta": layer["theta"], "memory_d": layer["memory_d"]}
        memory |= {"discretizer": layer["discretizer"], "input_to_hidden": layer["input_to_hidden"]}
    else:
        cell, units = _LAYERS[name], layer
        snake = {"rnn": "simple_rnn"}.get(cell, cell)
        places |= {"cell": [f"layers/{snake}/cell"]}
    must(units, name, activation=("tanh",), use_bias=(True,))
    if cell != "rnn":
        must(units, name, recurrent_activation=("sigmoid",))
    if cell == "gru":
        must(units, name, reset_after=(True,))
    config = ClassifierConfig(
        cell,
        input_size=input_size,
        hidden_size=units["units"],
        num_classes=dense["units"],
        normalise=norm is not None,
        **memory,
    )
    return config, places


def _must(path: Path) -> Callable[..., None]:
    def must(settings: dict[str, Any], layer: str, **allowed: tuple[Any, ...]) -> None:
        for name, values in allowed.items():
            if settings.get(name) not in values:
                raise _another(path, f"{layer} with {name}={settings.get(name)!r}", f"{name}={values[0]!r}")

    return must


def _another(path: Path, found: object, allowed: str) -> UserError:
    return UserError(f"{path} holds another architecture", value=found, allowed=allowed)


def _read_weights(data: bytes, path: Path, places: dict[str, list[str]]) -> dict[str, list[np.ndarray]]:
    """Read the arrays of each layer, in Keras's order."""
    try:
        import h5py
    except ImportError as error:
        raise UserError("reading .keras files needs h5py", hint="Run `pip install h5py`") from error
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return {kind: _arrays(file, options, h5py) for kind, options in places.items() if options}
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise UserError(
            f"the weights in {path} cannot be read ({error})", hint="Copy the file again, or save it again"
        ) from error


def _arrays(file: Any, options: list[str], h5py: Any) -> list[np.ndarray]:
    place = next((option for option in options if f"{option}/vars" in file), options[0])
    group = file[f"{place}/vars"]
    arrays = []
    for index in range(len(group)):
        if not isinstance(group.get(str(index), getlink=True), h5py.HardLink):
            raise ValueError(f"{place}/vars/{index} is missing or leads out of the file")
        dataset = group[str(index)]
        if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
            raise ValueError(f"{place}/vars/{index} is no array of this file")
        if dataset.nbytes > _LARGEST or dataset.dtype.kind != "f":
            raise ValueError(f"{place}/vars/{index} is no weight: {dataset.shape}, {dataset.dtype}")
        arrays.append(np.asarray(dataset[()], dtype=np.float32))
    return arrays


def _state(
    config: ClassifierConfig, weights: dict[str, list[np.ndarray]], path: Path
) -> dict[str, np.ndarray]:
    counts = {"cell": 3, "dense": 2, "norm": 4, "memory": 1}
    for kind, arrays in weights.items():
        if len(arrays) != counts[kind]:
            raise UserError(
                f"{path} has another number of arrays for its {kind}",
                value=len(arrays),
                allowed=str(counts[kind]),
            )
    prefix = "layer.hidden." if config.memory_size else "layer."
    state = {prefix + name: value for name, value in cell_weights(config.cell, weights["cell"]).items()}
    kernel, bias = weights["dense"]
    state |= {"weight_out": np.ascontiguousarray(kernel.T), "bias_out": bias}
    if config.memory_size:
        state["layer.weight_encoder"] = np.ascontiguousarray(weights["memory"][0].T)
    if config.normalise:
        names = ("weight", "bias", "running_mean", "running_var")
        state |= {f"norm.{name}": value for name, value in zip(names, weights["norm"], strict=True)}
    return state
