"""What is handed out holds no solution and no hidden test."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import nbformat
import pytest

from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.labs.release import leaks, release_labs
from rnnkit.labs.sources import Lab, find_labs, labs_folder
from tests.unit.labs.tiny import make_tiny

SECRET = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1", re.DOTALL)


def secret_lines(source: Path) -> set[str]:
    """Every line between markers that stands nowhere outside of them; read from the file's JSON, without rnnkit."""
    texts = ["".join(cell["source"]) for cell in json.loads(source.read_text(encoding="utf-8"))["cells"]]
    inside = {
        line.strip() for text in texts for found in SECRET.findall(text) for line in found[1].splitlines()
    }
    outside = {line.strip() for text in texts for line in SECRET.sub("", text).splitlines()}
    return {line for line in inside - outside if len(re.findall(r"\w", line)) >= 3}


def given_lines(release: Path, lab: str) -> set[str]:
    """Every line of every notebook in the release of a lab, in its zip too."""
    texts = [path.read_text(encoding="utf-8") for path in (release / lab).rglob("*.ipynb")]
    for path in release.glob(f"{lab}.zip"):
        with zipfile.ZipFile(path) as archive:
            texts += [archive.read(name).decode() for name in archive.namelist() if name.endswith(".ipynb")]
    cells = [cell for text in texts for cell in json.loads(text)["cells"]]
    return {line.strip() for cell in cells for line in "".join(cell["source"]).splitlines()}


def test_the_release_of_the_tiny_lab_holds_no_secret(tiny, tmp_path):
    release = release_labs([tiny], tmp_path / "release")
    secret, given = secret_lines(tiny.path), given_lines(release, tiny.name)
    assert "return np.tanh(0.5 * state + value)" in secret
    assert "secret_walk = 0.25" in secret
    assert not secret & given
    assert {"def step(state, value):", "raise NotImplementedError()", "YOUR ANSWER HERE"} <= given
    assert sorted(path.name for path in release.iterdir()) == ["tiny", "tiny.zip"]
    assert [path.name for path in (release / "tiny").iterdir()] == ["tiny.ipynb"]


def test_the_release_of_the_book_holds_no_solution_line(tmp_path):
    if not labs_folder().is_dir():
        pytest.skip("the book has no labs")
    labs = find_labs()
    release = release_labs(labs, tmp_path / "release")
    for lab in labs:
        secret = secret_lines(lab.path)
        assert len(secret) >= 5, lab.name
        # A line such as the head of a loop may be open in another lab.
        assert not secret & given_lines(release, lab.name), lab.name


def test_a_solution_that_stands_elsewhere_too_stops_the_release(tmp_path):
    folder = make_tiny(tmp_path / "labs")
    (folder / "wrong.yml").unlink()
    notebook = nbformat.read(folder / "tiny.ipynb", as_version=4)
    notebook.cells[2].source += "\n### BEGIN SOLUTION\nstep(1, 2)\n### END SOLUTION"
    nbformat.write(notebook, folder / "tiny.ipynb")
    with pytest.raises(UserError, match="nbgrader cannot make a student version"):
        release_labs([Lab(folder)], tmp_path / "release")
    assert not (tmp_path / "release").exists()


def test_what_is_left_of_a_solution_would_be_found(tiny):
    found = leaks(tiny, tiny.notebook())
    assert set(found) == secret_lines(tiny.path)


def test_a_release_never_replaces_something_else(tiny, tmp_path):
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(UserError, match="something else than student versions"):
        release_labs([tiny], tmp_path)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "kept"


def test_files_of_a_lab_are_handed_out_but_for_its_wrong_submissions(tmp_path):
    folder = make_tiny(tmp_path / "labs")
    (folder / "data").mkdir()
    (folder / "data" / "numbers.csv").write_text("1,2\n", encoding="utf-8")
    release = release_labs([Lab(folder)], tmp_path / "release")
    files = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    assert files == {"tiny.zip", "tiny/tiny.ipynb", "tiny/data/numbers.csv"}


def test_student_versions_go_to_build_by_default(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    assert release_labs([tiny]) == tmp_path / "build" / "labs"
