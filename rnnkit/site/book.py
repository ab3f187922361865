"""From notebooks to the built book: what ``make book`` and ``make chapter-NAME`` share."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.results import run_lock
from rnnkit.site.build import build_site
from rnnkit.site.pages import fill_scoreboard
from rnnkit.site.render import execute_notebooks, executed_path
from rnnkit.site.stage import stage_book, toc_entries


class Book:
    """The checkout's book and the folders that it is built in.

    Parameters
    ----------
    root : Path
        The repository: ``book``, ``_config.yml``, ``_toc.yml``; pages are built in ``build``.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.source, self.build = root, root / "book", root / "build"
        self.config, self.toc = root / "_config.yml", root / "_toc.yml"
        self.executed = self.build / "executed"
        for needed in (self.source, self.config, self.toc):
            if not needed.exists():
                raise UserError(
                    "this is no checkout of the book",
                    value=str(root),
                    hint=f"{needed.name} is missing; run the command in the repository's root",
                )

    def chapters(self) -> tuple[str, ...]:
        """Chapters with notebooks in the table of contents, in its order."""
        return tuple(dict.fromkeys(path.parent.name for path in self._all_notebooks()))

    def notebooks(self, chapter: str) -> list[Path]:
        """The chapter's notebooks, in the order of the table of contents."""
        return [path for path in self._all_notebooks() if path.parent.name == chapter]

    def execute(
        self, chapter: str, parameters: Mapping[str, Any], records: Sequence[str], *, jobs: int = 2
    ) -> None:
        """Execute what has changed of a chapter's notebooks.

        Parameters
        ----------
        chapter : str
        parameters : mapping
            For the notebooks' ``parameters`` cells.
        records : sequence of str
            Stands for the records that the notebooks read: a notebook runs again when one has changed.
        jobs : int
            Notebooks at a time.
        """
        ledger = self.source / chapter / "claims.yml"
        stands_for = "\n".join([*records, ledger.read_text(encoding="utf-8") if ledger.exists() else ""])
        execute_notebooks(
            self.notebooks(chapter),
            self.executed,
            parameters,
            jobs=jobs,
            root=self.root,
            fingerprint=hashlib.sha256(stands_for.encode()).hexdigest(),
        )

    def has_executed(self, chapter: str) -> bool:
        """Whether every notebook of the chapter has an executed copy."""
        return all(executed_path(path, self.executed).is_file() for path in self.notebooks(chapter))

    def publish(self, claims: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Path:
        """Stage what has been executed, fill in the scoreboard and build the site; the path of its first page.

        A build that fails leaves the last good site as it was.

        Raises
        ------
        UserError
            If another process publishes at this moment, the disk is full or ``build`` cannot be written, or as
            :func:`stage_book` and :func:`build_site`.
        """
        try:
            with run_lock(self.build / ".locks", "site"):
                return self._publish(claims, titles)
        except OSError as error:
            raise UserError(
                f"the pages cannot be written ({error.strerror or error})",
                value=str(error.filename or self.build),
                hint="Make room, or make the folder writable, and run the same command again; "
                "the last good pages stand until then",
            ) from error

    def _publish(self, claims: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Path:
        self.executed.mkdir(parents=True, exist_ok=True)
        page = fill_scoreboard((self.source / "scoreboard.md").read_text(encoding="utf-8"), claims, titles)
        aside = self.executed / f".scoreboard-{os.getpid()}.md"
        try:
            aside.write_text(page, encoding="utf-8")
            aside.replace(self.executed / "scoreboard.md")
        finally:
            aside.unlink(missing_ok=True)
        stage = self.build / "stage"
        stage_book(self.source, self.executed, stage, toc=self.toc)
        return build_site(stage, self.build / "site", config=self.config, toc=self.toc)

    def _all_notebooks(self) -> list[Path]:
        paths = [self.root / f"{entry}.ipynb" for entry in toc_entries(self.toc)]
        return [path for path in paths if path.is_file()]
