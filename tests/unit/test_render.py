"""Executing notebooks: parameters are checked first, outputs are reproducible, unchanged work is reused."""

import json
import sys
from pathlib import Path

import nbformat
import pytest

from rnnkit.errors import UserError
from rnnkit.site._executed import render_key, stored_key
from rnnkit.site._parameters import check_parameters
from rnnkit.site.render import execute_notebooks, executed_path

PARAMETERS = 'budget = "quick"\nseeds = ""\ndevice = "auto"'


def write_notebook(path: Path, *code: str, parameters: str | None = PARAMETERS) -> Path:
    cells = [nbformat.v4.new_markdown_cell("# A page", id="title")]
    if parameters is not None:
        cells.append(
            nbformat.v4.new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]})
        )
    cells += [nbformat.v4.new_code_cell(source, id=f"code-{i}") for i, source in enumerate(code)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def printed(executed: Path) -> str:
    cells = nbformat.read(executed, as_version=4).cells
    return "".join(item["text"] for cell in cells for item in cell.get("outputs", ()) if "text" in item)


def message_for(tmp_path: Path, parameters: dict, declared: str | None = PARAMETERS) -> str:
    notebook = write_notebook(tmp_path / "page.ipynb", parameters=declared)
    with pytest.raises(UserError) as caught:
        check_parameters(notebook.read_bytes(), notebook, parameters)
    return str(caught.value)


def test_an_unknown_parameter_is_refused_with_notebook_and_what_is_allowed(tmp_path):
    message = message_for(tmp_path, {"bugdet": "paper"})
    assert "page.ipynb" in message
    assert "'bugdet'" in message
    assert "allowed: budget, device, seeds" in message


@pytest.mark.parametrize("value", [1, None, True, ["0", "1"], 0.5])
def test_a_value_of_another_type_than_the_default_is_refused(tmp_path, value):
    message = message_for(tmp_path, {"seeds": value})
    assert "wrong type for the parameter seeds" in message
    assert "page.ipynb" in message
    assert "str" in message


@pytest.mark.parametrize(("default", "good", "bad"), [("1.5", 2, True), ("2", 3, 3.0), ("True", False, 0)])
def test_numbers_and_truth_values_are_kept_apart_but_a_whole_number_is_a_float(tmp_path, default, good, bad):
    notebook = write_notebook(tmp_path / "page.ipynb", parameters=f"width = {default}")
    check_parameters(notebook.read_bytes(), notebook, {"width": good})
    with pytest.raises(UserError, match="wrong type"):
        check_parameters(notebook.read_bytes(), notebook, {"width": bad})


def test_a_notebook_without_parameters_takes_none(tmp_path):
    assert "no cell tagged parameters" in message_for(tmp_path, {"budget": "quick"}, declared=None)


def test_a_default_that_is_computed_is_refused(tmp_path):
    assert "not a plain value" in message_for(tmp_path, {"width": 3}, declared="width = 1 + len('ab')")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"cells": 3}', b"[]", b"null"])
def test_a_file_that_is_not_a_notebook_is_refused(tmp_path, content):
    notebook = tmp_path / "page.ipynb"
    notebook.write_bytes(content)
    with pytest.raises(UserError, match=r"not a Python notebook.*page\.ipynb"):
        execute_notebooks([notebook], tmp_path / "executed", {})


def test_nothing_runs_when_the_last_of_several_notebooks_has_a_wrong_parameter(tmp_path):
    good = write_notebook(tmp_path / "chapter/01.ipynb", "open('ran', 'w')")
    bad = write_notebook(tmp_path / "chapter/02.ipynb", parameters="other = 1")
    with pytest.raises(UserError, match="02"):
        execute_notebooks([good, bad], tmp_path / "executed", {"budget": "paper"}, root=tmp_path)
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "executed").exists()


def test_every_part_changes_the_key():
    parts = (b"source", {"budget": "quick"}, "records", "library")
    changed = (b"source2", {"budget": "paper"}, "records2", "library2")
    keys = {render_key(*parts)}
    for i in range(4):
        keys.add(render_key(*parts[:i], changed[i], *parts[i + 1 :]))
    assert len(keys) == 5


def test_a_damaged_executed_notebook_has_no_key(tmp_path):
    for content in ("", "{", "[]", '{"metadata": {}}', '{"metadata": {"rnnkit": 3}}'):
        (tmp_path / "page.ipynb").write_text(content)
        assert stored_key(tmp_path / "page.ipynb") is None


SHOW = """
import os, sys, time
print(budget, device, os.environ["RNNKIT_STATIC"], sys.executable, os.getcwd())
""".strip()


def test_execution_is_repeatable_and_reused_until_something_changes(tmp_path, monkeypatch):
    # A kernelspec of the user's that would start something else, and braces that papermill would format.
    spec = tmp_path / "jupyter/kernels/python3/kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["/bin/false"], "display_name": "no", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    root = tmp_path / "a {folder}"
    notebook = write_notebook(root / "book/chapter/01.ipynb", SHOW)
    untouched = notebook.read_bytes()
    executed = root / "build/executed"

    def run(**options) -> tuple[bytes, int]:
        (target,) = execute_notebooks([notebook], executed, {"budget": "paper"}, root=root, **options)
        assert target == executed_path(notebook, executed) == executed / "chapter/01.ipynb"
        return target.read_bytes(), target.stat().st_ino

    first, inode = run(fingerprint="a")
    assert printed(executed / "chapter/01.ipynb") == f"paper auto 1 {sys.executable} {root}\n"
    node = nbformat.reads(first.decode(), as_version=4)
    nbformat.validate(node)
    assert node.metadata.papermill == {
        "input_path": "book/chapter/01.ipynb",
        "parameters": {"budget": "paper"},
    }
    for cell in node.cells:
        assert set(cell.metadata) <= {"tags"}
    assert notebook.read_bytes() == untouched

    assert run(fingerprint="a") == (first, inode)
    again, other_inode = run(fingerprint="a", force=True)
    assert again == first
    assert other_inode != inode
    assert run(fingerprint="b")[0] != first
    assert sorted(path.name for path in executed.iterdir()) == [".locks", "chapter"]
