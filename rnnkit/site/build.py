"""The call of jupyter-book; a failed build leaves the last good site where it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from rnnkit.errors import UserError
from rnnkit.site.stage import toc_entries

LOG_TAIL = 12
_MAIN = "from jupyter_book.cli.main import main; main()"
_CITATIONS = '<div role="list" class="citation-list">'
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def build_site(stage: Path, site: Path, *, config: Path, toc: Path, log: Path | None = None) -> Path:
    """Build the staged book and swap it in for the present site.

    Parameters
    ----------
    stage : Path
        As :func:`rnnkit.site.stage.stage_book` left it.
    site : Path
        Where the pages go; ``site/index.html`` opens the book. The build happens beside it, in
        ``<site>-next``.
    config, toc : Path
        ``_config.yml`` and ``_toc.yml``.
    log : Path, optional
        Where jupyter-book's words are kept; ``<site>-build.log`` by default.

    Returns
    -------
    Path
        ``site/index.html``.

    Raises
    ------
    UserError
        When jupyter-book fails or warns, or a page of the table of contents has not been made; the message
        ends with the end of the log.
    """
    following = site.with_name(f"{site.name}-next")
    log = log or site.with_name(f"{site.name}-build.log")
    if following.exists():
        shutil.rmtree(following)
    log.parent.mkdir(parents=True, exist_ok=True)
    # Absolute, because jupyter-book resolves a relative --toc against the source folder.
    options = ["--config", config.resolve(), "--toc", toc.resolve(), "--path-output", following.resolve()]
    command = [sys.executable, "-c", _MAIN, "build", "-W", "--keep-going", stage.resolve(), *options]
    with log.open("w", encoding="utf-8") as words:
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        code = subprocess.run(
            [str(part) for part in command],
            stdout=words,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        ).returncode
    # jupyter-book colours its words even in a file.
    log.write_text(_COLOURS.sub("", log.read_text(encoding="utf-8", errors="replace")), encoding="utf-8")
    pages = following / "_build" / "html"
    if code != 0:
        raise UserError("jupyter-book could not build the site", hint=f"Its log, {log}, ends:\n{_tail(log)}")
    missing = [entry for entry in toc_entries(toc) if not (pages / f"{entry}.html").is_file()]
    if missing or not (pages / "index.html").is_file():
        raise UserError(
            "jupyter-book made no page for",
            value=", ".join(missing) or "index.html",
            hint=f"Its log is {log}",
        )
    _mend(pages)
    _swap(pages, site)
    shutil.rmtree(following)
    return site / "index.html"


def _mend(pages: Path) -> None:
    """Take the list role from docutils' citation lists: its entries are no list items, as WCAG wants."""
    for page in pages.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if _CITATIONS in text:
            page.write_text(text.replace(_CITATIONS, '<div class="citation-list">'), encoding="utf-8")


def _swap(pages: Path, site: Path) -> None:
    """Rename the new pages into place, and the old ones back if that fails."""
    previous = site.with_name(f"{site.name}-previous")
    if previous.exists():
        shutil.rmtree(previous)
    if site.exists():
        site.rename(previous)
    try:
        pages.rename(site)
    except OSError:
        if previous.exists():
            previous.rename(site)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _tail(log: Path) -> str:
    """Warnings and errors wherever they stand, then the last lines."""
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip(" =")]
    telling = [line for line in lines[:-LOG_TAIL] if "WARNING" in line or "ERROR" in line]
    return "\n".join([*telling, *lines[-LOG_TAIL:]])
