"""The gradebook as tables, and the table in which a person marks what no test can.

Tables are CSV in UTF-8 with a mark in front, which spreadsheets need to show names right. A cell that a
spreadsheet would take for a formula has an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.labs.outcome import Outcome

GRADEBOOK, SUBMISSIONS, QUESTIONS, HAND = "gradebook.csv", "submissions.csv", "questions.csv", "by-hand.csv"
_HAND_COLUMNS = ("student", "lab", "question", "max", "points", "comment", "answer")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

HandMarks = Mapping[tuple[str, str], Mapping[str, tuple[float, str]]]


def write_tables(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Write the gradebook (a row per student), the submissions and the questions of all outcomes."""
    labs = sorted({outcome.lab for outcome in outcomes})
    by_student: dict[str, dict[str, Outcome]] = {}
    for outcome in outcomes:
        by_student.setdefault(outcome.student, {})[outcome.lab] = outcome
    wide = [
        [
            "student",
            *[f"{lab} {what}" for lab in labs for what in ("points", "max", "status")],
            "points",
            "max",
        ]
    ]
    for student, own in sorted(by_student.items()):
        row: list[Any] = [student]
        for lab in labs:
            one = own.get(lab)
            row += [_number(one.points), _number(one.most), one.state] if one else ["", "", ""]
        total = [_number(sum(getattr(one, name) for one in own.values())) for name in ("points", "most")]
        wide.append([*row, *total])
    _write(folder / GRADEBOOK, wide)
    long = [["student", "lab", "points", "max", "status", "reason", "notes", "seconds", "memory_mb"]]
    questions = [["student", "lab", "question", "points", "max", "status", "message", "comment"]]
    for one in outcomes:
        notes, memory = " ".join(one.notes), str(one.peak_bytes >> 20)
        numbers = [_number(one.points), _number(one.most)]
        long.append(
            [one.student, one.lab, *numbers, one.state, one.reason, notes, f"{one.seconds:g}", memory]
        )
        for mark in one.marks:
            state = (
                "to mark by hand"
                if mark.score is None
                else "marked by hand"
                if mark.is_for_a_person
                else "graded"
            )
            points = "" if mark.score is None else _number(mark.score)
            row = [
                one.student,
                one.lab,
                mark.grade_id,
                points,
                _number(mark.most),
                state,
                mark.message,
                mark.comment,
            ]
            questions.append(row)
    _write(folder / SUBMISSIONS, long)
    _write(folder / QUESTIONS, questions)


def write_hand_table(outcomes: Iterable[Outcome], folder: Path) -> int:
    """Write the table of answers for a person to mark, with what has been given; the number that still wait."""
    rows: list[Sequence[Any]] = [_HAND_COLUMNS]
    waiting = 0
    for one in outcomes:
        for mark in one.marks:
            if mark.is_for_a_person:
                given = "" if mark.hand_points is None else _number(mark.hand_points)
                waiting += mark.hand_points is None
                rows.append(
                    [
                        one.student,
                        one.lab,
                        mark.grade_id,
                        _number(mark.most),
                        given,
                        mark.comment,
                        mark.answer,
                    ]
                )
    if len(rows) > 1 or (folder / HAND).exists():
        _write(folder / HAND, rows)
    return waiting


def read_hand_table(
    outcomes: Iterable[Outcome], folder: Path
) -> dict[tuple[str, str], dict[str, tuple[float, str]]]:
    """What a person has given, by (student, lab) and question; an answer that has changed since is not marked yet.

    Raises
    ------
    UserError
        If the table cannot be read, or points are no number between 0 and the question's; it is left as it is.
    """
    path = folder / HAND
    if not path.exists():
        return {}
    answers = {
        (one.student, one.lab, mark.grade_id): mark
        for one in outcomes
        for mark in one.marks
        if mark.is_for_a_person
    }
    found: dict[tuple[str, str], dict[str, tuple[float, str]]] = {}
    for line, row in enumerate(_read(path), start=2):
        student, lab, question = (_plain(row[name]) for name in _HAND_COLUMNS[:3])
        mark = answers.get((student, lab, question))
        if (
            mark is None
            or not row["points"].strip()
            or _squeezed(_plain(row["answer"])) != _squeezed(mark.answer)
        ):
            continue
        points = _points(row["points"], mark.most, f"{path}, row {line}, {student}, {question}")
        found.setdefault((student, lab), {})[question] = (points, _plain(row["comment"]).strip())
    return found


def _points(text: str, most: float, where: str) -> float:
    try:
        points = float(text.strip().replace(",", "."))
    except ValueError:
        points = -1.0
    if not 0 <= points <= most:
        raise UserError(f"these are no points ({where})", value=text, allowed=f"a number from 0 to {most:g}")
    return points


def _read(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.partition("\n")[0]
        separator = max(",;\t", key=first.count)  # spreadsheets save with the one of their country
        rows = [
            {name: value or "" for name, value in row.items() if name}
            for row in csv.DictReader(io.StringIO(text), delimiter=separator)
        ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            "the table of marks by hand cannot be read",
            value=str(path),
            hint="Save it as CSV in UTF-8, with the columns that it had",
        ) from error
    if missing := [name for name in _HAND_COLUMNS if rows and name not in rows[0]]:
        raise UserError(
            f"the table of marks by hand lacks the columns {', '.join(missing)}",
            value=str(path),
            hint="Put them back, or delete the file and run the command again for a new one",
        )
    return rows


def _write(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    aside = path.with_name(f".{path.name}.new")
    with aside.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([_guarded(str(value)) for value in row] for row in rows)
    os.replace(aside, path)


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _number(value: float) -> str:
    return f"{value:g}"
