"""A class that never was: submissions to rehearse grading with, and what each deserves."""

from __future__ import annotations

import csv
import io
import random
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from rnnkit.errors import UserError
from rnnkit.labs.course import make_course, read_notebook, released_notebook
from rnnkit.labs.outcome import MISSING, Outcome
from rnnkit.labs.sources import Lab
from rnnkit.labs.variants import Variant, variants
from rnnkit.results.atomic import replace_folder, temporary_folder

_FIRST = ("Ada", "Björn", "Chloé", "Dmitri", "Élodie", "Fatima", "Grace", "Hiroshi", "Ingrid", "João")
_LAST = ("Ångström", "de la Cruz", "O'Brien", "Müller", "Nguyễn", "Okafor", "Sørensen", "Yılmaz")
_COLUMNS = ("student", "lab", "kind", "points")


def rehearse(folder: Path, labs: Sequence[Lab], *, students: int = 40, seed: int = 0) -> Path:
    """Write a class's submissions, and beside them ``FOLDER-expected.csv``: what the tests should give each.

    Every kind of submission occurs, if there are students enough; most of the others are solved. Some hand in a
    notebook alone, some a zip, one nothing.

    Parameters
    ----------
    folder : Path
        Must not be there yet.
    labs : sequence of Lab
    students, seed : int
        How many, and which ones.

    Returns
    -------
    Path
        The table of what is expected.

    Raises
    ------
    UserError
        If the folder is there, or there are no students.
    """
    if students < 1:
        raise UserError("a class has students", value=students, allowed="1 or more")
    folder = folder.resolve()
    if folder.exists():
        raise UserError("this folder is there already", value=str(folder), hint="Name a new one.")
    generator = random.Random(seed)
    names = _names(students, generator)
    zipped = names[: students // 10]  # these hand in one zip of all, with no zip in it
    expected: list[tuple[str, str, str, str]] = []
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="rnnkit-course-") as course,
        temporary_folder(folder.parent) as new,
    ):
        make_course(labs, Path(course))
        for lab in labs:
            kinds = variants(lab, read_notebook(released_notebook(Path(course), lab.name)))
            nothing = Variant("nothing", "", None, {}, (MISSING,))
            for student, kind in zip(names, _draw([*kinds, nothing], students, generator), strict=True):
                (new / student).mkdir(exist_ok=True)
                if kind.data is not None:
                    _hand_in(new / student, lab.name, kind.data, generator, may_zip=student not in zipped)
                expected.append((student, lab.name, kind.name, f"{sum(kind.marks.values()):g}"))
        for student in zipped:
            shutil.make_archive(str(new / student), "zip", new / student)
            shutil.rmtree(new / student)
        replace_folder(new, folder)
    table = folder.with_name(f"{folder.name}-expected.csv")
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_COLUMNS, *sorted(expected)])
    return table


def differences(outcomes: Iterable[Outcome], table: Path) -> list[str]:
    """Where what the tests gave differs from a table of what is expected, in lines.

    Raises
    ------
    UserError
        If the table cannot be read.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
        wanted = {(row["student"], row["lab"]): (row["kind"], float(row["points"])) for row in rows}
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            "no table of what is expected", value=str(table), allowed=", ".join(_COLUMNS)
        ) from error
    given = {
        (one.student, one.lab): sum(mark.points or 0.0 for mark in one.marks if not mark.by_hand)
        for one in outcomes
    }
    return [
        f"{student}, {lab} ({kind}): {given.get((student, lab), 'nothing')} instead of {points:g}"
        for (student, lab), (kind, points) in sorted(wanted.items())
        if given.get((student, lab)) != points
    ]


def _names(students: int, generator: random.Random) -> list[str]:
    pairs = [f"{first} {last}" for first in _FIRST for last in _LAST]
    generator.shuffle(pairs)
    return [
        pairs[number % len(pairs)] + (f" {number // len(pairs) + 1}" if number >= len(pairs) else "")
        for number in range(students)
    ]


def _draw(kinds: Sequence[Variant], students: int, generator: random.Random) -> list[Variant]:
    """A kind for each student: each once, as far as they go; of the rest two in three have solved it."""
    drawn = list(kinds[:students])
    while len(drawn) < students:
        drawn.append(kinds[0] if generator.random() < 2 / 3 else generator.choice(kinds[1:-1]))
    generator.shuffle(drawn)
    return drawn


def _hand_in(folder: Path, lab: str, data: bytes, generator: random.Random, *, may_zip: bool) -> None:
    """Put a notebook where students put it."""
    way = generator.choice(["folder", "folder", "alone", "zip" if may_zip else "folder"])
    if way == "alone":
        (folder / f"{lab}.ipynb").write_bytes(data)
        return
    (folder / lab).mkdir()
    if way == "folder":
        (folder / lab / f"{lab}.ipynb").write_bytes(data)
        return
    with zipfile.ZipFile(folder / lab / f"{lab}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{lab}/{lab}.ipynb", data)
