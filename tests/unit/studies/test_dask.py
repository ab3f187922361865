"""A Dask cluster of several processes: the same records, also when a worker dies; one message for what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import rnnkit
from rnnkit.errors import UserError
from rnnkit.studies.executors import dask_cluster
from tests.unit.studies.sweeps import (
    Fate,
    checksums,
    make_job,
    make_plan,
    metrics,
    read_mark,
    sweep,
)
from tests.waiting import wait_for

pytest.importorskip("distributed")

ROOT = Path(rnnkit.__file__).parents[1]


class Cluster:
    """A scheduler and workers, each a process of its own, started as the page says."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self._folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--port", "0", "--host", "127.0.0.1")
        self.address = wait_for(self._read_address, "the scheduler")

    def _read_address(self) -> str | None:
        try:
            return json.loads(self.file.read_text())["address"]
        except (OSError, ValueError):
            return None

    def _start(self, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", what, "--scheduler-file", str(self.file), "--no-dashboard"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RNNKIT_")}
        with (self._folder / f"{what}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *arguments],
                cwd=self._folder,
                env={**environment, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"},
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def workers(self, number: int) -> dict[int, subprocess.Popen[bytes]]:
        """Have this number of workers, by their process."""
        options = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--host", "127.0.0.1")
        alive = [process for process in self.processes[1:] if process.poll() is None]
        alive += [self._start("worker", *options) for _ in range(number - len(alive))]
        return {process.pid: process for process in alive}

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RNNKIT_RESULTS", raising=False)
    return tmp_path / "home"


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_changes_no_bit(cluster, tmp_path, home, capfd):
    workers = cluster.workers(3)
    expected = sweep(tmp_path / "expected", make_plan(7), workers=1)
    for mark in (home / "marks").iterdir():
        mark.unlink()
    plan = make_plan(7, **{f"n{n}": Fate(0.1) for n in range(7)} | {"n2": Fate(0.4)})
    killed = []

    def kill_one_at_work() -> None:
        pid, _ = wait_for(lambda: (mark := read_mark("n2")) and mark[1] >= 3 and mark, "a job under way")
        workers[pid].kill()
        killed.append(pid)

    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    found = sweep(tmp_path / "found", plan, executor=f"dask:{cluster.file}")
    killer.join()
    assert len(killed) == 1
    assert found == expected
    assert len(found) == 14
    seen = metrics(tmp_path / "found", plan)
    assert 3 <= seen["n2"]["resumed_from"] < 10
    assert {one["home"] for one in seen.values()} == {str(home)}
    assert {one["threads"] for one in seen.values()} == {1}
    assert not list((home / "waiting").iterdir())
    assert not list((home / "checkpoints").rglob("*.safetensors"))
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert "distributed" not in said

    # The same cluster: what a job raises, and what happens to the others.
    plan = [make_job(20, fate=Fate(1.0)), make_job(21, fate=Fate(end="error", after="n20"))]
    with pytest.raises(UserError, match="this one cannot be had: 'n21'"):
        sweep(tmp_path / "failed", plan, executor=f"dask:{cluster.address}")
    time.sleep(2.0)  # a look at the token, and a step
    stopped = read_mark("n20")
    time.sleep(1.5)
    assert read_mark("n20") == stopped
    assert stopped[1] < 10
    assert not checksums(tmp_path / "failed")


@pytest.mark.slow
def test_a_job_that_kills_its_workers_is_given_up(cluster, tmp_path, home, monkeypatch):
    cluster.workers(4)  # Dask's default: the fourth death is one too many
    plan = [make_job(0), make_job(1, fate=Fate(end="death"))]
    with pytest.raises(
        UserError, match=r"4 Dask workers died one after the other.*'train n1'.*same command again"
    ):
        sweep(tmp_path / "found", plan, executor=f"dask:{cluster.address}")
    assert (home / "marks" / "deaths").read_text() == "xxxx"
    assert len(checksums(tmp_path / "found")) == 2

    # No worker is left now.
    monkeypatch.setattr(dask_cluster, "WORKERS_WITHIN_S", 1.5)
    with pytest.raises(UserError, match=r"has had no workers for 2 seconds.*dask worker tcp://"):
        sweep(tmp_path / "none", [make_job(0)], executor=f"dask:{cluster.address}")

    # Nor a scheduler, soon.
    monkeypatch.setattr(dask_cluster, "WORKERS_WITHIN_S", 600.0)
    threading.Timer(1.0, cluster.scheduler.send_signal, [signal.SIGKILL]).start()
    with pytest.raises(UserError, match=r"connection to the Dask scheduler is lost.*same command again"):
        sweep(tmp_path / "none", [make_job(0)], executor=f"dask:{cluster.address}")


def test_a_scheduler_that_cannot_be_reached(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(dask_cluster, "CONNECT_WITHIN_S", 0.5)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UserError, match=rf"no Dask scheduler answers.*'{address}'.*dask scheduler"):
            sweep(tmp_path / "none", make_plan(), executor=f"dask:{address}")
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("text", [None, "no JSON", "[]", '{"address": 3}', '{"address": "inproc://x"}'])
def test_a_schedulers_file_that_is_none(tmp_path, text):
    file = tmp_path / "scheduler.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UserError, match=r"file of the Dask scheduler cannot be read|no address of a Dask"):
        sweep(tmp_path / "none", make_plan(), executor=f"dask:{file}")
