"""What a user may ask of a study: budget, seeds, device; checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rnnkit.errors import UserError

BUDGETS = ("quick", "paper")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Settings:
    """A checked request.

    Attributes
    ----------
    budget : str
        ``quick`` (minutes on a laptop), ``paper`` (what the paper did), or another of the study's.
    seeds : tuple of int
    device : {"auto", "cpu", "cuda"}
        As asked for.
    """

    budget: str
    seeds: tuple[int, ...]
    device: str


def check_budget(budget: object, allowed: Sequence[str] = BUDGETS) -> str:
    """Return ``budget`` where it is one of those allowed; UserError otherwise."""
    if budget not in allowed:
        raise UserError("unknown budget", value=budget, allowed=allowed)
    return str(budget)


def parse_seeds(seeds: object) -> tuple[int, ...] | None:
    """Read seeds from ``"0,1,2"`` or a sequence of integers; None where they are left out.

    Raises
    ------
    UserError
        A seed that is not an integer of at least 0, or one named twice.
    """
    allowed = "integers of at least 0, comma-separated, as in 0,1,2"
    if seeds is None or seeds == "":
        return None
    if isinstance(seeds, str):
        parts: Sequence[object] = [part.strip() for part in seeds.split(",")]
        if not all(isinstance(part, str) and re.fullmatch(r"[0-9]{1,9}", part) for part in parts):
            raise UserError("seeds cannot be read", value=seeds, allowed=allowed)
        values = [int(str(part)) for part in parts]
    elif isinstance(seeds, (list, tuple)):
        if not all(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in seeds):
            raise UserError("seeds cannot be read", value=seeds, allowed=allowed)
        values = list(seeds)
    else:
        raise UserError("seeds cannot be read", value=seeds, allowed=allowed)
    if len(set(values)) < len(values):
        raise UserError("a seed is named twice", value=seeds, allowed="each seed once")
    return tuple(values)


def check_device(device: object) -> str:
    """Return ``device`` where it is one of those that may be asked for; UserError otherwise."""
    if device not in DEVICES:
        raise UserError("unknown device", value=device, allowed=DEVICES)
    return str(device)


def resolve_device(device: object) -> str:
    """``auto`` becomes ``cuda`` where there is one, else ``cpu``.

    Raises
    ------
    UserError
        An unknown device, or ``cuda`` where there is none.
    """
    if check_device(device) == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise UserError(
            "there is no CUDA device on this machine",
            value=device,
            allowed=("auto", "cpu"),
            hint="Run with DEVICE=cpu (--device cpu), or on a machine with an NVIDIA GPU and its driver",
        )
    return "cpu"


def device_name(device: str, most_threads: int) -> str:
    """What a record says it was computed on: ``cpu (AMD EPYC, 1 to 2 threads)``, ``cuda (NVIDIA H200)``."""
    import torch

    if device == "cuda":
        return f"cuda ({torch.cuda.get_device_name()})"
    threads = "1" if most_threads == 1 else f"1 to {most_threads}"
    return f"cpu ({_cpu_model()}, {threads} threads)"


def _cpu_model() -> str:
    import platform

    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
