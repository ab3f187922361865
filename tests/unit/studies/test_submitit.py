"""submitit: the same records from jobs of their own, also when one is lost or timed out; what SLURM is asked for."""

from __future__ import annotations

import os
import signal
import stat
import threading
from concurrent.futures import wait
from pathlib import Path

import pytest

import rnnkit
from rnnkit.errors import UserError
from rnnkit.studies import jobs as jobs_module
from rnnkit.studies.executors import slurm, submitit_executor
from rnnkit.studies.executors.submitit_executor import SubmititExecutor
from tests.unit.studies.sweeps import (
    Fate,
    checksums,
    make_job,
    make_plan,
    metrics,
    read_mark,
    sweep,
)
from tests.waiting import wait_for, within

pytest.importorskip("submitit")

ROOT = Path(rnnkit.__file__).parents[1]

SBATCH = """#!/bin/sh
# Run the batch file here, in the background, as SLURM would elsewhere; as SLURM does, from a copy made now:
# submitit moves the file as soon as it knows the job's number.
for file; do :; done
cat "$file" >> "$RNNKIT_HOME/asked"
if grep -q partition=closed "$file"; then
  echo "sbatch: error: invalid partition specified: closed" >&2
  exit 1
fi
job="$RNNKIT_HOME/jobs/$$"
mkdir -p "$job"
cp "$file" "$job/batch"
(
  SLURM_JOB_ID=$$ SLURM_PROCID=0 sh "$job/batch"
  echo $? > "$job/code"
) > /dev/null 2>&1 < /dev/null &
echo "Submitted batch job $$"
"""
SRUN = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do
  case $1 in --output|--error) shift ;; esac
  shift
done
exec "$@"
"""
SACCT = """#!/bin/sh
echo "JobID|State|NodeList"
for number; do
  job="$RNNKIT_HOME/jobs/$number"
  [ -d "$job" ] || continue
  case $(cat "$job/code" 2>/dev/null) in
    "") echo "$number|RUNNING|here" ;;
    0) echo "$number|COMPLETED|here" ;;
    *) echo "$number|FAILED|here" ;;
  esac
done
"""


@pytest.fixture(autouse=True)
def soon_over():
    with within(240, "the jobs of submitit"):
        yield


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # so that jobs find the functions of these tests
    monkeypatch.delenv("RNNKIT_RESULTS", raising=False)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def slurm_here(tmp_path, monkeypatch):
    """Commands of SLURM that run everything on this machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {"sbatch": SBATCH, "srun": SRUN, "sacct": SACCT, "scancel": "#!/bin/sh\n"}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def kill(label: str, how: int) -> None:
    pid, _ = wait_for(
        lambda: (mark := read_mark(label)) and mark[1] >= 2 and mark, f"{label} to be under way"
    )
    os.kill(pid, how)


@pytest.mark.slow
def test_a_job_that_is_killed_and_one_at_its_time_limit_end_in_the_same_bytes(tmp_path, home):
    plan = [make_job(n, fate=Fate(0.4)) for n in range(2)]
    expected = sweep(tmp_path / "expected", [make_job(n) for n in range(2)], workers=1)
    for mark in (home / "marks").iterdir():
        mark.unlink()
    # SIGUSR2 is what submitit has SLURM send before the time is up.
    killers = [
        threading.Thread(target=kill, args=fate) for fate in (("n0", signal.SIGUSR2), ("n1", signal.SIGKILL))
    ]
    for killer in killers:
        killer.start()
    found = sweep(tmp_path / "found", plan, executor="submitit:local", workers=2)
    for killer in killers:
        killer.join()
    assert found == expected
    seen = metrics(tmp_path / "found", plan)
    assert 2 <= seen["n0"]["resumed_from"] < 10
    assert 2 <= seen["n1"]["resumed_from"] < 10
    assert {one["threads"] for one in seen.values()} == {1}
    assert not list((home / "submitit").iterdir())
    assert not list((home / "waiting").iterdir())


