"""What a student gets back: the own notebook with marks, and nothing that the hidden tests hold.

Student code runs in the kernel that runs the tests, so anything that a kernel prints may be a copy of them, in
disguise too. Therefore no output of the grading run is returned. A test's line says whether it was passed and, if
the message of its failure is one that the tests' author wrote, this message; values in it are left out.
"""

from __future__ import annotations

import ast
import builtins
import copy
import html
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnkit.labs.course import STUDENT, course_directory, gradebook, nbgrader_log, read_notebook
from rnnkit.labs.formulas import local_formulas
from rnnkit.labs.outcome import FEEDBACK, RETURNED, Outcome, outcome_from
from rnnkit.labs.sources import grade_id_of, is_solution, is_test

OUTCOME_KEY = "rnnkit_outcome"  # metadata of a cell that the guard, not the kernel, has decided about
_SHORTEST_MESSAGE = 8
_LONGEST_DETAIL = 200
_OUTPUT_WORD = "What your cells print is not shown here: you see it in your own notebook."


def returned_notebook(graded: Any, released: Any, notes: Sequence[str]) -> tuple[Any, dict[str, str]]:
    """The notebook to make feedback of, and each test's line.

    Parameters
    ----------
    graded, released : NotebookNode
        As it was graded, with hidden tests and outputs; as it was handed out.
    notes : sequence of str
        To stand above everything.

    Returns
    -------
    notebook : NotebookNode
    messages : dict of str to str
        By grade_id of the tests.
    """
    from nbformat.v4 import new_markdown_cell, new_output

    given = {grade_id_of(cell): cell for cell in released.cells if grade_id_of(cell)}
    returned, messages, tested = copy.deepcopy(graded), dict[str, str](), False
    for cell in returned.cells:
        grade_id = grade_id_of(cell)
        if cell.cell_type == "code":
            outputs, cell.outputs = cell.outputs, []
            if is_test(cell):
                line = messages[grade_id] = _test_line(cell, outputs)
                tested = True
            else:
                line = _code_line(cell, outputs, tested)
            if line:
                cell.outputs = [new_output("stream", name="stdout", text=line)]
        if grade_id in given and not is_solution(cell):
            cell.source = given[grade_id].source
        cell.metadata.pop(OUTCOME_KEY, None)
    text = "\n".join(f"- {html.escape(note, quote=False)}" for note in [*notes, _OUTPUT_WORD])
    returned.cells.insert(0, new_markdown_cell(text))
    return returned, messages


def _test_line(cell: Any, outputs: Sequence[Any]) -> str:
    if decided := cell.metadata.get(OUTCOME_KEY):
        return f"Not passed. {decided}"
    errors = [output for output in outputs if output.output_type == "error"]
    if not errors:
        return "Partly passed." if outputs else "Passed."
    if told := _written_message(cell.source, str(errors[0].evalue)):
        return f"Not passed: {told}"
    return f"Not passed ({_public_name(errors[0].ename)}). Run the tests in your own notebook to see where."


def _code_line(cell: Any, outputs: Sequence[Any], tested: bool) -> str:
    if decided := cell.metadata.get(OUTCOME_KEY):
        return str(decided)
    errors = [output for output in outputs if output.output_type == "error"]
    if not errors:
        return ""
    name, detail = _public_name(errors[0].ename), str(errors[0].evalue)
    # Before the first test has run, no test can be in what the code says.
    may_tell = not tested and detail and len(detail) <= _LONGEST_DETAIL
    return f"{name}: {detail}" if may_tell else name


def _public_name(ename: str) -> str:
    """The name of an error of Python's own; student code can give its own errors any name."""
    if ename == "CellTimeoutError":
        return "it took too long"
    kind = getattr(builtins, ename, None)
    return ename if isinstance(kind, type) and issubclass(kind, BaseException) else "an error"


def _written_message(source: str, said: str) -> str:
    """The message of the tests that was said, with dots for the values in it; empty if it was none of them."""
    for parts in _messages(source):
        pattern = ".*".join(re.escape(part) for part in parts)
        if sum(map(len, parts)) >= _SHORTEST_MESSAGE and re.search(pattern, said, re.DOTALL):
            return "…".join(parts).strip()
    return ""


def _messages(source: str) -> list[list[str]]:
    """Every message that asserts, raises and err_msg arguments hold, as the constant parts around values."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.msg is not None:
            found.append(node.msg)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found += node.exc.args
        elif isinstance(node, ast.Call):
            found += [word.value for word in node.keywords if word.arg in {"err_msg", "msg"}]
    return sorted(filter(None, map(_constant_parts, found)), key=lambda parts: -sum(map(len, parts)))


def _constant_parts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if not isinstance(node, ast.JoinedStr):
        return []
    parts = [""]
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts[-1] += str(value.value)
        else:
            parts.append("")
    return parts


def fill_gradebook(root: Path, outcome: Outcome, student: str = STUDENT) -> None:
    """Write an outcome's marks and comments into the gradebook of a course folder."""
    lab = outcome.lab
    with gradebook(root) as book:
        book.update_or_create_student(student)
        book.update_or_create_submission(lab, student)
        for mark in outcome.marks:
            grade = book.find_grade(mark.grade_id, lab, lab, student)
            grade.auto_score, grade.manual_score = mark.points, mark.hand_points
            grade.needs_manual_grade = mark.score is None
            if mark.by_hand:
                book.find_comment(mark.grade_id, lab, lab, student).manual_comment = mark.comment or None
        book.db.commit()


def write_feedback(outcome: Outcome, returned: Any, root: Path, target: Path) -> None:
    """Let nbgrader make the feedback page.

    Parameters
    ----------
    outcome : Outcome
        Whose marks to show.
    returned : NotebookNode
        As :func:`returned_notebook` gives it.
    root : Path
        A course folder with the lab; its gradebook is written to.
    target : Path
        The HTML file.
    """
    import nbformat
    from nbconvert.exporters import HTMLExporter
    from nbgrader.converters import GenerateFeedback

    fill_gradebook(root, outcome)
    source = root / "autograded" / STUDENT / outcome.lab / f"{outcome.lab}.ipynb"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.unlink(missing_ok=True)  # nbgrader leaves it read-only
    nbformat.write(returned, source)
    converter = GenerateFeedback(coursedir=course_directory(root, outcome.lab, STUDENT))
    converter.exporter_class = HTMLExporter  # the application would choose it
    converter.config.HTMLExporter.sanitize_html = (
        True  # a student's text may hold scripts; the teacher opens it too
    )
    with nbgrader_log(converter) as said:
        try:
            converter.start()
        except (Exception, SystemExit) as error:
            raise RuntimeError("\n".join([*said, str(error)])) from error
    page = root / "feedback" / STUDENT / outcome.lab / f"{outcome.lab}.html"
    target.write_text(local_formulas(page.read_text(encoding="utf-8")), encoding="utf-8")


def feedback_again(order: Mapping[str, Any], done: Path) -> None:
    """Make the page of an outcome that lies in ``done``, after marks by hand have come or gone."""
    outcome = outcome_from(order["outcome"])
    with tempfile.TemporaryDirectory(prefix="rnnkit-course-") as course:
        root = Path(course)
        shutil.copytree(order["course"], root, dirs_exist_ok=True)
        write_feedback(outcome, read_notebook(done / RETURNED), root, done / FEEDBACK)
