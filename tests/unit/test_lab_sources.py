"""The labs as they are committed: output-free nbgrader sources of 20 points, with wrong submissions that fit them."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
import yaml

from tests.unit.test_notebook_sources import format_offences

LABS = sorted((Path(__file__).parents[2] / "book/labs").glob("*/*.ipynb"))
LONGEST_CELL = 30
SOLUTION, HIDDEN = "SOLUTION", "HIDDEN TESTS"
POINTS_IN_TABLE = re.compile(r"^\| \d \|.*\| ([\d +]+) \|$", re.MULTILINE)


def graded(cell) -> dict:
    return cell.metadata.get("nbgrader", {})


def read(path: Path):
    text = path.read_text(encoding="utf-8")
    assert format_offences(text) == []
    return nbformat.reads(text, as_version=4)


def by_id(path: Path) -> dict:
    return {graded(cell)["grade_id"]: cell for cell in read(path).cells if graded(cell)}


def test_the_five_labs_are_there():
    assert [path.stem for path in LABS] == [
        "lab1-cell",
        "lab2-gates",
        "lab3-adder",
        "lab4-knows",
        "lab5-window",
    ]


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_a_lab_is_clean_and_its_cells_short(path):
    for cell in read(path).cells:
        if cell.cell_type == "code":
            assert not cell.outputs, cell.id
            assert cell.execution_count is None, cell.id
            assert len(cell.source.splitlines()) <= LONGEST_CELL, cell.id


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_cells_are_marked_as_nbgrader_wants_them(path):
    ids = [graded(cell)["grade_id"] for cell in read(path).cells if graded(cell)]
    assert len(ids) == len(set(ids))
    for grade_id, cell in by_id(path).items():
        about = graded(cell)
        assert grade_id == cell.id
        assert about["schema_version"] == 3
        assert about["locked"] != about["solution"], grade_id
        assert about["grade"] or about["solution"], grade_id
        for marker, wanted in ((SOLUTION, about["solution"]), (HIDDEN, None)):
            begins, ends = (cell.source.count(f"### {word} {marker}\n") for word in ("BEGIN", "END"))
            ends += cell.source.endswith(f"### END {marker}")
            assert begins == ends, grade_id
            assert wanted is None or begins == wanted, grade_id


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_a_lab_has_20_points_and_its_first_cell_says_how_they_fall(path):
    points = [graded(cell)["points"] for cell in by_id(path).values() if graded(cell)["grade"]]
    told = POINTS_IN_TABLE.findall(read(path).cells[0].source)
    assert sum(points) == sum(int(number) for row in told for number in row.split(" + ")) == 20
    assert sorted(points) == sorted(int(number) for row in told for number in row.split(" + "))


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_one_question_is_answered_in_words_and_its_rubric_is_not_handed_out(path):
    (words,) = (cell for cell in by_id(path).values() if cell.cell_type == "markdown")
    assert graded(words)["grade"]
    assert graded(words)["solution"]
    assert words.source.startswith(f"### BEGIN {SOLUTION}\n")
    assert words.source.endswith(f"### END {SOLUTION}")
    assert "Marks:" in words.source


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_wrong_submissions_fit_the_lab_and_deserve_less(path):
    cells, wrong = by_id(path), yaml.safe_load((path.parent / "wrong.yml").read_text(encoding="utf-8"))
    assert len(wrong) >= 3
    for entry in wrong:
        assert set(entry) == {"name", "why", "cells", "marks"}
        assert all(graded(cells[grade_id])["solution"] for grade_id in entry["cells"])
        assert entry["marks"]
        for grade_id, points in entry["marks"].items():
            assert points < graded(cells[grade_id])["points"], (entry["name"], grade_id)
