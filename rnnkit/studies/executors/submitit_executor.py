"""submitit behind the interface of ``concurrent.futures``."""

from __future__ import annotations

import io
import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.studies.executors.interrupts import ctrl_c_held

ATTEMPTS = 3
_START = threading.Lock()  # what redirects the process's stderr does so one at a time
RESULT_WITHIN_S = 30.0  # a shared file system may show the result late
_ENDS_WITHIN_S = 10.0
_AGAIN = "Run the same command again: finished records are kept and the rest resumes"


class Resumable:
    """A function that SLURM may queue again at its time limit: it goes on from its checkpoint."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Compute; on this machine SIGTERM and Ctrl-C, which submitit holds back, end the process."""
        if os.environ.get("SUBMITIT_EXECUTOR") == "local":
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return self._function(*arguments, **named)

    def checkpoint(self, *arguments: Any, **named: Any) -> Any:
        """The same call again: the function looks after its own checkpoints."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, *arguments, **named)


@dataclass
class _Entry:
    future: Future[Any]
    job: Any
    call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
    attempts: int = 1
    ended_at: float | None = None


class SubmititExecutor(Executor):
    """One job per call; a thread looks after all of them.

    A job that is lost (its node failed, it ran out of memory) is queued again, up to ``ATTEMPTS`` in all. A job at
    its time limit is queued again by submitit itself.

    Parameters
    ----------
    folder : Path
        Where submitit writes calls, results and logs; on SLURM on a shared file system. Removed at the end
        unless a job was lost.
    here : bool
        On this machine instead of SLURM.
    parameters : mapping
        submitit's.
    look_every_s : float
    """

    def __init__(
        self, folder: Path, *, here: bool, parameters: Mapping[str, Any], look_every_s: float = 0.25
    ) -> None:
        import submitit

        logging.getLogger("submitit").setLevel(logging.CRITICAL)  # what goes wrong is said once, by us
        self._folder, self._here, self._look_every_s = folder, here, look_every_s
        cluster = "local" if here else "slurm"
        self._submitit = submitit.AutoExecutor(folder=folder, cluster=cluster)
        self._submitit.update_parameters(**parameters)
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._all_well = True
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="rnnkit-submitit", daemon=True)
        self._watcher.start()

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Queue ``function(*arguments, **named)``.

        Raises
        ------
        UserError
            SLURM refuses the job.
        """
        if self._ended.is_set():
            raise RuntimeError("cannot schedule new futures after shutdown")
        call = (Resumable(function), arguments, named)
        entry = _Entry(Future(), self._start(call), call)
        with self._lock:
            self._entries.append(entry)
        return entry.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End; with ``cancel_futures`` jobs that wait or run are cancelled first."""
        if cancel_futures:
            with self._lock:
                entries, self._entries = self._entries, []
            for entry in entries:
                entry.future.cancel()
                self._cancel(entry.job)
            end = time.monotonic() + _ENDS_WITHIN_S
            while self._here and time.monotonic() < end and not all(e.job.done() for e in entries):
                time.sleep(0.05)
        if wait:
            while self._entries:
                time.sleep(self._look_every_s)
        self._ended.set()
        if wait:
            self._watcher.join()
            if self._all_well:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]) -> Any:
        from submitit.core.utils import FailedJobError

        function, arguments, named = call
        # Ctrl-C in the terminal reaches every process of it: here only this one is to answer.
        try:
            with ctrl_c_held(), _START, redirect_stderr(io.StringIO()):
                return self._submitit.submit(function, *arguments, **named)
        except (FailedJobError, subprocess.CalledProcessError) as error:
            said = [line for line in str(error).splitlines() if line.strip()]
            raise UserError(
                "SLURM refuses the job",
                value=said[-1] if said else None,
                hint="See `sinfo` for partitions and their limits",
            ) from error

    def _cancel(self, job: Any) -> None:
        with suppress(OSError, subprocess.SubprocessError):
            if self._here:
                os.kill(int(job.job_id), signal.SIGTERM)  # the process that submitit started hands it on
            else:
                job.cancel(check=False)

    def _watch(self) -> None:
        while not self._ended.wait(self._look_every_s):
            with self._lock:
                entries = list(self._entries)
            ended = [entry for entry in entries if self._has_ended(entry)]
            with self._lock:
                self._entries = [entry for entry in self._entries if entry not in ended]

    def _has_ended(self, entry: _Entry) -> bool:
        """Look at a job, and hand its result on where it has one."""
        if entry.future.cancelled():
            self._cancel(entry.job)
            return True
        try:
            if not entry.job.done():
                entry.ended_at = None
                return False
            if not entry.job.paths.result_pickle.exists():
                return self._was_lost(entry)
            self._hand_on(entry, result=entry.job.result())
        except Exception as error:
            self._hand_on(entry, error=_too_long(error) or error)
        return True

    def _was_lost(self, entry: _Entry) -> bool:
        """Queue a job again that left no result, or give it up."""
        entry.ended_at = entry.ended_at or time.monotonic()
        if time.monotonic() - entry.ended_at < (1.0 if self._here else RESULT_WITHIN_S):
            return False
        cancelled = entry.job.state.upper().startswith("CANCELLED")
        if entry.attempts < ATTEMPTS and not cancelled:
            entry.job, entry.attempts, entry.ended_at = self._start(entry.call), entry.attempts + 1, None
            return False
        how = "was cancelled" if cancelled else f"died {ATTEMPTS} times (out of memory, or killed)"
        self._hand_on(
            entry,
            error=UserError(
                f"a job of submitit {how} before it finished",
                value=entry.job.job_id,
                hint=f"What it said is in {entry.job.paths.stderr}. {_AGAIN}",
            ),
        )
        return True

    def _hand_on(self, entry: _Entry, *, result: Any = None, error: Exception | None = None) -> None:
        self._all_well = self._all_well and error is None
        if not entry.future.set_running_or_notify_cancel():
            return
        if error is not None:
            entry.future.set_exception(error)
        else:
            entry.future.set_result(result)


def _too_long(error: Exception) -> UserError | None:
    if "not requeued because" not in str(error):
        return None
    return UserError(
        "a job of submitit came to its time limit too often",
        hint=f"Allow more with submitit:timeout_min=MINUTES. {_AGAIN}",
    )
