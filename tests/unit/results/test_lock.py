"""One run of a chapter at a time, and a dead one is in nobody's way."""

import os
import signal
import subprocess
import sys

import pytest

from rnnkit.errors import UserError
from rnnkit.results import run_lock

HOLD = """
import sys, time
from pathlib import Path
from rnnkit.results import run_lock
with run_lock(Path(sys.argv[1]), "geometry"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_run_is_told_who_holds_the_lock(holder, tmp_path):
    with pytest.raises(UserError) as caught, run_lock(tmp_path, "geometry"):
        pass
    message = str(caught.value)
    assert "geometry is being run already" in message
    assert f"process {holder.pid}" in message
    assert "since 20" in message
    assert f"kill {holder.pid}" in message


def test_another_chapter_is_free(holder, tmp_path):
    with run_lock(tmp_path, "lab"):
        pass


def test_a_killed_run_leaves_the_lock_free(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with run_lock(tmp_path, "geometry"):
        pass


def test_the_lock_ends_with_the_body_even_by_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), run_lock(tmp_path / "new", "geometry"):
        raise KeyboardInterrupt
    with run_lock(tmp_path / "new", "geometry"):
        pass


def test_it_holds_within_a_process_too(tmp_path):
    with (
        run_lock(tmp_path, "geometry"),
        pytest.raises(UserError, match=f"process {os.getpid()}"),
        run_lock(tmp_path, "geometry"),
    ):
        pass


def test_a_worker_that_outlives_the_run_does_not_hold_the_lock(tmp_path):
    read, write = os.pipe()
    with run_lock(tmp_path, "geometry"):
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)  # until the parent closes its end
            os._exit(0)
    os.close(read)
    try:
        with run_lock(tmp_path, "geometry"):
            pass
    finally:
        os.close(write)
        os.waitpid(child, 0)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="lock file"), run_lock(tmp_path / "file" / "locks", "geometry"):
        pass
