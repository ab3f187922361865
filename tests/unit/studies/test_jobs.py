"""Jobs: needs come first, workers change no bit, what is finished stays."""

import os
from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np
import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.results import RecordKey, Store
from rnnkit.studies.jobs import Job, JobContext, Outcome, run_jobs
from rnnkit.studies.progress import counting


@dataclass(frozen=True)
class _Config:
    number: int
    fate: str = "fine"


def _compute(job, records, device, checkpoint, steps):
    steps.steps(1, job.key.label)
    if job.config.fate == "error":
        raise UserError("this one cannot be had", value=job.config.number)
    if job.config.fate == "death":
        os._exit(9)
    matrix = torch.randn(300, 300, generator=torch.Generator().manual_seed(job.seed))
    total = sum((torch.from_numpy(np.array(record.arrays["product"])) for record in records), matrix)
    steps.advance()
    return Outcome({"product": (total @ matrix).numpy()}, {"threads": torch.get_num_threads()}, {})


def _job(number, needs=(), fate="fine"):
    key = RecordKey("geometry", "train", {"number": number}, 1, f"n{number}")
    return Job(key, _Config(number, fate), number, _compute, tuple(needs))


def _plan(**fates):
    first, second = _job(0), _job(1)
    return [first, second, _job(2, [first, second]), _job(3, [first], **fates)]


def _context(path):
    return JobContext(Store(path), "cpu", "quick")


def test_two_workers_end_in_the_same_bytes_as_one(tmp_path):
    for workers in (1, 2):
        run_jobs(_plan(), _context(tmp_path / str(workers)), title="t", workers=workers)
    files = sorted((tmp_path / "1").rglob("arrays.npz"))
    assert len(files) == 4
    for file in files:
        twin = tmp_path / "2" / file.relative_to(tmp_path / "1")
        assert file.read_bytes() == twin.read_bytes()


def test_every_job_runs_on_one_thread_and_gives_them_back(tmp_path):
    before = torch.get_num_threads()
    plan = _plan()
    run_jobs(plan, _context(tmp_path), title="t", workers=1)
    assert torch.get_num_threads() == before
    assert Store(tmp_path).load(plan[0].key).metrics["threads"] == 1


def test_a_job_that_was_resumed_says_how_long_it_took_in_all(tmp_path):
    def resumed(*_):
        return Outcome({}, {}, {}, seconds=500.0)

    jobs = [replace(_job(0), compute=resumed), _job(1)]
    run_jobs(jobs, _context(tmp_path), title="t", workers=1)
    long, short = (Store(tmp_path).load(job.key).run["wall_seconds"] for job in jobs)
    assert long == 500
    assert 0 < short < 100


def test_a_record_names_the_revision_that_it_was_begun_at(tmp_path, monkeypatch):
    known = iter("abc")
    monkeypatch.setattr("rnnkit.studies.jobs.git_revision", lambda: {"revision": next(known), "dirty": False})
    at_the_end = import_module("rnnkit.results.provenance")
    monkeypatch.setattr(at_the_end, "git_revision", lambda: pytest.fail("asked at the end"))
    run_jobs([_job(0)], _context(tmp_path), title="t", workers=1)
    assert Store(tmp_path).load(_job(0).key).run["git"] == {"revision": "a", "dirty": False}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_handed_on_and_finished_records_stay(tmp_path, workers):
    plan = _plan(fate="error")
    with pytest.raises(UserError, match="this one cannot be had: 3"):
        run_jobs(plan, _context(tmp_path), title="t", workers=workers)
    assert Store(tmp_path).find(plan[0].key) is not None
    assert Store(tmp_path).find(plan[3].key) is None


def test_a_worker_that_dies_is_named_and_what_was_finished_stays(tmp_path):
    plan = _plan(fate="death")
    with pytest.raises(UserError, match=r"worker process died.*Run the same command again"):
        run_jobs(plan, _context(tmp_path), title="t", workers=2)
    assert Store(tmp_path).find(plan[0].key) is not None


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2"])
def test_impossible_numbers_of_workers_are_refused(tmp_path, workers):
    with pytest.raises(UserError, match="workers cannot be used"):
        run_jobs(_plan(), _context(tmp_path), title="t", workers=workers)


def test_what_is_done_in_all_is_told_step_by_step():
    told = []

    class Listening:
        def steps(self, total, name, *, start=0):
            pass

        def advance(self, count=1, note=""):
            told.append((count, note))

    reached = counting(Listening())
    reached(7)  # a run that is taken up again
    reached(8, "one more")
    assert told == [(7, ""), (1, "one more")]
