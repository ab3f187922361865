"""Choosing what trains a population: lanes of the processor's vector units, or PyTorch."""

from __future__ import annotations

from importlib.util import find_spec

from rnnkit.errors import UserError
from rnnkit.models.population import Engine, TorchEngine, check_dtype

ENGINES = ("auto", "lanes", "torch")


def make_engine(
    name: str = "auto", *, device: str = "cpu", dtype: str = "float32", threads: int = 1
) -> Engine:
    """The engine of a name.

    Parameters
    ----------
    name : {"auto", "lanes", "torch"}
        ``lanes`` is compiled with numba and runs on the CPU alone; ``torch`` runs on any device. ``auto`` takes
        lanes on the CPU where numba is installed, and torch elsewhere.
    device : str
        As torch names it.
    dtype : {"float32", "float64"}
    threads : int
        How many threads ``lanes`` may use; torch goes by ``torch.set_num_threads``.

    Raises
    ------
    UserError
        An unknown engine, dtype or device, a device other than the CPU for lanes, no usable numba, or a number
        of threads below 1.
    """
    if name not in ENGINES:
        raise UserError("unknown engine", value=name, allowed=ENGINES)
    check_dtype(dtype)
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise UserError("threads cannot be used", value=threads, allowed="an integer of at least 1")
    if name == "auto":
        name = "lanes" if device == "cpu" and find_spec("numba") is not None else "torch"
    if name == "torch":
        return TorchEngine(device, dtype)
    if device != "cpu":
        raise UserError(
            "the engine lanes cannot use this device",
            value=device,
            allowed="cpu",
            hint="Choose the engine torch for other devices",
        )
    return _lanes(threads, dtype)


def _lanes(threads: int, dtype: str) -> Engine:
    """Import numba, which takes a second, only where it is going to be used."""
    hint = "Install it with: pip install numba; or choose the engine torch"
    if find_spec("numba") is None:
        raise UserError("the engine lanes needs numba, which is not installed", hint=hint)
    try:
        from rnnkit.training.lanes_engine import LanesEngine
    except ImportError as error:
        if (error.name or "").startswith("rnnkit"):
            raise
        raise UserError(f"numba cannot be imported ({error})", hint=hint) from error
    engine: Engine = LanesEngine(threads=threads, dtype=dtype)
    return engine
