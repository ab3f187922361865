"""A study is a function from a typed config to a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.errors import UserError

if TYPE_CHECKING:
    from rnnkit.studies.base import Study
    from rnnkit.studies.pages import Page

CHAPTERS = ("geometry", "trainability", "psmnist", "lab")


def study_class(chapter: str) -> type[Study]:
    """The study of a chapter; UserError where there is none of that name."""
    if chapter == "geometry":
        from rnnkit.studies.geometry import Geometry

        return Geometry
    if chapter == "trainability":
        from rnnkit.studies.trainability import Trainability

        return Trainability
    if chapter == "psmnist":
        from rnnkit.studies.psmnist import Psmnist

        return Psmnist
    if chapter == "lab":
        from rnnkit.studies.lab import Lab

        return Lab
    raise UserError("unknown chapter", value=chapter, allowed=CHAPTERS)


def open(chapter: str, **settings: Any) -> Study:
    """Open a chapter's study: ``studies.open("geometry", budget="paper", seeds="0,1", device="cpu")``.

    Raises
    ------
    UserError
        An unknown chapter, budget or device, or seeds that are none.
    """
    return study_class(chapter)(**settings)


def page(name: str, **settings: Any) -> Page:
    """Open a page of the book, as its notebook does: ``studies.page("geometry/01_task", budget="quick")``."""
    from rnnkit.studies.pages import Page

    return Page(name, **settings)
