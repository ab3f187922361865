"""Keras and keras-lmu as a rival, in a process of their own: TensorFlow's versions need not fit those of the lock.

Set up once, beside the project, and named in RNNKIT_KERAS_PYTHON:

    python3 -m venv /tmp/keras-env
    /tmp/keras-env/bin/pip install tensorflow==2.21.0 keras==3.15.0 keras-lmu==0.9.0
    RNNKIT_KERAS_PYTHON=/tmp/keras-env/bin/python python -m benchmarks psmnist
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

VARIABLE = "RNNKIT_KERAS_PYTHON"
WORKER = Path(__file__).with_name("keras_worker.py")


def interpreter() -> str | None:
    """The Python that has Keras: the one that is named, or this one; None where there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    found = all(find_spec(name) is not None for name in ("keras", "tensorflow", "keras_lmu"))
    return sys.executable if found else None


class KerasRival:
    """A training step in another process; use as a context, and call for a step's loss.

    Attributes
    ----------
    peak_bytes : int
        Peak memory of its first step over that of a small step before; compiling it is part of that.
    about : dict
        Versions.
    """

    def __init__(self, python: str, **asked: Any) -> None:
        self._command, self._asked = [python, str(WORKER)], asked
        self.peak_bytes = 0
        self.about: dict[str, Any] = {}

    def __enter__(self) -> KerasRival:
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True
        )
        try:
            self.about = self._ask(self._asked)
        except BaseException:  # Ctrl-C too
            self._end()
            raise
        self.peak_bytes = int(self.about.pop("peak_bytes"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def __call__(self) -> float:
        """Take a step; its loss."""
        return float(self._ask({})["loss"])

    def _end(self) -> None:
        with suppress(BrokenPipeError):
            self._process.communicate()
        self._said.close()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(question), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._process.wait()
            self._said.seek(0)
            raise RuntimeError(f"Keras ended: {self._said.read().strip()[-2000:]}")
        return json.loads(line)
