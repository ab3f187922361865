"""Checkpoints from which an interrupted training ends in the same numbers, bit for bit on a CPU."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rnnkit.errors import UserError

_WAY_OUT = "Delete the file or run with --fresh to train from the start"


def save_checkpoint(path: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Write tensors and a JSON state to one safetensors file, aside first and then renamed.

    Raises
    ------
    UserError
        Where the file cannot be written (full disk, no permission); an older checkpoint stays as it was.
    """
    from safetensors.torch import save

    payload = save(
        {k: v.detach().cpu().contiguous() for k, v in tensors.items()}, {"state": json.dumps(state)}
    )
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise UserError(
            f"the checkpoint cannot be written ({error.strerror})",
            value=str(path),
            hint="Free some space or set RNNKIT_HOME to a folder that can be written, then run again; "
            "what was finished is kept",
        ) from error


def load_checkpoint(path: Path, identity: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Read a checkpoint back, or None where there is none.

    Parameters
    ----------
    path : Path
    identity : str
        What the checkpoint must be of: the hash of the run's config.

    Raises
    ------
    UserError
        A file that is damaged, or a checkpoint of another config.
    """
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(str(path), framework="pt") as file:
            state = json.loads((file.metadata() or {})["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise UserError("the checkpoint is damaged", value=str(path), hint=_WAY_OUT) from error
    if state.get("identity") != identity:
        raise UserError(
            f"the checkpoint {path} is of another config",
            value=state.get("identity"),
            allowed=identity,
            hint=_WAY_OUT,
        )
    return tensors, state


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: list[str]) -> dict[str, Tensor]:
    """Adam's moments and step counts under ``adam.NAME.KEY``."""
    (group,) = optimizer.param_groups
    return {
        f"adam.{name}.{key}": value
        for name, parameter in zip(names, group["params"], strict=True)
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, names: list[str], tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`optimizer_tensors` saved."""
    (group,) = optimizer.param_groups
    for name, parameter in zip(names, group["params"], strict=True):
        prefix = f"adam.{name}."
        optimizer.state[parameter] = {
            key.removeprefix(prefix): value.to(parameter.device)
            if not key.endswith(".step")
            else value.clone()
            for key, value in tensors.items()
            if key.startswith(prefix)
        }
