"""Who may import whom: downwards only, and nothing heavy before it is needed.

Each room of rnnkit is a package (or a module beside them). The table is the project's architecture; a
new room is entered here first.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import rnnkit
from rnnkit.studies import CHAPTERS, study_class
from rnnkit.studies import open as open_study

PACKAGE = Path(rnnkit.__file__).parent

MAY_IMPORT = {
    "__init__": set(),
    "errors": set(),
    "lazily": set(),
    "paths": set(),
    "stopping": set(),
    "models": {"lanes"},
    "datasets": set(),
    "probes": set(),
    "results": set(),
    "figures": set(),
    "lanes": set(),
    "training": {"models", "lanes"},
    "studies": {"training", "models", "datasets", "probes", "results", "paths"},
    "site": {"results", "paths"},
    "labs": {"results", "paths"},
    "__main__": {"site", "labs", "studies", "models", "datasets", "results", "paths", "stopping"},
}
EVERYWHERE = {"errors", "lazily", "__init__"}

# Installed where only training happens; anything else waits inside a function until it is needed.
LIGHT = {"numpy", "scipy", "sklearn", "tqdm", "safetensors", "threadpoolctl"}
AT_THE_TOP = {
    "models": LIGHT | {"torch"},
    "lanes": {"numpy", "numba", "llvmlite"},
    "training": LIGHT | {"torch"},
    "probes": LIGHT | {"torch"},
    "studies": LIGHT | {"torch"},
    "datasets": LIGHT,
    "results": LIGHT,
    "site": LIGHT,
    "labs": set(),
    "__main__": LIGHT,
    "figures": {"numpy", "plotly"},
    "errors": set(),
    "lazily": set(),
    "paths": set(),
    "stopping": set(),
    "__init__": set(),
}
# Rooms in which some libraries have no place, not even inside a function.
ONLY = {"figures": {"numpy", "plotly", "ipywidgets", "anywidget", "traitlets", "IPython", "pygments"}}
NEVER = {
    "results": {"torch"},
    "site": {"torch"},
    "labs": {"torch"},
    "errors": {"torch"},
    "lazily": {"torch"},
    "datasets": {"torch"},
    "lanes": {"torch"},
}
# Rooms that another room enters only inside functions: they import what may be missing or takes long.
LATE = {"models": {"lanes"}}
# Packages whose exports are imported when they are asked for.
LAZY = (
    "rnnkit.models",
    "rnnkit.models.recurrence",
    "rnnkit.models.population",
    "rnnkit.models.population.sequences",
    "rnnkit.training",
)
# What pages import beside figures. Drawing records takes no torch, whose import is half of a page's time; only pages
# of psmnist count parameters on its models.
PAGES_IMPORT = {
    "geometry": ("configs",),
    "trainability": ("views", "reader"),
    "psmnist": ("views", "table_one"),
    "lab": ("views", "adder_views"),
}
# Compiled code has one room, which is entered only where something of it runs.
ONE_ROOM = {"numba": "lanes", "llvmlite": "lanes"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST, package: str) -> Iterator[tuple[str, bool]]:
    """Yield the absolute name of everything imported, and whether that happens as soon as the file is."""
    pending: list[tuple[ast.AST, bool]] = [(tree, True)]
    while pending:
        node, at_once = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                stem = package.split(".")[: len(package.split(".")) - node.level + 1]
                origin = ".".join([*stem, origin] if origin else stem)
            yield from ((f"{origin}.{alias.name}", at_once) for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending += [(child, False) for child in node.body] + [(child, at_once) for child in node.orelse]
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            pending += [(child, at_once and not inside) for child in ast.iter_child_nodes(node)]


def offences(source: str, room: str, package: str) -> list[str]:
    """Return what a file of a room imports against the rules."""
    found = []
    for name, at_once in imports(ast.parse(source), package):
        parts = name.split(".")
        if parts[0] == "rnnkit":
            target = parts[1] if len(parts) > 1 and parts[1] in MAY_IMPORT else "__init__"
            if target not in {room, *EVERYWHERE, *MAY_IMPORT[room]}:
                found.append(f"{room} imports rnnkit.{target}")
            elif at_once and target in LATE.get(room, ()):
                found.append(f"{room} imports rnnkit.{target} at the top of a file")
        elif parts[0] not in sys.stdlib_module_names:
            barred = parts[0] in NEVER.get(room, ()) or parts[0] not in ONLY.get(room, {parts[0]})
            if barred or ONE_ROOM.get(parts[0], room) != room:
                found.append(f"{room} imports {parts[0]}")
            elif at_once and parts[0] not in AT_THE_TOP[room]:
                found.append(f"{room} imports {parts[0]} at the top of a file")
    return found


def test_every_room_is_in_the_table():
    files = [path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts]
    assert {room_of(path) for path in files} <= set(MAY_IMPORT)


def test_the_rooms_form_no_circle():
    def below(room: str, seen: tuple[str, ...] = ()) -> set[str]:
        assert room not in seen, f"a circle: {' -> '.join([*seen, room])}"
        return {room}.union(*(below(next_room, (*seen, room)) for next_room in MAY_IMPORT[room]))

    for room in MAY_IMPORT:
        below(room)


def test_what_two_rooms_must_each_know_is_the_same():
    """Models may not import datasets: both say how many words there are."""
    from rnnkit.datasets import sentences
    from rnnkit.models import population

    assert population.VOCABULARY_SIZE == sentences.VOCABULARY_SIZE == 10


def test_imports_go_downwards_and_heavy_ones_wait():
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        package = ".".join(["rnnkit", *path.relative_to(PACKAGE).parent.parts])
        rules_broken = offences(path.read_text(encoding="utf-8"), room_of(path), package)
        found += [f"{path.relative_to(PACKAGE.parent)}: {offence}" for offence in rules_broken]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("probes", "from rnnkit.training.loop import fit"),
        ("probes", "def f():\n    import rnnkit.figures"),
        ("results", "from rnnkit import site"),
        ("results", "from ..studies import geometry"),
        ("results", "def f():\n    import torch"),
        ("figures", "def f():\n    import rnnkit.results"),
        ("figures", "def f():\n    import sklearn"),
        ("site", "if True:\n    import papermill"),
        ("site", "class A:\n    import nbformat.v4"),
        ("__main__", "import torch"),
        ("models", "import rnnkit.datasets"),
        ("models", "from rnnkit.lanes.compiling import compiled"),
        ("lanes", "from rnnkit.models.population import Architecture"),
        ("lanes", "import rnnkit.training"),
        ("lanes", "def f():\n    import torch"),
        ("training", "def f():\n    import numba"),
        ("studies", "from llvmlite import binding"),
    ],
)
def test_the_rules_bite(room, source):
    assert len(offences(source, room, f"rnnkit.{room}")) == 1


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("studies", "from rnnkit.training import loop\nimport torch"),
        ("site", "from rnnkit import __version__\nfrom rnnkit.results import run_lock"),
        ("site", "from ._worker import LOG\ndef f():\n    import papermill"),
        ("__main__", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch"),
        ("lanes", "import numba\nfrom llvmlite import ir\nfrom rnnkit.errors import UserError"),
        ("models", "def f():\n    from rnnkit.lanes.compiling import compiled"),
        ("figures", "import json\nimport plotly.graph_objects as go\nfrom rnnkit.errors import UserError"),
    ],
)
def test_the_rules_let_the_rest_pass(room, source):
    assert offences(source, room, f"rnnkit.{room}") == []


def _page(chapter: str) -> str:
    """What a page of a chapter imports to draw records that are there."""
    modules = [
        "rnnkit.studies.pages",
        *(f"rnnkit.studies.{chapter}.{name}" for name in PAGES_IMPORT[chapter]),
    ]
    study = f"rnnkit.studies.open({chapter!r}, budget='paper')"
    return f"import {', '.join(modules)}\nassert {study}.every_record()\n{study}.missing()"


@pytest.mark.parametrize(
    "source",
    [
        "import rnnkit.results, rnnkit.figures, rnnkit.site",
        "import rnnkit.site.render",
        "import runpy\nsys.argv = ['rnnkit', '--help']\n"
        "try:\n    runpy.run_module('rnnkit', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code",
        *map(_page, PAGES_IMPORT),
    ],
    ids=["rooms", "render", "help", *PAGES_IMPORT],
)
def test_torch_is_not_imported_before_it_is_needed(source):
    _assert_not_imported("torch", source)


@pytest.mark.parametrize("name", LAZY)
def test_exports_that_wait_are_there(name):
    package = import_module(name)
    for export in package.__all__:
        home = getattr(getattr(package, export), "__module__", name)
        assert not isinstance(getattr(package, export), ModuleType), (
            f"{export} is hidden by a module of its name"
        )
        assert home.startswith("rnnkit.")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_a_job_computes_with_is_there(chapter):
    """Jobs name functions by their addresses, which no type checker follows."""
    chosen = study_class(chapter)
    for budget in chosen.budgets:
        for function in {job.compute for job in open_study(chapter, budget=budget, device="cpu").jobs()}:
            assert callable(function.load())


def test_numba_is_not_imported_before_an_engine_is_made():
    _assert_not_imported(
        "numba", "from rnnkit.training import make_engine, train; import rnnkit.studies, rnnkit.__main__"
    )


def _assert_not_imported(library: str, source: str) -> None:
    script = f"import sys\n{source}\nsys.exit({library!r} in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr or f"{library} was imported"
