"""Notebooks in, executed notebooks out: checked first, run apart, moved into place only when whole.

Each notebook runs through papermill in a process of its own (``_worker``), a few at a time. What a
notebook hangs on is hashed and kept in the executed one, so that a second build runs only what changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnkit.errors import InterruptedRun, UserError
from rnnkit.results import run_lock
from rnnkit.site._executed import clean, describe_failure, library_hash, render_key, stored_key
from rnnkit.site._parameters import check_parameters, read_source
from rnnkit.site._worker import LOG, OUTPUT, SOURCE, start_worker, stop_worker

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class _Job:
    """One notebook to execute: its bytes as they were hashed, and where the result goes."""

    notebook: Path
    source: bytes
    key: str
    target: Path

    @property
    def name(self) -> str:
        return f"{self.target.parent.name}/{self.target.name}"


def executed_path(notebook: Path, executed: Path) -> Path:
    """Return where the executed form of a notebook stands: ``executed/<chapter>/<notebook>``."""
    return executed / notebook.resolve().parent.name / notebook.name


def execute_notebooks(
    notebooks: Sequence[Path],
    executed: Path,
    parameters: Mapping[str, Any],
    *,
    jobs: int = 2,
    root: Path | None = None,
    fingerprint: str = "",
    force: bool = False,
) -> list[Path]:
    """Execute notebooks with papermill and return the executed ones, in order.

    Parameters
    ----------
    notebooks : sequence of Path
        Source notebooks, ``book/<chapter>/<name>.ipynb``.
    executed : Path
        Folder for the executed ones, ``executed/<chapter>/<name>.ipynb``. A notebook that fails is kept
        beside it, in ``executed/../failed``.
    parameters : mapping
        Values for the notebooks' ``parameters`` cells; what is left out keeps its default.
    jobs : int, default 2
        How many notebooks run at once.
    root : Path, optional
        The repository root, where the kernels work. Default: the current folder.
    fingerprint : str, optional
        Stands for everything else that the notebooks read: their records, the claims ledger. An
        executed notebook whose source, parameters, fingerprint and library are unchanged is reused.
    force : bool, default False
        Run even what is unchanged.

    Raises
    ------
    UserError
        Before anything runs: for a parameter that a notebook does not know or that has the wrong type,
        a file that is not a notebook, or another render of the same chapter. Afterwards: for every
        notebook that failed, with its cell and its error; the others have been executed, and of a
        failed one the last good run still stands.
    InterruptedRun
        On Ctrl-C; the notebooks executed until then are kept.
    """
    if jobs < 1:
        raise UserError(
            "the number of notebooks to run at once is too small", value=jobs, allowed="1 or more"
        )
    root = (root or Path.cwd()).resolve()
    sources = {notebook: read_source(notebook) for notebook in notebooks}
    for notebook, source in sources.items():
        check_parameters(source, notebook, parameters)
    library = library_hash()
    plan = [
        _Job(
            notebook,
            source,
            render_key(source, parameters, fingerprint, library),
            executed_path(notebook, executed),
        )
        for notebook, source in sources.items()
    ]
    with ExitStack() as stack:
        for chapter in sorted({job.target.parent.name for job in plan}):
            stack.enter_context(run_lock(executed / ".locks", chapter))
        due = [job for job in plan if force or stored_key(job.target) != job.key]
        failures = _execute(due, parameters, executed, root, jobs, reused=len(plan) - len(due))
    if failures:
        raise UserError(
            f"{len(failures)} of {len(plan)} notebooks failed\n" + "\n".join(failures) + "\n",
            hint=f"Their pages keep the last good run; the failed ones are in {_failed_folder(executed)}",
        )
    return [job.target for job in plan]


def _cannot_write(folder: Path, error: OSError) -> UserError:
    return UserError(
        "cannot write executed notebooks",
        value=str(folder),
        hint=f"{error.strerror}. Free some space or mend the folder's permissions, and run the command again",
    )


def _execute(
    due: Sequence[_Job], parameters: Mapping[str, Any], executed: Path, root: Path, jobs: int, *, reused: int
) -> list[str]:
    """Run what is due, a few at a time, and return one message for each that failed."""
    from tqdm import tqdm

    if not due:
        return []
    failures = []
    waiting = list(reversed(due))
    with (
        _running_folder(executed) as folder,
        ExitStack() as running_workers,
        tqdm(total=len(due) + reused, initial=reused, unit="notebook", file=sys.stderr) as bar,
    ):
        running: list[tuple[_Job, Path, subprocess.Popen[bytes]]] = []
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    job = waiting.pop()
                    own = folder / f"{len(waiting)}"
                    worker = _start(job, own, parameters, root)
                    running_workers.callback(stop_worker, worker)
                    running.append((job, own, worker))
                    bar.set_postfix_str(job.name)
                time.sleep(POLL_SECONDS)
                for entry in [entry for entry in running if entry[2].poll() is not None]:
                    running.remove(entry)
                    failures += _finish(*entry, parameters, executed, root)
                    bar.update()
        except KeyboardInterrupt as error:
            raise InterruptedRun(
                "stopped while executing notebooks",
                value=", ".join(job.name for job, _, _ in running),
                hint="Every page keeps its last good run; the same command goes on where this one stopped",
            ) from error
    return failures


@contextmanager
def _running_folder(executed: Path) -> Iterator[Path]:
    """Give a folder on the disk of ``executed`` for what is not finished; it is gone afterwards."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=".running-", dir=executed))
    except OSError as error:
        raise _cannot_write(executed, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(job: _Job, own: Path, parameters: Mapping[str, Any], root: Path) -> subprocess.Popen[bytes]:
    try:
        own.mkdir()
        (own / SOURCE).write_bytes(job.source)
        return start_worker(own, root, parameters)
    except OSError as error:
        raise _cannot_write(own, error) from error


def _finish(
    job: _Job,
    own: Path,
    worker: subprocess.Popen[bytes],
    parameters: Mapping[str, Any],
    executed: Path,
    root: Path,
) -> list[str]:
    """Move a whole notebook into place, or keep a failed one aside and return its message."""
    import nbformat

    output, failed = own / OUTPUT, _failed_folder(executed) / job.target.parent.name / job.target.name
    try:
        if worker.returncode:
            message = f"{job.notebook}, {describe_failure(output, own / LOG)}"
            if output.exists():
                failed.parent.mkdir(parents=True, exist_ok=True)
                os.replace(output, failed)
            return [message]
        node = nbformat.read(output, as_version=4)
        clean(node, key=job.key, parameters=parameters, source_path=_relative(job.notebook, root))
        nbformat.write(node, output)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(output, job.target)
        failed.unlink(missing_ok=True)
    except OSError as error:
        return [f"{job.notebook}: cannot write the executed notebook ({error.strerror})"]
    return []


def _failed_folder(executed: Path) -> Path:
    return executed.parent / "failed"


def _relative(path: Path, root: Path) -> str:
    resolved = path.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else path.name
