"""An executor and what is peculiar to it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from types import TracebackType
from typing import Any

from rnnkit.errors import UserError


class Pool:
    """A ``concurrent.futures.Executor``, how to watch it, and how to end it.

    As a context manager it stops what is under way if the body raises.

    Parameters
    ----------
    executor : Executor
    limit : int, optional
        Jobs under way at a time; left out: all that can be.
    """

    remote = True
    """Whether jobs may run on other machines: they take their origin along and say nothing of their steps."""

    def __init__(self, executor: Executor, limit: int | None = None) -> None:
        self.executor, self.limit = executor, limit

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self.stop()
        finally:
            self.close()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have ``function(*arguments)`` computed; pools of this machine add ``steps=`` and ``cores=``."""
        return self.executor.submit(function, *arguments)

    def check(self) -> None:
        """Raise a UserError where nothing that is under way can end any more; asked about once a second."""

    def explain(self, error: Exception, name: str) -> UserError | None:
        """What to tell the user where the executor itself failed at the job of this name; None: not its fault."""
        if isinstance(error, BrokenExecutor):
            return UserError(
                f"a worker of the executor died at the job {name} ({error})"
                if str(error)
                else f"a worker of the executor died at the job {name}",
                hint="Run the same command again: finished records are kept and the rest resumes",
            )
        return None

    def stop(self) -> None:
        """Give up what waits and what is under way, as far as that is possible."""

    def close(self) -> None:
        """End the executor."""
        self.executor.shutdown(wait=True)


class GivenPool(Pool):
    """An executor that the caller has made: it is not ended here."""

    def __init__(self, executor: Executor, limit: int | None = None) -> None:
        super().__init__(executor, limit)
        self._futures: list[Future[Any]] = []

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have ``function(*arguments)`` computed."""
        future = super().submit(function, *arguments)
        self._futures.append(future)
        return future

    def stop(self) -> None:
        """Cancel what has not begun; what has ends with its next step."""
        for future in self._futures:
            future.cancel()

    def close(self) -> None:
        """Leave it to its owner."""
