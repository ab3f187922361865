"""A .keras file is read as data: what is another architecture, or damaged, is said so and nothing is run."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.models import load_keras
from rnnkit.models.keras_layout import cell_weights

REFERENCE = Path(__file__).parents[2] / "reference"


def _parts(name="lmu-gru"):
    with zipfile.ZipFile(REFERENCE / f"keras_{name}.keras") as archive:
        return {member: archive.read(member) for member in archive.namelist()}


def _write(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def _with_config(path, change, name="lmu-gru"):
    parts = _parts(name)
    config = json.loads(parts["config.json"])
    config = change(config) or config
    return _write(path, parts | {"config.json": json.dumps(config)})


def _layer(config, number):
    return config["config"]["layers"][number]


def _with_weights(path, change, name="lmu-gru"):
    parts = _parts(name)
    buffer = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        change(file)
    return _write(path, parts | {"model.weights.h5": buffer.getvalue()})


def test_a_file_that_is_read_stays_as_it_is_and_gives_a_model_ready_to_use(tmp_path):
    path = _with_config(tmp_path / "a.keras", lambda config: None)
    before = path.read_bytes()
    model = load_keras(str(path))
    assert path.read_bytes() == before
    assert not model.training
    assert model.config.memory_size == 8
    assert model(torch.zeros(2, 12, 1)).shape == (2, 4)


def test_dropout_layers_and_rates_do_not_matter(tmp_path):
    def change(config):
        layers = config["config"]["layers"]
        layers[1]["config"]["dropout"] = 0.2
        layers.insert(2, {"class_name": "Dropout", "config": {"rate": 0.2, "name": "dropout"}})

    path = _with_config(tmp_path / "a.keras", change, "lstm")
    x = torch.rand(3, 12, 1, generator=torch.Generator().manual_seed(0))
    expected = load_keras(REFERENCE / "keras_lstm.keras")(x)
    assert torch.equal(load_keras(path)(x), expected)


def test_gates_of_the_gru_change_places():
    generator = np.random.default_rng(0)
    kernel, recurrent, bias = (generator.normal(size=shape) for shape in [(2, 9), (3, 9), (2, 9)])
    ours = cell_weights("gru", [kernel, recurrent, bias])
    np.testing.assert_allclose(ours["weight_ih"][:3], kernel[:, 3:6].T.astype(np.float32))
    np.testing.assert_allclose(ours["weight_hh"][3:6], recurrent[:, :3].T.astype(np.float32))
    np.testing.assert_allclose(ours["bias_hh"][6:], bias[1, 6:].astype(np.float32))
    with pytest.raises(UserError, match="not the weights of Keras's gru"):
        cell_weights("gru", [kernel, recurrent, bias[0]])


def test_what_is_no_zip_or_not_there_is_said(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        load_keras(tmp_path / "none.keras")
    with pytest.raises(UserError, match="no such file"):
        load_keras(tmp_path)
    path = tmp_path / "a.keras"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(UserError, match="It is no zip"):
        load_keras(path)
    with pytest.raises(UserError, match="older HDF5 format"):
        load_keras(path.rename(tmp_path / "a.h5"))
    with pytest.raises(UserError, match=r"no \.keras file: it has no config\.json"):
        load_keras(_write(tmp_path / "b.keras", {"model.weights.h5": b""}))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_an_error_wherever_it_ends(tmp_path, share):
    data = (REFERENCE / "keras_gru.keras").read_bytes()
    path = tmp_path / "a.keras"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(UserError, match="cut short or damaged"):
        load_keras(path)


@pytest.mark.parametrize("position", range(20))
def test_damage_is_an_error_or_does_not_matter(tmp_path, position):
    """The zip's own checksums catch what is changed inside a member."""
    data = bytearray((REFERENCE / "keras_lstm.keras").read_bytes())
    data[position * len(data) // 20 + 7] ^= 0xFF
    path = tmp_path / "a.keras"
    path.write_bytes(bytes(data))
    x = torch.ones(1, 12, 1)
    try:
        logits = load_keras(path)(x)
    except UserError:
        return
    assert torch.equal(logits, load_keras(REFERENCE / "keras_lstm.keras")(x))


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_weights_cut_short_inside_an_intact_zip_are_an_error(tmp_path, share):
    parts = _parts()
    data = parts["model.weights.h5"]
    path = _write(tmp_path / "a.keras", parts | {"model.weights.h5": data[: int(share * len(data))]})
    with pytest.raises(UserError, match=r"weights in .* cannot be read"):
        load_keras(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: _layer(c, 1).update(class_name="Lambda"), "another architecture.*Lambda"),
        (lambda c: _layer(c, 1).update(class_name="Bidirectional"), "another architecture.*Bidirectional"),
        (lambda c: c["config"]["layers"].append(_layer(c, 2)), "another architecture"),
        (lambda c: c["config"]["layers"].pop(), "another architecture"),
        (lambda c: c.update(class_name="Malicious"), "another architecture: 'Malicious'"),
        (lambda c: [c], "another architecture: 'list'"),
        (lambda c: _layer(c, 1)["config"].update(hidden_to_memory=True), "hidden_to_memory=True"),
        (lambda c: _layer(c, 1)["config"].update(trainable_theta=True), "trainable_theta=True"),
        (lambda c: _layer(c, 1)["config"].update(return_sequences=True), "return_sequences=True"),
        (lambda c: _layer(c, 1)["config"].update(hidden_cell=None), "hidden cell None"),
        (
            lambda c: _layer(c, 1)["config"]["hidden_cell"]["config"].update(reset_after=False),
            "reset_after=False",
        ),
        (
            lambda c: _layer(c, 1)["config"]["hidden_cell"]["config"].update(activation="relu"),
            "activation='relu'",
        ),
        (lambda c: _layer(c, 2)["config"].update(activation="relu"), "activation='relu'"),
        (lambda c: _layer(c, 2)["config"].pop("units"), "does not say what it should.*units"),
        (lambda c: c.pop("config"), "does not say what it should"),
        (lambda c: _layer(c, 1)["config"].update(order=9), "other weights than its config says"),
        (lambda c: _layer(c, 1)["config"].update(order="9"), "memory_size is no memory's"),
        (lambda c: _layer(c, 2)["config"].update(units=5), "other weights than its config says: weight_out"),
    ],
)
def test_another_architecture_is_named(tmp_path, change, message):
    def apply(config):
        changed = change(config)
        return changed if isinstance(changed, list) and changed[0] is config else None

    with pytest.raises(UserError, match=message):
        load_keras(_with_config(tmp_path / "a.keras", apply))


