"""A Dask cluster that somebody has started: jobs go where there is room, and elsewhere when a worker dies."""

from __future__ import annotations

import json
import logging
import re
import time
import warnings
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.studies.executors.pool import Pool

CONNECT_WITHIN_S = 10.0
WORKERS_WITHIN_S = 600.0
_ADDRESS = re.compile(r"((?:tcp|tls)://)?([\w.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})/?", re.ASCII)
_ALLOWED = "dask:tcp://HOST:PORT, or dask:FILE.json with the scheduler's file"
_AGAIN = "Run the same command again: finished records are kept and the rest resumes"


def check_address(text: str) -> str:
    """Return ``text`` where it is the address of a scheduler or the name of its file; UserError otherwise."""
    match = _ADDRESS.fullmatch(text)
    if not text.endswith(".json") and not (match and 0 < int(match[3]) < 2**16):
        raise UserError("this is no address of a Dask scheduler", value=text, allowed=_ALLOWED)
    return text


def _address(text: str) -> str:
    """The scheduler's address, from its file where ``text`` names that."""
    if not text.endswith(".json"):
        return check_address(text)
    try:
        return check_address(str(json.loads(Path(text).expanduser().read_text(encoding="utf-8"))["address"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            "the file of the Dask scheduler cannot be read",
            value=text,
            hint="`dask scheduler --scheduler-file FILE.json` writes it, on a file system that all machines share",
        ) from error


class DaskPool(Pool):
    """The workers of a scheduler.

    Parameters
    ----------
    text : str
        Its address, or the name of its file.
    limit : int, optional
        Jobs under way at a time.

    Raises
    ------
    UserError
        A scheduler that does not answer.
    """

    def __init__(self, text: str, limit: int | None = None) -> None:
        self._address = _address(text)
        self._logger = logging.getLogger("distributed")
        self._client = self._connect()
        # Without pure=False a job that was asked for before would not be computed anew.
        super().__init__(self._client.get_executor(pure=False), limit)
        self._without_workers_since: float | None = None

    def _connect(self) -> Any:
        from distributed import Client

        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)  # what goes wrong is said once, by us
        try:
            return Client(self._address, timeout=CONNECT_WITHIN_S, name="rnnkit", set_as_default=False)
        except (OSError, ValueError, ImportError) as error:
            self._logger.setLevel(self._level)
            raise UserError(
                f"no Dask scheduler answers within {CONNECT_WITHIN_S:.0f} seconds",
                value=self._address,
                hint="Start one with `dask scheduler` and workers with `dask worker ADDRESS`; "
                "the address is what the scheduler prints",
            ) from error

    def check(self) -> None:
        """See whether there is a scheduler, and a worker."""
        if self._client.status not in ("running", "connecting"):
            raise self._lost()
        if self._client.status == "connecting" or self._has_workers():
            self._without_workers_since = None
            return
        now = time.monotonic()
        if self._without_workers_since is None:
            self._without_workers_since = now
            logging.getLogger(__name__).warning(
                "the Dask scheduler %s has no workers; waiting for the first one", self._address
            )
        if now - self._without_workers_since > WORKERS_WITHIN_S:
            raise UserError(
                f"the Dask scheduler has had no workers for {WORKERS_WITHIN_S:.0f} seconds",
                value=self._address,
                hint=f"Start workers with `dask worker {self._address}`. {_AGAIN}",
            )

    def _has_workers(self) -> bool:
        try:
            return bool(self._client.nthreads())
        except (OSError, CancelledError):  # the connection went this very moment; the next look says so
            return True

    def explain(self, error: Exception, name: str) -> UserError | None:
        """Workers that died at the same job again and again, a scheduler that went away, another environment."""
        from distributed.scheduler import KilledWorker

        if isinstance(error, KilledWorker):
            return UserError(
                f"{error.allowed_failures + 1} Dask workers died one after the other while they computed this "
                "(out of memory, or killed)",
                value=name,
                hint=f"Give workers more memory, with fewer threads each. {_AGAIN}",
            )
        if isinstance(error, CancelledError):
            return self._lost()
        if isinstance(error, ImportError) or isinstance(error.__cause__, ImportError):
            return UserError(
                "a Dask worker cannot import what the job needs",
                value=str(error.__cause__ or error),
                hint="Start workers in the same environment as this command",
            )
        return None

    def _lost(self) -> UserError:
        return UserError("the connection to the Dask scheduler is lost", value=self._address, hint=_AGAIN)

    def stop(self) -> None:
        """Cancel what waits; what is under way ends with its next step."""
        with suppress(Exception):
            if self._client.status == "running":
                self.executor.shutdown(wait=False)

    def close(self) -> None:
        """Leave the cluster as it is."""
        with suppress(Exception), warnings.catch_warnings(action="ignore"):
            self._client.close(timeout=5)
        self._logger.setLevel(self._level)
