"""Submissions made up from a lab's source: solved, wrong in a known way, and broken in every general way."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnkit.labs.outcome import BY_HAND, GRADED, STOPPED, UNREADABLE
from rnnkit.labs.sources import Lab, grade_id_of, is_solution, is_test

# What a curious submission does in each of its cells: it prints what it finds of the tests, in memory and on disk.
_CURIOUS = """
import pathlib, sys
def look():
    looks = get_ipython().user_ns.setdefault("_looks", [])
    looks.append(None)
    if len(looks) > 30:  # enough is seen; a submission that prints on and on is stopped
        return
    print("\\n".join(map(str, get_ipython().user_ns.get("In", []))))
    frame = sys._getframe()
    while frame:
        print(frame.f_code.co_consts, frame.f_code.co_names, list(frame.f_locals)[:50])
        frame = frame.f_back
    if len(looks) > 1:
        return
    for place in (pathlib.Path.cwd(), pathlib.Path.cwd().parent):
        found = [*place.glob("*.ipynb"), *place.glob("*/*/*/*.ipynb")]
        for path in sorted(found, key=lambda path: path.stat().st_mtime)[-20:]:
            print(path.read_text()[:100_000])
look()
class Curious:
    def __getattr__(self, name):
        look()
        raise AssertionError(str(sys._getframe(1).f_code.co_consts))
    def __call__(self, *arguments, **named):
        look()
        raise AssertionError(str(sys._getframe(1).f_code.co_consts))
"""
_LOOP = "while True:\n    pass"
_CRASH = "import ctypes\nctypes.string_at(0)"


@dataclass(frozen=True)
class Variant:
    """A made-up submission and what it deserves.

    Parameters
    ----------
    name, why : str
    data : bytes, optional
        What is handed in; None for nothing.
    marks : mapping
        Points by grade_id of what the tests mark.
    statuses : tuple of str
        Those that are right for it.
    seconds : int, optional
        A limit per cell of its own.
    """

    name: str
    why: str
    data: bytes | None
    marks: Mapping[str, float]
    statuses: tuple[str, ...] = (GRADED, BY_HAND)
    seconds: int | None = None


def solved(lab: Lab, released: Any, instead: Mapping[str, str] | None = None) -> Any:
    """The student version with the solutions filled in, or other text for some cells, by grade_id."""
    notebook = copy.deepcopy(released)
    answers = {**lab.solutions, **(instead or {})}
    for cell in notebook.cells:
        if (grade_id := grade_id_of(cell)) in answers:
            cell.source = answers[grade_id]
    return notebook


def variants(lab: Lab, released: Any, *, broken: bool = True) -> list[Variant]:
    """The submissions that a lab is checked with: solved, blank, its own wrong ones, and those that are broken.

    Parameters
    ----------
    lab : Lab
    released : NotebookNode
        The student version.
    broken : bool
        Whether those that are broken in a way that has nothing to do with the lab are among them.
    """
    full = {question.grade_id: question.points for question in lab.questions if not question.by_hand}
    right = Variant("solution", "Every cell holds its solution.", to_bytes(solved(lab, released)), full)
    wrong = [
        Variant(entry.name, entry.why, to_bytes(solved(lab, released, entry.cells)), {**full, **entry.marks})
        for entry in lab.wrong
    ]
    nothing = dict.fromkeys(full, 0.0)
    blank = Variant("blank", "Handed in as it was handed out.", to_bytes(released), nothing)
    return [right, *wrong, blank, *(_broken(lab, released, full, nothing) if broken else [])]


def _broken(
    lab: Lab, released: Any, full: Mapping[str, float], nothing: Mapping[str, float]
) -> list[Variant]:
    first, every = _code_answers(released)[:1], _code_answers(released)
    text = to_bytes(solved(lab, released))
    without = solved(lab, released)
    tests = [cell for cell in without.cells if is_test(cell)]
    without.cells = [cell for cell in without.cells if cell is not (tests or [None])[0]]
    curious = dict.fromkeys(every, _CURIOUS)
    for grade_id in every:
        names = _defined(lab.solutions[grade_id])
        curious[grade_id] += "".join(f"{name} = Curious()\n" for name in names)
    return [
        Variant(
            "infinite loop",
            "The first answer never ends.",
            to_bytes(_filled(released, dict.fromkeys(first, _LOOP))),
            nothing,
            (GRADED, BY_HAND, STOPPED),
            seconds=5,
        ),
        Variant(
            "crash",
            "The first answer takes Python down.",
            to_bytes(_filled(released, dict.fromkeys(first, _CRASH))),
            nothing,
            (STOPPED,),
        ),
        Variant("no notebook", "The file was cut short.", text[: len(text) // 3], nothing, (UNREADABLE,)),
        Variant("deleted test", "Solved, but the first cell of tests was deleted.", to_bytes(without), full),
        Variant(
            "curious",
            "It prints what it can find of the hidden tests.",
            to_bytes(_filled(released, curious)),
            nothing,
        ),
    ]


def _code_answers(released: Any) -> list[str]:
    return [grade_id_of(cell) for cell in released.cells if cell.cell_type == "code" and is_solution(cell)]


def _filled(released: Any, answers: Mapping[str, str]) -> Any:
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        if (grade_id := grade_id_of(cell)) in answers:
            cell.source = answers[grade_id]
    return notebook


def _defined(source: str) -> list[str]:
    """Names that a cell defines at its top level."""
    import ast

    names = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [
                name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)
            ]
    return names


def to_bytes(notebook: Any) -> bytes:
    """A notebook as the bytes of its file."""
    import nbformat

    return bytes(nbformat.writes(notebook).encode("utf-8"))
