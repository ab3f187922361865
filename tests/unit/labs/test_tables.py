"""Tables that a spreadsheet opens safely, and marks by hand that survive it."""

from __future__ import annotations

import csv
import io

import pytest

from rnnkit.errors import UserError
from rnnkit.labs.outcome import Mark, Outcome
from rnnkit.labs.tables import read_hand_table, write_hand_table, write_tables

NASTY = '=HYPERLINK("http://x")\nsecond line; with, separators "and quotes"'


def outcome(student="Zoë", lab="a", answer="Because.", **fields):
    marks = (Mark("tests", 3.0, 4.0), Mark("why", None, 2.0, by_hand=True, answer=answer))
    return Outcome(student, lab, "key", "graded", marks=marks, **fields)


def rows(path):
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def give(path, points, comment="", separator=","):
    """Fill in every row as a person would, and save it as a spreadsheet might."""
    table = rows(path)
    at, said = table[0].index("points"), table[0].index("comment")
    for row in table[1:]:
        row[at], row[said] = points, comment
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows(table)


def test_the_gradebook_has_a_row_per_student_and_sums(tmp_path):
    write_tables([outcome(), outcome(lab="b"), outcome("Al")], tmp_path)
    table = rows(tmp_path / "gradebook.csv")
    assert table[0] == [
        *("student", "a points", "a max", "a status", "b points", "b max", "b status", "points", "max"),
    ]
    assert ["Zoë", "3", "6", "to mark by hand", "3", "6", "to mark by hand", "6", "12"] in table
    assert ["Al", "3", "6", "to mark by hand", "", "", "", "3", "6"] in table


def test_no_cell_is_a_formula(tmp_path):
    bad = outcome("=cmd", answer=NASTY, reason="+1", notes=("@SUM",))
    write_tables([bad], tmp_path)
    write_hand_table([bad], tmp_path)
    cells = [cell for path in tmp_path.glob("*.csv") for row in rows(path) for cell in row]
    assert any(cell.startswith("'=") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("answer", ["Because.", NASTY, "-1", "'quoted'"])
def test_marks_by_hand_come_back(tmp_path, separator, answer):
    given = outcome("=Zoë", answer=answer)
    assert write_hand_table([given], tmp_path) == 1
    give(tmp_path / "by-hand.csv", "1,5", "Nearly.", separator)
    marks = read_hand_table([given], tmp_path)
    assert marks == {("=Zoë", "a"): {"why": (1.5, "Nearly.")}}
    marked = given.with_hand_marks(marks["=Zoë", "a"])
    assert (marked.points, marked.state) == (4.5, "graded")
    assert write_hand_table([marked], tmp_path) == 0
    assert read_hand_table([given], tmp_path) == marks
    assert marked.with_hand_marks({}) == given


def test_an_answer_that_changed_waits_again(tmp_path):
    write_hand_table([outcome()], tmp_path)
    give(tmp_path / "by-hand.csv", "2")
    assert read_hand_table([outcome(answer="Something else.")], tmp_path) == {}
    assert read_hand_table([outcome(answer=" Because.\r\n")], tmp_path) != {}


@pytest.mark.parametrize("points", ["3", "-1", "two", "nan", "1e9"])
def test_points_that_are_none_are_told_with_their_row(tmp_path, points):
    write_hand_table([outcome()], tmp_path)
    give(tmp_path / "by-hand.csv", points)
    with pytest.raises(UserError, match=r"row 2, Zoë, why.*a number from 0 to 2"):
        read_hand_table([outcome()], tmp_path)


def test_a_table_that_lost_its_columns_is_told(tmp_path):
    (tmp_path / "by-hand.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match="lacks the columns student"):
        read_hand_table([outcome()], tmp_path)
    (tmp_path / "by-hand.csv").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(UserError, match="cannot be read"):
        read_hand_table([outcome()], tmp_path)


def test_what_tests_have_marked_is_not_for_a_person(tmp_path):
    marks = (Mark("tests", 3.0, 4.0), Mark("why", 0.0, 2.0, by_hand=True))
    blank = Outcome("Zoë", "a", "key", "graded", marks=marks)
    assert write_hand_table([blank], tmp_path) == 0
    assert not (tmp_path / "by-hand.csv").exists()
    assert blank.with_hand_marks({"why": (2.0, "")}) == blank
