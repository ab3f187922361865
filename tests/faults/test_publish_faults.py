"""Publishing the pages when something is in the way, and damaged records before notebooks meet them."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnnkit import __main__ as command
from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.results import RecordKey, Store, run_lock
from rnnkit.site import book as books


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> books.Book:
    """A book of one page; staging and building only leave a mark."""
    (tmp_path / "book").mkdir()
    (tmp_path / "_config.yml").write_text("title: t\n")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n")
    shutil.copy(paths.repository() / "book" / "scoreboard.md", tmp_path / "book")
    monkeypatch.setattr(books, "stage_book", lambda *_, **__: {})
    monkeypatch.setattr(books, "build_site", lambda stage, site, **_: site / "index.html")
    return books.Book(tmp_path)


def test_two_that_publish_at_once_the_second_is_told_who_is_first(book):
    with (
        run_lock(book.build / ".locks", "site"),
        pytest.raises(UserError, match=f"site is being run already, by process {os.getpid()}"),
    ):
        book.publish([], {})
    assert not (book.executed / "scoreboard.md").exists()
    assert book.publish([], {}) == book.build / "site" / "index.html"
    assert [path.name for path in book.executed.iterdir()] == ["scoreboard.md"]


@pytest.mark.parametrize("place", ["stage_book", "build_site", "fill_scoreboard"])
def test_a_full_disk_is_one_message_and_the_last_scoreboard_stands(book, monkeypatch, place):
    book.publish([], {})
    before = (book.executed / "scoreboard.md").read_text()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a/page.html")

    monkeypatch.setattr(books, place, full)
    with pytest.raises(
        UserError, match=r"pages cannot be written \(No space left.*page\.html.*last good pages"
    ):
        book.publish([], {})
    assert (book.executed / "scoreboard.md").read_text() == before


def test_a_build_folder_that_cannot_be_made_is_named(book):
    book.build.write_text("a file is in the way")
    with pytest.raises(UserError, match=str(book.build)):
        book.publish([], {})


def test_what_the_operating_system_refuses_is_one_message(monkeypatch, capsys):
    def refuse(_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", "/some/where")

    monkeypatch.setitem(command._COMMANDS, "status", refuse)
    assert command.main(["status"]) == 1
    said = capsys.readouterr().err
    assert "Permission denied" in said
    assert "'/some/where'" in said
    assert "run the same command again" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("arguments", [["build"], ["render", "geometry"]])
def test_a_damaged_record_is_named_once_before_any_notebook_runs(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.setenv("RNNKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RNNKIT_RESULTS", str(tmp_path))
    record = Store(tmp_path).save(
        RecordKey("geometry", "train", {}, 1, "paper-s0"),
        arrays={"x": np.arange(100)},
        metrics={},
        provenance={},
    )
    arrays = record.path / "arrays.npz"
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 1
    arrays.write_bytes(content)
    study = SimpleNamespace(
        budget="quick",
        seeds=(0,),
        device="cpu",
        missing=list,
        ensure=lambda **_: None,
        every_record=lambda: [record],
    )
    monkeypatch.setattr("rnnkit.studies.open", lambda *_, **__: study)
    monkeypatch.setattr(books, "execute_notebooks", lambda *_, **__: pytest.fail("a notebook ran"))
    assert command.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("damaged record") == 1
    assert str(arrays) in said
    assert "--fresh" in said
