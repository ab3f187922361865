"""The notebooks of every chapter from nothing: their smallest honest run, and again of some, to the same outputs."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from rnnkit import paths
from rnnkit.lanes.compiling import cache_folder
from rnnkit.site.book import Book
from rnnkit.studies import CHAPTERS

pytestmark = pytest.mark.slow
SANITIZE = Path(__file__).parent / "sanitize.cfg"


@pytest.fixture(autouse=True)
def never_for_ever() -> None:
    """Each process and each cell has a limit of its own."""


@dataclass(frozen=True)
class Workplace:
    """An empty home without MNIST and without a network: the bundled digits at quick budget."""

    chapter: str
    environment: dict[str, str]
    executed: Path

    @property
    def notebooks(self) -> list[Path]:
        """The chapter's sources."""
        return Book(paths.repository()).notebooks(self.chapter)


def _python(workplace: Workplace, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=workplace.environment,
        cwd=paths.repository(),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


@pytest.fixture(scope="module", params=CHAPTERS)
def workplace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder = tmp_path_factory.mktemp("notebooks")
    # The cache holds no data, but code that was compiled once need not be compiled for each chapter.
    (folder / "cache" / "rnnkit").mkdir(parents=True)
    if (compiled := cache_folder()) is not None:
        (folder / "cache" / "rnnkit" / "compiled").symlink_to(compiled.parent)
    dropped = {"RNNKIT_DATA", "RNNKIT_RESULTS"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped} | {
        "RNNKIT_HOME": str(folder / "home"),
        "RNNKIT_OFFLINE": "1",
        "RNNKIT_STATIC": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    place = Workplace(request.param, environment, folder / "executed")
    run = _python(place, "-m", "rnnkit", "run", place.chapter)
    assert run.returncode == 0, run.stderr
    return place


def _code(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def _run_again(workplace: Workplace, notebooks: list[Path]) -> None:
    """Let nbval run executed notebooks, each in its own folder, and compare the outputs."""
    run = _python(
        workplace,
        "-m",
        "pytest",
        "-q",
        "--nbval",
        "--nbval-cell-timeout=300",
        f"--nbval-sanitize-with={SANITIZE}",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        *map(str, notebooks),
    )
    assert run.returncode == 0, run.stdout[-4000:]
    assert "passed" in run.stdout


def test_sources_run_as_they_are_and_once_more_to_the_same_outputs(workplace):
    """First by papermill in the repository, then by nbval, which adds nothing of its own, in another folder."""
    script = (
        "import sys; from pathlib import Path; from rnnkit import paths; from rnnkit.site.book import Book; "
        "from rnnkit.site.render import execute_notebooks; book = Book(paths.repository()); "
        "execute_notebooks(book.notebooks(sys.argv[1]), Path(sys.argv[2]), {}, root=book.root)"
    )
    run = _python(workplace, "-c", script, workplace.chapter, str(workplace.executed))
    assert run.returncode == 0, run.stderr
    executed = sorted((workplace.executed / workplace.chapter).glob("*.ipynb"))
    assert [path.name for path in executed] == sorted(path.name for path in workplace.notebooks)
    for source, path in zip(sorted(workplace.notebooks), executed, strict=True):
        assert _code(path) == _code(source), "what ran is not what stands in the source"
        outputs = [o for cell in nbformat.read(path, 4).cells for o in cell.get("outputs", [])]
        assert any("application/vnd.plotly.v1+json" in output.get("data", {}) for output in outputs), path
        assert str(paths.repository()) not in path.read_text(), "an absolute path in a notebook"
    _run_again(workplace, [executed[0], executed[-1]])  # outputs that hang on chance would do so on any page
