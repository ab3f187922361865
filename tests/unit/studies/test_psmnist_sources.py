from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rnnkit
from rnnkit.models.recurrence import CELLS
from rnnkit.studies.psmnist import sources


def defined(place: str) -> ast.AST:
    """The definition at ``rnnkit.models.lmu.LMU.next_memory``, as it stands in its file."""
    path, names = Path(rnnkit.__file__).parent, place.split(".")[1:]
    while not path.is_file():
        name = names.pop(0)
        path = path / name if (path / name).is_dir() else path / f"{name}.py"
    node: ast.AST = ast.parse(path.read_text(encoding="utf-8"))
    for name in names:
        (node,) = (child for child in ast.iter_child_nodes(node) if getattr(child, "name", "") == name)
    return node


def test_there_is_a_step_of_each_cell_and_of_the_memory():
    found = sources.steps()
    assert list(found) == [*CELLS, "lmu"]
    for cell in CELLS:
        first, *_ = found[cell]
        assert first.endswith(f".{cell}_step")


@pytest.mark.parametrize("cell", [*CELLS, "lmu"])
def test_the_text_is_that_of_the_library_without_its_indentation(cell):
    for place, text in sources.steps()[cell].items():
        assert text.startswith("def ")
        assert ast.dump(ast.parse(text).body[0]) == ast.dump(defined(place))
