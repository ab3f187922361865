"""What is saved is what is found, byte for byte."""

import json
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnkit.errors import UserError
from rnnkit.results import RecordKey, Store, provenance
from rnnkit.results.files import StoredArrays, describe, write_arrays

ORIGIN = provenance("cpu", 0, {"train": "ab"}, 1.5, 1 << 20, "quick")


def key(seed=0, *, kind="train", version=1, label=None):
    return RecordKey("geometry", kind, {"seed": seed}, version, label or f"paper-seed{seed}")


def save(store, key, value=1.0, **more):
    more = {"arrays": {"accuracy": np.full(3, value)}, "metrics": {"accuracy": value}, **more}
    return store.save(key, provenance=ORIGIN, **more)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "local", [tmp_path / "committed"])


def test_a_record_comes_back_as_it_was_saved(store):
    arrays = {
        "scalar": np.float32(3),
        "empty": np.zeros((0, 4)),
        "transposed": np.arange(6, dtype=np.int16).reshape(2, 3).T,
        "words": np.array(["ä", "bc"]),
        "readout/step4": np.array([True, False]),
    }
    weights = {"weight_hh": np.arange(6, dtype=np.float32).reshape(2, 3).T, "bias": np.float64(2)}
    saved = save(store, key(), arrays=arrays, weights=weights, metrics={"loss": float("nan"), "epochs": 3})
    for record in (saved, store.load(key())):
        assert record.key == key()
        assert record.metrics == {"loss": None, "epochs": 3}
        assert list(record.arrays) == sorted(arrays)
        assert set(record.weights) == set(weights)
        for name, array in arrays.items():
            assert record.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(record.arrays[name], array)
        for name, weight in weights.items():
            np.testing.assert_array_equal(record.weights[name], weight)


def test_other_tools_read_the_files(store):
    path = save(store, key(), weights={"w": np.ones(2, np.float32)}).path
    with np.load(path / "arrays.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["accuracy"], np.ones(3))
    assert safetensors.numpy.load_file(path / "weights.safetensors").keys() == {"w"}
    run = json.loads((path / "run.json").read_text())
    assert list(run) == sorted(run)
    assert run["files"]["arrays.npz"] == describe(path / "arrays.npz")
    assert run["libraries"]["numpy"] == np.__version__
    assert (run["seed"], run["budget"], run["device"]) == (0, "quick", "cpu")


def test_a_record_without_weights_has_no_file_for_them(store):
    record = save(store, key())
    assert dict(record.weights) == {}
    assert sorted(path.name for path in record.path.iterdir()) == ["arrays.npz", "run.json"]


def test_shared_arrays_cannot_be_changed(store):
    record = save(store, key())
    with pytest.raises(ValueError, match="read-only"):
        record.arrays["accuracy"][0] = 2


def test_an_unknown_array_is_named_with_those_there_are(store):
    record = save(store, key())
    with pytest.raises(KeyError, match="accuracy"):
        record.arrays["acc"]
    assert "acc" not in record.arrays
    assert len(record.arrays) == 1


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_/]{0,6}", fullmatch=True),
        hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)),
        max_size=3,
    )
)
def test_any_arrays_survive_and_give_the_same_bytes_in_any_order(tmp_path_factory, arrays):
    folder = tmp_path_factory.mktemp("npz")
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    write_arrays(folder / "a.npz", arrays)
    write_arrays(folder / "b.npz", dict(reversed(arrays.items())))
    assert (folder / "a.npz").read_bytes() == (folder / "b.npz").read_bytes()
    back = StoredArrays(
        folder / "a.npz", describe(folder / "a.npz")["sha256"], lambda path, why: OSError(why)
    )
    assert set(back) == set(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert back[name].tobytes() == array.tobytes()


def test_saving_again_gives_the_same_bytes_and_replaces(store):
    save(store, key(), 1.0, weights={"w": np.ones(2)})
    first = save(store, key(), 2.0)
    content = (first.path / "arrays.npz").read_bytes()
    second = save(store, key(), 2.0)
    assert (second.path / "arrays.npz").read_bytes() == content
    assert second.metrics == {"accuracy": 2.0}
    assert not (second.path / "weights.safetensors").exists()
    assert [path.name for path in second.path.parent.iterdir()] == [key().folder]


def test_a_new_label_takes_the_place_of_the_old_one(store):
    save(store, key(label="old"), 1.0)
    assert store.load(key(label="new")).metrics == {"accuracy": 1.0}
    record = save(store, key(label="new"), 2.0)
    assert store.find(key(label="old")).path == record.path
    assert len(store.scan("geometry")) == 1


def test_the_local_record_comes_before_the_committed_one(store, tmp_path):
    committed = Store(tmp_path / "committed")
    save(committed, key(0), 1.0)
    save(committed, key(1), 1.0)
    save(store, key(0), 2.0)
    assert store.load(key(0)).metrics == {"accuracy": 2.0}
    assert store.load(key(1)).metrics == {"accuracy": 1.0}
    assert [info.path.parent.parent.name for info in store.scan("geometry")] == ["local", "committed"]
    store.discard(key(0))
    assert store.load(key(0)).metrics == {"accuracy": 1.0}
    store.discard(key(1))  # not ours to remove
    assert store.find(key(1)) is not None


def test_a_missing_record_is_none_or_an_error_that_says_how_to_get_it(store):
    assert store.find(key()) is None
    store.discard(key())
    with pytest.raises(UserError, match="python -m rnnkit run geometry"):
        store.load(key())


def test_a_record_of_another_version_is_not_taken_and_is_named(store):
    save(store, key(version=1))
    assert store.find(key(version=2)) is None
    with pytest.raises(UserError, match=r"by version 2 .*found: version 1"):
        store.load(key(version=2))


def test_scan_tells_what_is_stale(store):
    save(store, key(0, version=1))
    save(store, key(0, version=2))
    save(store, key(0, kind="embed"))
    states = {
        (info.kind, info.version): info.state for info in store.scan("geometry", {"train": 2, "embed": 1})
    }
    assert states == {("train", 1): "stale", ("train", 2): "ok", ("embed", 1): "ok"}
    assert {info.state for info in store.scan("geometry")} == {"ok"}
    assert store.scan("lab") == []
    info = store.scan("geometry")[0]
    assert (info.kind, info.label, info.budget, info.seed, info.device) == (
        "embed", "paper-seed0", "quick", 0, "cpu",
    )  # fmt: skip


@pytest.mark.parametrize("where", ["arrays", "weights"])
def test_objects_are_never_stored(store, where):
    with pytest.raises(TypeError, match="objects cannot be stored"):
        save(store, key(), **{where: {"a": np.array([{}], dtype=object)}})
    with pytest.raises(TypeError, match="objects cannot be stored"):
        save(store, key(), **{where: {"a": np.zeros(1, dtype=[("x", object)])}})
    assert store.scan("geometry") == []
    assert list((store.write / "geometry").iterdir()) == []


@pytest.mark.parametrize("name", ["", "../up", "/root", "a b", "a.npy"])
def test_array_names_are_plain(store, name):
    with pytest.raises(ValueError, match="names"):
        save(store, key(), arrays={name: np.zeros(1)})


def test_provenance_cannot_overwrite_the_record(store):
    with pytest.raises(ValueError, match="config"):
        store.save(key(), arrays={}, metrics={}, provenance={"config": {}})


def test_importing_the_results_loads_neither_torch_nor_yaml():
    code = "import sys, rnnkit.results; print({'torch', 'yaml', 'safetensors'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
