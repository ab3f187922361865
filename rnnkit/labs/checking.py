"""Do the graders give what is deserved? Every lab's solution, its wrong submissions and the general ones."""

from __future__ import annotations

import ast
import html
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.labs.course import make_course, read_notebook, released_notebook
from rnnkit.labs.grading import hidden_folders
from rnnkit.labs.jail import can_shut_in
from rnnkit.labs.limits import Limits
from rnnkit.labs.outcome import FEEDBACK, RETURNED, Outcome, read_outcome
from rnnkit.labs.release import leaks
from rnnkit.labs.sources import Lab, hidden_lines, solution_lines
from rnnkit.labs.variants import Variant, variants
from rnnkit.labs.workers import SUBMISSION, Task, checked_workers, run_tasks

_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Check:
    """What a made-up submission was given, and what is wrong with that; an empty problem is none."""

    lab: str
    variant: str
    points: float
    most: float
    seconds: float
    problem: str = ""


def check_labs(
    labs: Sequence[Lab],
    *,
    workers: int | None = None,
    limits: Limits | None = None,
    everything: bool = False,
    solutions: bool = False,
    tell: Callable[[Check], None] = lambda check: None,
) -> list[Check]:
    """Grade made-up submissions of labs as a class's are graded, and compare the marks with the deserved ones.

    Parameters
    ----------
    labs : sequence of Lab
    workers : int, optional
        Submissions at a time. Default: one per core, as memory allows.
    limits : Limits, optional
    everything : bool
        Break every lab in every general way, and make every feedback page. If not, only the first lab's: that an
        endless loop is stopped hangs on no lab.
    solutions : bool
        Of all labs but the first, grade the solution alone.
    tell : callable
        Called with each result as it comes.

    Returns
    -------
    list of Check
        In the order of the labs.

    Raises
    ------
    UserError
        If a source is no good, or its student version gives something away.
    """
    limits, workers = limits or Limits(cell_seconds=300, submission_seconds=1200), checked_workers(workers)
    checks: list[Check] = []
    with (
        tempfile.TemporaryDirectory(prefix="rnnkit-course-") as course,
        tempfile.TemporaryDirectory(prefix="rnnkit-check-") as running,
    ):
        make_course(labs, Path(course))
        shut_in = can_shut_in()
        secret = [Path(course), Path(running), *{lab.folder.parent for lab in labs}]
        common = {"course": course, "shut_in": shut_in, "hidden": list(map(str, hidden_folders(secret)))}
        tasks, wanted = [], {}
        for lab in labs:
            released = read_notebook(released_notebook(Path(course), lab.name))
            if left := leaks(lab, released):
                raise UserError(f"the student version of {lab.name} gives a secret away", value=left[0])
            thorough = everything or lab is labs[0]
            made = variants(lab, released, broken=thorough)
            for variant in made if thorough or not solutions else made[:1]:
                task = _task(lab, variant, limits, {**common, "with_page": thorough})
                tasks.append(task)
                wanted[task.name] = (lab, variant, secrets_of(lab, released))

        def finished(task: Task, done: Path, failure: str) -> None:
            lab, variant, secret_words = wanted[task.name]
            check = _compare(lab, variant, read_outcome(done), failure, _told(done), secret_words)
            checks.append(check)
            tell(check)

        run_tasks(tasks, Path(running), workers, finished, "Checking")
    order = list(wanted)
    return sorted(checks, key=lambda check: order.index(_name(check.lab, check.variant)))


def _name(lab: str, variant: str) -> str:
    return f"{lab}: {variant}"


def _task(lab: Lab, variant: Variant, limits: Limits, common: Mapping[str, Any]) -> Task:
    own = {**limits.to_dict(), **({"cell_seconds": variant.seconds} if variant.seconds else {})}
    order = {
        "student": variant.name,
        "lab": lab.name,
        "key": "",
        "questions": [[one.grade_id, one.points, one.by_hand] for one in lab.questions],
        "limits": own,
        **common,
    }
    return Task(_name(lab.name, variant.name), order, {SUBMISSION: variant.data or b""})


def _compare(
    lab: Lab, variant: Variant, outcome: Outcome | None, failure: str, told: str, secret_words: Sequence[str]
) -> Check:
    if failure or outcome is None:
        return Check(lab.name, variant.name, 0.0, 0.0, 0.0, failure or "there is no result")
    got = {mark.grade_id: mark.points for mark in outcome.marks if not mark.by_hand}
    problems = [
        f"{grade_id} got {got.get(grade_id)} of {deserved:g} deserved"
        for grade_id, deserved in variant.marks.items()
        if got.get(grade_id) != deserved
    ]
    if outcome.state not in variant.statuses:
        problems.append(f"it is {outcome.state}, not {' or '.join(variant.statuses)}: {outcome.reason}")
    problems += [f"feedback tells of a hidden test: {word!r}" for word in secret_words if word in told][:1]
    points = sum(mark.points or 0.0 for mark in outcome.marks if not mark.by_hand)
    most = sum(mark.most for mark in outcome.marks if not mark.by_hand)
    return Check(lab.name, variant.name, points, most, outcome.seconds, "; ".join(problems))


def _told(done: Path) -> str:
    """All that a student would be told, as text."""
    told, page, returned = [], done / FEEDBACK, done / RETURNED
    if page.is_file():
        told.append(html.unescape(_TAG.sub("", page.read_text(encoding="utf-8"))))
    if returned.is_file():
        told += [text for cell in read_notebook(returned).cells for text in _texts(cell)]
    if outcome := read_outcome(done):
        told += [mark.message for mark in outcome.marks]
    return "\n".join(told)


def _texts(cell: Any) -> list[str]:
    return [cell.source, *(output.get("text", "") for output in cell.get("outputs", []))]


def secrets_of(lab: Lab, released: Any) -> list[str]:
    """Lines and names of hidden tests that stand nowhere else: neither handed out, nor in solutions or messages."""
    cells = lab.notebook().cells
    open_text = "\n".join(
        [cell.source for cell in released.cells] + ["\n".join(solution_lines(cell.source)) for cell in cells]
    )
    hidden = ["\n".join(hidden_lines(cell.source)) for cell in cells]
    lines = [
        line.strip() for text in hidden for line in text.splitlines() if sum(map(str.isalnum, line)) >= 8
    ]
    names: set[str] = set()
    for text in hidden:
        names |= _names(text)
    return [line for line in lines if line not in open_text] + sorted(
        name for name in names if len(name) >= 6 and name not in open_text
    )


def _names(text: str) -> set[str]:
    """Names that hidden tests give, but for words of their messages."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return set()
    stored = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    stored |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    said = " ".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {name for name in stored if name not in said}
