"""Formulas on feedback pages: set by a script in the student's own folder, where nbgrader's page asks another host."""

from __future__ import annotations

import json
import re
from pathlib import Path

from rnnkit import paths

SCRIPT = "mathjax.js"
_THEIRS = re.compile(r"<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->", re.DOTALL)
_SETTINGS = {
    "tex": {"inlineMath": [["$", "$"], ["\\(", "\\)"]], "processEscapes": True, "tags": "ams"},
    "options": {"enableMenu": False},
}
# What a student wrote may name pictures and scripts of other hosts; whoever opens the page need not meet them.
_POLICY = (
    "default-src 'none'; script-src 'self' file:; style-src 'unsafe-inline'; img-src data:; font-src data:"
)
_OURS = (
    f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<script defer src="{SCRIPT}"></script>'
)


def local_formulas(page: str) -> str:
    """A page of nbgrader's that fetches nothing from another host: its formulas are set by :data:`SCRIPT` beside it.

    Raises
    ------
    ValueError
        If the page does not load MathJax as nbgrader's pages do.
    """
    page, count = _THEIRS.subn(_OURS, page)
    if count != 1:
        raise ValueError(f"nbgrader's page loads MathJax {count} times, not once")
    return page


def write_script(folder: Path) -> None:
    """Put the script, with its settings, into a folder."""
    script = paths.mathjax().read_text(encoding="utf-8")
    (folder / SCRIPT).write_text(f"window.MathJax = {json.dumps(_SETTINGS)};\n{script}", encoding="utf-8")
