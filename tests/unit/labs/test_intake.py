"""Whatever is handed in becomes a notebook with every cell of the student version once, or a reason."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from rnnkit.labs.intake import Refused, read_submission
from rnnkit.labs.sources import nbgrader_of
from rnnkit.labs.variants import solved


def data(notebook) -> bytes:
    return nbformat.writes(notebook).encode()


def assert_whole(notebook, released):
    """Each nbgrader cell of the release once, in order, with its metadata and type; locked ones with their text."""
    mine = [cell for cell in notebook.cells if nbgrader_of(cell)]
    given = [cell for cell in released.cells if nbgrader_of(cell)]
    assert [cell.metadata for cell in mine] == [cell.metadata for cell in given]
    assert [cell.cell_type for cell in mine] == [cell.cell_type for cell in given]
    for one, other in zip(mine, given, strict=True):
        if nbgrader_of(other)["locked"]:
            assert one.source == other.source
    nbformat.validate(notebook)


def test_an_honest_submission_is_taken_as_it_is(tiny, released):
    submission = solved(tiny, released)
    submission.cells.insert(2, new_code_cell("print(step(1, 2))"))
    notebook, notes = read_submission(data(submission), released)
    assert notes == []
    assert_whole(notebook, released)
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in submission.cells]


@pytest.mark.parametrize("gone", [0, 1, 2, 3, 4, 5, [1, 2], [0, 1, 2, 3, 4, 5]])
def test_missing_cells_are_put_back_where_they_were(tiny, released, gone):
    gone = [gone] if isinstance(gone, int) else gone
    submission = solved(tiny, released)
    submission.cells = [cell for number, cell in enumerate(submission.cells) if number not in gone]
    notebook, notes = read_submission(data(submission), released)
    assert len(notes) == len(gone)
    assert_whole(notebook, released)
    assert notebook.cells[4].source == released.cells[4].source


def test_of_copied_cells_the_one_that_was_answered_counts(tiny, released):
    submission = solved(tiny, released)
    submission.cells.insert(1, copy.deepcopy(released.cells[1]))  # unanswered, before the answered one
    submission.cells.insert(3, copy.deepcopy(submission.cells[2]))
    for number, cell in enumerate(submission.cells):
        cell.id = f"cell-{number}"
    notebook, notes = read_submission(data(submission), released)
    assert any("3 cells step" in note for note in notes)
    assert_whole(notebook, released)
    assert (
        next(cell for cell in notebook.cells if nbgrader_of(cell).get("grade_id") == "step").source
        == (tiny.solutions["step"])
    )


def spoil_tests(cell):
    cell.source = "pass"


def spoil_points(cell):
    cell.metadata.nbgrader.points = 1000


def spoil_kind(cell):
    cell.metadata.nbgrader.update(grade=False, solution=True, locked=False)


def spoil_tags(cell):
    cell.metadata.tags = ["skip-execution"]  # nbclient would pass over it, and nbgrader give full marks


def spoil_type(cell):
    cell.cell_type = "raw"
    del cell["outputs"], cell["execution_count"]


@pytest.mark.parametrize("spoil", [spoil_tests, spoil_points, spoil_kind, spoil_tags, spoil_type])
def test_tests_are_as_they_were_handed_out_whatever_was_done_to_them(tiny, released, spoil):
    submission = solved(tiny, released)
    spoil(submission.cells[2])
    notebook, notes = read_submission(data(submission), released)
    assert_whole(notebook, released)
    assert bool(notes) == (spoil is spoil_tests)


def test_nothing_but_text_is_taken_of_a_students_own_cells(tiny, released):
    submission = solved(tiny, released)
    own = new_code_cell(
        "x = 1", metadata={"tags": ["skip-execution"], "nbgrader": {"grade_id": "mine", "grade": True}}
    )
    submission.cells.append(own)
    notebook, _ = read_submission(data(submission), released)
    assert notebook.cells[-1].source == "x = 1"
    assert notebook.cells[-1].metadata == {}


def test_old_and_sloppy_notebooks_are_read(tiny, released):
    content = json.loads(data(solved(tiny, released)))
    content["nbformat_minor"] = 2
    for cell in content["cells"]:
        cell.pop("id", None)
    content["cells"][0]["unknown"] = 1
    notebook, notes = read_submission(b"\xef\xbb\xbf" + json.dumps(content).encode(), released)
    assert notes == []
    assert_whole(notebook, released)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"  \n",
        b"PK\x03\x04 not a notebook",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"cells": 1, "nbformat": 4}',
        b'{"cells": [1], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        b'{"cells": [{"cell_type": "poem", "source": ""}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        b'{"cells": [{"cell_type": "code", "source": 7}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        b'{"cells": [{"source": "no type"}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        b'{"cells": [], "nbformat": 99, "nbformat_minor": 0, "metadata": {}}',
        b"[" * 100_000,
        b'{"a": ' * 50_000,
    ],
)
def test_what_is_no_notebook_is_refused_kindly(released, nonsense):
    with pytest.raises(Refused, match=r"^The file is .*\."):
        read_submission(nonsense, released)


def test_a_notebook_cut_short_anywhere_is_refused(tiny, released):
    whole = data(solved(tiny, released))
    for end in range(1, len(whole) - 2, 97):
        with pytest.raises(Refused):
            read_submission(whole[:end], released)
