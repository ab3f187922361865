"""Submissions graded in processes of their own, a few at a time; whatever one does, the next one is graded."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.labs.jail import library_path
from rnnkit.labs.marking import DONE, ORDER, SUBMISSION

LOG = "log.txt"
_PROGRAM = "import sys; from rnnkit.labs.marking import main; sys.exit(main(sys.argv[1]))"
_POLL_SECONDS = 0.05
_START_SECONDS = 240  # what a process may take beside the submission's own time, on a machine that is busy


@dataclass(frozen=True)
class Task:
    """One process's work.

    Parameters
    ----------
    name : str
        For the progress bar.
    order : mapping
        Fields of :class:`rnnkit.labs.marking.Order`.
    files : mapping of str to bytes
        What to put into its folder, by name.
    """

    name: str
    order: Mapping[str, Any]
    files: Mapping[str, bytes]


def run_tasks(
    tasks: Sequence[Task],
    folder: Path,
    workers: int,
    finished: Callable[[Task, Path, str], None],
    title: str,
) -> None:
    """Run tasks, and tell of each when it is over.

    Parameters
    ----------
    tasks : sequence of Task
    folder : Path
        A folder of the caller's own, for the tasks' folders.
    workers : int
        Processes at a time.
    finished : callable
        Called with the task, the folder with its results and, if its process failed, why.
    title : str
        Shown beside the progress bar.
    """
    from tqdm import tqdm

    waiting = list(enumerate(tasks))[::-1]
    running: list[tuple[Task, Path, subprocess.Popen[bytes], float]] = []
    quiet = not tasks or os.environ.get("RNNKIT_STATIC") == "1"
    with (
        ExitStack() as stack,
        tqdm(total=len(tasks), desc=title, unit="submission", file=sys.stderr, disable=quiet) as bar,
    ):
        while waiting or running:
            while waiting and len(running) < workers:
                number, task = waiting.pop()
                own = folder / str(number)
                process = _start(task, own)
                stack.callback(_stop, process)
                running.append((task, own, process, time.monotonic() + _seconds(task)))
                bar.set_postfix_str(task.name)
            time.sleep(_POLL_SECONDS)
            for entry in list(running):
                task, own, process, deadline = entry
                late = time.monotonic() > deadline
                if process.poll() is None and not late:
                    continue
                if late:
                    _stop(process)
                running.remove(entry)
                finished(task, own / DONE, _failure(process, own, late))
                bar.update()


def default_workers() -> int:
    """As many as there are cores, and no more than two gigabytes of memory for each allow."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, int(psutil.virtual_memory().available // (2 * 2**30))))


def checked_workers(workers: int | None) -> int:
    """The number that was asked for, or the default.

    Raises
    ------
    UserError
        If it is below one.
    """
    if workers is None:
        return default_workers()
    if workers < 1:
        raise UserError("the number of workers is too small", value=workers, allowed="1 or more")
    return workers


def _seconds(task: Task) -> float:
    return float(task.order["limits"]["submission_seconds"]) + _START_SECONDS


def _start(task: Task, own: Path) -> subprocess.Popen[bytes]:
    (own / DONE).mkdir(parents=True)
    (own / ORDER).write_text(json.dumps(task.order), encoding="utf-8")
    for name, data in task.files.items():
        (own / name).write_bytes(data)
    environment = {
        **os.environ,
        "PYTHONPATH": library_path(),
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    with (own / LOG).open("wb") as log:
        # A session of its own: Ctrl-C in the terminal reaches the command alone, which lets go of the leash.
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(own)],
            cwd=own,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a worker with all that it started; one that has ended is only tidied up."""
    import psutil

    if process.poll() is None:
        try:
            family = psutil.Process(process.pid).children(recursive=True)
        except psutil.Error:
            family = []
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
        for child in family:
            try:
                child.kill()
            except psutil.Error:
                continue
    if process.stdin is not None:
        process.stdin.close()
    process.wait()


def _failure(process: subprocess.Popen[bytes], own: Path, late: bool) -> str:
    """Why the worker failed, for the teacher; empty if it did not."""
    if late:
        return "it was still not over long after its time"
    if process.returncode == 0:
        return ""
    lines = (own / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    # nbgrader ends with a word that says nothing; the error itself stands above.
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    told = (errors or lines or ["it said nothing"])[-1]
    return f"its process ended with {process.returncode}: {told}"


__all__ = ["DONE", "LOG", "SUBMISSION", "Task", "checked_workers", "default_workers", "run_tasks"]
