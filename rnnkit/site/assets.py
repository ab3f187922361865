"""What every page loads: scripts and styles, all from this package or from installed ones."""

from __future__ import annotations

import shutil
from pathlib import Path

from rnnkit import paths

OWN = (
    "rnnkit-arrays.js",
    "rnnkit-layout.js",
    "rnnkit-figures.js",
    "rnnkit-players.js",
    "scoreboard.js",
    "rnnkit.css",
    "player.css",
    "lab-players.css",
    "pages.css",
    "favicon.svg",
)
"""What every page loads."""

PLAYERS = tuple(
    f"rnnkit-{name}.js"
    for name in (
        "cells",
        "parts",
        "plane",
        "stepper",
        "walk",
        "panel",
        "player",
        "recall",
        "adder-walk",
        "adder",
    )
)
"""Scripts of the players, which rnnkit-players.js loads where a page has one."""

PLOTLY = "plotly.min.js"


def copy_assets(stage: Path) -> Path:
    """Copy the scripts and styles of the book into a staged book.

    Parameters
    ----------
    stage : Path
        The book's own script and styles go to ``stage/_static`` (``html_static_path``). Jupyter Book adds
        every script below that folder to every page, so what pages load only when they need it goes to
        ``stage/_extra/_static`` (``html_extra_path: [_extra]``); the site has both in one ``_static``.

    Returns
    -------
    Path
        ``stage/_extra/_static``.

    Raises
    ------
    UserError
        When plotly or sphinx-mathjax-offline is not installed.
    """
    always, lazily = stage / "_static", stage / "_extra" / "_static"
    always.mkdir(parents=True, exist_ok=True)
    (lazily / "mathjax").mkdir(parents=True, exist_ok=True)
    for name in OWN:
        shutil.copyfile(Path(__file__).parent / "assets" / name, always / name)
    for name in PLAYERS:
        shutil.copyfile(Path(__file__).parent / "assets" / name, lazily / name)
    shutil.copyfile(paths.packaged("plotly", f"package_data/{PLOTLY}"), lazily / PLOTLY)
    shutil.copyfile(paths.mathjax(), lazily / "mathjax" / paths.mathjax().name)
    return lazily
