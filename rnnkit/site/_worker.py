"""One notebook, one process: both ends of the leash between a render and ``python -m rnnkit.site._worker``.

The worker runs the notebook in its folder through papermill. The render holds the other end of the
worker's standard input. When that closes, because the render stopped or died in whatever way, the
worker interrupts itself and takes its kernel with it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rnnkit
from rnnkit.lazily import skip_grammars

SOURCE, OUTPUT, LOG = "source.ipynb", "output.ipynb", "log.txt"
GRACE_SECONDS = 8.0
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def start_worker(folder: Path, root: Path, parameters: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    """Start executing ``folder/source.ipynb`` into ``folder/output.ipynb``, with a ``log.txt``.

    Parameters
    ----------
    folder : Path
        A folder of the worker's own.
    root : Path
        Where the kernel works.
    parameters : mapping
        The papermill parameters, plain JSON values.
    """
    library = str(Path(rnnkit.__file__).resolve().parents[1])
    environment = {
        **os.environ,
        "RNNKIT_STATIC": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")])),
        "IPYTHONDIR": str(folder / "ipython"),  # no start-up files of the user's, no shared history
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    order = json.dumps({"root": str(root), "parameters": dict(parameters)})
    with (folder / LOG).open("wb") as log:
        # A session of its own: Ctrl-C in the terminal reaches the render alone, which lets go of the leash.
        return subprocess.Popen(
            [sys.executable, "-m", "rnnkit.site._worker", order],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def stop_worker(worker: subprocess.Popen[bytes]) -> None:
    """Let go of the leash, and wait until the worker is gone; one that has ended is only tidied up."""
    if worker.stdin is not None:
        worker.stdin.close()
    try:
        worker.wait(GRACE_SECONDS + 2)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def _hold_leash() -> None:
    """Interrupt this process when its standard input closes."""

    def watch() -> None:
        # os.read, not sys.stdin: a thread blocked in a buffered reader breaks the interpreter's shutdown.
        while os.read(0, 64):
            pass
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(GRACE_SECONDS)
        os._exit(EXIT_INTERRUPTED)  # the kernel sees that its parent is gone and leaves by itself

    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=watch, daemon=True).start()


def _kernel_manager_class() -> type:
    """Return a kernel manager that starts this interpreter, whatever kernelspecs are installed."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    class ThisPythonSpec(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    class ThisPythonManager(AsyncKernelManager):
        @default("kernel_spec_manager")
        def _this_python(self) -> KernelSpecManager:
            return ThisPythonSpec(parent=self)

    return ThisPythonManager


def _run(order: Mapping[str, Any]) -> int:
    """Execute the notebook and return the exit status; the last line printed says why it is not 0."""
    skip_grammars()
    import papermill

    try:
        # File names only: papermill formats paths, and a folder may have braces in its name.
        papermill.execute_notebook(
            SOURCE,
            OUTPUT,
            parameters=order["parameters"],
            kernel_name="python3",
            language="python",
            progress_bar=False,
            # Options of its engine: where the kernel works, and that it ends at once with its client.
            autosave_cell_every=0,
            resources={"metadata": {"path": order["root"]}},
            kernel_manager_class=_kernel_manager_class(),
            shutdown_kernel="immediate",
            store_widget_state=False,
        )
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _main() -> int:
    _hold_leash()
    try:
        return _run(json.loads(sys.argv[1]))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(_main())
