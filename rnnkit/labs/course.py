"""A course folder as nbgrader wants it: what release and grading start from.

Everything of nbgrader is entered here and in ``execution``, ``marking`` and ``feedback``.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnkit.errors import UserError

if TYPE_CHECKING:
    from rnnkit.labs.sources import Lab

DATABASE = "gradebook.db"
STUDENT = "student"  # in a course of one submission; names of people never meet nbgrader's patterns


def need_nbgrader() -> None:
    """Say how to get nbgrader where it is missing.

    Raises
    ------
    UserError
        If it cannot be imported.
    """
    try:
        import nbgrader  # noqa: F401
    except ImportError as error:
        raise UserError(
            "labs need nbgrader, which is not installed",
            hint="`make install` brings it; elsewhere `pip install 'rnnkit[labs]'`",
        ) from error


def course_directory(root: Path, lab: str, student: str = "*") -> Any:
    """nbgrader's view of a course folder, limited to one lab."""
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / DATABASE}"
    config.CourseDirectory.assignment_id = lab
    config.CourseDirectory.student_id = student
    return CourseDirectory(config=config)


def gradebook(root: Path) -> Any:
    """Open the gradebook of a course folder; to be used in a with statement."""
    from nbgrader.api import Gradebook

    return Gradebook(f"sqlite:///{root / DATABASE}")


@contextmanager
def nbgrader_log(converter: Any) -> Iterator[list[str]]:
    """Collect what nbgrader has to say at warning level and above, instead of printing it."""
    said: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    handler, log = Collect(logging.WARNING), converter.log
    before = (log.handlers[:], log.propagate)
    log.handlers[:], log.propagate = [handler], False
    try:
        yield said
    finally:
        log.handlers[:], log.propagate = before


@contextmanager
def _own_programs() -> Iterator[None]:
    """Let nbgrader find alembic, which it calls by name, where this Python has it: no environment need be active."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


@cache
def _empty_gradebook() -> bytes:
    """A new gradebook's file; nbgrader starts a program for each that it makes."""
    with tempfile.TemporaryDirectory(prefix="rnnkit-gradebook-") as folder:
        with _own_programs(), gradebook(Path(folder)):
            pass
        return (Path(folder) / DATABASE).read_bytes()


def make_course(labs: Sequence[Lab], root: Path) -> Path:
    """Make a course folder with the labs' sources, a gradebook that knows them, and their student versions.

    Parameters
    ----------
    labs : sequence of Lab
    root : Path
        An empty folder.

    Returns
    -------
    Path
        ``root``; student versions are in ``release/NAME``.

    Raises
    ------
    UserError
        If nbgrader refuses a source; the message holds its words.
    """
    need_nbgrader()
    (root / DATABASE).write_bytes(_empty_gradebook())
    for lab in labs:
        _add_lab(lab, root)
    return root


def _add_lab(lab: Lab, root: Path) -> None:
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException

    source = root / "source" / lab.name
    source.mkdir(parents=True)
    shutil.copyfile(lab.path, source / lab.path.name)
    for path in lab.files:
        target = source / path.relative_to(lab.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    converter = GenerateAssignment(coursedir=course_directory(root, lab.name))
    with nbgrader_log(converter) as said:
        try:
            converter.start()
        except (NbGraderException, SystemExit) as error:
            raise UserError(
                "nbgrader cannot make a student version", value=lab.name, hint="\n".join([*said, str(error)])
            ) from error


def released_notebook(course: Path, lab: str) -> Path:
    """The student version in a course folder."""
    return course / "release" / lab / f"{lab}.ipynb"


def read_notebook(path: Path) -> Any:
    """A notebook as a NotebookNode of format 4."""
    import nbformat

    return nbformat.read(path, as_version=4)
