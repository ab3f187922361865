"""What a reader still has when executing notebooks goes wrong: the last good page, and one clear message."""

import errno
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from rnnkit.errors import UserError
from rnnkit.results import run_lock
from rnnkit.site import render
from rnnkit.site.render import execute_notebooks
from tests.waiting import ended, wait_for

RENDER = """
import sys
from pathlib import Path
from rnnkit.errors import UserError
from rnnkit.site.render import execute_notebooks
root = Path(sys.argv[1])
try:
    execute_notebooks([root / "book/chapter/01.ipynb"], root / "executed", {}, root=root)
except UserError as error:
    print(error)
    sys.exit(error.exit_code)
"""

SLEEP = """
import os, time
open("kernel.pid", "w").write(str(os.getpid()))
os.rename("kernel.pid", "kernel")
time.sleep(600)
""".strip()


def write_notebook(path: Path, *code: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source, id=f"code-{i}") for i, source in enumerate(code)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def last_good(executed: Path) -> Path:
    executed.parent.mkdir(parents=True, exist_ok=True)
    executed.write_text("the last good one")
    return executed


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a dead process whose parent has not looked yet is dead
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc").exists()


def test_a_failing_and_a_dying_notebook_leave_their_last_good_pages_and_the_others_run(tmp_path):
    chapter, executed = tmp_path / "book/chapter", tmp_path / "build/executed"
    failing = write_notebook(chapter / "01.ipynb", "x = 1", "x / 0  # the mistake", "open('ran', 'w')")
    dying = write_notebook(chapter / "02.ipynb", "import os", "os._exit(3)")
    good = write_notebook(chapter / "03.ipynb", "print('fine')")
    kept = [last_good(executed / "chapter" / notebook.name) for notebook in (failing, dying)]

    with pytest.raises(UserError) as caught:
        execute_notebooks([failing, dying, good], executed, {}, root=tmp_path)

    message = str(caught.value)
    assert "2 of 3 notebooks failed" in message
    assert "01.ipynb, cell 2: ZeroDivisionError: division by zero" in message
    assert "02.ipynb, cell 2: DeadKernelError" in message
    assert "03.ipynb" not in message
    assert [path.read_text() for path in kept] == ["the last good one"] * 2
    assert "fine" in (executed / "chapter/03.ipynb").read_text()
    assert not (tmp_path / "ran").exists()
    aside = tmp_path / "build/failed/chapter"
    assert sorted(path.name for path in aside.iterdir()) == ["01.ipynb", "02.ipynb"]
    assert "ZeroDivisionError" in (aside / "01.ipynb").read_text()
    assert not list(executed.glob(".running-*"))

    write_notebook(chapter / "01.ipynb", "x = 1")
    execute_notebooks([failing], executed, {}, root=tmp_path)
    assert not (aside / "01.ipynb").exists()
    assert json.loads(kept[0].read_text())["metadata"]["rnnkit"]


@contextmanager
def started_render(tmp_path: Path):
    """A render in a process of its own, with its kernel's id, once a cell is running."""
    write_notebook(tmp_path / "book/chapter/01.ipynb", SLEEP)
    last_good(tmp_path / "executed/chapter/01.ipynb")
    process = subprocess.Popen(
        [sys.executable, "-c", RENDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(render.__file__).parents[2])},
    )
    with ended(process):
        wait_for((tmp_path / "kernel").exists, "the kernel")
        yield process, int((tmp_path / "kernel").read_text())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_render_leaves_no_kernel_and_the_last_good_page(tmp_path, how):
    with started_render(tmp_path) as (process, kernel):
        process.send_signal(how)
        output, _ = process.communicate(timeout=60)

    wait_for(lambda: not is_alive(kernel), "the kernel to end", 60)
    executed = tmp_path / "executed"
    assert (executed / "chapter/01.ipynb").read_text() == "the last good one"
    assert [path.name for path in (executed / "chapter").iterdir()] == ["01.ipynb"]
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "stopped while executing notebooks: 'chapter/01.ipynb'" in output
        assert not list(executed.glob(".running-*"))
    else:
        assert process.returncode == -how


def test_a_second_render_of_the_same_chapter_is_told_who_is_first(tmp_path):
    notebook = write_notebook(tmp_path / "book/chapter/01.ipynb", "open('ran', 'w')")
    executed = tmp_path / "executed"
    with (
        run_lock(executed / ".locks", "chapter"),
        pytest.raises(UserError, match=f"chapter.*{os.getpid()}"),
    ):
        execute_notebooks([notebook], executed, {}, root=tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_at_the_last_moment_keeps_the_last_good_page(tmp_path, monkeypatch):
    notebook = write_notebook(tmp_path / "book/chapter/01.ipynb", "1")
    kept = last_good(tmp_path / "executed/chapter/01.ipynb")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(render.os, "replace", full)
    with pytest.raises(UserError, match=r"01\.ipynb: cannot write.*No space left"):
        execute_notebooks([notebook], tmp_path / "executed", {}, root=tmp_path)
    assert kept.read_text() == "the last good one"
    assert not list((tmp_path / "executed").glob(".running-*"))


@pytest.mark.parametrize("jobs", [0, -1])
def test_a_number_of_jobs_below_one_is_refused(tmp_path, jobs):
    with pytest.raises(UserError, match="1 or more"):
        execute_notebooks([], tmp_path, {}, jobs=jobs)


def test_a_missing_notebook_is_named(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read.*07\.ipynb.*No such file"):
        execute_notebooks([tmp_path / "chapter/07.ipynb"], tmp_path / "executed", {})


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    notebook = write_notebook(tmp_path / "chapter/01.ipynb", "1")
    (tmp_path / "executed").write_text("a file is in the way")
    with pytest.raises(UserError, match="executed"):
        execute_notebooks([notebook], tmp_path / "executed", {})
