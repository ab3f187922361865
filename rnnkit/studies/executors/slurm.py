"""submitit's jobs as futures: each job of a study is one of SLURM, or a process that submitit starts here."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rnnkit import paths
from rnnkit.errors import UserError
from rnnkit.studies.executors.pool import Pool
from rnnkit.studies.executors.submitit_executor import SubmititExecutor
from rnnkit.studies.workers import default_workers

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]*")
_WEEK_MIN = 7 * 24 * 60


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError
    return text


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) == 0:
        raise ValueError
    return int(text)


# setting -> submitit's name for it, how it is read, what is allowed
_SETTINGS: Mapping[str, tuple[str, Callable[[str], object], str]] = {
    "partition": ("slurm_partition", _name, "a name"),
    "account": ("slurm_account", _name, "a name"),
    "qos": ("slurm_qos", _name, "a name"),
    "constraint": ("slurm_constraint", _name, "a name"),
    "timeout_min": ("timeout_min", _whole, "minutes, a whole number of at least 1"),
    "mem_gb": ("mem_gb", _whole, "gigabytes, a whole number of at least 1"),
    "cpus_per_task": ("cpus_per_task", _whole, "a whole number of at least 1"),
    "gpus_per_node": ("gpus_per_node", _whole, "a whole number of at least 1"),
}
_HERE = ("timeout_min", "gpus_per_node")


@dataclass(frozen=True)
class Request:
    """What a job asks for.

    Attributes
    ----------
    here : bool
        On this machine instead of SLURM.
    settings : dict
        submitit's parameters.
    """

    here: bool
    settings: dict[str, Any] = field(default_factory=dict)


def parse_settings(text: str) -> Request:
    """Read ``partition=gpu,timeout_min=120``, or ``local`` with its own settings after it.

    Raises
    ------
    UserError
        An unknown setting, one that is named twice, or a value that it cannot have.
    """
    parts = text.split(",") if text else []
    here = bool(parts) and parts[0] == "local"
    known = _HERE if here else tuple(_SETTINGS)
    found: dict[str, Any] = {}
    for part in parts[1:] if here else parts:
        name, _, value = part.partition("=")
        if name not in known:
            raise UserError(
                "unknown setting of submitit", value=part, allowed=known if here else ("local", *known)
            )
        parameter, read, allowed = _SETTINGS[name]
        if parameter in found:
            raise UserError("a setting of submitit is named twice", value=part, allowed="each setting once")
        try:
            found[parameter] = read(value)
        except ValueError:
            raise UserError(f"submitit's {name} cannot be used", value=value, allowed=allowed) from None
    return Request(here, found)


class SubmititPool(Pool):
    """Jobs of SLURM, or of this machine where ``text`` begins with ``local``.

    Parameters
    ----------
    text : str
        What follows ``submitit:``.
    limit : int, optional
        Jobs under way at a time; left out: all on SLURM, as many as the machine bears here.
    device : str
        On ``cuda`` each job asks for a GPU.

    Raises
    ------
    UserError
        No SLURM on this machine.
    """

    def __init__(self, text: str, *, limit: int | None, device: str) -> None:
        request = parse_settings(text)
        if not request.here and not (shutil.which("sbatch") and shutil.which("srun")):
            raise UserError(
                "there is no SLURM on this machine: sbatch and srun are not found",
                value=f"submitit:{text}" if text else "submitit",
                hint="Run this on a login node, or take submitit:local for this machine alone",
            )
        defaults = {"timeout_min": _WEEK_MIN if request.here else 240}
        if not request.here:
            defaults |= {"cpus_per_task": 1, "mem_gb": 4}
        if device == "cuda":
            defaults["gpus_per_node"] = 1
        folder = paths.home() / "submitit" / uuid.uuid4().hex[:12]
        executor = SubmititExecutor(
            folder, here=request.here, parameters={"name": "rnnkit", **defaults, **request.settings}
        )
        super().__init__(executor, limit or (default_workers(device) if request.here else None))
        self._jobs = executor

    def stop(self) -> None:
        """Cancel all jobs."""
        self._jobs.shutdown(wait=True, cancel_futures=True)
