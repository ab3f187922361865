"""A class's submissions: what is new or has changed is graded, marks by hand are taken in, tables and pages written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rnnkit
from rnnkit.errors import UserError
from rnnkit.labs.course import make_course, need_nbgrader
from rnnkit.labs.jail import can_shut_in, may_hide
from rnnkit.labs.limits import Limits
from rnnkit.labs.outcome import (
    FAILED,
    FEEDBACK,
    MISSING,
    RETURNED,
    UNREADABLE,
    Outcome,
    read_outcome,
    ungraded,
)
from rnnkit.labs.pages import write_pages
from rnnkit.labs.sources import Lab
from rnnkit.labs.submissions import NOTHING, Submission, find_submissions
from rnnkit.labs.tables import read_hand_table, write_hand_table, write_tables
from rnnkit.labs.workers import LOG, SUBMISSION, Task, checked_workers, run_tasks
from rnnkit.results import run_lock
from rnnkit.results.atomic import replace_folder, settle, temporary_folder

GRADED_FOLDER = "graded"
_FAILED_REASON = "The grader failed at this submission; it has not been graded. Your teacher sees to it."


@dataclass(frozen=True)
class ClassResult:
    """What became of a class.

    Parameters
    ----------
    outcomes : tuple of Outcome
        All that the results folder holds, by student and lab.
    graded_now : int
        How many of them were graded by this call.
    waiting : int
        Answers that a person has yet to mark.
    folder : Path
        Where the results are.
    shut_in : bool
        Whether student code ran without network and without sight of anything but its own folder.
    """

    outcomes: tuple[Outcome, ...]
    graded_now: int
    waiting: int
    folder: Path
    shut_in: bool


@dataclass(frozen=True)
class _Place:
    """What all submissions of one call have in common."""

    results: Path
    course: Path
    labs: Mapping[str, Lab]
    limits: Limits
    shut_in: bool
    hidden: tuple[str, ...]

    def target(self, student: str, lab: str) -> Path:
        return self.results / GRADED_FOLDER / student / lab

    def order(self, student: str, lab: str, key: str) -> dict[str, Any]:
        questions = [[one.grade_id, one.points, one.by_hand] for one in self.labs[lab].questions]
        return {
            "student": student,
            "lab": lab,
            "key": key,
            "course": str(self.course),
            "questions": questions,
            "limits": self.limits.to_dict(),
            "shut_in": self.shut_in,
            "hidden": list(self.hidden),
        }


def grade_class(
    folder: Path,
    labs: Sequence[Lab],
    *,
    results: Path | None = None,
    limits: Limits | None = None,
    workers: int | None = None,
    fresh: bool = False,
    only_handed_in: bool = False,
) -> ClassResult:
    """Grade what is new or has changed of a class's submissions; no submission stops the others.

    Parameters
    ----------
    folder : Path
        ``STUDENT/LAB/LAB.ipynb``; see :func:`find_submissions`.
    labs : sequence of Lab
    results : Path, optional
        Where everything goes. Default: beside ``folder``, with ``-graded`` after its name.
    limits : Limits, optional
    workers : int, optional
        Submissions at a time. Default: one per core, as memory allows.
    fresh : bool
        Grade everything anew.
    only_handed_in : bool
        Leave out labs that nobody has handed in.

    Raises
    ------
    UserError
        If there are no submissions, a lab's source is no good, or a table of marks by hand is. What was graded
        until then is kept.
    """
    need_nbgrader()
    limits, workers = limits or Limits(), checked_workers(workers)
    folder = folder.resolve()
    results = (results or folder.with_name(f"{folder.name}-graded")).resolve()
    if results.is_relative_to(folder):
        raise UserError(
            "results would lie among the submissions", value=str(results), hint="Name another folder."
        )
    submissions = find_submissions(folder, [lab.name for lab in labs], limits.file_bytes)
    if only_handed_in:
        handed_in = {one.lab for one in submissions if one.refusal != NOTHING}
        labs = [lab for lab in labs if lab.name in handed_in]
        submissions = [one for one in submissions if one.lab in handed_in]
        if not labs:
            raise UserError(
                "nobody has handed in any lab", value=str(folder), allowed="STUDENT/LAB/LAB.ipynb"
            )
    with (
        run_lock(results / ".locks", "grading"),
        tempfile.TemporaryDirectory(prefix="rnnkit-course-") as course,
    ):
        make_course(labs, Path(course))
        place = _place(Path(course), labs, folder, results, limits)
        graded_now = _grade(place, submissions, workers, fresh)
        outcomes = _take_in_hand_marks(place, workers)
        write_tables(outcomes, results)
        waiting = write_hand_table(outcomes, results)
        write_pages(outcomes, results)
    return ClassResult(tuple(outcomes), graded_now, waiting, results, place.shut_in)


def _place(course: Path, labs: Sequence[Lab], folder: Path, results: Path, limits: Limits) -> _Place:
    (results / GRADED_FOLDER).mkdir(parents=True, exist_ok=True)
    shut_in = can_shut_in()
    secret = [results, folder, course, *{lab.folder.parent for lab in labs}]
    return _Place(
        results,
        course,
        {lab.name: lab for lab in labs},
        limits,
        shut_in,
        tuple(map(str, hidden_folders(secret))),
    )


def hidden_folders(secret: Sequence[Path]) -> list[Path]:
    """Which of some folders can be covered: those that hold nothing that a kernel needs, and none within another."""
    library = Path(rnnkit.__file__).resolve().parents[1]
    needed = [library / "rnnkit", Path(sys.prefix), Path(sys.base_prefix), Path(tempfile.gettempdir())]
    if data := os.environ.get("RNNKIT_DATA"):
        needed.append(Path(data))
    found = sorted({path.resolve() for path in secret if may_hide(path, needed)})
    return [
        path for path in found if not any(path != other and path.is_relative_to(other) for other in found)
    ]


def _grade(place: _Place, submissions: Sequence[Submission], workers: int, fresh: bool) -> int:
    """Grade what has no outcome of its key yet; how many that were."""
    tasks, count = [], 0
    library = _grader_hash()
    for one in submissions:
        key = _key(one, place, library)
        known = read_outcome(place.target(one.student, one.lab))
        if known is not None and known.key == key and not fresh:
            continue
        count += 1
        order = place.order(one.student, one.lab, key)
        if one.data is None:
            status = MISSING if one.refusal == NOTHING else UNREADABLE
            outcome = ungraded(one.student, one.lab, key, status, one.refusal, order["questions"])
            with temporary_folder(_parent(place, one.student)) as new:
                outcome.write(new)
                replace_folder(new, place.target(one.student, one.lab))
        else:
            tasks.append(Task(f"{one.student} {one.lab}", order, {SUBMISSION: one.data}))

    def finished(task: Task, done: Path, failure: str) -> None:
        order = task.order
        outcome = read_outcome(done)
        if failure or outcome is None:
            outcome = ungraded(order["student"], order["lab"], "", FAILED, _FAILED_REASON, order["questions"])
            outcome.write(done)
            (done / "failure.txt").write_text(f"{failure}\n\n{_log(done)}", encoding="utf-8")
        _parent(place, order["student"])
        replace_folder(done, place.target(order["student"], order["lab"]))

    with _running_folder(place.results) as running:
        run_tasks(tasks, running, workers, finished, "Grading")
    return count


def _log(done: Path) -> str:
    try:
        return (done.parent / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _parent(place: _Place, student: str) -> Path:
    parent = place.results / GRADED_FOLDER / student
    parent.mkdir(exist_ok=True)
    settle(parent)
    return parent


@contextmanager
def _running_folder(results: Path) -> Iterator[Path]:
    """A folder on the results' disk for what is not finished; those of runs that were killed go too."""
    for left in results.glob(".running-*"):  # the lock is ours: nobody else is at work here
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".running-", dir=results))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take_in_hand_marks(place: _Place, workers: int) -> list[Outcome]:
    """Give outcomes the marks of the table, and make the feedback anew of those that this changes."""
    outcomes = _all_outcomes(place.results)
    given = read_hand_table(outcomes, place.results)
    marked = [one.with_hand_marks(given.get((one.student, one.lab), {})) for one in outcomes]
    changed = [after for before, after in zip(outcomes, marked, strict=True) if after != before]
    tasks = []
    for one in changed:
        returned = place.target(one.student, one.lab) / RETURNED
        if one.lab in place.labs and returned.is_file():
            order = {**place.order(one.student, one.lab, one.key), "outcome": asdict(one)}
            tasks.append(Task(f"{one.student} {one.lab}", order, {f"done/{RETURNED}": returned.read_bytes()}))

    def finished(task: Task, done: Path, failure: str) -> None:
        one = next(
            one for one in changed if (one.student, one.lab) == (task.order["student"], task.order["lab"])
        )
        if failure:
            raise UserError("feedback could not be made", value=task.name, hint=f"{failure}\n{_log(done)}")
        target = place.target(one.student, one.lab)
        os.replace(done / FEEDBACK, target / FEEDBACK)
        one.write(target)  # last: an outcome without these marks brings the next call here again

    with _running_folder(place.results) as running:
        run_tasks(tasks, running, workers, finished, "Feedback")
    return marked


def _all_outcomes(results: Path) -> list[Outcome]:
    folders = [
        path for path in sorted((results / GRADED_FOLDER).glob("*/*")) if not path.name.startswith(".")
    ]
    return [one for one in map(read_outcome, folders) if one is not None]


def _key(one: Submission, place: _Place, library: str) -> str:
    lab = place.labs[one.lab]
    parts = [
        library,
        json.dumps(place.limits.to_dict(), sort_keys=True),
        str(place.shut_in),
        one.refusal,
        hashlib.sha256(one.data or b"").hexdigest(),
        *(hashlib.sha256(path.read_bytes()).hexdigest() for path in (lab.path, *lab.files)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _grader_hash() -> str:
    """Stands for the code of this room: when it changes, marks might."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
