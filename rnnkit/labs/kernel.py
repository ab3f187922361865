"""A kernel for one submission: started through the jail, spoken to through files, told as little as it needs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnkit.labs.jail import COMMAND, library_path

_KEPT = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "RNNKIT_DATA", "LD_LIBRARY_PATH"}


def manager_class(folder: Path, order: Mapping[str, Any]) -> type:
    """A kernel manager that starts this interpreter in the jail, with its sockets in ``folder``.

    Parameters
    ----------
    folder : Path
        Its path has to be short: a socket's may have 100 letters.
    order : mapping
        For :mod:`rnnkit.labs.jail`.
    """
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    start = [*COMMAND, json.dumps(dict(order))]

    class JailSpec(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [*start, "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    class JailManager(AsyncKernelManager):
        @default("kernel_spec_manager")
        def _through_the_jail(self) -> KernelSpecManager:
            return JailSpec(parent=self)

        @default("transport")
        def _through_files(self) -> str:
            return "ipc"

        @default("ip")
        def _prefix(self) -> str:
            return str(folder / "k")

        @default("connection_file")
        def _connection_file(self) -> str:
            return str(folder / "kernel.json")

    return JailManager


def environment(folder: Path) -> dict[str, str]:
    """What the kernel gets to know: where to work and where the data are, and nothing else of the teacher's."""
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    homes = ("HOME", "TMPDIR", "IPYTHONDIR", "RNNKIT_HOME", "JUPYTER_RUNTIME_DIR", "XDG_CACHE_HOME")
    return {
        **{name: value for name, value in os.environ.items() if name in _KEPT},
        **dict.fromkeys(threads, "1"),
        **dict.fromkeys(homes, str(folder)),
        "PYTHONPATH": library_path(),
        "RNNKIT_OFFLINE": "1",
        "RNNKIT_STATIC": "1",  # no figure as a widget: nobody is there to turn it
        "CUDA_VISIBLE_DEVICES": "",
        "NBGRADER_EXECUTION": "autograde",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
