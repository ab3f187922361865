"""Where machine code is kept, and that its absence is no trouble."""

from __future__ import annotations

import shutil
from pathlib import Path

import numba
import numpy as np
import pytest

from rnnkit.lanes import compiling

find_folder = compiling.cache_folder.__wrapped__


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A user's cache of its own for the test."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    compiling.cache_folder.cache_clear()
    yield tmp_path / "cache" / "rnnkit"
    compiling.cache_folder.cache_clear()


def test_a_changed_source_of_the_room_gets_another_folder(cache, tmp_path, monkeypatch):
    """Also one that the compiled function does not lie in."""
    room = tmp_path / "room"
    shutil.copytree(Path(compiling.__file__).parent, room)
    here = find_folder()
    monkeypatch.setattr(compiling, "__file__", str(room / "compiling.py"))
    assert find_folder() == here
    assert here.parent == cache / "compiled"
    for name in ("vectors.py", "sequences/products.py"):
        with (room / name).open("a") as file:
            file.write("# a change\n")
        changed = find_folder()
        assert changed != here
        assert changed.is_dir()
        here, before = changed, here
        assert before.is_dir()
    assert here.is_dir()


def test_a_cache_that_cannot_be_made_is_none_and_code_compiles_all_the_same(cache):
    cache.parent.write_text("a file where the folder should be")
    assert find_folder() is None
    assert compiling.cache_folder() is None
    before = numba.config.CACHE_DIR
    function = compiling.compiled(_half)
    assert before == numba.config.CACHE_DIR
    assert function(1.0, 0.0) == np.inf, "a division is not checked"
    assert not function.stats.cache_path


def test_a_cache_that_cannot_be_written_is_none(cache, monkeypatch):
    monkeypatch.setattr(compiling.os, "access", lambda path, mode: False)
    assert find_folder() is None


def test_machine_code_is_kept_in_the_folder(cache):
    before = numba.config.CACHE_DIR
    function = compiling.compiled(_half)
    assert before == numba.config.CACHE_DIR
    assert function(1.0, 2.0) == 0.5
    assert Path(function.stats.cache_path).is_relative_to(compiling.cache_folder())
    assert list(compiling.cache_folder().rglob("*.nbi"))


def _half(a, b):
    return a / b
