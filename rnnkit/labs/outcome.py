"""What became of a submission: points per question, a status, a reason that can be told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

RESULT, GRADED_NOTEBOOK, RETURNED, FEEDBACK = "result.json", "graded.ipynb", "returned.ipynb", "feedback.html"

GRADED, BY_HAND = "graded", "to mark by hand"
STOPPED, TAMPERED, UNREADABLE, MISSING, FAILED = (
    "stopped",
    "tampered",
    "unreadable",
    "missing",
    "grader failed",
)
STATUSES = (GRADED, BY_HAND, STOPPED, TAMPERED, UNREADABLE, MISSING, FAILED)


@dataclass(frozen=True)
class Mark:
    """What one question was given.

    Parameters
    ----------
    grade_id : str
    points : float, optional
        By the tests; None where a person has to mark.
    most : float
        What there is to get.
    by_hand : bool
        Whether it is a question for a person; without an answer nbgrader gives it zero points.
    message, answer : str
        What is told to the student of the test; what the student wrote, for a person to mark.
    hand_points, comment : float, str, optional
        What a person gave and said.
    """

    grade_id: str
    points: float | None
    most: float
    by_hand: bool = False
    message: str = ""
    answer: str = ""
    hand_points: float | None = None
    comment: str = ""

    @property
    def score(self) -> float | None:
        """What counts; None while it waits for a person."""
        return self.points if self.hand_points is None else self.hand_points

    @property
    def is_for_a_person(self) -> bool:
        """Whether there is an answer that only a person can mark."""
        return self.by_hand and self.points is None


@dataclass(frozen=True)
class Outcome:
    """What became of one submission.

    Parameters
    ----------
    student, lab : str
    key : str
        Stands for all that it hangs on: the submission, the lab, the limits, the grader.
    status : str
        One of ``STATUSES`` but for ``BY_HAND``, which :attr:`state` tells.
    reason : str
        Why it is not simply graded, in sentences to the student.
    notes : tuple of str
        What was mended before grading.
    marks : tuple of Mark
    seconds, peak_bytes : float, int
        Wall clock, and the most memory of its processes.
    """

    student: str
    lab: str
    key: str
    status: str
    reason: str = ""
    notes: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = field(default=())
    seconds: float = 0.0
    peak_bytes: int = 0

    @property
    def points(self) -> float:
        """All points so far."""
        return sum(mark.score or 0.0 for mark in self.marks)

    @property
    def most(self) -> float:
        """All points that there are."""
        return sum(mark.most for mark in self.marks)

    @property
    def state(self) -> str:
        """The status, or that a person has yet to mark something."""
        waits = any(mark.score is None for mark in self.marks)
        return BY_HAND if waits and self.status == GRADED else self.status

    def with_hand_marks(self, given: Mapping[str, tuple[float, str]]) -> Outcome:
        """The same with the points and comments that a person gave, by grade_id, and with no others."""
        marks = tuple(
            replace(mark, hand_points=given[mark.grade_id][0], comment=given[mark.grade_id][1])
            if mark.is_for_a_person and mark.grade_id in given
            else replace(mark, hand_points=None, comment="")
            for mark in self.marks
        )
        return replace(self, marks=marks)

    def write(self, folder: Path) -> None:
        """Write ``result.json`` into a folder, aside and renamed."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        aside = folder / f".{RESULT}.new"
        aside.write_text(text + "\n", encoding="utf-8")
        aside.replace(folder / RESULT)


def read_outcome(folder: Path) -> Outcome | None:
    """The outcome that lies in a folder, or None where there is none that can be read."""
    try:
        return outcome_from(json.loads((folder / RESULT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def outcome_from(content: Mapping[str, Any]) -> Outcome:
    """An outcome from its fields as plain JSON values."""
    marks = tuple(Mark(**mark) for mark in content["marks"])
    return Outcome(**{**content, "notes": tuple(content["notes"]), "marks": marks})


def ungraded(
    student: str, lab: str, key: str, status: str, reason: str, questions: Iterable[Sequence[Any]]
) -> Outcome:
    """An outcome without any points.

    Parameters
    ----------
    questions : iterable of (grade_id, points, by_hand)
    """
    marks = tuple(Mark(grade_id, 0.0, most, by_hand) for grade_id, most, by_hand in questions)
    return Outcome(student, lab, key, status, reason, marks=marks)
