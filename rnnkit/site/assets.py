"""What every page loads: scripts and styles, all from this package or from installed ones."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from rnnkit.errors import UserError

OWN = ("rnnkit-figures.js", "rnnkit.css")
PLOTLY = "plotly.min.js"
MATHJAX = "tex-svg.js"


def copy_assets(static: Path) -> None:
    """Copy the scripts and styles of the book into its static folder.

    MathJax's ``tex-svg`` is one file without fonts, 2 MB, where the whole package has 24 MB.

    Parameters
    ----------
    static : Path
        Created when missing.

    Raises
    ------
    UserError
        When plotly or sphinx-mathjax-offline is not installed.
    """
    static.mkdir(parents=True, exist_ok=True)
    for name in OWN:
        shutil.copyfile(Path(__file__).parent / "assets" / name, static / name)
    shutil.copyfile(_packaged("plotly", f"package_data/{PLOTLY}"), static / PLOTLY)
    (static / "mathjax").mkdir(exist_ok=True)
    shutil.copyfile(
        _packaged("sphinx-mathjax-offline", f"static/mathjax/{MATHJAX}"), static / "mathjax" / MATHJAX
    )


def _packaged(package: str, path: str) -> Path:
    """Path of a file inside an installed package, found without importing the package."""
    spec = find_spec(package)
    file = Path(spec.origin).parent / path if spec is not None and spec.origin else None
    if file is None or not file.is_file():
        raise UserError(
            "a script that the pages need is not installed",
            value=f"{package}/{path}",
            hint="Install the book's environment: make install",
        )
    return file