@pytest.mark.slow
def test_what_a_local_job_raises_stops_the_others(tmp_path, home, capfd):
    plan = [make_job(0, fate=Fate(6.0)), make_job(1, fate=Fate(end="error", after="n0"))]
    with pytest.raises(UserError, match="this one cannot be had: 'n1'"):
        sweep(tmp_path / "found", plan, executor="submitit:local", workers=2)
    pid, step = read_mark("n0")
    assert step < 10
    wait_for(lambda: not _is_running(pid), "the other job to end", 30)
    assert not checksums(tmp_path / "found")
    assert not list((home / "submitit").iterdir())
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.slow
def test_ctrl_c_cancels_local_jobs(tmp_path, monkeypatch):
    def interrupted(running, **settings):
        if read_mark("n0"):
            raise KeyboardInterrupt
        return wait(running, timeout=0.02)

    monkeypatch.setattr(jobs_module, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path / "found", [make_job(0, fate=Fate(3.0))], executor="submitit:local")
    wait_for(lambda: not _is_running(read_mark("n0")[0]), "the job to end", 25)
    assert read_mark("n0")[1] < 10
    assert not checksums(tmp_path / "found")


@pytest.mark.slow
def test_a_job_that_dies_too_often_is_given_up(tmp_path, home, monkeypatch):
    monkeypatch.setattr(submitit_executor, "ATTEMPTS", 1)
    with pytest.raises(
        UserError, match=r"died 1 times.*out of memory.*What it said is in .*submitit.*log\.err"
    ):
        sweep(tmp_path / "found", [make_job(0, fate=Fate(end="death"))], executor="submitit:local")
    assert (home / "marks" / "deaths").read_text() == "x"


@pytest.mark.slow
def test_jobs_of_slurm(tmp_path, home, slurm_here, capfd):
    plan = make_plan(3)
    expected = sweep(tmp_path / "expected", plan, workers=1)
    executor = "submitit:partition=gpu,timeout_min=90,mem_gb=8,account=me"
    assert sweep(tmp_path / "found", plan, executor=executor) == expected
    asked = (home / "asked").read_text()
    for setting in (
        "partition=gpu",
        "time=90",
        "mem=8GB",
        "account=me",
        "cpus-per-task=1",
        "job-name=rnnkit",
    ):
        assert asked.count(f"#SBATCH --{setting}\n") == 3
    assert "gpus" not in asked
    with pytest.raises(
        UserError, match=r"SLURM refuses the job: .*invalid partition specified: closed.*sinfo"
    ):
        sweep(tmp_path / "refused", plan, executor="submitit:partition=closed")
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert "sbatch: error" not in said


@pytest.mark.slow
def test_a_job_of_slurm_that_dies_is_not_waited_for(tmp_path, home, slurm_here, monkeypatch):
    monkeypatch.setattr(submitit_executor, "ATTEMPTS", 2)
    monkeypatch.setattr(submitit_executor, "RESULT_WITHIN_S", 0.0)
    with pytest.raises(UserError, match=r"died 2 times"):
        sweep(tmp_path / "found", [make_job(0, fate=Fate(end="death"))], executor="submitit:partition=gpu")
    assert (home / "marks" / "deaths").read_text() == "xx"


def test_a_machine_without_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"no SLURM on this machine.*login node.*submitit:local"):
        sweep(tmp_path, make_plan(), executor="submitit:partition=gpu")


def test_on_cuda_each_job_asks_for_a_gpu(slurm_here, monkeypatch):
    asked = {}

    def take(folder, *, here, parameters):
        asked.update(parameters)
        raise UserError("enough")

    monkeypatch.setattr(slurm, "SubmititExecutor", take)
    for device in ("cpu", "cuda"):
        with pytest.raises(UserError, match="enough"):
            slurm.SubmititPool("", limit=None, device=device)
        assert asked.get("gpus_per_node") == (1 if device == "cuda" else None)


def test_an_executor_that_has_ended_takes_no_more(tmp_path):
    executor = SubmititExecutor(tmp_path, here=True, parameters={})
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(os.getpid)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
