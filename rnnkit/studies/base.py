"""What every study is: a plan of jobs, each a function from a typed config to a record."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.results import Record, RecordKey, Store, peak_memory_bytes, provenance
from rnnkit.studies.progress import Progress
from rnnkit.studies.settings import Settings, check_budget, device_name, parse_seeds, resolve_device


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
    compute: Callable[[Job, Sequence[Record], str, Path, Progress], Outcome]
    needs: tuple[Job, ...] = field(default=())


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
    versions: ClassVar[Mapping[str, int]]
    default_seeds: ClassVar[Mapping[str, tuple[int, ...]]]
    configs: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        *,
        budget: str = "quick",
        seeds: object = None,
        device: str = "auto",
        store: Store | None = None,
    ) -> None:
        budget = check_budget(budget)
        self.settings = Settings(
            budget, parse_seeds(seeds) or self.default_seeds[budget], resolve_device(device)
        )
        self.store = store or Store(paths.local_results(), [paths.committed_results()])
        self._jobs: list[Job] | None = None

    @abstractmethod
    def plan(self) -> list[Job]:
        """All jobs of the chapter, needs before those that need them."""

    @abstractmethod
    def measurements(self) -> dict[str, np.ndarray]:
        """What the claims are settled by: name -> one value per seed, from the records that exist."""

    @property
    def budget(self) -> str:
        """The budget's name."""
        return self.settings.budget

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in the order in which they were asked for."""
        return self.settings.seeds

    def jobs(self, kind: str | None = None, only: str | None = None) -> list[Job]:
        """The plan, or its jobs of one kind and of one config (with what they need).

        Raises
        ------
        UserError
            An unknown config.
        """
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
        return list({job.key.id: job for job in _with_needs(chosen)}.values())

    def missing(self, kind: str | None = None, only: str | None = None) -> list[Job]:
        """Jobs that have no record yet."""
        return [job for job in self.jobs(kind, only) if self.store.find(job.key) is None]

    def ensure(self, kind: str | None = None, *, only: str | None = None, fresh: bool = False) -> None:
        """Compute the records that are missing, or with ``fresh`` all of them.

        Each record is saved as soon as it is finished; an interrupted run goes on where it stopped.
        """
        jobs = self.jobs(kind, only) if fresh else self.missing(kind, only)
        if fresh:
            for job in jobs:
                self._checkpoint(job).unlink(missing_ok=True)
        with Progress(len(jobs), f"{self.chapter} {self.budget}") as progress:
            for job in jobs:
                self._run(job, progress)

    def records(self, kind: str, *, only: str | None = None) -> list[Record]:
        """Records of one kind that exist, in plan order."""
        found = (self.store.find(job.key) for job in self.jobs(kind, only) if job.key.kind == kind)
        return [record for record in found if record is not None]

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

    def _checkpoint(self, job: Job) -> Path:
        return paths.checkpoints() / self.chapter / f"{job.key.folder}.safetensors"

    def _run(self, job: Job, progress: Progress) -> Record:
        records = [self.store.load(needed.key) for needed in job.needs]
        progress.begin(f"{job.key.kind} {job.key.label}")
        start = time.perf_counter()
        checkpoint = self._checkpoint(job)
        outcome = job.compute(job, records, self.settings.device, checkpoint, progress)
        record = self.store.save(
            job.key,
            arrays=outcome.arrays,
            weights=outcome.weights,
            metrics=outcome.metrics,
            provenance=provenance(
                device_name(self.settings.device),
                job.seed,
                outcome.data_checksums,
                time.perf_counter() - start,
                peak_memory_bytes(),
                self.budget,
            ),
        )
        checkpoint.unlink(missing_ok=True)
        progress.end()
        return record


def _with_needs(jobs: Iterable[Job]) -> Iterable[Job]:
    for job in jobs:
        yield from _with_needs(job.needs)
        yield job
