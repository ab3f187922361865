"""One submission, one process: :func:`main` grades what lies in a folder of its own.

The folder holds ``order.json`` and, if anything was handed in, ``submission.ipynb``. Into ``done`` come
``result.json``, ``graded.ipynb`` (with every output, for the teacher), ``returned.ipynb`` (what feedback is made
of) and ``feedback.html``. A pipe is the leash: when its other end closes, the process and its kernel end.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rnnkit.labs.course import (
    STUDENT,
    course_directory,
    gradebook,
    nbgrader_log,
    read_notebook,
    released_notebook,
)
from rnnkit.labs.feedback import feedback_again, returned_notebook, write_feedback
from rnnkit.labs.intake import Refused, read_submission
from rnnkit.labs.limits import Limits
from rnnkit.labs.outcome import (
    FEEDBACK,
    GRADED,
    GRADED_NOTEBOOK,
    RETURNED,
    STOPPED,
    TAMPERED,
    UNREADABLE,
    Mark,
    Outcome,
    ungraded,
)

ORDER, SUBMISSION, DONE = "order.json", "submission.ipynb", "done"


@dataclass(frozen=True)
class Order:
    """What the worker is to do.

    Parameters
    ----------
    student, lab, key : str
        As in the outcome.
    course : str
        A course folder with the lab; it is copied.
    questions : sequence of (grade_id, points, by_hand)
    limits : mapping
        Fields of :class:`Limits`.
    shut_in : bool
        Whether the kernel is to be shut in.
    hidden : sequence of str
        Folders that it then finds empty.
    with_page : bool
        Whether the feedback page is wanted; the notebook that it is made of is there in any case.
    """

    student: str
    lab: str
    key: str
    course: str
    questions: Sequence[Sequence[Any]]
    limits: Mapping[str, Any]
    shut_in: bool
    hidden: Sequence[str] = ()
    with_page: bool = True


def mark_submission(order: Order, folder: Path) -> Outcome:
    """Grade ``submission.ipynb`` of a folder into its ``done``.

    Whatever the submission is, there is an outcome; only a fault of the grader itself raises.
    """
    begin = time.monotonic()
    done = folder / DONE
    done.mkdir(exist_ok=True)
    released = read_notebook(released_notebook(Path(order.course), order.lab))
    try:
        notebook, notes = read_submission((folder / SUBMISSION).read_bytes(), released)
    except Refused as refusal:
        outcome = ungraded(order.student, order.lab, order.key, UNREADABLE, str(refusal), order.questions)
        outcome.write(done)
        return outcome
    with tempfile.TemporaryDirectory(prefix="rnnkit-course-") as course:
        root = Path(course)
        shutil.copytree(order.course, root, dirs_exist_ok=True)
        graded, guard = _autograde(order, root, notebook)
        status, reason = _status(guard)
        if guard.tampered:
            _withhold(root, order.lab)
        returned, messages = returned_notebook(graded, released, [*notes, reason] if reason else notes)
        marks = _marks(root, order.lab, graded, messages)
        outcome = Outcome(
            order.student,
            order.lab,
            order.key,
            status,
            reason,
            tuple(notes),
            marks,
            round(time.monotonic() - begin, 2),
            guard.peak_bytes,
        )
        _write_notebook(graded, done / GRADED_NOTEBOOK)
        _write_notebook(returned, done / RETURNED)
        if order.with_page:
            write_feedback(outcome, returned, root, done / FEEDBACK)
    outcome.write(done)
    return outcome


def _autograde(order: Order, root: Path, notebook: Any) -> tuple[Any, Any]:
    """Let nbgrader grade a notebook in a course folder; the graded notebook and the guard that looked after it."""
    from nbgrader.converters import Autograde

    from rnnkit.labs.execution import Guard, guarded_execute

    limits = Limits(**order.limits)
    submitted = root / "submitted" / STUDENT / order.lab / f"{order.lab}.ipynb"
    submitted.parent.mkdir(parents=True)
    _write_notebook(notebook, submitted)
    with tempfile.TemporaryDirectory(prefix="lab-") as scratch:
        _copy_files(root / "source" / order.lab, Path(scratch))
        jail = {
            "shut_in": order.shut_in,
            "hidden": [*order.hidden, str(root)],
            "seconds": limits.submission_seconds + 60,
            "memory": limits.memory_bytes,
        }
        guard = Guard(limits, Path(scratch), jail)
        converter = Autograde(coursedir=course_directory(root, order.lab, STUDENT))
        converter.autograde_preprocessors = [
            guarded_execute(guard) if step.__name__ == "Execute" else step
            for step in converter.autograde_preprocessors
        ]
        with nbgrader_log(converter) as said:
            try:
                converter.start()
            except (Exception, SystemExit) as error:
                raise RuntimeError("\n".join([*said, str(error)])) from error
    return read_notebook(root / "autograded" / STUDENT / order.lab / f"{order.lab}.ipynb"), guard


def _copy_files(source: Path, target: Path) -> None:
    """Give the kernel the files that come with the lab, but for the notebook."""
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.ipynb"))


def _status(guard: Any) -> tuple[str, str]:
    if guard.tampered:
        return TAMPERED, (
            f"After your code had run, Python no longer told wrong from right ({', '.join(guard.tampered)}). "
            "The tests cannot be trusted then, so no points are given. If you did not mean this, look for a "
            "name of Python's or of a library's that you have given another meaning, and ask your teacher."
        )
    if guard.stopped:
        return STOPPED, guard.stopped
    return GRADED, ""


def _withhold(root: Path, lab: str) -> None:
    """Set every mark that the tests gave to zero."""
    with gradebook(root) as book:
        for grade in book.find_submission_notebook(lab, lab, STUDENT).grades:
            if grade.auto_score is not None:
                grade.auto_score = 0.0
        book.db.commit()


def _marks(root: Path, lab: str, graded: Any, messages: Mapping[str, str]) -> tuple[Mark, ...]:
    """The marks that stand in the gradebook, in the notebook's order."""
    cells = {
        cell.metadata.nbgrader.grade_id: cell
        for cell in graded.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    with gradebook(root) as book:
        grades = {grade.name: grade for grade in book.find_submission_notebook(lab, lab, STUDENT).grades}
        marks = []
        for grade_id, cell in cells.items():
            grade, by_hand = grades[grade_id], bool(cell.metadata.nbgrader.get("solution"))
            points = None if grade.needs_manual_grade or grade.auto_score is None else float(grade.auto_score)
            answer = cell.source if by_hand else ""
            message = messages.get(grade_id, "")
            marks.append(Mark(grade_id, points, float(grade.max_score), by_hand, message, answer=answer))
        return tuple(marks)


def _write_notebook(notebook: Any, path: Path) -> None:
    import nbformat

    nbformat.write(notebook, path)


def _hold_leash(leash: Connection) -> None:
    """End this process, and by that its kernel, when the other end of its leash closes."""

    def wait_for_the_end() -> None:
        try:
            leash.recv_bytes()  # nothing is ever sent
        finally:
            os._exit(1)

    threading.Thread(target=wait_for_the_end, daemon=True).start()


def main(place: str, leash: Connection) -> int:
    """Do what the order in a folder says, as a process of its own."""
    _hold_leash(leash)
    folder = Path(place)
    order = json.loads((folder / ORDER).read_text(encoding="utf-8"))
    if "outcome" in order:
        feedback_again(order, folder / DONE)
        return 0
    mark_submission(Order(**order), folder)
    return 0
