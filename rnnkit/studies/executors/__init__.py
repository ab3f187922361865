"""Where jobs are computed: in processes or threads of this machine, on a Dask cluster, in jobs of SLURM."""

from __future__ import annotations

import importlib.util
from concurrent.futures import Executor
from dataclasses import dataclass

from rnnkit.errors import UserError
from rnnkit.studies.cores import Cores
from rnnkit.studies.executors.local import InlinePool, ProcessPool, ThreadPool
from rnnkit.studies.executors.pool import GivenPool, Pool
from rnnkit.studies.progress import Progress
from rnnkit.studies.workers import default_workers, num_cores

__all__ = ["KINDS", "Choice", "Pool", "open_pool", "parse_executor"]

KINDS = ("threads", "processes", "dask:ADDRESS", "submitit[:SETTING=VALUE,...]", "submitit:local")
INSTALL = "pip install 'rnnkit[cluster]'"


@dataclass(frozen=True)
class Choice:
    """A checked request.

    Attributes
    ----------
    kind : str
        ``threads``, ``processes``, ``dask``, ``submitit`` or ``given``.
    argument : str
        What follows the colon.
    given : Executor, optional
        An executor that the caller has made, and will end.
    """

    kind: str
    argument: str = ""
    given: Executor | None = None

    @property
    def here(self) -> bool:
        """Whether jobs run in this process or its children, which can say how far they are."""
        return self.kind in ("threads", "processes")


def parse_executor(executor: object) -> Choice:
    """Read the text of ``--executor``, or take an executor as it is; nothing is started.

    Raises
    ------
    UserError
        An unknown executor, an address or a setting that cannot be one, or a library that is not installed.
    """
    if isinstance(executor, Executor):
        return Choice("given", given=executor)
    kind, colon, argument = executor.partition(":") if isinstance(executor, str) else ("", "", "")
    if kind in ("threads", "processes") and not colon:
        return Choice(kind)
    if kind == "dask":
        from rnnkit.studies.executors.dask_cluster import check_address

        check_address(argument)
        _require("distributed", "Dask")
    elif kind == "submitit":
        from rnnkit.studies.executors.slurm import parse_settings

        parse_settings(argument)
        _require("submitit", "submitit")
    else:
        raise UserError("unknown executor", value=executor, allowed=KINDS)
    return Choice(kind, argument)


def open_pool(choice: Choice, *, workers: int | None, num_jobs: int, device: str, progress: Progress) -> Pool:
    """Start what computes, or connect to it; a context manager that ends it.

    Parameters
    ----------
    choice : Choice
    workers : int or None
        Jobs at a time. None: on this machine one per core, as the memory allows; elsewhere as many as there are.
    num_jobs : int
    device : str
        ``cpu`` or ``cuda``.
    progress : Progress
        Is told of the steps, where word of them can come.

    Raises
    ------
    UserError
        A scheduler that does not answer, or a machine without SLURM.
    """
    if choice.given is not None:
        return GivenPool(choice.given, limit=workers)
    if choice.kind == "dask":
        from rnnkit.studies.executors.dask_cluster import DaskPool

        return DaskPool(choice.argument, limit=workers)
    if choice.kind == "submitit":
        from rnnkit.studies.executors.slurm import SubmititPool

        return SubmititPool(choice.argument, limit=workers, device=device)
    workers = min(workers or default_workers(device), num_jobs)
    cores = Cores(num_cores(), across_processes=choice.kind == "processes" and workers > 1)
    if choice.kind == "threads":
        return ThreadPool(workers, progress, cores)
    return ProcessPool(workers, progress, cores) if workers > 1 else InlinePool(progress, cores)


def _require(module: str, name: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise UserError(f"{name} is not installed", hint=f"Install it with `{INSTALL}`")
