"""A class in which everything happens that may: made up, graded in one call, handed back, graded again."""

from __future__ import annotations

import csv
import html
import io
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from rnnkit.labs import grading, rehearsal, workers
from rnnkit.labs.course import STUDENT, course_directory, gradebook, read_notebook, released_notebook
from rnnkit.labs.formulas import SCRIPT
from rnnkit.labs.grading import ClassResult, grade_class
from rnnkit.labs.jail import can_shut_in
from rnnkit.labs.limits import Limits
from rnnkit.labs.outcome import Outcome
from rnnkit.labs.rehearsal import differences, rehearse
from rnnkit.labs.sources import Lab
from rnnkit.labs.variants import Variant, solved, variants

KINDS = ("solution", "one step late", "crash", "no notebook", "curious")
LIMITS = Limits(cell_seconds=15, submission_seconds=120, memory_gb=0.6)

WRONG_STEP = "import numpy as np\n\ndef step(state, value):\n    return state + value + 1\n"
WRONG_RUN = "def run(values):\n    return [7.0 for _ in values]\n"
NO_ASSERTS = """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(Drop())
"""
CHEATS = {
    "drops asserts": {"step": NO_ASSERTS + WRONG_STEP, "run": WRONG_RUN},
    "patches numpy": {
        "step": "import numpy.testing\nnumpy.testing.assert_allclose = lambda *a, **k: None\n"
        + WRONG_STEP.replace("+ 1", "* 1"),
    },
    "shows points": {
        "step": "def step(state, value):\n    get_ipython().displayhook(4)\n    return state + value + 1\n",
        "run": "import sys\ndef run(values):\n    print('a warning', file=sys.stderr)\n"
        "    return [step_(0.0, v) for v in values]\n",
    },
}
HOG = "kept = []\nwhile True:\n    kept.append(bytearray(b'x') * (50 * 2**20))\n"
# Not faster than it is read: else its memory may run out first.
FLOOD = "import time\nwhile True:\n    print('x' * 10**6)\n    time.sleep(0.05)\n"
SPY = """
import os, pathlib, socket
import numpy as np
def seen():
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
        yield "network"
    except OSError as error:
        yield f"network: {error.errno}"
    yield f"processes: {len([name for name in os.listdir('/proc') if name.isdigit()])}"
    yield f"tests: {list(pathlib.Path(SECRET).rglob('*.ipynb'))}"
    yield f"home: {os.environ['HOME'] == os.getcwd()}"
    yield f"told: {sorted(name for name in os.environ if 'TOKEN' in name)}"
print("\\n".join(seen()))
def step(state, value):
    return np.tanh(0.5 * state + value)
"""


@dataclass(frozen=True)
class Class:
    """The submissions, what is expected of the made-up ones, the first result."""

    folder: Path
    table: Path
    lab: Lab
    result: ClassResult

    def outcome(self, student: str) -> Outcome:
        return next(one for one in self.result.outcomes if one.student == student)

    def again(self) -> ClassResult:
        return grade_class(self.folder, [self.lab], limits=LIMITS)


def write(folder: Path, lab: Lab, released, answers: Mapping[str, str]) -> None:
    (folder / lab.name).mkdir(parents=True)
    nbformat.write(solved(lab, released, answers), folder / lab.name / f"{lab.name}.ipynb")


def few(lab: Lab, released) -> list[Variant]:
    """What this file needs of the made-up submissions; `labs check` grades all of them."""
    return [one for one in variants(lab, released) if one.name in KINDS]


