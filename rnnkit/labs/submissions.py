"""What students have handed in: found in folders and zips, read as bytes, never unpacked onto the disk."""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rnnkit.errors import UserError

NOTHING = "No notebook of this lab was handed in."


@dataclass(frozen=True)
class Submission:
    """One student's answer to one lab.

    Parameters
    ----------
    student : str
        The name of the student's folder or zip; never a path.
    lab : str
    data : bytes, optional
        The notebook's bytes; None where there is nothing that can be read.
    refusal : str
        Why there are no bytes, in a sentence to the student.
    """

    student: str
    lab: str
    data: bytes | None
    refusal: str = ""


def find_submissions(folder: Path, labs: Sequence[str], most_bytes: int) -> list[Submission]:
    """Read a class's submissions, by student and lab.

    Each student has a folder or a zip in ``folder``. In it, ``LAB/LAB.ipynb``, ``LAB.ipynb`` or a zip that holds
    one of these (in whatever folder) is the submission; the first of them counts. A student who has handed in
    nothing for a lab has a submission that says so.

    Parameters
    ----------
    folder : Path
    labs : sequence of str
        Names of the labs to look for.
    most_bytes : int
        The largest notebook that is read.

    Raises
    ------
    UserError
        If there is no such folder or no student in it.
    """
    if not folder.is_dir():
        raise UserError("there is no such folder of submissions", value=str(folder))
    places: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not (_plain_folder(path) or path.suffix.lower() == ".zip"):
            continue
        student = unicodedata.normalize("NFC", path.name if path.is_dir() else path.stem).strip()
        if student.strip("."):  # what is left of "..zip" would be a way out of the results
            places.setdefault(student, []).append(path)
    if not places:
        raise UserError(
            "there is no submission in this folder", value=str(folder), allowed="STUDENT/LAB/LAB.ipynb"
        )
    return [
        _find_one(student, lab, own, most_bytes) for student, own in sorted(places.items()) for lab in labs
    ]


def _plain_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _find_one(student: str, lab: str, places: Sequence[Path], most_bytes: int) -> Submission:
    refusals = []
    for place in places:
        for candidate in _candidates(place, lab):
            try:
                if candidate.suffix.lower() == ".zip":
                    data = _from_zip(candidate, lab, most_bytes)
                    if data is None:
                        continue
                else:
                    data = _from_file(candidate, most_bytes)
            except _Refused as refusal:
                refusals.append(str(refusal))
                continue
            return Submission(student, lab, data)
    return Submission(student, lab, None, refusals[0] if refusals else NOTHING)


class _Refused(Exception):
    """Why a file is not read, in a sentence to the student."""


def _candidates(place: Path, lab: str) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    for folder in (place / lab, place):
        if not _plain_folder(folder):
            continue
        notebook = folder / f"{lab}.ipynb"
        if os.path.lexists(notebook):
            yield notebook
        # This lab's own zip comes before those in which it may be among others.
        zips = [path for path in folder.iterdir() if path.suffix.lower() == ".zip"]
        yield from sorted(zips, key=lambda path: (path.stem != lab, path.name))


def _from_file(path: Path, most_bytes: int) -> bytes:
    try:
        # A link may lead to somebody else's work, a pipe never ends: only plain files are read.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _Refused(f"{path.name} is not a file.")
            return _at_most(file.read(most_bytes + 1), most_bytes, path.name)
    except OSError as error:
        raise _Refused(f"{path.name} cannot be read ({error.strerror}).") from error


def _from_zip(path: Path, lab: str, most_bytes: int) -> bytes | None:
    """The notebook of a zip, or None where it holds none of this lab; only this entry is ever decompressed."""
    wanted = f"{lab}.ipynb"
    if path.is_symlink() or not path.is_file():
        raise _Refused(f"{path.name} is not a file.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if PurePosixPath(name).name == wanted]
            names = [name for name in names if "__MACOSX" not in PurePosixPath(name).parts]
            if not names:
                return None
            with archive.open(min(names, key=len)) as file:
                return _at_most(file.read(most_bytes + 1), most_bytes, wanted)
    except (OSError, ValueError, RuntimeError, NotImplementedError, EOFError, zipfile.BadZipFile) as error:
        raise _Refused(f"{path.name} is damaged or locked, and cannot be unpacked.") from error


def _at_most(data: bytes, most_bytes: int, name: str) -> bytes:
    if len(data) > most_bytes:
        raise _Refused(
            f"{name} is larger than {most_bytes / 2**20:.0f} MB. Clear its outputs and hand it in once more."
        )
    return data
