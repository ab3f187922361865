"""Checkpoints from which an interrupted training ends in the same numbers, bit for bit on a CPU."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rnnkit.errors import UserError

WAY_OUT = "Delete the file or run with --fresh to train from the start"


def save_checkpoint(path: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Write tensors and a JSON state to one safetensors file, aside first and then renamed.

    Raises
    ------
    UserError
        Where the file cannot be written (full disk, no permission); an older checkpoint stays as it was.
    """
    from safetensors.torch import save

    stored = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    words = json.dumps(state)
    payload = save(stored, {"state": words, "sha256": _digest(stored, words)})
    _sweep(path)
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except BaseException:  # Ctrl-C too
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"the checkpoint cannot be written ({error.strerror})",
            value=str(path),
            hint="Free some space or set RNNKIT_HOME to a folder that can be written, then run again; "
            "what was finished is kept",
        ) from error


def load_checkpoint(
    path: Path, identity: str, *, needs: Collection[str] = (), metrics: Collection[str] = ()
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Read a checkpoint back, or None where there is none.

    Parameters
    ----------
    path : Path
    identity : str
        What the checkpoint must be of: the hash of the run's config.
    needs : collection of str
        Tensors that it must have.
    metrics : collection of str
        Lists, all of one length, that ``state["metrics"]`` must have.

    Raises
    ------
    UserError
        A file that is damaged (its SHA-256 is checked) or lacks something, or a checkpoint of another config.
    """
    from safetensors import SafetensorError, safe_open

    _sweep(path)
    if not path.exists():
        return None
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        state = json.loads(metadata["state"])
        intact = metadata["sha256"] == _digest(tensors, metadata["state"])
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise _damaged(path) from error
    if not intact or not isinstance(state, dict):
        raise _damaged(path)
    if state.get("identity") != identity:
        raise UserError(
            f"the checkpoint {path} is of another config",
            value=state.get("identity"),
            allowed=identity,
            hint=WAY_OUT,
        )
    if not set(needs) <= set(tensors) or not _has_metrics(state.get("metrics"), metrics):
        raise _damaged(path)
    return tensors, state


def _damaged(path: Path) -> UserError:
    return UserError("the checkpoint is damaged", value=str(path), hint=WAY_OUT)


def _has_metrics(found: object, wanted: Collection[str]) -> bool:
    if not wanted:
        return True
    lists = [found.get(name) for name in wanted] if isinstance(found, dict) else [None]
    lengths = {len(values) if isinstance(values, list) else -1 for values in lists}
    return len(lengths) == 1 and -1 not in lengths


def _digest(tensors: Mapping[str, Tensor], words: str) -> str:
    """SHA-256 over names, types, shapes and bytes of the tensors, and over the state."""
    digest = hashlib.sha256(words.encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"\0{name} {value.dtype} {tuple(value.shape)}\0".encode())
        if value.numel():
            digest.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _sweep(path: Path) -> None:
    """Remove what processes that were killed while they wrote this checkpoint have left."""
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
        pid = left.name.removeprefix(f"{path.name}.").removesuffix(".tmp")
        if pid.isdecimal() and not _is_running(int(pid)):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True


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
    counted_there = group.get("fused") or group.get("capturable")  # where torch counts steps on the device
    for name, parameter in zip(names, group["params"], strict=True):
        prefix = f"adam.{name}."
        optimizer.state[parameter] = {
            key.removeprefix(prefix): value.to(parameter.device, copy=True)
            if counted_there or not key.endswith(".step")
            else value.clone()
            for key, value in tensors.items()
            if key.startswith(prefix)
        }