@pytest.fixture(scope="module")
def school(tiny: Lab, course: Path, tmp_path_factory: pytest.TempPathFactory) -> Class:
    folder = tmp_path_factory.mktemp("class") / "submissions"
    released = read_notebook(released_notebook(course, tiny.name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal, "variants", few)
        table = rehearse(folder, [tiny], students=len(KINDS) + 1)
    for name, answers in CHEATS.items():
        write(folder / name, tiny, released, answers)
    write(folder / "hog", tiny, released, {"run": HOG})
    write(folder / "flood", tiny, released, {"run": FLOOD})
    write(folder / "spy", tiny, released, {"step": SPY.replace("SECRET", repr(str(folder)))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_TOKEN", "abc")
        result = grade_class(folder, [tiny], limits=LIMITS)
    return Class(folder, table, tiny, result)


def test_every_made_up_submission_gets_what_it_deserves(school):
    assert differences(school.result.outcomes, school.table) == []
    kinds = [row["kind"] for row in csv.DictReader(io.StringIO(school.table.read_text("utf-8")))]
    assert sorted(kinds) == sorted([*KINDS, "nothing"])


def test_a_difference_would_be_told(school, tmp_path):
    table = tmp_path / "expected.csv"
    table.write_text(school.table.read_text("utf-8").replace(",solution,8", ",solution,7"), encoding="utf-8")
    assert len(differences(school.result.outcomes, table)) == 1


@pytest.mark.parametrize("name", ["drops asserts", "patches numpy"])
def test_who_changes_how_python_checks_gets_nothing_and_is_told(school, name):
    outcome = school.outcome(name)
    assert outcome.status == "tampered"
    assert sum(mark.points for mark in outcome.marks if not mark.by_hand) == 0
    assert {"drops asserts": "assert, ", "patches numpy": "numpy.testing.assert_allclose"}[
        name
    ] in outcome.reason


def test_a_value_that_is_shown_while_a_test_runs_earns_nothing(school):
    marks = {mark.grade_id: mark.points for mark in school.outcome("shows points").marks}
    assert marks["step-tests"] == 0


def test_a_hog_and_a_flood_keep_what_they_had_earned_before(school):
    for name in ("hog", "flood"):
        marks = {mark.grade_id: mark.points for mark in school.outcome(name).marks}
        assert (marks["step-tests"], marks["run-tests"]) == (4, 0), name
    assert "printed more than" in school.outcome("flood").reason
    # Linux refuses the memory, and the cell fails; elsewhere the watch kills the kernel.
    graded = read_notebook(school.result.folder / "graded" / "hog" / "tiny" / "graded.ipynb")
    names = [output.get("ename") for output in graded.cells[3].outputs]
    assert "MemoryError" in names or "memory" in school.outcome("hog").reason


def test_a_kernel_sees_nothing_of_the_class(school):
    graded = read_notebook(school.result.folder / "graded" / "spy" / "tiny" / "graded.ipynb")
    seen = "".join(output.get("text", "") for output in graded.cells[1].outputs)
    assert "home: True" in seen
    assert "told: []" in seen
    if not can_shut_in():
        pytest.skip("this machine does not let a process be shut in")
    assert "network: 101" in seen  # ENETUNREACH: not even the own machine
    assert "tests: []" in seen
    assert int(re.search(r"processes: (\d+)", seen)[1]) <= 3


def test_nothing_that_is_handed_back_tells_of_hidden_tests(school):
    pages = list((school.result.folder / "feedback").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))
        assert "secret_" not in text, page
    graded = (school.result.folder / "graded" / "spy" / "tiny" / "graded.ipynb").read_text(encoding="utf-8")
    assert "secret_walk" in graded


def test_what_is_handed_back_fetches_nothing_from_another_host(school):
    for page in (school.result.folder / "feedback").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|link|img|iframe|object)\b[^>]*?(?:src|href|data)=.([^\"'>]*)", text)
        assert loaded == ([] if page.name == "index.html" else [SCRIPT]), page
        assert page.name == "index.html" or (page.parent / SCRIPT).is_file()


def test_every_student_gets_a_page_that_says_what_came_of_it(school):
    folder = school.result.folder / "feedback"
    assert {path.name for path in folder.iterdir()} == {one.student for one in school.result.outcomes}
    for one in school.result.outcomes:
        page = (folder / one.student / "index.html").read_text(encoding="utf-8")
        assert f"{one.points:g} of 10" in page
        assert html.escape(one.reason) in page
        assert (folder / one.student / "tiny.html").is_file() == (one.status not in ("missing", "unreadable"))


def test_marks_are_those_of_nbgrader_alone(school, course, tmp_path, released):
    """The same submission through nbgrader's own autograder, with no help of ours."""
    from nbgrader.converters import Autograde

    shutil.copytree(course, tmp_path, dirs_exist_ok=True)
    late = next(one for one in school.lab.wrong if one.name == "one step late")
    submitted = tmp_path / "submitted" / STUDENT / "tiny" / "tiny.ipynb"
    submitted.parent.mkdir(parents=True)
    nbformat.write(solved(school.lab, released, late.cells), submitted)
    with pytest.warns() as _:  # SQLAlchemy has words for nbgrader
        Autograde(coursedir=course_directory(tmp_path, "tiny", STUDENT)).start()
    with gradebook(tmp_path) as book:
        theirs = {
            mark.name: mark.auto_score
            for mark in book.find_submission_notebook("tiny", "tiny", STUDENT).grades
        }
    rows = csv.DictReader(io.StringIO(school.table.read_text("utf-8")))
    student = next(row["student"] for row in rows if row["kind"] == late.name)
    assert {mark.grade_id: mark.points for mark in school.outcome(student).marks} == theirs


def test_what_is_graded_is_not_graded_again_and_what_changed_is(school, monkeypatch, released):
    started: list[str] = []
    run_tasks = grading.run_tasks

    def listening(tasks, *rest):
        started.extend(task.name for task in tasks)
        run_tasks(tasks, *rest)

    monkeypatch.setattr(grading, "run_tasks", listening)
    assert school.again().graded_now == 0
    assert started == []
    spy = school.folder / "spy" / "tiny" / "tiny.ipynb"
    notebook = nbformat.read(spy, as_version=4)
    notebook.cells.append(new_code_cell("1 + 1"))
    nbformat.write(notebook, spy)
    table = school.result.folder / "by-hand.csv"
    text = table.read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    hog = next(row for row in rows if row["student"] == "hog")
    hog["points"], hog["comment"] = "1.5", "Between <i>which</i> bounds?"
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    result = school.again()
    assert started == ["spy tiny", "hog tiny"]
    assert result.graded_now == 1
    hog_now = next(one for one in result.outcomes if one.student == "hog")
    assert hog_now.points == 5.5
    page = (result.folder / "feedback" / "hog" / "tiny.html").read_text(encoding="utf-8")
    assert "Between" in page
    assert "Score: 5.5 / 10.0" in page
    assert school.again().graded_now == 0
    assert len(started) == 2


def dies(own, leash, environment) -> None:
    os._exit(3)


def test_a_worker_that_dies_is_one_failure_and_is_tried_again(school, monkeypatch, tmp_path):
    alone = tmp_path / "class"
    (alone / "hog").mkdir(parents=True)
    (alone / "hog" / "tiny.ipynb").write_text("no notebook", encoding="utf-8")  # quickly graded
    monkeypatch.setattr(workers, "_work", dies)
    result = grade_class(alone, [school.lab], limits=LIMITS)
    monkeypatch.undo()
    assert [one.status for one in result.outcomes] == ["grader failed"]
    said = (result.folder / "graded" / "hog" / "tiny" / "failure.txt").read_text(encoding="utf-8")
    assert "ended with 3" in said
    assert grade_class(alone, [school.lab], limits=LIMITS).graded_now == 1
