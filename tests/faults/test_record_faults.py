"""Damage, full disks, kills and races: a record is whole, or refused with a way out."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.results import DamagedRecord, RecordKey, Store, atomic
from rnnkit.results import files as record_files
from tests.waiting import ended

KEY = RecordKey("geometry", "train", {"seed": 0}, 1, "paper-seed0")

PRELUDE = """
import os, resource, signal, sys, time
from pathlib import Path
import numpy as np
from rnnkit.errors import UserError
from rnnkit.results import RecordKey, Store, atomic
KEY = RecordKey("geometry", "train", {"seed": 0}, 1, "paper-seed0")
store = Store(Path(sys.argv[1]))
def save(value, n=1000):
    arrays = {"a": np.full(n, value), "noise": np.random.default_rng(int(value)).random(n)}
    weights, metrics = {"w": np.full(n, value)}, {"value": value}
    return store.save(KEY, arrays=arrays, weights=weights, metrics=metrics, provenance={})
"""


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "local", [tmp_path / "committed"])


def save(store, value=1.0, n=1000):
    arrays = {"a": np.full(n, value)}
    return store.save(
        KEY, arrays=arrays, weights={"w": np.full(n, value)}, metrics={"value": value}, provenance={}
    )


def python(code, folder):
    """Run code after the prelude in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + code, str(folder)], stdout=subprocess.PIPE, text=True, timeout=60
    )


def read_all(record):
    record.verify()
    return {name: array.sum() for name, array in {**record.arrays, **record.weights}.items()}


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [cut, flip, os.remove], ids=["cut", "flip", "remove"])
@pytest.mark.parametrize("name", ["run.json", "arrays.npz", "weights.safetensors"])
def test_any_damage_is_refused_with_the_file_and_the_way_out(store, name, harm):
    path = save(store).path / name
    harm(path)
    with pytest.raises(DamagedRecord) as caught:
        read_all(store.find(KEY))
    assert str(path) in str(caught.value)
    assert "--fresh" in str(caught.value)
    (info,) = store.scan("geometry")
    assert (info.state, info.kind, info.label, info.id) == ("damaged", "train", "paper-seed0", KEY.id)
    assert str(path) in info.reason
    save(store, 2.0)
    assert read_all(store.load(KEY))["a"] == 2000


def test_numbers_edited_by_hand_are_refused(store):
    path = save(store).path / "run.json"
    run = json.loads(path.read_text())
    run["metrics"]["value"] = 0.99
    path.write_text(json.dumps(run))
    with pytest.raises(DamagedRecord, match="checksum"):
        store.find(KEY)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"sha256": 1}'])
def test_a_run_file_of_any_content_is_refused(store, content):
    (save(store).path / "run.json").write_bytes(content)
    with pytest.raises(DamagedRecord, match=r"run\.json"):
        store.find(KEY)
    assert [info.state for info in store.scan("geometry")] == ["damaged"]


def test_a_record_in_the_folder_of_another_is_refused(store):
    path = save(store).path
    other = RecordKey("geometry", "train", {"seed": 1}, 1, "paper-seed1")
    path.rename(path.with_name(other.folder))
    with pytest.raises(DamagedRecord, match=KEY.folder):
        store.find(other)


def test_a_damaged_committed_record_can_be_restored_from_git(tmp_path):
    committed = tmp_path / "committed"
    path = save(Store(committed)).path / "arrays.npz"
    git = [
        "git",
        "-C",
        str(tmp_path),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
    ]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "records"]):
        subprocess.run([*git, *arguments], check=True)
    store = Store(tmp_path / "local", [committed])
    cut(path)
    with pytest.raises(DamagedRecord) as caught:
        store.find(KEY)
    command = str(caught.value).split("`")[1]
    assert command == f"git checkout -- {path.parent}"
    subprocess.run(command.split(), check=True, cwd=tmp_path, capture_output=True)
    assert read_all(store.load(KEY))["a"] == 1000


def test_a_pickle_inside_the_arrays_is_never_loaded(tmp_path):
    np.savez(tmp_path / "evil.npz", a=np.array([print], dtype=object))
    evil = tmp_path / "evil.npz"
    arrays = record_files.StoredArrays(
        evil, record_files.describe(evil)["sha256"], lambda path, why: OSError(why)
    )
    with pytest.raises(ValueError, match="allow_pickle=False"):
        arrays["a"]


@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "cannot write")])
@pytest.mark.parametrize("step", ["write_arrays", "write_bytes", "flush", "replace_folder"])
def test_a_failed_write_keeps_the_old_record_and_leaves_nothing(store, monkeypatch, step, code, words):
    save(store, 1.0)

    def fail(*arguments, **named):
        raise OSError(code, os.strerror(code))

    module = {"replace_folder": "store", "flush": "files"}.get(step, "records")
    monkeypatch.setattr(f"rnnkit.results.{module}.{step}", fail)
    with pytest.raises(UserError, match=words):
        save(store, 2.0)
    assert read_all(store.load(KEY))["a"] == 1000
    assert [path.name for path in (store.write / "geometry").iterdir()] == [KEY.folder]


def test_a_write_cut_short_by_the_system_is_reported_and_cleaned(store):
    save(store, 1.0)
    code = """
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    save(2.0, n=100_000)
except UserError as error:
    print(error)
"""
    assert "the disk is full; the record was not saved" in python(code, store.write).stdout
    assert read_all(store.load(KEY))["a"] == 1000
    assert [path.name for path in (store.write / "geometry").iterdir()] == [KEY.folder]


def test_a_root_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write records"):
        save(Store(tmp_path / "file"))


