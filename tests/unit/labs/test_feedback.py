"""Students get marks and their author's messages back, and nothing that a kernel has printed."""

from __future__ import annotations

import copy

import pytest
from nbformat.v4 import new_output

from rnnkit.labs.execution import TAMPERED, decide
from rnnkit.labs.feedback import returned_notebook
from rnnkit.labs.formulas import local_formulas
from rnnkit.labs.release import leaks
from rnnkit.labs.variants import solved


@pytest.fixture
def graded(tiny, released):
    """As nbgrader leaves it: the student's answers, the tests with their hidden part."""
    notebook = solved(tiny, released)
    for cell, source in zip(notebook.cells, tiny.notebook().cells, strict=True):
        if cell.metadata.nbgrader.locked:
            cell.source = source.source
    return notebook


def fail(cell, ename, evalue):
    cell.outputs = [new_output("error", ename=ename, evalue=evalue, traceback=[evalue])]


def test_the_returned_notebook_holds_no_hidden_test(graded, released, tiny):
    assert leaks(tiny, graded)
    secret = "secret_walk = 0.25"
    for number in (1, 3):
        graded.cells[number].outputs = [new_output("stream", name="stdout", text=secret)]
    fail(graded.cells[2], "AssertionError", f"{secret} the state counts half")
    fail(graded.cells[4], secret, secret)
    returned, messages = returned_notebook(graded, released, ["A note with <b>tags</b>."])
    text = "\n".join(str(cell) for cell in returned.cells[1:])
    assert "secret" not in text + str(messages)
    assert [cell.source for cell in returned.cells[1:]] == [
        cell.source for cell in solved(tiny, released).cells
    ]
    assert "A note with &lt;b&gt;tags" in returned.cells[0].source


@pytest.mark.parametrize(
    ("number", "ename", "evalue", "line"),
    [
        (2, "AssertionError", "a state of nothing and no input stay nothing", "a state of nothing"),
        (
            2,
            "AssertionError",
            "\nNot equal to tolerance\nthe state counts half\nMismatch",
            "the state counts half",
        ),
        (4, "AssertionError", "one state per value, not 17", "one state per value, not …"),
        (4, "AssertionError", "something of the student's own", "(AssertionError)"),
        (4, "TypeError", "step() takes 1 argument", "(TypeError)"),
        (4, "Smuggled", "anything", "(an error)"),
        (4, "CellTimeoutError", "", "(it took too long)"),
    ],
)
def test_a_failed_test_says_what_its_author_wrote_and_no_more(graded, released, number, ename, evalue, line):
    fail(graded.cells[number], ename, evalue)
    _, messages = returned_notebook(graded, released, [])
    told = messages[graded.cells[number].metadata.nbgrader.grade_id]
    assert told.startswith("Not passed")
    assert line in told
    assert "17" not in told


def test_passed_partly_passed_and_decided(graded, released):
    graded.cells[2].outputs = [new_output("execute_result", data={"text/plain": "1"})]
    decide(graded.cells[4], TAMPERED, "The tests are no longer reliable: assert.")
    returned, messages = returned_notebook(graded, released, [])
    assert messages["step-tests"] == "Partly passed."
    assert messages["run-tests"] == "Not passed. The tests are no longer reliable: assert."
    assert all("rnnkit_outcome" not in cell.metadata for cell in returned.cells)


def test_errors_of_students_cells_are_told_in_words_only_before_the_first_test(graded, released):
    fail(graded.cells[1], "SyntaxError", "invalid syntax")
    fail(graded.cells[3], "NameError", "name 'secret_walk' is not defined")
    before = copy.deepcopy(graded)
    returned, _ = returned_notebook(graded, released, [])
    assert returned.cells[2].outputs[0].text == "SyntaxError: invalid syntax"
    assert returned.cells[4].outputs[0].text == "NameError"
    assert graded == before


def test_a_page_that_loads_its_formulas_in_another_way_is_not_handed_back_unseen():
    with pytest.raises(ValueError, match="0 times"):
        local_formulas("<script src='https://example.org/mathjax.js'></script>")
