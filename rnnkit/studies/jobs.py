"""Jobs: functions from a typed config to a record, run over any ``concurrent.futures.Executor``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.lazily import Function
from rnnkit.results import Record, RecordKey, Store, git_revision, peak_memory_bytes, provenance
from rnnkit.studies.cores import Cores
from rnnkit.studies.executors import Pool, open_pool, parse_executor
from rnnkit.studies.origin import Origin, await_record, origin
from rnnkit.studies.progress import Abandoned, Progress, Steps
from rnnkit.studies.settings import device_name, resolve_device

_LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Outcome:
    """What a job computed: arrays, weights and scalars for the record.

    ``seconds`` is what a job that can be resumed knows of the time that its parts took together.
    """

    arrays: Mapping[str, np.ndarray]
    metrics: Mapping[str, Any]
    data_checksums: Mapping[str, str]
    weights: Mapping[str, np.ndarray] | None = None
    seconds: float = 0.0


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


_inside = 0
_before: tuple[int, Any] = (0, None)
_threads_lock = threading.Lock()


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread for every product of torch and every BLAS call: the same bits on any number of cores.

    The setting is the whole process's. Several threads may be inside: the last one to leave takes it back.
    """
    global _inside, _before
    import torch
    from threadpoolctl import threadpool_limits

    with _threads_lock:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        limits = threadpool_limits(1)  # OpenMP counts for each thread on its own
        if _inside == 0:
            _before = threads, limits
        _inside += 1
    try:
        yield
    finally:
        with _threads_lock:
            _inside -= 1
            if _inside == 0:
                threads, limits = _before
                torch.set_num_threads(threads)
                limits.restore_original_limits()


def run_job(job: Job, context: JobContext, steps: Steps, cores: Cores | None = None) -> None:
    """Compute one record and save it.

    On one thread, but for fused recurrences: these take its share of the ``cores``, where there are any.

    Raises
    ------
    UserError
        Whatever the job raised, a device that this machine has not got, a record that cannot be saved.
    """
    from rnnkit.models.recurrence import lending

    device = resolve_device(context.device)
    records = [context.store.load(needed.key) for needed in job.needs]
    checkpoint = checkpoint_path(job)
    start, revision = time.perf_counter(), git_revision()  # the working tree may move on meanwhile
    with single_threaded(), (cores or Cores(1)).share() as share, lending(share):
        outcome = job.compute(job, records, device, checkpoint, steps)
    context.store.save(
        job.key,
        arrays=outcome.arrays,
        weights=outcome.weights,
        metrics=outcome.metrics,
        provenance=provenance(
            device_name(device, share.most),
            job.seed,
            outcome.data_checksums,
            max(time.perf_counter() - start, outcome.seconds),
            peak_memory_bytes(),
            context.budget,
            revision,
        )
        | {
            "most_threads": share.most,
            "needs": {record.key.id: record.weights_checksum for record in records},
        },
    )
    checkpoint.unlink(missing_ok=True)


def run_task(
    job: Job,
    context: JobContext,
    source: Origin | None,
    *,
    steps: Steps | None = None,
    cores: Cores | None = None,
) -> UserError | None:
    """Run a job wherever an executor has brought it.

    Parameters
    ----------
    job : Job
    context : JobContext
    source : Origin, optional
        Who asked for the job, where that may be a process of another machine.
    steps : Steps, optional
        Who is told of the steps; left out: nobody.
    cores : Cores, optional
        Those that the jobs of a run on this machine share; left out: one.

    Returns
    -------
    UserError or None
        What the job raised: not every executor hands an exception back as it was.
    """
    try:
        if source is not None:
            source.adopt()
            steps = source.steps()
            for needed in job.needs:
                await_record(context.store, needed.key)
        assert steps is not None
        run_job(job, context, steps, cores)
    except UserError as error:
        return error
    except Abandoned:
        return UserError("the job was stopped: nobody waited for it any more", value=_name(job))
    return None


def run_jobs(
    jobs: Sequence[Job],
    context: JobContext,
    *,
    title: str,
    workers: int | None = None,
    executor: object = "processes",
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
        Jobs at a time; see :meth:`Study.ensure`.
    executor : str or concurrent.futures.Executor
        Where they run; see :meth:`Study.ensure`.
    on_done : callable, optional
        Called here, in the parent, with the id of each record that has been saved.

    Raises
    ------
    UserError
        Whatever a job raised, or what went wrong with its executor. Records finished until then are kept.
    """
    if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 1):
        raise UserError("workers cannot be used", value=workers, allowed="an integer of at least 1")
    choice = parse_executor(executor)
    if not jobs:
        return
    for compute in {job.compute for job in jobs if isinstance(job.compute, Function)}:
        compute.load()  # what cannot be imported is said before anything is computed
    with Progress(len(jobs), title, steps=choice.here) as progress:
        pool = open_pool(
            choice, workers=workers, num_jobs=len(jobs), device=context.device, progress=progress
        )
        with pool, origin() if pool.remote else nullcontext() as source:
            _drive(jobs, context, pool, source, progress, on_done)


def _name(job: Job) -> str:
    return f"{job.key.kind} {job.key.label}"


def _drive(
    jobs: Sequence[Job],
    context: JobContext,
    pool: Pool,
    source: Origin | None,
    progress: Progress,
    on_done: Callable[[str], None] | None,
) -> None:
    """Submit every job as soon as its needs are met, and take what comes back."""
    if source is not None:  # on another machine the current folder is another one
        store = Store(context.store.write.resolve(), [root.resolve() for root in context.store.read])
        context = JobContext(store, context.device, context.budget)
    waiting = {job.key.id: job for job in jobs}
    unfinished = set(waiting)
    running: dict[Future[UserError | None], Job] = {}
    while unfinished:
        ready = [job for job in waiting.values() if not unfinished & {need.key.id for need in job.needs}]
        for job in ready[: None if pool.limit is None else max(0, pool.limit - len(running))]:
            if pool.limit == 1:
                progress.begin(_name(job))
            with _explained(pool, job):
                running[pool.submit(run_task, waiting.pop(job.key.id), context, source)] = job
        finished, _ = wait(running, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
        errors = []
        for future in finished:
            job = running.pop(future)
            try:
                _take(job, future, context, pool)
            except Exception as error:  # the others that have finished count all the same
                errors.append(error)
                continue
            unfinished.discard(job.key.id)
            if on_done is not None:
                on_done(job.key.id)
            progress.end()
        if errors:
            raise errors[0]
        pool.check()


def _take(job: Job, future: Future[UserError | None], context: JobContext, pool: Pool) -> None:
    """See that the job has ended in a record."""
    with _explained(pool, job):
        error = future.result()
    if error is not None:
        raise error
    if pool.remote and await_record(context.store, job.key) is None:
        raise UserError(
            "a worker says that it has saved a record, which cannot be seen from here",
            value=str(context.store.write / job.key.chapter / job.key.folder),
            hint="Let RNNKIT_HOME, or --results, name a folder on a file system that all machines share",
        )


@contextmanager
def _explained(pool: Pool, job: Job) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        explained = pool.explain(error, _name(job))
        if explained is None:
            raise
        raise explained from error
