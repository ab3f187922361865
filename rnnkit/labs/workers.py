"""Submissions graded in processes of their own, a few at a time; whatever one does, the next one is graded."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.labs.jail import library_path
from rnnkit.labs.marking import DONE, ORDER, SUBMISSION, main

LOG = "log.txt"
_WARM = "rnnkit.labs.warm"
_POLL_SECONDS = 0.05
_START_SECONDS = 240  # what a process may take beside the submission's own time, on a machine that is busy


@dataclass(frozen=True)
class _Worker:
    """A process, the end of its leash, its folder, and when it has to be over."""

    task: Task
    own: Path
    process: BaseProcess
    leash: Connection
    deadline: float

    def stop(self) -> None:
        """End it with all that it started; if it has ended it is only tidied up."""
        import psutil

        if self.process.is_alive():
            try:
                family = psutil.Process(self.process.pid).children(recursive=True)
            except psutil.Error:
                family = []
            self.process.kill()
            if pid := self.process.pid:  # of a group of its own, unless it has only just been started
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
            for child in family:
                with suppress(psutil.Error):
                    child.kill()
        self.leash.close()
        self.process.join()

    def failure(self, late: bool) -> str:
        """Why it failed, for the teacher; empty if it did not."""
        if late:
            return "it was still not over long after its time"
        if self.process.exitcode == 0:
            return ""
        lines = (self.own / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        # nbgrader ends with a word that says nothing; the error itself stands above.
        errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
        told = (errors or lines or ["it said nothing"])[-1]
        return f"its process ended with {self.process.exitcode}: {told}"


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
    running: list[_Worker] = []
    quiet = not tasks or os.environ.get("RNNKIT_STATIC") == "1"
    with (
        ExitStack() as stack,
        tqdm(total=len(tasks), desc=title, unit="submission", file=sys.stderr, disable=quiet) as bar,
    ):
        while waiting or running:
            while waiting and len(running) < workers:
                number, task = waiting.pop()
                worker = _start(task, folder / str(number))
                stack.callback(worker.stop)
                running.append(worker)
                bar.set_postfix_str(task.name)
            time.sleep(_POLL_SECONDS)
            for worker in list(running):
                late = time.monotonic() > worker.deadline
                if worker.process.is_alive() and not late:
                    continue
                worker.stop()
                running.remove(worker)
                finished(worker.task, worker.own / DONE, worker.failure(late))
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


def _start(task: Task, own: Path) -> _Worker:
    (own / DONE).mkdir(parents=True)
    (own / LOG).touch()
    (own / ORDER).write_text(json.dumps(task.order), encoding="utf-8")
    for name, data in task.files.items():
        (own / name).write_bytes(data)
    context = get_context("forkserver")
    context.set_forkserver_preload([_WARM])
    _start_server()
    held, leash = context.Pipe(duplex=False)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
    process = context.Process(target=_work, args=(str(own), held, environment))
    process.start()
    held.close()
    return _Worker(task, own, process, leash, time.monotonic() + _seconds(task))


def _start_server() -> None:
    """Start what the workers are forked from, if it does not run yet, so that it finds this rnnkit."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = library_path()
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _work(own: str, leash: Connection, environment: Mapping[str, str]) -> None:
    """Grade what lies in a folder, in a process of its own."""
    os.setsid()  # Ctrl-C in the terminal reaches the command alone, which lets go of the leash
    with Path(own, LOG).open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.chdir(own)
    os.environ.clear()  # the server's is that of its start
    os.environ.update(environment)
    sys.exit(main(own, leash))


__all__ = ["DONE", "LOG", "SUBMISSION", "Task", "checked_workers", "default_workers", "run_tasks"]
