"""The tiny lab, and a course folder with its student version, made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnnkit.labs.course import make_course, read_notebook, released_notebook
from rnnkit.labs.sources import Lab
from tests.unit.labs.tiny import make_tiny

pytest.importorskip("nbgrader", reason="the extra labs is not installed")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(make_tiny(tmp_path_factory.mktemp("labs")))


@pytest.fixture(scope="session")
def course(tiny: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_course([tiny], tmp_path_factory.mktemp("course"))


@pytest.fixture
def released(course: Path, tiny: Lab) -> Any:
    return read_notebook(released_notebook(course, tiny.name))
