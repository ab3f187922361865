"""Student versions: what is handed out, without solutions and without hidden tests."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.labs.course import make_course, need_nbgrader, read_notebook, released_notebook
from rnnkit.labs.sources import hidden_lines, is_solution, solution_lines
from rnnkit.results.atomic import replace_folder, settle, temporary_folder

if TYPE_CHECKING:
    from rnnkit.labs.sources import Lab


def release_labs(labs: Sequence[Lab], target: Path | None = None) -> Path:
    """Write the student versions of labs: ``target/NAME/NAME.ipynb``, and each folder as ``target/NAME.zip``.

    Parameters
    ----------
    labs : sequence of Lab
    target : Path, optional
        Replaced as a whole. Default: ``build/labs`` of the repository.

    Raises
    ------
    UserError
        If nbgrader refuses a source, or something of a solution or a hidden test is left in a student version;
        the release of before then stays.
    """
    need_nbgrader()
    target = (target or paths.repository() / "build" / "labs").resolve()
    if target.exists() and not _is_release(target):
        raise UserError(
            "this folder holds something else than student versions",
            value=str(target),
            hint="Name a folder that is not there yet: a release replaces all that is in its folder",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    settle(target.parent)
    with (
        temporary_folder(target.parent) as new,
        tempfile.TemporaryDirectory(prefix="rnnkit-release-") as course,
    ):
        make_course(labs, Path(course))
        for lab in labs:
            released = released_notebook(Path(course), lab.name)
            if left := leaks(lab, read_notebook(released)):
                raise UserError(
                    f"the student version of {lab.name} would hold what only the teacher may see",
                    value=left[0],
                    hint="Put it between the markers of a solution or of hidden tests everywhere it occurs",
                )
            shutil.copytree(released.parent, new / lab.name)
            _zip(new / lab.name, new / f"{lab.name}.zip")
        replace_folder(new, target)
    return target


def leaks(lab: Lab, released: Any) -> list[str]:
    """Lines of solutions and hidden tests that stand in a notebook.

    A line counts if it says something: blank lines, comments' dashes, and lines that also stand outside of all
    solutions and hidden tests of the source are given to students anyway.
    """
    secret, open_lines = [], set()
    for cell in lab.notebook().cells:
        own = solution_lines(cell.source) if is_solution(cell) else []
        own = own + hidden_lines(cell.source)
        if is_solution(cell) and not own:  # without markers, the whole cell is the solution
            own = cell.source.splitlines()
        secret += own
        open_lines |= {line.strip() for line in cell.source.splitlines()} - {line.strip() for line in own}
    given = {line.strip() for cell in released.cells for line in cell.source.splitlines()}
    told = [line.strip() for line in secret if sum(map(str.isalnum, line)) >= 3]
    return [line for line in dict.fromkeys(told) if line in given and line not in open_lines]


def _is_release(folder: Path) -> bool:
    """Whether every entry is NAME with NAME.ipynb in it, or NAME.zip."""
    return folder.is_dir() and all(
        (path / f"{path.name}.ipynb").is_file() or (path.suffix == ".zip" and path.with_suffix("").is_dir())
        for path in folder.iterdir()
    )


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder.parent))
