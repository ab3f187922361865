"""Where a job on another machine comes from: the settings it takes along, and whether anybody waits for it still."""

from __future__ import annotations

import os
import re
import socket
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.results import Record, RecordKey, Store
from rnnkit.studies.progress import StoppableSteps

# A shared file system may show a new file to other machines only after its caches have aged.
VISIBLE_WITHIN_S = 90.0
_LOOK_EVERY_S = 1.0
_HOST = re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname()) or "host"


@dataclass(frozen=True)
class Origin:
    """The process that asked for jobs.

    Attributes
    ----------
    token : Path
        A file on the shared file system that is there for as long as somebody waits for the jobs.
    environment : mapping
        The caller's folders; None: not set.
    process : tuple of str and int
        Its host and id.
    """

    token: Path
    environment: Mapping[str, str | None]
    process: tuple[str, int]

    def adopt(self) -> None:
        """Work with the caller's folders from here on.

        Raises
        ------
        UserError
            The file system of this machine is not the caller's.
        """
        if self.process == (_HOST, os.getpid()):
            return
        for name, value in self.environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if not self.token.parent.is_dir():
            raise UserError(
                f"the worker on {socket.gethostname()} does not see the caller's files",
                value=self.environment["RNNKIT_HOME"],
                hint="Let RNNKIT_HOME name a folder on a file system that all machines share",
            )

    def steps(self) -> StoppableSteps:
        """Steps that end the job soon after the token has gone."""
        looked, there = time.monotonic(), True

        def gone() -> bool:
            nonlocal looked, there
            if there and time.monotonic() - looked >= _LOOK_EVERY_S:
                looked, there = time.monotonic(), self.token.exists()
            return not there

        return StoppableSteps(None, gone)


@contextmanager
def origin() -> Iterator[Origin]:
    """This process, for as long as the body runs.

    Raises
    ------
    UserError
        Where ``RNNKIT_HOME`` cannot be written.
    """
    data = os.environ.get("RNNKIT_DATA")
    environment = {
        "RNNKIT_HOME": str(paths.home()),
        "RNNKIT_RESULTS": str(paths.local_results()),
        "RNNKIT_DATA": str(Path(data).expanduser().resolve()) if data else None,
        "RNNKIT_OFFLINE": os.environ.get("RNNKIT_OFFLINE"),
    }
    token = paths.home() / "waiting" / f"{_HOST}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    try:
        token.parent.mkdir(parents=True, exist_ok=True)
        _sweep(token.parent)
        token.touch()
    except OSError as error:
        raise UserError(
            f"the folder that workers look into cannot be written ({error.strerror or error})",
            value=str(token.parent),
            hint="Set RNNKIT_HOME to a folder that can be written and that all machines share",
        ) from error
    try:
        yield Origin(token, environment, (_HOST, os.getpid()))
    finally:
        with suppress(OSError):
            token.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove the tokens of processes that were killed: whoever works for them may stop."""
    for token in folder.glob(f"{_HOST}-*-*"):
        pid = token.name.removeprefix(f"{_HOST}-").partition("-")[0]
        with suppress(OSError):
            try:
                os.kill(int(pid), 0)
            except (ProcessLookupError, ValueError, OverflowError):
                token.unlink(missing_ok=True)


def await_record(store: Store, key: RecordKey) -> Record | None:
    """The record, as soon as this machine sees it; None where it does not come into sight."""
    end = time.monotonic() + VISIBLE_WITHIN_S
    while (record := store.find(key)) is None and time.monotonic() < end:
        time.sleep(0.5)
    return record
