from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import rnnkit
from rnnkit.errors import UserError
from rnnkit.site import build, build_site
from rnnkit.site.assets import copy_assets
from rnnkit.site.stage import toc_entries

ROOT = Path(rnnkit.__file__).parents[1]


@pytest.fixture
def stage(tmp_path):
    (tmp_path / "stage" / "book").mkdir(parents=True)
    copy_assets(tmp_path / "stage")
    (tmp_path / "stage" / "book" / "intro.md").write_text("# Intro\n\nA word.\n")
    (tmp_path / "stage" / "book" / "references.bib").write_text("")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n")
    return tmp_path / "stage"


def run(stage):
    folder = stage.parent
    return build_site(stage, folder / "site", config=ROOT / "_config.yml", toc=folder / "_toc.yml")


def test_a_failed_build_leaves_the_last_good_site_and_shows_the_warning(stage):
    index = run(stage)
    good = (index.parent / "book" / "intro.html").read_text()
    assert "A word." in good
    assert index.is_file()
    (stage / "book" / "intro.md").write_text("# Intro\n\n{ref}`nowhere`\n")
    with pytest.raises(UserError, match=r"(?s)could not build.*nowhere"):
        run(stage)
    assert (index.parent / "book" / "intro.html").read_text() == good
    assert "nowhere" in (stage.parent / "site-build.log").read_text()
    (stage / "book" / "intro.md").write_text("# Intro\n\nAnother word.\n")
    assert "Another word." in (run(stage).parent / "book" / "intro.html").read_text()
    assert sorted(p.name for p in stage.parent.iterdir()) == ["_toc.yml", "site", "site-build.log", "stage"]


def test_no_page_names_a_script_or_style_of_another_host(stage):
    pages = run(stage).parent.rglob("*.html")
    for page in pages:
        for line in page.read_text().splitlines():
            if ("<script" in line and "src=" in line) or "<link" in line:
                assert "//" not in line.split("THEBE")[0].replace("data:,", ""), line


def test_if_the_new_pages_cannot_be_moved_the_old_ones_come_back(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("old")
    with pytest.raises(OSError, match="not-there"):
        build._swap(tmp_path / "not-there", tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "old"


def test_the_books_contents_are_under_book_and_its_settings_ask_no_other_host():
    assert all(entry.startswith("book/") for entry in toc_entries(ROOT / "_toc.yml"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert config["execute"]["execute_notebooks"] == "off"
    assert config["only_build_toc_files"] is True
    assert config["sphinx"]["recursive_update"] is True
    assert "http" not in yaml.safe_dump(config["sphinx"])


def test_a_script_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnkit.paths.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"plotly/package_data/plotly\.min\.js.*make install"):
        copy_assets(tmp_path)


def test_importing_the_site_brings_no_heavy_package():
    heavy = {"torch", "nbformat", "yaml", "sphinx"}
    code = f"import sys, rnnkit.site; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
