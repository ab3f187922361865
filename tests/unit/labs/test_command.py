"""The command line of the labs, and the check that the graders give what is deserved."""

from __future__ import annotations

import csv
import io
import shutil

import pytest

from rnnkit.__main__ import main
from rnnkit.labs import checking
from rnnkit.labs.submissions import find_submissions
from rnnkit.labs.variants import Variant, solved, to_bytes
from tests.unit.labs.tiny import make_tiny


def test_release_names_labs_and_their_points(tiny, tmp_path, capsys):
    assert main(["labs", "release", "--source", str(tiny.folder.parent), "--to", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "tiny: 3 questions, 10 points" in said
    assert (tmp_path / "out" / "tiny" / "tiny.ipynb").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["release", "--lab", "none"], "unknown lab: 'none'; allowed: tiny"),
        (["grade", "nowhere"], "no such folder of submissions"),
        (["grade", "nowhere", "--workers", "0"], "number of workers is too small: 0"),
        (["grade", "nowhere", "--memory-gb", "0"], "memory_gb is too small: 0.0"),
        (["rehearse", ".", "--students", "3"], "this folder is there already"),
        (["rehearse", "new", "--students", "0"], "a class has students: 0"),
    ],
)
def test_what_cannot_be_is_one_message(tiny, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(["labs", *arguments, "--source", str(tiny.folder.parent)]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_results_may_not_lie_among_the_submissions(tiny, tmp_path, capsys):
    (tmp_path / "student").mkdir()
    arguments = ["labs", "grade", str(tmp_path), "--results", str(tmp_path / "out")]
    assert main([*arguments, "--source", str(tiny.folder.parent)]) == 2
    assert "among the submissions" in capsys.readouterr().err


def test_a_class_can_be_made_up_again(tmp_path):
    make_tiny(tmp_path / "labs")
    tables, names = [], []
    for name, seed in [("a", "1"), ("b", "1"), ("c", "2")]:
        arguments = ["labs", "rehearse", str(tmp_path / name), "--students", "40", "--seed", seed]
        assert main([*arguments, "--source", str(tmp_path / "labs")]) == 0
        tables.append((tmp_path / f"{name}-expected.csv").read_text(encoding="utf-8"))
        names.append({path.stem for path in (tmp_path / name).iterdir()})
    assert tables[0] == tables[1] != tables[2]
    rows = list(csv.DictReader(io.StringIO(tables[0])))
    assert len(rows) == 40
    assert {row["student"] for row in rows} == names[0]
    kinds = [row["kind"] for row in rows]
    assert len(set(kinds)) == 10
    assert kinds.count("solution") > 5
    found = find_submissions(tmp_path / "a", ["tiny"], 10**7)
    without = {row["student"] for row in rows if row["kind"] == "nothing"}
    assert {one.student for one in found if one.data is None} == without


def test_check_tells_a_mark_that_is_not_deserved(tiny, monkeypatch, capsys):
    def two(lab, released, broken):
        full = {"step-tests": 4.0, "run-tests": 4.0}
        right = to_bytes(solved(lab, released))
        return [
            Variant("right", "", right, full),
            Variant("wrongly expected", "", right, {**full, "step-tests": 0.0}),
        ]

    monkeypatch.setattr(checking, "variants", two)
    assert main(["labs", "check", "--source", str(tiny.folder.parent)]) == 1
    said = capsys.readouterr().out
    assert "step-tests got 4.0 of 0 deserved" in said
    assert "1 of 2 submissions got what they deserve" in said
    assert said.index("right  ") < said.index("1 of 2")


@pytest.mark.parametrize(("arguments", "broken"), [([], {"tiny"}), (["--all"], {"tiny", "zwei"})])
def test_check_breaks_one_lab_in_every_general_way_unless_asked(tmp_path, monkeypatch, arguments, broken):
    labs = make_tiny(tmp_path / "labs").parent
    (labs / "zwei").mkdir()
    shutil.copyfile(labs / "tiny" / "tiny.ipynb", labs / "zwei" / "zwei.ipynb")
    named: list[str] = []
    monkeypatch.setattr(checking, "run_tasks", lambda tasks, *rest: named.extend(one.name for one in tasks))
    assert main(["labs", "check", *arguments, "--source", str(labs)]) == 0
    assert {name.split(":")[0] for name in named if name.endswith(": crash")} == broken
    for each in ("solution", "blank"):
        assert {name.split(":")[0] for name in named if name.endswith(f": {each}")} == {"tiny", "zwei"}
    assert "tiny: one step late" in named
