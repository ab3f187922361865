"""The labs of the book: nbgrader notebooks, their questions, their wrong submissions.

A lab is a folder ``NAME`` with ``NAME.ipynb``, an nbgrader source notebook, and ``wrong.yml``: a list of wrong
submissions, each with

- ``name`` and ``why``: a short name, and what is wrong, in a sentence;
- ``cells``: new source by grade_id of solution cells; the others hold the solution;
- ``marks``: the points deserved by grade_id; the questions left out deserve full marks.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnkit import paths
from rnnkit.errors import UserError

WRONG = "wrong.yml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
_HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
_SCHEME = ("=== BEGIN MARK SCHEME ===", "=== END MARK SCHEME ===")


@dataclass(frozen=True)
class Question:
    """A graded cell: its grade_id, its points, and whether a person has to mark it."""

    grade_id: str
    points: float
    by_hand: bool


@dataclass(frozen=True)
class Wrong:
    """A wrong submission and what it deserves."""

    name: str
    why: str
    cells: Mapping[str, str]
    marks: Mapping[str, float]


def nbgrader_of(cell: Any) -> Mapping[str, Any]:
    """The nbgrader metadata of a cell; empty where it has none, or nothing that deserves the name."""
    metadata = cell.metadata.get("nbgrader") if hasattr(cell, "metadata") else None
    return metadata if isinstance(metadata, Mapping) else {}


def grade_id_of(cell: Any) -> str:
    """The grade_id of a cell; empty where it has none."""
    grade_id = nbgrader_of(cell).get("grade_id")
    return grade_id if isinstance(grade_id, str) else ""


def is_solution(cell: Any) -> bool:
    """Whether students write in this cell."""
    return bool(nbgrader_of(cell).get("solution"))


def is_test(cell: Any) -> bool:
    """Whether this is a cell of tests, which students may not change."""
    return bool(nbgrader_of(cell).get("grade")) and not is_solution(cell)


def regions(source: str, markers: tuple[str, str]) -> list[str]:
    """The lines between pairs of markers."""
    inside, found = False, []
    for line in source.splitlines():
        if markers[0].lower() in line.lower():
            inside = True
        elif markers[1].lower() in line.lower():
            inside = False
        elif inside:
            found.append(line)
    return found


def solution_lines(source: str) -> list[str]:
    """What a solution cell holds that no student may be given."""
    return regions(source, _SOLUTION)


def hidden_lines(source: str) -> list[str]:
    """What a cell holds that only the teacher may see: hidden tests, mark schemes."""
    return regions(source, _HIDDEN) + regions(source, _SCHEME)


@dataclass(frozen=True)
class Lab:
    """A lab's folder.

    Raises
    ------
    UserError
        When it is made, if there is no notebook of its name.
    """

    folder: Path

    def __post_init__(self) -> None:
        if not self.path.is_file() or not _NAME.fullmatch(self.name):
            raise UserError(
                "this is no lab",
                value=str(self.folder),
                allowed="a folder NAME (letters, digits, - and _) with a notebook NAME.ipynb",
            )

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def path(self) -> Path:
        """The source notebook."""
        return self.folder / f"{self.folder.name}.ipynb"

    @property
    def files(self) -> list[Path]:
        """What is handed out with the notebook: every other file of the folder, but for the wrong submissions."""
        return sorted(
            path
            for path in self.folder.rglob("*")
            if path.is_file()
            and path.name != WRONG
            and path.suffix != ".ipynb"
            and not any(part.startswith((".", "__")) for part in path.relative_to(self.folder).parts)
        )

    @cached_property
    def _node(self) -> Any:
        import nbformat

        try:
            return nbformat.read(self.path, as_version=4)
        except (OSError, ValueError, KeyError, nbformat.ValidationError) as error:
            raise UserError("this is no notebook", value=str(self.path), hint=str(error)) from error

    def notebook(self) -> Any:
        """A copy of the source notebook (a NotebookNode), with solutions and hidden tests."""
        return copy.deepcopy(self._node)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The graded cells, in order.

        Raises
        ------
        UserError
            If two cells have one grade_id.
        """
        ids = [grade_id_of(cell) for cell in self._node.cells if nbgrader_of(cell)]
        if twice := sorted({grade_id for grade_id in ids if ids.count(grade_id) > 1}):
            raise UserError(f"a grade_id of {self.name} stands at two cells", value=", ".join(twice))
        return tuple(
            Question(
                grade_id_of(cell),
                float(nbgrader_of(cell)["points"]),
                is_solution(cell) or cell.cell_type != "code",
            )
            for cell in self._node.cells
            if nbgrader_of(cell).get("grade")
        )

    @cached_property
    def solutions(self) -> dict[str, str]:
        """Source of the solution cells by grade_id, as a student would have it who solved them."""
        return {
            grade_id_of(cell): _without_markers(cell.source) for cell in self._node.cells if is_solution(cell)
        }

    @cached_property
    def wrong(self) -> tuple[Wrong, ...]:
        """The wrong submissions of ``wrong.yml``; none where there is no such file.

        Raises
        ------
        UserError
            If an entry lacks a field, or names a cell or a question that the lab does not have.
        """
        import yaml

        path = self.folder / WRONG
        if not path.is_file():
            return ()
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        except yaml.YAMLError as error:
            raise UserError("this is no YAML", value=str(path), hint=str(error)) from error
        if not isinstance(entries, list):
            raise UserError("the wrong submissions are no list", value=str(path))
        return tuple(self._wrong(entry, path) for entry in entries)

    def _wrong(self, entry: Any, path: Path) -> Wrong:
        fields = {"name", "why", "cells", "marks"}
        if not isinstance(entry, dict) or set(entry) != fields:
            raise UserError(
                f"a wrong submission in {path} has other fields",
                value=sorted(entry) if isinstance(entry, dict) else entry,
                allowed=sorted(fields),
            )
        marked = [question.grade_id for question in self.questions if not question.by_hand]
        for field, known in (("cells", list(self.solutions)), ("marks", marked)):
            if unknown := sorted(set(entry[field]) - set(known)):
                raise UserError(
                    f"{field} of {entry['name']!r} in {path} name what the lab does not have",
                    value=", ".join(unknown),
                    allowed=known,
                )
        marks = {grade_id: float(points) for grade_id, points in entry["marks"].items()}
        return Wrong(str(entry["name"]), str(entry["why"]), dict(entry["cells"]), marks)


def _without_markers(source: str) -> str:
    markers = [marker.lower() for marker in _SOLUTION]
    lines = [line for line in source.splitlines() if not any(marker in line.lower() for marker in markers)]
    return "\n".join(lines)


def labs_folder() -> Path:
    """Where the book's labs are."""
    return paths.repository() / "book" / "labs"


def find_labs(folder: Path | None = None, names: Iterable[str] = ()) -> list[Lab]:
    """The labs of a folder, by name.

    Parameters
    ----------
    folder : Path, optional
        Default: the book's.
    names : iterable of str
        Only these; none means all.

    Raises
    ------
    UserError
        If there is no lab, or none of a name.
    """
    folder = folder or labs_folder()
    found = (path for path in sorted(folder.glob("*/*.ipynb")) if path.stem == path.parent.name)
    known = {path.stem: path.parent for path in found}
    if not known:
        raise UserError("there are no labs in this folder", value=str(folder), allowed="NAME/NAME.ipynb")
    chosen = list(names) or list(known)
    for name in chosen:
        if name not in known:
            raise UserError("unknown lab", value=name, allowed=known)
    return [Lab(known[name]) for name in chosen]
