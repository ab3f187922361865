"""From the bytes that a student handed in to a notebook that nbgrader can grade without surprises.

nbgrader trusts the metadata of cells, and stumbles where graded cells are missing, copied or changed
(nbgrader#1083, #981, #1941). Here every cell of the student version gets back its metadata, type and, if it is
locked, its text; what is missing is put back where it belongs. Only the answers are the student's.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from rnnkit.labs.sources import grade_id_of, is_solution, is_test


class Refused(Exception):
    """The submission cannot be graded; the message says why, to the student."""


def read_submission(data: bytes, released: Any) -> tuple[Any, list[str]]:
    """Read a submission and mend it.

    Parameters
    ----------
    data : bytes
    released : NotebookNode
        The student version that was handed out.

    Returns
    -------
    notebook : NotebookNode
        Without outputs, with every nbgrader cell of the student version exactly once.
    notes : list of str
        What was mended, in sentences to the student.

    Raises
    ------
    Refused
        If the bytes are no notebook.
    """
    return _mended(_parsed(data), released)


def _parsed(data: bytes) -> Any:
    import nbformat

    if not data.strip():
        raise Refused("The file is empty.")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Refused(
            "The file is no notebook: it is not written as one, or was cut short. Save it in Jupyter, "
            "open it once more to see that it opens, and hand that file in."
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("cells", content.get("worksheets")), list):
        raise Refused("The file is no notebook: it has no cells.")
    try:
        notebook = nbformat.convert(nbformat.from_dict(content), 4)
        for cell in notebook.cells:
            if cell.cell_type not in {"code", "markdown", "raw"}:
                raise Refused("The file is no notebook: it has a cell of an unknown kind.")
            cell.source = _text(cell.get("source", ""))
        return notebook
    except Refused:
        raise
    except Exception as error:  # whatever a damaged notebook makes nbformat stumble over
        raise Refused("The file is no notebook that can be read; its cells are damaged.") from error


def _text(source: Any) -> str:
    if isinstance(source, list):
        return "".join(map(str, source))
    if not isinstance(source, str):
        raise Refused("The file is no notebook: a cell's text is no text.")
    return source


def _mended(notebook: Any, released: Any) -> tuple[Any, list[str]]:
    import nbformat

    given = {grade_id_of(cell): cell for cell in released.cells if grade_id_of(cell)}
    answers, notes = _answers(notebook, given)
    cells = []
    placed: set[str] = set()
    for cell in notebook.cells:
        grade_id = grade_id_of(cell)
        if grade_id in given and answers.get(grade_id) is cell:
            placed.add(grade_id)
            cells.append(_own(given[grade_id], cell, notes))
        else:
            cells.append(_plain(cell))
    _put_back(cells, [cell for cell in released.cells if grade_id_of(cell)], placed, notes)
    mended = nbformat.v4.new_notebook(metadata=copy.deepcopy(released.metadata), cells=cells)
    return mended, notes


def _answers(notebook: Any, given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Which cell stands for which grade_id: of several, the first that differs from what was handed out."""
    found: dict[str, list[Any]] = {}
    for cell in notebook.cells:
        if (grade_id := grade_id_of(cell)) in given:
            found.setdefault(str(grade_id), []).append(cell)
    notes, answers = [], {}
    for grade_id, cells in found.items():
        changed = [cell for cell in cells if cell.source.strip() != given[grade_id].source.strip()]
        answers[grade_id] = (changed or cells)[0]
        if len(cells) > 1:
            notes.append(
                f"There were {len(cells)} cells {grade_id}; one was graded, the others ran as plain cells."
            )
    return answers, notes


def _own(given: Any, cell: Any, notes: list[str]) -> Any:
    """The cell that was handed out, with the student's text if it is one to write in."""
    mine = copy.deepcopy(given)
    if is_solution(given):
        mine.source = cell.source
    elif cell.source.strip() != given.source.strip():
        what = "tests" if is_test(given) else "text"
        notes.append(f"The {what} of cell {grade_id_of(given)} had been changed, and were set back.")
    return mine


def _plain(cell: Any) -> Any:
    """A cell of the student's own, without metadata (a tag can keep a cell from being run)."""
    from nbformat import v4

    make = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}[
        cell.cell_type
    ]
    return make(cell.source)


def _put_back(cells: list[Any], in_order: list[Any], placed: set[str], notes: list[str]) -> None:
    """Insert what is missing after the cell that comes before it in the student version."""
    before = None
    for given in in_order:
        grade_id = grade_id_of(given)
        if grade_id not in placed:
            where = (
                0
                if before is None
                else 1 + next(i for i, cell in enumerate(cells) if grade_id_of(cell) == before)
            )
            cells.insert(where, copy.deepcopy(given))
            notes.append(f"The cell {grade_id} was missing, and was put back as it was handed out.")
        before = grade_id
