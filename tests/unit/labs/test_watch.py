"""What overruns a limit is killed, with all that it has started."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from rnnkit.labs.limits import Limits
from rnnkit.labs.watch import Watch
from tests.waiting import ended, wait_for

HOARD = "kept = b'x' * (200 * 2**20)\nimport time\ntime.sleep(300)"
CHILD = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', {code!r}], start_new_session=True)\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(300)"
)


def start(code):
    return ended(
        subprocess.Popen(
            [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, text=True
        )
    )


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(memory_gb=0.1), "more than 0.1 GB of memory"),
        (Limits(submission_seconds=1), "took more than 1 s"),
    ],
)
def test_a_child_that_left_its_group_is_counted_and_killed_too(limits, reason):
    with start(CHILD.format(code=HOARD)) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        watch = Watch(process.pid, limits)
        watch.start()
        wait_for(lambda: process.poll() is not None, "the process to be killed")
        wait_for(lambda: gone(child), "its child to be killed")
        watch.end()
    assert reason in watch.reason


def test_what_keeps_to_its_limits_is_left_alone_until_the_end():
    with start("import time\nprint('here', flush=True)\ntime.sleep(300)") as process:
        assert process.stdout
        process.stdout.readline()
        watch = Watch(process.pid, Limits())
        watch.start()
        wait_for(lambda: watch.peak_bytes, "a look at its memory")
        assert process.poll() is None
        watch.end()
        wait_for(lambda: process.poll() is not None, "the process to be killed at the end")
    assert watch.reason == ""
