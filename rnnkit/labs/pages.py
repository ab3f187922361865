"""What is handed back: a folder for each student, with a page of all marks and nbgrader's page of each lab."""

from __future__ import annotations

import html
import shutil
from collections.abc import Sequence
from pathlib import Path

from rnnkit.labs.formulas import write_script
from rnnkit.labs.outcome import BY_HAND, FEEDBACK, Outcome
from rnnkit.results.atomic import replace_folder, settle, temporary_folder

FEEDBACK_FOLDER = "feedback"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #999;"
    "vertical-align:top}td.n{white-space:nowrap}@media(prefers-color-scheme:dark){body{background:#121212;"
    "color:#eee}a{color:#8ab4f8}}"
)


def write_pages(outcomes: Sequence[Outcome], results: Path) -> Path:
    """Write ``feedback/STUDENT/index.html`` and ``feedback/STUDENT/LAB.html``, in the place of what was there.

    A folder can be sent as it is: its pages need nothing else, and no network.

    Parameters
    ----------
    outcomes : sequence of Outcome
    results : Path
        Its ``graded/STUDENT/LAB`` holds nbgrader's pages.
    """
    target = results / FEEDBACK_FOLDER
    by_student: dict[str, list[Outcome]] = {}
    for one in outcomes:
        by_student.setdefault(one.student, []).append(one)
    settle(results)
    with temporary_folder(results) as new:
        for student, own in by_student.items():
            folder = new / student
            folder.mkdir()
            for one in own:
                page = results / "graded" / student / one.lab / FEEDBACK
                if page.is_file():
                    shutil.copyfile(page, folder / f"{one.lab}.html")
            if any(folder.iterdir()):
                write_script(folder)
            (folder / "index.html").write_text(_index(student, own, folder), encoding="utf-8")
        replace_folder(new, target)
    return target


def _index(student: str, own: Sequence[Outcome], folder: Path) -> str:
    rows = "".join(_row(one, (folder / f"{one.lab}.html").is_file()) for one in own)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Labs of {html.escape(student)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>Labs of {html.escape(student)}</h1>"
        "<table><thead><tr><th>Lab</th><th>Points</th><th>What came of it</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></body></html>\n"
    )


def _row(one: Outcome, has_page: bool) -> str:
    name = html.escape(one.lab)
    lab = f'<a href="{name}.html">{name}</a>' if has_page else name
    told = {BY_HAND: "A person has yet to mark some answers."}.get(one.state, one.reason or "Graded.")
    said = html.escape(" ".join([told, *one.notes]))
    return f'<tr><td>{lab}</td><td class="n">{one.points:g} of {one.most:g}</td><td>{said}</td></tr>'
