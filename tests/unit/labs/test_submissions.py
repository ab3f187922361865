"""Submissions are found in every layout that is promised, and nothing outside of a student's folder is read."""

from __future__ import annotations

import os
import zipfile

import pytest

from rnnkit.errors import UserError
from rnnkit.labs.submissions import NOTHING, find_submissions

MOST = 1000


def put(path, data=b"notebook"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def put_zip(path, entries):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def found(folder, *labs):
    return {(one.student, one.lab): one for one in find_submissions(folder, labs or ("a",), MOST)}


def test_every_promised_layout_is_read(tmp_path):
    put(tmp_path / "folder" / "a" / "a.ipynb", b"1")
    put(tmp_path / "alone" / "a.ipynb", b"2")
    put_zip(tmp_path / "zip in folder" / "a" / "hand in.zip", {"a/a.ipynb": b"3"})
    put_zip(tmp_path / "zip" / "all.zip", {"x/y/a.ipynb": b"4", "b.ipynb": b"no"})
    put_zip(tmp_path / "Jürgen Ö.zip", {"a.ipynb": b"5", "__MACOSX/a.ipynb": b"no"})
    (tmp_path / "empty").mkdir()
    (tmp_path / ".hidden").mkdir()
    put(tmp_path / "list.txt")
    answers = {student: one.data for (student, _), one in found(tmp_path).items()}
    assert answers == {
        "folder": b"1",
        "alone": b"2",
        "zip in folder": b"3",
        "zip": b"4",
        "Jürgen Ö": b"5",
        "empty": None,
    }


def test_each_lab_has_an_entry_for_each_student(tmp_path):
    put(tmp_path / "one" / "a.ipynb")
    put(tmp_path / "two" / "b.ipynb")
    assert {key: one.refusal for key, one in found(tmp_path, "a", "b").items()} == {
        ("one", "a"): "",
        ("one", "b"): NOTHING,
        ("two", "a"): NOTHING,
        ("two", "b"): "",
    }


def test_links_and_pipes_are_not_followed(tmp_path):
    put(tmp_path / "good" / "a" / "a.ipynb")
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "a.ipynb").symlink_to(tmp_path / "good" / "a" / "a.ipynb")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").symlink_to(tmp_path / "good" / "a")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "a.ipynb")
    (tmp_path / "student").symlink_to(tmp_path / "good")
    answers = {student: one.data for (student, _), one in found(tmp_path).items()}
    assert answers == {"good": b"notebook", "file": None, "folder": None, "pipe": None}


def test_what_is_too_large_is_refused_even_if_it_is_small_in_its_zip(tmp_path):
    put(tmp_path / "file" / "a.ipynb", b"x" * (MOST + 1))
    put_zip(tmp_path / "zip" / "a.zip", {"a.ipynb": b"\0" * 10**6})
    put(tmp_path / "just" / "a.ipynb", b"x" * MOST)
    answers = found(tmp_path)
    assert "larger than" in answers["file", "a"].refusal
    assert "larger than" in answers["zip", "a"].refusal
    assert answers["just", "a"].data == b"x" * MOST


def test_damaged_zips_are_refused_and_names_in_them_lead_nowhere(tmp_path):
    put(tmp_path / "damaged" / "a.zip", b"PK\x03\x04 cut")
    put_zip(tmp_path / "climbing" / "a.zip", {"../../../climbed/a.ipynb": b"1"})
    answers = found(tmp_path)
    assert "damaged" in answers["damaged", "a"].refusal
    assert answers["climbing", "a"].data == b"1"
    assert not list(tmp_path.parent.rglob("climbed"))


@pytest.mark.parametrize("name", ["...zip", " ..zip", ". .zip", " ...zip"])
def test_no_name_of_a_zip_is_a_way_out(tmp_path, name):
    put_zip(tmp_path / name, {"a.ipynb": b"1"})
    put(tmp_path / "good" / "a.ipynb")
    for one in find_submissions(tmp_path, ["a"], MOST):
        inside = (tmp_path / "results" / one.student).resolve()
        assert inside.parent == (tmp_path / "results").resolve()


def test_a_folder_without_students_is_told(tmp_path):
    with pytest.raises(UserError, match="no submission in this folder"):
        find_submissions(tmp_path, ["a"], MOST)
    with pytest.raises(UserError, match="no such folder"):
        find_submissions(tmp_path / "none", ["a"], MOST)
