"""Classroom labs: release student versions, check the graders, grade a class with nbgrader."""

from rnnkit.labs.checking import check_labs
from rnnkit.labs.grading import grade_class
from rnnkit.labs.limits import Limits
from rnnkit.labs.rehearsal import rehearse
from rnnkit.labs.release import release_labs
from rnnkit.labs.sources import Lab, Question, find_labs

__all__ = [
    "Lab",
    "Limits",
    "Question",
    "check_labs",
    "find_labs",
    "grade_class",
    "rehearse",
    "release_labs",
]
