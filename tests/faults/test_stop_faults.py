"""A run in several processes that is stopped: one message, the right exit code, no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import rnnkit
from rnnkit import __main__ as command
from rnnkit.errors import InterruptedRun
from tests.waiting import ended, wait_for

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")

ROOT = Path(rnnkit.__file__).parents[1]

# A study of four jobs that take for ever, run by the real command line.
SLOW = """
import sys, time
from pathlib import Path
import numpy as np
from rnnkit import studies
from rnnkit.__main__ import main
from rnnkit.results import RecordKey
from rnnkit.studies.base import Study
from rnnkit.studies.jobs import Job, Outcome

def compute(job, records, device, checkpoint, steps):
    if job.seed == 0:
        return Outcome({"x": np.zeros(1)}, {}, {})
    steps.steps(10**6, "slow")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.with_suffix(".started").write_text("")
    while True:
        time.sleep(0.01)
        steps.advance()

class Slow(Study):
    chapter, title, configs, dataset = "geometry", "slow", (), "digits"
    versions, default_seeds = {"train": 1}, {"quick": (0,), "paper": (0,)}

    def plan(self):
        keys = [RecordKey("geometry", "train", {"n": n}, 1, f"n{n}") for n in range(5)]
        return [Job(key, None, n, compute) for n, key in enumerate(keys)]

    def measurements(self):
        return {}

if __name__ == "__main__":
    studies.open = lambda chapter, **settings: Slow(**settings)
    sys.exit(main(["run", "geometry", "--device", "cpu", "--workers", "2"]))
"""


def _processes_of(session: int) -> set[int]:
    """Living processes of a session."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of_session, *_ = stat.read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if int(of_session) == session and state != "Z":
            found.add(int(stat.parent.name))
    return found


@contextmanager
def _started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "slow.py").write_text(SLOW)
    environment = {**os.environ, "RNNKIT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    environment.pop("RNNKIT_RESULTS", None)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "slow.py")],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    with ended(process):
        try:
            yield process
        finally:
            for left in _processes_of(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)


@pytest.mark.parametrize(
    ("how", "to_all", "code"),
    [
        (signal.SIGINT, True, 130),  # the terminal sends Ctrl-C to every process
        (signal.SIGTERM, False, 143),
        (signal.SIGKILL, False, -9),
    ],
)
def test_a_run_with_two_workers_that_is_stopped_leaves_none(tmp_path, how, to_all, code):
    with _started(tmp_path) as process:
        wait_for(lambda: len(list((tmp_path / "home").rglob("*.started"))) == 2, "two workers")
        (os.killpg if to_all else os.kill)(process.pid, how)
        _, said = process.communicate(timeout=60)
        assert process.returncode == code
        wait_for(lambda: not _processes_of(process.pid), "the workers to end", 60)
    assert "Traceback" not in said
    if how != signal.SIGKILL:
        assert said.count("stopped. What was finished is kept") == 1
        assert len(list((tmp_path / "home" / "results").rglob("run.json"))) == 1


def test_ctrl_c_while_the_workers_are_still_starting(tmp_path):
    with _started(tmp_path) as process:
        # the resource tracker and at least one worker
        wait_for(lambda: len(_processes_of(process.pid)) >= 3, "a worker")
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=90)
        assert process.returncode == 130
        wait_for(lambda: not _processes_of(process.pid), "the workers to end", 60)
    assert "Traceback" not in said
    assert said.count("stopped. What was finished is kept") == 1


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_that_somebody_else_explains_keeps_its_exit_code(monkeypatch, capsys, how, code):
    def execute_notebooks(_: object) -> int:
        try:
            signal.raise_signal(how)
        except KeyboardInterrupt as stop:
            raise InterruptedRun("stopped while executing notebooks") from stop
        return 0

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setitem(command._COMMANDS, "status", execute_notebooks)
    assert command.main(["status"]) == code
    assert "stopped while executing notebooks" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before