def _shrink(file):
    group = file["layers/lmu/hidden_cell/vars"]
    del group["2"]


def _soft_link(file):
    group = file["layers/dense/vars"]
    del group["1"]
    group["1"] = h5py.ExternalLink("/etc/hostname", "/x")


def _external(file):
    group = file["layers/dense/vars"]
    del group["1"]
    group.create_dataset("1", (4,), "f4", external=[("/etc/hostname", 0, 16)])


def _huge(file):
    group = file["layers/dense/vars"]
    del group["0"]
    group.create_dataset("0", (6, 2**40), "f4", chunks=(6, 1024))


def _words(file):
    group = file["layers/dense/vars"]
    del group["1"]
    group["1"] = np.arange(4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_shrink, "another number of arrays for its cell"),
        (_soft_link, "leads out of the file"),
        (_external, "no array of this file"),
        (_huge, "is no weight"),
        (_words, "is no weight"),
        (lambda file: file.pop("layers/dense"), "cannot be read"),
    ],
)
def test_weights_that_are_missing_or_lie_elsewhere_are_refused(tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        load_keras(_with_weights(tmp_path / "a.keras", change))


def test_h5py_is_needed_only_here(tmp_path, monkeypatch):
    import subprocess
    import sys

    script = "import sys, rnnkit.models; sys.exit('h5py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, env=os.environ).returncode == 0
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UserError, match="needs h5py"):
        load_keras(REFERENCE / "keras_gru.keras")
