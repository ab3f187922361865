"""The provenance of a record says what ran, and invents nothing."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from rnnkit.results import provenance
from rnnkit.results.provenance import git_revision, is_tracked, library_versions


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    answer = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


@pytest.fixture
def package(tmp_path):
    package = tmp_path / "repo" / "kit"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    git(package.parent, "init", "-q")
    git(package.parent, "add", "-A")
    git(package.parent, "commit", "-qm", "start")
    return package


def test_the_revision_is_that_of_git(package):
    head = git(package, "rev-parse", "HEAD")
    assert git_revision(package) == {"revision": head, "dirty": False}
    (package.parent / "notebook.ipynb").write_text("outside of the package")
    assert git_revision(package)["dirty"] is False
    (package / "new.py").write_text("")
    assert git_revision(package) == {"revision": head, "dirty": True}


def test_a_hook_of_another_repository_does_not_mislead(package, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert git_revision(package)["dirty"] is False


def test_a_package_installed_below_another_repository_has_no_revision(package):
    installed = package.parent / ".venv" / "kit"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert git_revision(installed) == {"revision": None, "dirty": None}


def test_no_repository_and_no_git_are_no_error(package, tmp_path, monkeypatch):
    assert git_revision(tmp_path) == {"revision": None, "dirty": None}
    assert is_tracked(package / "__init__.py")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_revision(package) == {"revision": None, "dirty": None}
    assert not is_tracked(package / "__init__.py")


def test_the_versions_are_those_of_the_imported_libraries():
    import sklearn

    versions = library_versions()
    assert versions["numpy"] == np.__version__
    assert versions["scikit-learn"] == sklearn.__version__


def test_peak_memory_remembers_an_array_that_is_gone():
    code = """
import numpy as np
from rnnkit.results import peak_memory_bytes
before = peak_memory_bytes()
np.ones(32 << 20, np.uint8)
print(peak_memory_bytes() - before)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 24 << 20 < int(answer.stdout) < 64 << 20


def test_all_of_it_is_json_and_the_time_is_utc():
    origin = provenance("cpu", np.int64(3), {"train": "ab"}, np.float64(1.23456), 1024, "paper")
    assert json.loads(json.dumps(origin)) == origin
    assert (origin["seed"], origin["wall_seconds"], origin["budget"]) == (3, 1.235, "paper")
    created = datetime.fromisoformat(origin["created"])
    assert abs((datetime.now(UTC) - created).total_seconds()) < 60
