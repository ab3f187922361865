"""Jobs for the tests of executors: arithmetic in steps, a checkpoint after each, a mark that says who is at it."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.models.recurrence.threads import num_threads
from rnnkit.results import RecordKey, Store
from rnnkit.studies.jobs import Job, JobContext, Outcome, run_jobs
from rnnkit.training import load_checkpoint, save_checkpoint
from tests.waiting import wait_for

NUM_STEPS = 10
MICRO_BATCHES = 4  # of what jobs might compute on several cores


@dataclass(frozen=True)
class Fate:
    """What befalls a job: its pace, how it ends, and which other job is to be under way before it starts, or ends."""

    seconds: float = 0.0
    end: str = "fine"
    after: str | None = None
    until: str | None = None


def mark_of(label: str) -> Path:
    return paths.home() / "marks" / label


def read_mark(label: str) -> tuple[int, int] | None:
    """Process and step of a job under way."""
    try:
        pid, step = mark_of(label).read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid), int(step)


def compute(job, records, device, checkpoint, steps):
    mark = mark_of(job.key.label)
    mark.parent.mkdir(parents=True, exist_ok=True)
    found = load_checkpoint(checkpoint, job.key.id)
    start = found[1]["step"] if found else 0
    if job.config.after is not None:
        wait_for(lambda: read_mark(job.config.after), f"{job.config.after} to be under way")
    if job.config.end == "error":
        raise UserError("this one cannot be had", value=job.key.label)
    cores = num_threads(MICRO_BATCHES)
    if job.config.end == "death":
        with (mark.parent / "deaths").open("a") as file:
            file.write("x")
        os._exit(9)
    matrix = torch.randn(120, 120, generator=torch.Generator().manual_seed(job.seed))
    state = (
        found[0]["state"] if found else sum((torch.from_numpy(r.arrays["x"].copy()) for r in records), matrix)
    )
    steps.steps(NUM_STEPS, job.key.label, start=start)
    for step in range(start, NUM_STEPS):
        state = torch.tanh(state @ matrix / 10)
        save_checkpoint(checkpoint, {"state": state}, {"identity": job.key.id, "step": step + 1})
        mark.write_text(f"{os.getpid()} {step + 1}")
        time.sleep(job.config.seconds)
        steps.advance()
    if job.config.until is not None:
        wait_for(lambda: read_mark(job.config.until), f"{job.config.until} to be under way")
    seen = {
        "threads": torch.get_num_threads(),
        "cores": cores,
        "resumed_from": start,
        "home": str(paths.home()),
    }
    return Outcome({"x": state.numpy()}, seen, {}, weights={"x": state.numpy()})


def make_job(number: int, needs: tuple[Job, ...] = (), fate: Fate = Fate()) -> Job:
    key = RecordKey("geometry", "train", {"number": number}, 1, f"n{number}")
    return Job(key, fate, number, compute, needs)


def make_plan(num: int = 5, **fates: Fate) -> list[Job]:
    """Jobs n0, n1, ..., of which all but the first two need these."""
    first = tuple(make_job(n, fate=fates.get(f"n{n}", Fate())) for n in range(2))
    return [*first, *(make_job(n, first, fates.get(f"n{n}", Fate())) for n in range(2, num))]


def sweep(folder: Path, plan: list[Job], **settings) -> dict[str, str]:
    """Run a plan; the checksums of what the records hold, by their folder."""
    run_jobs(plan, JobContext(Store(folder), "cpu", "quick"), title="sweep", **settings)
    return checksums(folder)


def checksums(folder: Path) -> dict[str, str]:
    files = [*folder.rglob("arrays.npz"), *folder.rglob("weights.safetensors")]
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)
    }


def metrics(folder: Path, plan: list[Job]) -> dict[str, dict[str, object]]:
    return {job.key.label: Store(folder).load(job.key).metrics for job in plan}
