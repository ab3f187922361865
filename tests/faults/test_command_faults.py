"""The command line when things go wrong: one message, a non-zero exit code, nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rnnkit.__main__ import main
from rnnkit.results import Store, run_lock
from rnnkit.studies.executors import dask_cluster
from rnnkit.studies.geometry.training import rows
from tests.waiting import ended, wait_for

UNTRAINED = ["run", "geometry", "--seeds", "0", "--only", "untrained", "--workers", "1", "--kind"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No MNIST, no network, an empty home: quick runs take the bundled digits."""
    monkeypatch.setenv("RNNKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RNNKIT_OFFLINE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RNNKIT_DATA", raising=False)
    monkeypatch.delenv("RNNKIT_RESULTS", raising=False)
    monkeypatch.setattr(dask_cluster, "CONNECT_WITHIN_S", 0.5)
    rows.cache_clear()  # MNIST that another test has read
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "geometri"], "unknown chapter: 'geometri'; allowed: geometry"),
        (["render", "geometri"], "unknown chapter: 'geometri'; allowed: geometry"),
        (["status", "nothing"], "unknown chapter: 'nothing'; allowed: geometry"),
        (["claims", "nothing"], "unknown chapter: 'nothing'; allowed: geometry"),
        (["run", "geometry", "--budget", "fast"], "unknown budget: 'fast'; allowed: quick, paper"),
        (["run", "geometry", "--seeds", "0,a"], "seeds cannot be read: '0,a'"),
        (["run", "geometry", "--seeds", "0.5"], "seeds cannot be read: '0.5'"),
        (["run", "geometry", "--device", "tpu"], "unknown device: 'tpu'; allowed: auto, cpu, cuda"),
        (["run", "geometry", "--only", "big"], "unknown config of geometry: 'big'; allowed: paper, tuned"),
        (
            ["run", "geometry", "--kind", "map"],
            "unknown kind of record of geometry: 'map'; allowed: train, probes",
        ),
        (["run", "geometry", "--workers", "0"], "workers cannot be used: 0"),
        (
            ["run", "geometry", "--executor", "ray"],
            "unknown executor: 'ray'; allowed: threads, processes, dask:",
        ),
        (["render", "geometry", "--executor", "ray"], "unknown executor: 'ray'"),
        (["run", "geometry", "--executor", "dask"], "no address of a Dask scheduler: ''"),
        (["run", "geometry", "--executor", "dask:tcp://127.0.0.1:1"], "no Dask scheduler answers"),
        (["run", "geometry", "--executor", "submitit:cloud"], "unknown setting of submitit: 'cloud'"),
    ],
)
def test_bad_input_is_one_message_and_computes_nothing(home, capsys, arguments, said):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in err
    assert not out
    assert not list(home.rglob("*.npz"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["fly"],
        ["data", "eat"],
        ["run", "geometry", "--epochs", "3"],
        ["run", "geometry", "--workers", "x"],
    ],
)
def test_words_the_command_line_does_not_know_are_named(home, capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_cuda_where_there_is_none(home, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["run", "geometry", "--device", "cuda"]) == 2
    assert "there is no CUDA device" in capsys.readouterr().err


def test_paper_budget_without_mnist_names_three_ways_out(home, capsys):
    assert main(["run", "geometry", "--budget", "paper", "--seeds", "991", "--workers", "1"]) == 2
    said = capsys.readouterr().err
    for way_out in ("RNNKIT_DATA", "data fetch", "--budget quick"):
        assert way_out in said


def test_two_runs_of_a_chapter_at_once(home, capsys):
    with run_lock(home / "locks", "geometry"):
        assert main(["run", "geometry", "--seeds", "0", "--only", "untrained"]) == 2
    assert str(os.getpid()) in capsys.readouterr().err
    assert not list(home.rglob("*.npz"))


def test_a_results_folder_that_cannot_be_written(home, capsys, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    arguments = ["run", "geometry", "--seeds", "0", "--only", "untrained", "--workers", "1"]
    assert main([*arguments, "--results", str(tmp_path / "file" / "results")]) == 2
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_a_full_disk_keeps_what_was_there(home, capsys, monkeypatch):
    arguments = [*UNTRAINED, "train"]

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("rnnkit.results.store.write_record", full)
        assert main(arguments) == 2
    assert "disk is full" in capsys.readouterr().err
    assert not list((home / "results").rglob("run.json"))
    assert main(arguments) == 0


def test_a_damaged_record_is_named_and_fresh_mends_it(home, capsys):
    arguments = [*UNTRAINED, "train"]
    assert main(arguments) == 0
    (weights,) = (home / "results").rglob("train-untrained-s0-*/weights.safetensors")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])
    capsys.readouterr()
    assert main(["render", "geometry", "--seeds", "0", "--workers", "1"]) == 2
    assert "weights.safetensors" in (said := capsys.readouterr().err)
    assert "--fresh" in said
    assert main([*arguments, "--fresh"]) == 0
    assert weights.read_bytes() == whole


def test_records_of_another_code_version_are_stale_and_not_used(home, capsys, monkeypatch):
    arguments = [*UNTRAINED, "early_map"]
    assert main(arguments) == 0
    from rnnkit.studies.geometry import Geometry

    monkeypatch.setattr(Geometry, "versions", {**Geometry.versions, "early_map": 99})
    capsys.readouterr()
    assert main(["status", "geometry", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    stale = [row for row in rows if row["state"] == "stale" and row["where"] == "local"]
    assert [(row["kind"], row["label"]) for row in stale] == [("early_map", "untrained-s0")]
    assert "version" in stale[0]["reason"]
    wanted = [
        r for r in rows if (r["kind"], r["label"], r["budget"]) == ("early_map", "untrained-s0", "quick")
    ]
    assert "missing" in {row["state"] for row in wanted}


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(home, tmp_path):
    command = [sys.executable, "-m", "rnnkit", *UNTRAINED, "probes"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    with ended(process):
        wait_for(lambda: list(home.rglob("train-*/run.json")), "the first record", 240)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finished = list((home / "results" / "geometry").glob("train-untrained-s0-*"))
    if process.returncode != 0:  # it may have been through before the signal came
        assert process.returncode == 130
        assert "What was finished is kept" in said
        assert "Traceback" not in said
    assert len(finished) == 1
    before = (finished[0] / "run.json").read_bytes()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert (finished[0] / "run.json").read_bytes() == before
    infos = Store(home / "results").scan("geometry")
    assert {info.state for info in infos} == {"ok"}


def test_build_says_which_committed_records_are_missing(home, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("rnnkit.paths.committed_results", lambda: tmp_path / "nothing")
    assert main(["build"]) == 2
    assert "records of psmnist at reduced budget are missing" in capsys.readouterr().err


def test_data_verify_says_what_is_missing(home, capsys):
    assert main(["data", "verify"]) == 1
    assert "missing" in capsys.readouterr().out
