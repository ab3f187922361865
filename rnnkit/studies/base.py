"""What every study is: a plan of jobs, each a function from a typed config to a record."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.results import Record, Store
from rnnkit.studies.fresh import FreshRun
from rnnkit.studies.jobs import Job, JobContext, checkpoint_path, run_jobs
from rnnkit.studies.settings import BUDGETS, Settings, check_budget, check_device, parse_seeds, resolve_device


class Study(ABC):
    """One chapter's records at one budget.

    Parameters
    ----------
    budget : str
    seeds : str or sequence of int, optional
        Left out: the budget's own.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    store : Store, optional
        Left out: local results first, then the committed ones.

    Raises
    ------
    UserError
        An unknown budget or device, or seeds that are none.
    """

    chapter: ClassVar[str]
    title: ClassVar[str]
    budgets: ClassVar[tuple[str, ...]] = BUDGETS
    versions: ClassVar[Mapping[str, int]]
    default_seeds: ClassVar[Mapping[str, tuple[int, ...]]]
    configs: ClassVar[tuple[str, ...]]
    dataset: str

    def __init__(
        self,
        *,
        budget: str = "quick",
        seeds: object = None,
        device: str = "auto",
        store: Store | None = None,
    ) -> None:
        budget = check_budget(budget, self.budgets)
        self.settings = Settings(
            budget, parse_seeds(seeds) or self.default_seeds[budget], check_device(device)
        )
        self.store = store or Store(paths.local_results(), [paths.committed_results()])
        self._jobs: list[Job] | None = None

    @abstractmethod
    def plan(self) -> list[Job]:
        """All jobs of the chapter, needs before those that need them."""

    @abstractmethod
    def measurements(self) -> dict[str, np.ndarray]:
        """What the claims are settled by: name -> one value per seed, from the records that exist."""

    @classmethod
    def published_budget(cls) -> str:
        """The budget of the committed records that the book is built from."""
        return "paper"

    def budget_note(self) -> str:
        """Say in a sentence what this budget leaves out, where the study can."""
        return ""

    @property
    def budget(self) -> str:
        """The budget's name."""
        return self.settings.budget

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in the order in which they were asked for."""
        return self.settings.seeds

    @property
    def device(self) -> str:
        """What jobs run on; ``cuda`` is believed where it was asked for, since other machines may do the computing."""
        asked = self.settings.device
        return asked if asked == "cuda" else resolve_device(asked)

    def jobs(self, kind: str | None = None, only: str | None = None) -> list[Job]:
        """The plan, or its jobs of one kind and of one config (with what they need).

        Raises
        ------
        UserError
            An unknown kind or config.
        """
        if kind is not None and kind not in self.versions:
            raise UserError(f"unknown kind of record of {self.chapter}", value=kind, allowed=self.versions)
        if only is not None and only not in self.configs:
            raise UserError(f"unknown config of {self.chapter}", value=only, allowed=self.configs)
        if self._jobs is None:
            self._jobs = self.plan()
        chosen = [
            job
            for job in self._jobs
            if (kind is None or job.key.kind == kind)
            and (only is None or job.key.config.get("net", {}).get("name") == only)
        ]
        return _unique(_with_needs(chosen))

    def missing(self, kind: str | None = None, only: str | None = None) -> list[Job]:
        """Jobs that have no record yet, or one of other weights than those that are there now."""
        return [job for job in self.jobs(kind, only) if self._is_missing(job)]

    def _is_missing(self, job: Job) -> bool:
        record = self.store.find(job.key)
        return record is None or not all(self._fits(record, need) for need in job.needs)

    def _fits(self, record: Record, need: Job) -> bool:
        """Whether a record was computed from the weights that are there now: a training may have been redone since."""
        present = self.store.find(need.key)
        if present is None:
            return True
        used = record.run.get("needs", {}).get(need.key.id)
        if used is None:
            # Saved before needs were noted: it was computed from the training that lies beside it.
            beside = Store(record.path.parent.parent).find(need.key)
            used = beside and beside.weights_checksum
        return used == present.weights_checksum

    def ensure(
        self,
        kind: str | None = None,
        *,
        only: str | None = None,
        fresh: bool = False,
        workers: int | None = None,
        executor: object = "processes",
    ) -> None:
        """Compute the records that are missing, or with ``fresh`` all of them.

        Each record is saved as soon as it is finished; an interrupted run goes on where it stopped.

        Parameters
        ----------
        kind, only : str, optional
            Restrict to one kind of record, to one config.
        fresh : bool
            Compute records anew that exist. Repeated after an interruption with the same settings, it goes on
            with those that are still due.
        workers : int, optional
            Jobs at a time. Left out: on this machine one per core on a CPU as far as the memory reaches, one on
            a GPU; on a cluster as many as it takes. Every job runs on one thread, but on this machine wide
            recurrences, whose bits do not depend on it, are lent the cores that no job of the run has (at most
            ``RNNKIT_CORES``). So the number of workers and where they are change the time and never a bit of the
            result.
        executor : str or concurrent.futures.Executor
            ``processes`` or ``threads`` of this machine, ``dask:tcp://HOST:PORT`` or ``dask:FILE.json`` (the
            file that a Dask scheduler writes), ``submitit`` (jobs of SLURM, with settings as in
            ``submitit:partition=gpu,timeout_min=120``), ``submitit:local``; or any executor, which is not ended.
            Workers on other machines need the same environment and a shared file system.

        Raises
        ------
        UserError
            An executor that is none or does not answer; whatever a job raised; a worker that died.
        """
        state = None
        if fresh:
            state, jobs = self._fresh_run(kind, only)
        else:
            jobs = self._with_missing_needs(self.missing(kind, only))
        # Where there is nothing to do, nobody needs to know what this machine has: that takes torch.
        device = self.device if jobs else self.settings.device
        run_jobs(
            jobs,
            JobContext(self.store, device, self.budget),
            title=f"{self.chapter} {self.budget}",
            workers=workers,
            executor=executor,
            on_done=state.done if state else None,
        )
        if state:
            state.end()

    def _fresh_run(self, kind: str | None, only: str | None) -> tuple[FreshRun, list[Job]]:
        """A fresh run, begun or taken up again, and its jobs that are due."""
        jobs = self.jobs(kind, only)
        settings = {
            "budget": self.budget,
            "seeds": list(self.seeds),
            "kind": kind,
            "only": only,
            "dataset": self.dataset,
            "results": str(self.store.write),
        }
        path = paths.home() / "fresh" / f"{self.chapter}.json"
        state = FreshRun(path, settings, [job.key.id for job in jobs])
        if not state.resume():
            for job in jobs:
                _remove(checkpoint_path(job))
            state.start()
            return state, jobs
        due = [job for job in jobs if job.key.id in state.due or not self._is_sound(job)]
        for job in due:
            _keep_if_sound(checkpoint_path(job), job.key.id)
        logging.getLogger(__name__).warning(
            "going on with the fresh run that was interrupted: %d of %d records are due. To begin anew, delete %s",
            len(due),
            len(jobs),
            path,
        )
        return state, due

    def _is_sound(self, job: Job) -> bool:
        try:
            record = self.store.find(job.key)
            if record is not None:
                record.verify()
        except UserError:
            return False
        return record is not None

    def _with_missing_needs(self, jobs: Sequence[Job]) -> list[Job]:
        return [job for job in _unique(_with_needs(jobs)) if self._is_missing(job)]

    def records(self, kind: str, *, only: str | None = None) -> list[Record]:
        """Records of one kind that exist, in plan order."""
        found = (self.store.find(job.key) for job in self.jobs(kind, only) if job.key.kind == kind)
        return [record for record in found if record is not None]

    def every_record(self) -> list[Record]:
        """All records of the plan that exist."""
        found = (self.store.find(job.key) for job in self.jobs())
        return [record for record in found if record is not None]

    def stack(self, kind: str, array: str) -> dict[str, np.ndarray]:
        """One array of every config, the seeds stacked: config -> (n_seeds, ...), from the records that exist."""
        return {
            config: np.stack([record.arrays[array] for record in records])
            for config in self.configs
            if (records := [r for r in self.records(kind, only=config) if array in r.arrays])
        }

    def record(self, kind: str, label: str) -> Record:
        """The record of one kind whose job has this label, as in ``paper-s0``.

        Raises
        ------
        UserError
            No such job, or its record is missing.
        """
        for job in self.jobs(kind):
            if (job.key.kind, job.key.label) == (kind, label):
                return self.store.load(job.key)
        labels = [job.key.label for job in self.jobs(kind) if job.key.kind == kind]
        raise UserError(f"{self.chapter} has no {kind} of this name", value=label, allowed=labels)


def _remove(checkpoint: Path) -> None:
    try:
        checkpoint.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"an old checkpoint cannot be removed ({error.strerror or error})",
            value=str(checkpoint),
            hint="Make its folder writable or set RNNKIT_HOME to another one, then run again",
        ) from error


def _keep_if_sound(checkpoint: Path, identity: str) -> None:
    """Remove a damaged checkpoint: --fresh is the way out of it, also for a fresh run."""
    from rnnkit.training import load_checkpoint

    try:
        load_checkpoint(checkpoint, identity)
    except UserError:
        _remove(checkpoint)


def _unique(jobs: Iterable[Job]) -> list[Job]:
    return list({job.key.id: job for job in jobs}.values())


def _with_needs(jobs: Iterable[Job]) -> Iterable[Job]:
    for job in jobs:
        yield from _with_needs(job.needs)
        yield job