def test_an_interrupted_save_leaves_nothing(store, monkeypatch):
    save(store, 1.0)

    def interrupt(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnkit.results.records.write_bytes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(store, 2.0)
    assert [path.name for path in (store.write / "geometry").iterdir()] == [KEY.folder]


def test_what_a_killed_save_left_is_cleaned_by_the_next_one(store):
    code = """
from rnnkit.results import records
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
records.write_bytes = die
save(2.0)
"""
    assert python(code, store.write).returncode == -signal.SIGKILL
    parent = store.write / "geometry"
    (left,) = parent.iterdir()
    assert left.name.startswith(".tmp-")
    assert store.scan("geometry") == []
    assert list(parent.iterdir()) == []


@pytest.mark.parametrize("renames", [1, 2])
def test_a_save_killed_between_the_renames_keeps_a_good_record(store, renames):
    save(store, 1.0)
    code = f"""
rename, done = os.rename, []
def dying(*arguments):
    rename(*arguments)
    done.append(1)
    if len(done) == {renames}:
        os.kill(os.getpid(), signal.SIGKILL)
os.rename = dying
save(2.0)
"""
    assert python(code, store.write).returncode == -signal.SIGKILL
    assert len(list((store.write / "geometry").glob(".*"))) >= 1
    assert read_all(store.find(KEY))["a"] == 1000 * renames
    save(store, 3.0)
    assert read_all(store.load(KEY))["a"] == 3000
    assert [path.name for path in (store.write / "geometry").iterdir()] == [KEY.folder]


def test_a_replacement_that_is_refused_puts_the_old_record_back(store, monkeypatch):
    save(store, 1.0)
    rename, calls = os.rename, []

    def refuse_the_second(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise PermissionError(errno.EPERM, "no")
        rename(*arguments)

    monkeypatch.setattr(os, "rename", refuse_the_second)
    with pytest.raises(UserError, match="cannot write records"):
        save(store, 2.0)
    assert [path.name for path in (store.write / "geometry").iterdir()] == [KEY.folder]
    assert read_all(store.load(KEY))["a"] == 1000


def test_only_abandoned_temporary_folders_are_removed(store):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    parent = store.write / "geometry"
    living = parent / f".tmp-{atomic._HOST}-{os.getpid()}-0123456789ab"
    elsewhere = parent / f".tmp-another_host-{dead.pid}-0123456789ab"
    killed = parent / f".tmp-{atomic._HOST}-{dead.pid}-0123456789ab"
    old = parent / ".tmp-another_host-1-0123456789ab"
    for folder in (living, elsewhere, killed, old):
        folder.mkdir(parents=True)
    hours_ago = time.time() - 7300
    os.utime(old, (hours_ago, hours_ago))
    store.scan("geometry")
    assert set(parent.iterdir()) == {living, elsewhere}


def test_a_record_replaced_between_two_arrays_is_not_mixed(store):
    def save_both(value):
        arrays = {"a": np.full(10, value), "b": np.full(10, value)}
        return store.save(KEY, arrays=arrays, metrics={}, provenance={})

    record = save_both(1.0)
    assert record.arrays["a"][0] == 1
    save_both(1.0)
    assert record.arrays["b"][0] == 1  # the same bytes, in another file
    record = store.load(KEY)
    assert record.arrays["a"][0] == 1
    save_both(2.0)
    with pytest.raises(UserError, match="another process replaced the record"):
        record.arrays["b"]


@contextmanager
def writers(store, pause):
    """Two processes that save numbers from 1000 and 2000 on until told to stop; `stop` returns their last ones."""
    code = """
rename = os.rename
def slow_rename(*arguments):
    rename(*arguments)
    time.sleep(float(sys.argv[3]))
os.rename = slow_rename
value, last = float(sys.argv[2]), None
while not Path(sys.argv[4]).exists():
    save(value)
    value, last = value + 1, value
print(last)
"""
    end = store.write / "stop"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PRELUDE + code, *map(str, (store.write, start, pause, end))],
            stdout=subprocess.PIPE,
            text=True,
        )
        for start in (1000, 2000)
    ]

    def stop():
        end.touch()
        said = [process.communicate(timeout=60)[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
        return [float(last) for last in said]

    with ended(processes[0]), ended(processes[1]):
        yield stop


@pytest.mark.parametrize("pause", [0, 0.003], ids=["at-full-speed", "slow-between-the-renames"])
def test_two_writers_and_a_reader_never_meet_half_a_record(store, pause):
    save(store, 1.0)
    seen, end = set(), time.monotonic() + 120
    with writers(store, pause) as stop:
        while len(seen) < 40:
            assert time.monotonic() < end, f"only {len(seen)} records were seen"
            record = store.find(KEY)
            assert record is not None
            assert [info.state for info in store.scan("geometry")] == ["ok"]
            try:
                sums = {"a": record.arrays["a"].sum(), "w": record.weights["w"].sum()}
            except UserError as error:
                assert "another process replaced the record" in str(error)  # noqa: PT017
                continue
            assert sums["a"] == sums["w"] == 1000 * record.metrics["value"]
            seen.add(record.metrics["value"])
        last = stop()
    record = store.load(KEY)
    record.verify()
    assert record.metrics["value"] in last
    assert [path.name for path in (store.write / "geometry").iterdir()] == [KEY.folder]


def test_a_store_that_may_only_be_read_is_read(store, tmp_path):
    path = save(Store(tmp_path / "committed")).path
    for folder in (path, path.parent):
        folder.chmod(0o555)
    try:
        assert read_all(store.load(KEY))["a"] == 1000
        assert [info.state for info in store.scan("geometry")] == ["ok"]
    finally:
        for folder in (path.parent, path):
            folder.chmod(0o755)
