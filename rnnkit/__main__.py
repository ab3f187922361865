"""``python -m rnnkit``: compute records, see what there is, settle claims, render pages."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnkit import __version__, paths
from rnnkit.errors import InterruptedRun, UserError
from rnnkit.labs import command as labs_command
from rnnkit.lazily import skip_grammars
from rnnkit.stopping import Terminated, because_of, stopped_by_sigterm

if TYPE_CHECKING:
    from rnnkit.studies.base import Study


def parser() -> argparse.ArgumentParser:
    """The command line; budgets, chapters, devices and seeds are checked by the study, with one message for all."""
    top = argparse.ArgumentParser(prog="python -m rnnkit", description=__doc__, allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"rnnkit {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, allow_abbrev=False)

    for name, text in [
        ("run", "Compute a chapter's missing records, without notebooks"),
        ("render", "Compute a chapter's missing records, execute its notebooks, rebuild its pages"),
    ]:
        command = add(name, text)
        command.add_argument("chapter", metavar="CHAPTER")
        command.add_argument(
            "--budget", default="quick", metavar="BUDGET", help="quick or paper; psmnist also reduced"
        )
        command.add_argument("--seeds", default="", metavar="0,1,2", help="left out: the budget's own")
        command.add_argument("--device", default="auto", metavar="auto|cpu|cuda")
        command.add_argument("--fresh", action="store_true", help="compute all anew")
        command.add_argument(
            "--workers",
            type=int,
            metavar="N",
            help="jobs at a time; left out: one per core, as memory allows",
        )
        command.add_argument(
            "--executor",
            default="processes",
            metavar="WHERE",
            help="threads, processes, dask:ADDRESS, submitit[:SETTING=VALUE,...] or submitit:local",
        )
        if name == "run":
            command.add_argument("--only", metavar="CONFIG", help="one net and what is asked of it")
            command.add_argument(
                "--kind", metavar="KIND", help="one kind of record, as train, and what it needs"
            )
            command.add_argument(
                "--results", type=Path, metavar="DIR", help="where records go; left out: .rnnkit/results"
            )
    build = add("build", "Build the book from its committed records alone; nothing is trained")
    build.add_argument("--jobs", type=int, default=2, metavar="N", help="notebooks at a time")
    for name, text in [
        ("status", "Say which records exist, are missing, stale or damaged, at which budget"),
        ("claims", "Settle the claims of the papers from the records at paper budget"),
    ]:
        command = add(name, text)
        command.add_argument("chapter", nargs="?", metavar="CHAPTER")
        command.add_argument("--json", action="store_true", help="as a list of objects")
    models = add("models", "List the models of the psMNIST chapter with their numbers of parameters")
    models.add_argument("--json", action="store_true", help="as a list of objects")
    data = add("data", "Fetch MNIST, or verify what is there")
    data.add_argument("action", choices=["fetch", "verify"])
    labs_command.add_arguments(add("labs", "Classroom labs: hand out, check, grade a class, rehearse"))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors that a user can mend are one message on stderr and a non-zero exit code."""
    chosen = parser().parse_args(arguments)
    skip_grammars()
    logging.basicConfig(level=logging.WARNING, format="note: %(message)s", stream=sys.stderr)
    try:
        with stopped_by_sigterm():
            return _COMMANDS[chosen.command](chosen)
    except KeyboardInterrupt as stop:
        again = InterruptedRun(
            "stopped", hint="What was finished is kept; the same command goes on from there"
        )
        print(f"\n{again}", file=sys.stderr)
        return stop.exit_code if isinstance(stop, Terminated) else again.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        # Who executes notebooks or computes in processes says better than we what a stop has left undone.
        return Terminated.exit_code if because_of(error, Terminated) else error.exit_code
    except OSError as error:
        where = f": {error.filename!r}" if error.filename else ""
        print(
            f"error: the operating system refused ({error.strerror or error}){where}. "
            "Make room, or make the place usable, and run the same command again; what was finished is kept",
            file=sys.stderr,
        )
        return 1


def _open(chosen: argparse.Namespace, store: Any = None) -> Study:
    from rnnkit import studies

    return studies.open(
        chosen.chapter, budget=chosen.budget, seeds=chosen.seeds, device=chosen.device, store=store
    )


def _run(chosen: argparse.Namespace) -> int:
    from rnnkit.results import run_lock

    if chosen.results is not None:
        os.environ["RNNKIT_RESULTS"] = str(chosen.results)
    study = _open(chosen)
    with run_lock(paths.home() / "locks", chosen.chapter):
        study.ensure(
            chosen.kind,
            only=chosen.only,
            fresh=chosen.fresh,
            workers=chosen.workers,
            executor=chosen.executor,
        )
    print(
        f"{len(study.jobs(chosen.kind, chosen.only))} records of {chosen.chapter} at {study.budget} budget are there"
    )
    return 0


