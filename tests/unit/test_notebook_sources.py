"""The book's notebooks as they are committed: thin, without outputs, ready for papermill."""

from __future__ import annotations

import ast
import copy
import re
import warnings
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).parents[2] / "book"
PARAMETERS = 'budget = "quick"\nseeds = ""\ndevice = "auto"'
LONGEST_CELL = 12
ROOMS = {"studies", "figures", "results"}
TRAINING = {"backward", "zero_grad", "step", "fit", "train"}


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def code_offences(source: str) -> list[str]:
    """Return what a code cell does that belongs into rnnkit."""
    if len(source.splitlines()) > LONGEST_CELL:
        return [f"has {len(source.splitlines())} lines; logic lives in rnnkit ({LONGEST_CELL} are allowed)"]
    # A line of IPython's own (%pip install ...) is no Python.
    tree = ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE))
    found = []
    for name in sorted(imported(tree)):
        parts = name.split(".")
        if parts[0] in {"torch", "sklearn"} or (parts[0] == "rnnkit" and not ROOMS.intersection(parts[1:2])):
            found.append(f"imports {name}; a notebook imports {', '.join(sorted(ROOMS))} of rnnkit")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TRAINING:
            found.append(f"calls .{node.func.attr}(): training belongs to a study")
    return found


def format_offences(text: str) -> list[str]:
    """Return what nbformat has to say: an invalid notebook, or one that it would have to mend."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nbformat.validate(nbformat.reads(text, as_version=nbformat.NO_CONVERT))
    except (ValueError, KeyError, nbformat.ValidationError, Warning) as error:
        return [f"is not a valid notebook: {str(error).splitlines()[0]}"]
    return []


def offences(text: str) -> list[str]:
    """Return what is wrong with a source notebook, given the text of its file."""
    if found := format_offences(text):
        return found
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    cells = notebook.cells
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        found.append("is older than format 4.5, in which cells have ids")
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append("has no kernelspec python3")
    found += [f"has {name} in its metadata" for name in {"papermill", "widgets"} & set(notebook.metadata)]
    if not (cells and cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")):
        found.append("does not begin with a markdown cell that holds its title")
    tagged = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", ())]
    if tagged != [PARAMETERS]:
        found.append(
            f"needs one cell tagged parameters with exactly these lines:\n{PARAMETERS}\nnot {tagged}"
        )
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type != "code":
            continue
        if cell.outputs:
            found.append(f"cell {number} stores outputs")
        if cell.execution_count is not None:
            found.append(f"cell {number} has an execution count")
        found += [f"cell {number} {offence}" for offence in code_offences(cell.source)]
    return found


def test_the_notebooks_of_the_book_are_clean():
    found = []
    for path in sorted(BOOK.rglob("*.ipynb")):
        if not {"labs", ".ipynb_checkpoints"} & set(path.parts):  # labs: test_lab_sources
            text = path.read_text(encoding="utf-8")
            found += [f"{path.relative_to(BOOK.parent)} {offence}" for offence in offences(text)]
    assert not found, "\n".join(found)


GOOD = nbformat.v4.new_notebook(
    metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    cells=[
        nbformat.v4.new_markdown_cell("# The title", id="title"),
        nbformat.v4.new_code_cell("%pip install rnnkit\nimport numpy", id="install"),
        nbformat.v4.new_code_cell(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("from rnnkit import figures, studies", id="imports"),
    ],
)


def spoil(change) -> str:
    notebook = copy.deepcopy(GOOD)
    change(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT)


def test_a_good_notebook_passes():
    assert offences(spoil(lambda notebook: None)) == []


def set_code(source: str):
    return lambda notebook: notebook.cells[3].update(source=source)


@pytest.mark.parametrize(
    ("change", "offence"),
    [
        (lambda n: n.cells[3].outputs.append(nbformat.v4.new_output("stream", text="1")), "stores outputs"),
        (lambda n: n.cells[3].update(execution_count=1), "execution count"),
        (lambda n: n.metadata.pop("kernelspec"), "kernelspec"),
        (lambda n: n.metadata.update(papermill={}), "papermill in its metadata"),
        (lambda n: n.cells.pop(0), "title"),
        (lambda n: n.cells.pop(2), "tagged parameters"),
        (lambda n: n.cells[2].update(source=PARAMETERS + "\n"), "tagged parameters"),
        (lambda n: n.cells[2].update(source=PARAMETERS.replace("quick", "paper")), "tagged parameters"),
        (set_code("\n".join(["x = 1"] * 13)), "13 lines"),
        (set_code("import torch"), "imports torch"),
        (set_code("from rnnkit.training import loop"), "imports rnnkit.training.loop"),
        (set_code("from rnnkit import models"), "imports rnnkit.models"),
        (set_code("loss.backward()"), "calls .backward()"),
    ],
)
def test_each_rule_bites(change, offence):
    assert any(offence in found for found in offences(spoil(change)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"id": "title"', '"id": "imports"'),
        lambda text: text.replace('   "id": "title",\n', ""),
        lambda text: text.replace('"cell_type": "markdown"', '"cell_type": "prose"'),
    ],
    ids=["cut short", "an id twice", "no id", "unknown cell type"],
)
def test_an_invalid_notebook_is_told(damage):
    text = spoil(lambda notebook: None)
    assert damage(text) != text
    assert any("not a valid notebook" in found for found in offences(damage(text)))
