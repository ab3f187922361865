"""Progress on the terminal: one bar over the jobs, one over the steps of the job under way."""

from __future__ import annotations

import os
import sys
from types import TracebackType

from tqdm import tqdm


class Progress:
    """Bars on stderr; silent where there is nothing to do or a page is being made (``RNNKIT_STATIC``)."""

    def __init__(self, num_jobs: int, title: str) -> None:
        self._quiet = num_jobs == 0 or os.environ.get("RNNKIT_STATIC") == "1"
        self._jobs = tqdm(
            total=num_jobs, desc=title, unit="record", file=sys.stderr, disable=self._quiet, position=0
        )
        self._steps: tqdm | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._steps is not None:
            self._steps.close()
        self._jobs.close()

    def begin(self, name: str) -> None:
        """A job of this name starts."""
        self._jobs.set_postfix_str(name)

    def steps(self, total: int, name: str, *, start: int = 0) -> None:
        """The job under way has ``total`` steps, of which ``start`` are done."""
        if self._steps is not None:
            self._steps.close()
        self._steps = tqdm(
            total=total,
            initial=start,
            desc=f"  {name}",
            leave=False,
            file=sys.stderr,
            disable=self._quiet,
            position=1,
        )

    def advance(self, count: int = 1, note: str = "") -> None:
        """``count`` steps are done."""
        if self._steps is not None:
            if note:
                self._steps.set_postfix_str(note, refresh=False)
            self._steps.update(count)

    def end(self) -> None:
        """The job is finished."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None
        self._jobs.update()
