"""Jobs: functions from a typed config to a record, run here or in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait as wait_for_any
from pathlib import Path
from typing import Any

import numpy as np

from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.results import Record, RecordKey, Store, peak_memory_bytes, provenance
from rnnkit.studies.progress import Progress, RemoteProgress, Steps
from rnnkit.studies.settings import device_name
from rnnkit.studies.workers import default_workers


@dataclass(frozen=True)
class Outcome:
    """What a job computed: arrays, weights and scalars for the record."""

    arrays: Mapping[str, np.ndarray]
    metrics: Mapping[str, Any]
    data_checksums: Mapping[str, str]
    weights: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Job:
    """One record to be had.

    Attributes
    ----------
    key : RecordKey
    config : object
        The typed config that the key was made from.
    seed : int
    needs : tuple of Job
        Jobs whose records ``compute`` is handed, in this order.
    compute : callable
        ``compute(job, records, device, checkpoint, progress) -> Outcome``.
    """

    key: RecordKey
    config: Any
    seed: int
    compute: Callable[[Job, Sequence[Record], str, Path, Steps], Outcome]
    needs: tuple[Job, ...] = field(default=())


@dataclass(frozen=True)
class JobContext:
    """Where jobs find and leave records, and what they run on."""

    store: Store
    device: str
    budget: str


def checkpoint_path(job: Job) -> Path:
    """Where the job resumes from."""
    return paths.checkpoints() / job.key.chapter / f"{job.key.folder}.safetensors"


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread for every product and every BLAS call: the same bits on any number of cores."""
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


def run_job(job: Job, context: JobContext, steps: Steps) -> None:
    """Compute one record and save it."""
    records = [context.store.load(needed.key) for needed in job.needs]
    checkpoint = checkpoint_path(job)
    start = time.perf_counter()
    with single_threaded():
        outcome = job.compute(job, records, context.device, checkpoint, steps)
        device = device_name(context.device)
    context.store.save(
        job.key,
        arrays=outcome.arrays,
        weights=outcome.weights,
        metrics=outcome.metrics,
        provenance=provenance(
            device,
            job.seed,
            outcome.data_checksums,
            time.perf_counter() - start,
            peak_memory_bytes(),
            context.budget,
        )
        | {"needs": {record.key.id: record.weights_checksum for record in records}},
    )
    checkpoint.unlink(missing_ok=True)


def run_jobs(
    jobs: Sequence[Job],
    context: JobContext,
    *,
    title: str,
    workers: int | None = None,
    on_done: Callable[[str], None] | None = None,
) -> None:
    """Run jobs in an order that respects their needs.

    Parameters
    ----------
    jobs : sequence of Job
        Needs before those that need them; needs that are not among them have records already.
    context : JobContext
    title : str
        Shown beside the bar.
    workers : int, optional
        Processes; see :meth:`Study.ensure`.
    on_done : callable, optional
        Called here, in the parent, with the id of each record that has been saved.

    Raises
    ------
    UserError
        Whatever a job raised, or a worker process that died. Records finished until then are kept.
    """
    if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 1):
        raise UserError("workers cannot be used", value=workers, allowed="an integer of at least 1")
    workers = min(workers or default_workers(context.device), len(jobs))
    with Progress(len(jobs), title) as progress:

        def done(identity: str) -> None:
            if on_done is not None:
                on_done(identity)
            progress.end()

        if workers <= 1:
            for job in jobs:
                progress.begin(_name(job))
                run_job(job, context, progress)
                done(job.key.id)
        else:
            _run_in_processes(jobs, context, progress, workers, done)


def _name(job: Job) -> str:
    return f"{job.key.kind} {job.key.label}"


_remote: RemoteProgress | None = None


def _start_worker(queue: Any) -> None:
    global _remote
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _remote = RemoteProgress(queue)


def _end_with_parent() -> None:
    """Leave no worker behind when the parent is killed: nobody would take its results."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for_any([parent.sentinel])
    os._exit(1)


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Hold SIGINT back in this thread; processes started meanwhile never see it, not even while they import."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run_remotely(job: Job, context: JobContext) -> str:
    assert _remote is not None
    run_job(job, context, _remote)
    return job.key.id


def _run_in_processes(
    jobs: Sequence[Job],
    context: JobContext,
    progress: Progress,
    workers: int,
    done: Callable[[str], None],
) -> None:
    # spawn: a forked child of a process that has used torch's threads can hang
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    queue.cancel_join_thread()  # a worker that was killed may hold the queue's lock: never wait for it at the end
    listener = threading.Thread(target=progress.listen, args=(queue,), daemon=True)
    listener.start()
    executor = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start_worker, initargs=(queue,))

    def submit(job: Job) -> Future[str]:
        with _ctrl_c_held():
            return executor.submit(_run_remotely, job, context)

    try:
        _drain(jobs, submit, done)
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process died before it finished (out of memory, or killed)",
            hint="Run the same command again: finished records are kept and the rest resumes. "
            "--workers 1 needs the least memory",
        ) from error
    except BaseException:
        for process in list((executor._processes or {}).values()):
            process.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)
        queue.put(None)
        listener.join(timeout=5)


def _drain(jobs: Sequence[Job], submit: Callable[[Job], Future[str]], done: Callable[[str], None]) -> None:
    """Submit every job as soon as its needs are met."""
    waiting = {job.key.id: job for job in jobs}
    unfinished = set(waiting)
    running: set[Future[str]] = set()
    while unfinished:
        ready = [job for job in waiting.values() if not unfinished & {need.key.id for need in job.needs}]
        for job in ready:
            running.add(submit(waiting.pop(job.key.id)))
        finished, running = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            unfinished.discard(future.result())
            done(future.result())
