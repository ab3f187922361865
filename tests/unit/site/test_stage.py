from __future__ import annotations

import re
from pathlib import Path

import nbformat
import plotly.graph_objects as go
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output

import rnnkit.site
from rnnkit.errors import UserError
from rnnkit.figures import Interactive
from rnnkit.site import stage_book, stage_notebook
from rnnkit.site.assets import OWN, PLAYERS
from rnnkit.site.stage import toc_entries

FIGURE = Interactive(go.Figure(), alt="Nothing yet.").mimebundle()
WIDGET = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Widget()"}


def display(data):
    return new_output("display_data", data=data)


def write(path, *cells, **metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = new_notebook(cells=list(cells))
    notebook.metadata.update(metadata)
    nbformat.write(notebook, path)
    return path


def staged(tmp_path, *cells, **metadata):
    source = write(tmp_path / "executed.ipynb", *cells, **metadata)
    stage_notebook(source, tmp_path / "staged.ipynb", tmp_path / "static")
    return nbformat.read(tmp_path / "staged.ipynb", as_version=4)


def test_a_figure_becomes_html_and_keeps_its_description(tmp_path):
    (cell,) = staged(tmp_path, new_code_cell("f", outputs=[display(FIGURE)])).cells
    assert set(cell.outputs[0].data) == {"text/html", "text/plain"}
    assert cell.outputs[0].data["text/html"].startswith('<figure class="rnn-fig"')
    assert cell.outputs[0].data["text/plain"] == "Nothing yet."


def test_a_widget_becomes_a_line_and_its_state_goes(tmp_path):
    told = new_code_cell("w", outputs=[display(WIDGET)], metadata={"rnnkit": {"live": "Draw a digit."}})
    untold = new_code_cell("w", outputs=[display(WIDGET)])
    notebook = staged(tmp_path, told, untold, widgets={"state": {}})
    lines = [cell.outputs[0].data["text/plain"] for cell in notebook.cells]
    assert lines[0] == "Draw a digit."
    assert "kernel" in lines[1]
    assert "widgets" not in notebook.metadata
    assert "widget-view" not in nbformat.writes(notebook)


def test_stderr_and_absolute_paths_go_and_stdout_stays(tmp_path):
    streams = [new_output("stream", name=name, text=name) for name in ("stdout", "stderr")]
    cell = new_code_cell(
        "x",
        outputs=streams,
        metadata={"papermill": {"duration": 1}, "execution": {"iopub.execute_input": "2020"}},
    )
    notebook = staged(tmp_path, cell, papermill={"input_path": "/home/someone/x.ipynb"})
    assert [output.name for output in notebook.cells[0].outputs] == ["stdout"]
    text = nbformat.writes(notebook)
    assert "papermill" not in text
    assert "iopub" not in text
    assert "/home/someone" not in text


@pytest.mark.parametrize(
    ("injected", "tags"), [(True, ["remove-input", "hide-input", "hide-input"]), (False, ["hide-input"] * 2)]
)
def test_code_goes_behind_a_toggle_and_overridden_defaults_out_of_sight(tmp_path, injected, tags):
    cells = [new_code_cell("budget = 'quick'", metadata={"tags": ["parameters"]}), new_code_cell("plot()")]
    if injected:
        cells.insert(1, new_code_cell("budget = 'paper'", metadata={"tags": ["injected-parameters"]}))
    assert [cell.metadata.tags[-1] for cell in staged(tmp_path, *cells).cells] == tags


def test_an_authors_own_choice_of_what_shows_is_kept(tmp_path):
    (cell,) = staged(tmp_path, new_code_cell("x = 1", metadata={"tags": ["show-input"]})).cells
    assert cell.metadata.tags == ["show-input"]


def test_a_notebook_that_stopped_at_an_error_is_refused(tmp_path):
    error = new_output("error", ename="ValueError", evalue="no", traceback=[])
    with pytest.raises(UserError, match=r"executed\.ipynb: ValueError: no"):
        staged(tmp_path, new_code_cell("x", outputs=[error]))


@pytest.fixture
def book(tmp_path):
    root = tmp_path / "repository"
    write(root / "book" / "a" / "01.ipynb", new_code_cell("f"))
    write(root / "executed" / "a" / "01.ipynb", new_code_cell("f", outputs=[display(FIGURE)]))
    write(root / "book" / "labs" / "secret.ipynb", new_code_cell("solution"))
    (root / "book" / "intro.md").write_text("# Intro\n")
    (root / "book" / "references.bib").write_text("")
    (root / "book" / "results").mkdir()
    (root / "book" / "results" / "arrays.npz").write_text("")
    toc = {"format": "jb-book", "root": "book/intro", "parts": [{"chapters": [{"file": "book/a/01"}]}]}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    return root


def stage(root):
    return stage_book(root / "book", root / "executed", root / "stage", toc=root / "_toc.yml")


def test_only_pages_of_the_contents_and_their_companions_are_staged(book):
    assert stage(book) == {"book/intro": 0, "book/a/01": 1}
    files = {
        path.relative_to(book / "stage" / "book").as_posix()
        for path in (book / "stage" / "book").rglob("*.*")
    }
    assert files == {"intro.md", "a/01.ipynb", "references.bib"}
    assert "text/html" in (book / "stage" / "book" / "a" / "01.ipynb").read_text()


def test_a_page_links_to_its_source_without_outputs(book):
    stage(book)
    page = nbformat.read(book / "stage" / "book" / "a" / "01.ipynb", as_version=4)
    href = re.search(r'href="([^"]+)"', page.cells[-1].source)[1]
    target = (book / "stage" / "_extra" / "book" / "a" / href).resolve()
    assert target.read_bytes() == (book / "book" / "a" / "01.ipynb").read_bytes()


def test_what_was_computed_takes_the_place_of_its_source(book):
    (book / "executed" / "intro.md").write_text("# Computed\n")
    stage(book)
    assert (book / "stage" / "book" / "intro.md").read_text() == "# Computed\n"


def test_what_an_earlier_staging_left_is_gone(book):
    stage(book)
    (book / "stage" / "book" / "old.md").write_text("old")
    stage(book)
    assert not (book / "stage" / "book" / "old.md").exists()


def test_scripts_that_every_page_loads_are_apart_from_those_loaded_when_needed(book):
    """jupyter-book puts each script under _static into each page; plotly alone would cost 4.8 MB there."""
    stage(book)
    always = list((book / "stage" / "_static").rglob("*.js"))
    assert {path.name for path in always} == {name for name in OWN if name.endswith(".js")}
    assert sum(path.stat().st_size for path in always) < 60_000
    lazily = {path.name for path in (book / "stage" / "_extra" / "_static").rglob("*.js")}
    assert {"plotly.min.js", "tex-svg.js", *PLAYERS} <= lazily


def test_every_script_has_its_place_and_the_players_loader_names_its_own():
    assets = Path(rnnkit.site.__file__).parent / "assets"
    assert {path.name for path in assets.iterdir()} == {*OWN, *PLAYERS}
    loader = (assets / "rnnkit-players.js").read_text(encoding="utf-8")
    lists = "".join(re.findall(r"\[((?:\"[a-z-]+\"(?:, )?)+)\]", loader))
    assert sorted(f"rnnkit-{name}.js" for name in re.findall(r'"([a-z-]+)"', lists)) == sorted(PLAYERS)


def test_a_page_that_is_not_there_is_named(book):
    (book / "_toc.yml").write_text("format: jb-book\nroot: book/missing\n")
    with pytest.raises(UserError, match=r"'book/missing'.*\.md"):
        stage(book)


def test_a_notebook_that_was_not_run_is_named(book):
    (book / "executed" / "a" / "01.ipynb").unlink()
    with pytest.raises(UserError, match=r"01\.ipynb.*make chapter"):
        stage(book)


def test_a_missing_table_of_contents_is_named(tmp_path):
    with pytest.raises(UserError, match=r"_toc\.yml"):
        toc_entries(tmp_path / "_toc.yml")
