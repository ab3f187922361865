"""Pools of this machine: one job after the other, threads, processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for_any
from typing import Any

from rnnkit.errors import UserError
from rnnkit.studies.cores import Cores
from rnnkit.studies.executors.interrupts import ctrl_c_held
from rnnkit.studies.executors.pool import Pool
from rnnkit.studies.progress import Progress, RemoteProgress, StoppableSteps


class _Inline(Executor):
    """Computes at once, in this thread; an error is the caller's, as in any call."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*arguments, **named))
        return future


class InlinePool(Pool):
    """One job after the other in this process."""

    remote = False

    def __init__(self, progress: Progress, cores: Cores) -> None:
        super().__init__(_Inline(), limit=1)
        self._progress, self._cores = progress, cores

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Compute ``function(*arguments, steps=..., cores=...)`` now."""
        return self.executor.submit(function, *arguments, steps=self._progress, cores=self._cores)


class ThreadPool(Pool):
    """Threads of this process: for jobs that leave Python's lock to others while they compute."""

    remote = False

    def __init__(self, workers: int, progress: Progress, cores: Cores) -> None:
        super().__init__(ThreadPoolExecutor(workers, thread_name_prefix="rnnkit"))
        self._cores = cores
        self._stopped = threading.Event()
        self._steps = StoppableSteps(progress, self._stopped.is_set)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have ``function(*arguments, steps=..., cores=...)`` computed by the next thread that is free."""
        return self.executor.submit(function, *arguments, steps=self._steps, cores=self._cores)

    def stop(self) -> None:
        """Forget what waits; a thread cannot be killed, so what is under way ends with its next step."""
        self._stopped.set()
        self.executor.shutdown(wait=True, cancel_futures=True)


class ProcessPool(Pool):
    """Processes of this machine; they end with this one."""

    remote = False

    def __init__(self, workers: int, progress: Progress, cores: Cores) -> None:
        # spawn: a forked child of a process that has used torch's threads can hang
        spawn = multiprocessing.get_context("spawn")
        self._queue = spawn.Queue()
        self._queue.cancel_join_thread()  # a killed worker may hold the queue's lock: never wait for it at the end
        self._listener = threading.Thread(target=progress.listen, args=(self._queue,), daemon=True)
        self._listener.start()
        self._processes = ProcessPoolExecutor(
            workers, mp_context=spawn, initializer=_start_worker, initargs=(self._queue, cores)
        )
        super().__init__(self._processes)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have ``function(*arguments, steps=..., cores=...)`` computed by the next process that is free."""
        with ctrl_c_held():
            return self.executor.submit(_call, function, *arguments)

    def explain(self, error: Exception, name: str) -> UserError | None:
        """Which process died cannot be told, and none of the others is of use any more."""
        if not isinstance(error, BrokenProcessPool):
            return None
        return UserError(
            "a worker process died before it finished (out of memory, or killed)",
            hint="Run the same command again: finished records are kept and the rest resumes. "
            "--workers 1 needs the least memory",
        )

    def stop(self) -> None:
        """Kill the processes: what they had finished is saved, and the rest resumes from checkpoints."""
        for process in list((self._processes._processes or {}).values()):
            process.terminate()

    def close(self) -> None:
        """Wait for the processes to end, and for the last word of their progress."""
        self._processes.shutdown(cancel_futures=True)
        self._queue.put(None)
        self._listener.join(timeout=5)


_steps: RemoteProgress | None = None
_cores: Cores | None = None


def _start_worker(queue: Any, cores: Cores) -> None:
    global _steps, _cores
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _steps, _cores = RemoteProgress(queue), cores


def _end_with_parent() -> None:
    """Leave no worker behind when the parent is killed: nobody would take its results."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for_any([parent.sentinel])
    os._exit(1)


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments, steps=_steps, cores=_cores)
