"""``python -m rnnkit labs``: release, check, grade, rehearse."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from rnnkit.labs.limits import Limits
from rnnkit.labs.outcome import FAILED, STATUSES
from rnnkit.labs.sources import find_labs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the command its actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        action.add_argument(
            "--lab", action="append", default=[], metavar="NAME", help="only this; may be repeated"
        )
        action.add_argument("--source", type=Path, metavar="DIR", help="labs; left out: book/labs")
        return action

    release = add("release", "Write the student versions, without solutions and hidden tests")
    release.add_argument("--to", type=Path, metavar="DIR", help="left out: build/labs")
    check = add("check", "Grade solutions and wrong submissions, and compare with the marks they deserve")
    check.add_argument(
        "--all", action="store_true", help="break every lab in every general way, not only the first"
    )
    check.add_argument(
        "--solutions", action="store_true", help="of all labs but the first, the solution alone: a minute"
    )
    grade = add("grade", "Grade a class: marks, tables, and a page for each student")
    grade.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="holds STUDENT/LAB/LAB.ipynb")
    grade.add_argument("--results", type=Path, metavar="DIR", help="left out: SUBMISSIONS-graded")
    grade.add_argument("--fresh", action="store_true", help="grade all anew")
    grade.add_argument("--expected", type=Path, metavar="FILE", help="compare with what rehearse wrote")
    defaults = Limits()
    grade.add_argument("--cell-seconds", type=int, default=defaults.cell_seconds, metavar="N")
    grade.add_argument("--submission-seconds", type=int, default=defaults.submission_seconds, metavar="N")
    grade.add_argument("--memory-gb", type=float, default=defaults.memory_gb, metavar="N")
    for action in (check, grade):
        action.add_argument("--workers", type=int, metavar="N", help="at a time; left out: one per core")
    rehearse = add("rehearse", "Make up a class's submissions, to rehearse grading with")
    rehearse.add_argument("folder", type=Path, metavar="FOLDER", help="a new one")
    rehearse.add_argument("--students", type=int, default=40, metavar="N")
    rehearse.add_argument("--seed", type=int, default=0, metavar="N")


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen; the exit code."""
    return _ACTIONS[chosen.action](chosen)


def _release(chosen: argparse.Namespace) -> int:
    from rnnkit.labs.release import release_labs

    labs = find_labs(chosen.source, chosen.lab)
    target = release_labs(labs, chosen.to)
    for lab in labs:
        points = sum(question.points for question in lab.questions)
        print(f"{lab.name}: {len(lab.questions)} questions, {points:g} points")
    print(f"Student versions: {target}")
    return 0


def _check(chosen: argparse.Namespace) -> int:
    from tqdm import tqdm

    from rnnkit.labs.checking import Check, check_labs

    def tell(one: Check) -> None:
        said = f"WRONG: {one.problem}" if one.problem else "as deserved"
        with tqdm.external_write_mode(file=sys.stdout):
            print(
                f"{one.lab:14} {one.variant:42} {one.points:5g} of {one.most:<5g} {one.seconds:6.1f} s  {said}",
                flush=True,
            )

    labs = find_labs(chosen.source, chosen.lab)
    checks = check_labs(
        labs, workers=chosen.workers, everything=chosen.all, solutions=chosen.solutions, tell=tell
    )
    wrong = sum(bool(one.problem) for one in checks)
    print(f"{len(checks) - wrong} of {len(checks)} submissions got what they deserve")
    return 1 if wrong else 0


def _grade(chosen: argparse.Namespace) -> int:
    from rnnkit.labs.grading import grade_class
    from rnnkit.labs.rehearsal import differences
    from rnnkit.labs.tables import GRADEBOOK, HAND

    limits = Limits(chosen.cell_seconds, chosen.submission_seconds, chosen.memory_gb)
    result = grade_class(
        chosen.submissions,
        find_labs(chosen.source, chosen.lab),
        results=chosen.results,
        limits=limits,
        workers=chosen.workers,
        fresh=chosen.fresh,
        only_handed_in=not chosen.lab,
    )
    if not result.shut_in:
        print(
            "note: this machine cannot shut student code in; it had your network and could read your files. "
            "book/teach.md says how to grade in a container",
            file=sys.stderr,
        )
    counts = Counter(one.state for one in result.outcomes)
    print(f"{result.graded_now} submissions graded now, {len(result.outcomes)} in all: ", end="")
    print(", ".join(f"{counts[state]} {state}" for state in STATUSES if counts[state]))
    if result.waiting:
        print(
            f"{result.waiting} answers to mark by hand: fill in points in {result.folder / HAND}, then run this again"
        )
    print(f"Gradebook: {result.folder / GRADEBOOK}")
    print(f"To hand back, a folder for each student: {result.folder / 'feedback'}")
    if chosen.expected:
        found = differences(result.outcomes, chosen.expected)
        print("\n".join(found) or "Every submission got what was expected.")
        if found:
            return 1
    return 1 if counts[FAILED] else 0


def _rehearse(chosen: argparse.Namespace) -> int:
    from rnnkit.labs.rehearsal import rehearse

    labs = find_labs(chosen.source, chosen.lab)
    table = rehearse(chosen.folder, labs, students=chosen.students, seed=chosen.seed)
    print(f"Submissions of {chosen.students} students: {chosen.folder}")
    print(f"What they deserve: {table}")
    return 0


_ACTIONS = {"release": _release, "check": _check, "grade": _grade, "rehearse": _rehearse}
