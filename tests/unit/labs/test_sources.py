"""A lab's folder: questions, solutions, wrong submissions, and what is said of a bad one."""

from __future__ import annotations

import nbformat
import pytest

from rnnkit.errors import UserError
from rnnkit.labs.sources import Lab, find_labs, hidden_lines, solution_lines
from tests.unit.labs.tiny import make_tiny


def test_questions_and_solutions_are_those_of_the_notebook(tiny):
    found = [(one.grade_id, one.points, one.by_hand) for one in tiny.questions]
    assert found == [("step-tests", 4.0, False), ("run-tests", 4.0, False), ("why", 2.0, True)]
    assert set(tiny.solutions) == {"step", "run", "why"}
    assert not any("SOLUTION" in text for text in tiny.solutions.values())
    names: dict = {}
    exec(tiny.solutions["step"] + "\n" + tiny.solutions["run"], names)
    assert len(names["run"]([1.0, 2.0])) == 2


def test_regions_are_what_stands_between_their_markers():
    text = "a\n### BEGIN SOLUTION\nb\n### END SOLUTION\nc\n### BEGIN HIDDEN TESTS\nd\n### END HIDDEN TESTS\n"
    assert solution_lines(text) == ["b"]
    assert hidden_lines(text) == ["d"]


def test_labs_are_found_by_name(tmp_path, tiny):
    assert [lab.name for lab in find_labs(tiny.folder.parent)] == ["tiny"]
    with pytest.raises(UserError, match=r"unknown lab: 'large'; allowed: tiny"):
        find_labs(tiny.folder.parent, ["large"])
    with pytest.raises(UserError, match="no labs in this folder"):
        find_labs(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {name: a, why: b, cells: {}}", "other fields"),
        ("- {name: a, why: b, cells: {stop: x}, marks: {}}", "name what the lab does not have: 'stop'"),
        ("- {name: a, why: b, cells: {}, marks: {why: 0}}", "name what the lab does not have: 'why'"),
        ("name: a", "no list"),
        ("- [", "no YAML"),
    ],
)
def test_a_bad_wrong_yml_is_told(tmp_path, text, message):
    folder = make_tiny(tmp_path)
    (folder / "wrong.yml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        _ = Lab(folder).wrong


def test_a_grade_id_that_stands_twice_is_told(tmp_path):
    folder = make_tiny(tmp_path)
    notebook = nbformat.read(folder / "tiny.ipynb", as_version=4)
    notebook.cells[4].metadata.nbgrader.grade_id = "step-tests"
    nbformat.write(notebook, folder / "tiny.ipynb")
    with pytest.raises(UserError, match="stands at two cells: 'step-tests'"):
        _ = Lab(folder).questions