def _render(chosen: argparse.Namespace) -> int:
    from rnnkit.results import Store, changes_text, compare, run_lock
    from rnnkit.site.book import Book

    book = Book(paths.repository())
    study = _open(chosen)
    if chosen.chapter not in book.chapters():
        raise UserError("this chapter has no pages", value=chosen.chapter, allowed=book.chapters())
    parameters = {
        "budget": study.budget,
        "seeds": ",".join(map(str, study.seeds)),
        "device": study.device,
    }
    with run_lock(paths.home() / "locks", chosen.chapter):
        study.ensure(fresh=chosen.fresh, workers=chosen.workers, executor=chosen.executor)
        _verify(study)
        with _offline():
            book.execute(chosen.chapter, parameters, _fingerprint(study))
            for other in book.chapters():
                if other != chosen.chapter and not book.has_executed(other):
                    _execute_committed(book, other)
            index = _publish(book)
    first = book.notebooks(chosen.chapter)[0].relative_to(book.root).with_suffix(".html")
    print(f"The page: {index.parent / first}")
    committed = _open(chosen, Store(paths.committed_results()))
    if before := committed.measurements():
        print(f"What changed against the committed records at {study.budget} budget:")
        print(changes_text(compare(study.measurements(), before)))
    else:
        print(f"No records at {study.budget} budget are committed to compare with.")
    return 0


def _build(chosen: argparse.Namespace) -> int:
    from rnnkit.site.book import Book

    os.environ["RNNKIT_RESULTS"] = str(paths.committed_results())
    book = Book(paths.repository())
    with _offline():
        for chapter in book.chapters():
            _execute_committed(book, chapter, jobs=chosen.jobs)
        index = _publish(book)
    print(f"The book: {index}")
    return 0


def _execute_committed(book: Any, chapter: str, jobs: int = 2) -> None:
    """Execute a chapter at the budget that is published, where every record of it is there already."""
    from rnnkit import studies

    budget = studies.study_class(chapter).published_budget()
    study = studies.open(chapter, budget=budget, device="cpu")
    if missing := study.missing():
        raise UserError(
            f"{len(missing)} records of {chapter} at {budget} budget are missing",
            value=", ".join(job.key.folder for job in missing[:3]) + (" ..." if len(missing) > 3 else ""),
            hint=f"`git checkout book/results` brings committed ones back; "
            f"`python -m rnnkit run {chapter} --budget {budget} --results book/results` computes them",
        )
    _verify(study)
    book.execute(chapter, {"budget": budget, "seeds": "", "device": "cpu"}, _fingerprint(study), jobs=jobs)


def _verify(study: Study) -> None:
    """Meet a damaged record before notebooks do: one message instead of one per notebook that reads it."""
    for record in study.every_record():
        record.verify()


def _publish(book: Any) -> Path:
    from rnnkit import studies

    titles = {name: studies.study_class(name).title for name in book.chapters()}
    return book.publish([result.to_dict() for result in _claim_results(book.chapters())], titles)


def _claim_results(chapters: Sequence[str]) -> list[Any]:
    from rnnkit import studies
    from rnnkit.studies.pages import claim_results

    return [
        result
        for chapter in chapters
        for result in claim_results(studies.open(chapter, budget="paper", device="cpu"))
    ]


def _fingerprint(study: Study) -> list[str]:
    return [f"{record.path.name} {json.dumps(record.run, sort_keys=True)}" for record in study.every_record()]


class _offline:
    """Notebooks find their records: none of their kernels need wait for a network to look for data."""

    def __enter__(self) -> None:
        self._before = os.environ.get("RNNKIT_OFFLINE")
        os.environ["RNNKIT_OFFLINE"] = "1"

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            os.environ.pop("RNNKIT_OFFLINE", None)
        else:
            os.environ["RNNKIT_OFFLINE"] = self._before


def _status(chosen: argparse.Namespace) -> int:
    from rnnkit import studies
    from rnnkit.studies.status import status

    with _offline():
        rows = [
            row
            for chapter in ([chosen.chapter] if chosen.chapter else studies.CHAPTERS)
            for row in status(chapter)
        ]
    if chosen.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print("{state:8} {chapter:10} {budget:6} {kind:10} {label:16} {where}".format(**row))
    counts: dict[str, int] = {}
    for row in rows:
        counts[f"{row['state']} at {row['budget']} budget"] = (
            counts.get(f"{row['state']} at {row['budget']} budget", 0) + 1
        )
    print("; ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return 0


def _claims(chosen: argparse.Namespace) -> int:
    from rnnkit import studies

    chapters = [chosen.chapter] if chosen.chapter else list(studies.CHAPTERS)
    results = _claim_results(chapters)
    if chosen.json:
        print(json.dumps([result.to_dict() for result in results], indent=2))
        return 0
    for result in results:
        print(f"{result.verdict:15} {result.id}\n    {result.claim}\n    {result.reason}")
    return 0


def _models(chosen: argparse.Namespace) -> int:
    from rnnkit.models import describe

    rows = describe()
    if chosen.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print(
            "{name:9} {title:11} {parameters:>8,} parameters, {trainable:>8,} of them trained".format(**row)
        )
    return 0


def _data(chosen: argparse.Namespace) -> int:
    from rnnkit.datasets import mnist

    report = mnist.fetch() if chosen.action == "fetch" else mnist.verify()
    print(report)
    return 0 if report.ok else 1


_COMMANDS = {
    "run": _run,
    "render": _render,
    "build": _build,
    "status": _status,
    "claims": _claims,
    "models": _models,
    "data": _data,
    "labs": labs_command.run,
}

if __name__ == "__main__":
    sys.exit(main())
