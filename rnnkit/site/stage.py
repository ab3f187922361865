"""Executed notebooks and sources, made ready for jupyter-book."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError
from rnnkit.site.assets import copy_assets
from rnnkit.site.figure import stage_figure

PLOTLY_MIME = "application/vnd.plotly.v1+json"
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
NOT_MIRRORED = {"results", "labs", "_static", ".ipynb_checkpoints"}
SOURCE_LINK = (
    '<p class="rnn-source">The source of this page is a notebook: <a href="{}" download>{}</a>. '
    "It opens in Jupyter, VS Code or Colab, where its code can be changed and run.</p>"
)
LIVE_ONLY = "Open the notebook with a running kernel to use the control that stands here."


def stage_notebook(executed: Path, staged: Path, static: Path, *, source: str | None = None) -> int:
    """Turn an executed notebook into a page's source.

    Plotly outputs become HTML with lazily loaded scripts; widget outputs become a line of text (the cell's
    metadata ``rnnkit.live`` can say what the widget does); what was written to stderr, absolute paths and
    widget state go; code is put behind toggles.

    Parameters
    ----------
    executed, staged : Path
        Notebook read, and notebook written.
    static : Path
        Folder whose content lands in the site's ``_static``, for the figures' scripts.
    source : str, optional
        Address, relative to the page, where the page links to its source notebook.

    Returns
    -------
    int
        Number of figures on the page.

    Raises
    ------
    UserError
        When the notebook is not there, was not executed, stopped at an error, or has a figure without a text
        alternative.
    """
    import nbformat

    if not executed.is_file():
        raise UserError(
            "an executed notebook is missing",
            value=str(executed),
            hint="Run the chapter first: make chapter-NAME",
        )
    notebook = nbformat.read(executed, as_version=4)
    figures = 0
    injected = any("injected-parameters" in _tags(cell) for cell in notebook.cells)
    for cell in notebook.cells:
        for noise in ("papermill", "execution"):
            cell.metadata.pop(noise, None)
        if cell.cell_type != "code":
            continue
        _tag_code(cell, injected)
        kept = []
        for output in cell.outputs:
            if output.output_type == "error":
                raise UserError(
                    "a notebook stopped at an error",
                    value=f"{executed.name}: {output.ename}: {output.evalue}",
                    hint="Mend the cell and run the chapter again",
                )
            if output.get("name") == "stderr":
                continue
            if PLOTLY_MIME in output.get("data", {}):
                _replace(output, stage_figure(output.data[PLOTLY_MIME], static, f"{staged.stem}-{figures}"))
                figures += 1
            elif WIDGET_MIME in output.get("data", {}):
                line = cell.metadata.get("rnnkit", {}).get("live", LIVE_ONLY)
                _replace(output, f'<p class="rnn-live">{line}</p>', line)
            kept.append(output)
        cell.outputs = kept
    if source:
        notebook.cells.append(
            nbformat.v4.new_markdown_cell(SOURCE_LINK.format(source, Path(source).name), id="source")
        )
    for noise in ("papermill", "widgets"):
        notebook.metadata.pop(noise, None)
    staged.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, staged)
    return figures


def stage_book(book: Path, executed: Path, stage: Path, *, toc: Path) -> dict[str, int]:
    """Mirror the sources of the pages that the table of contents names into ``stage/book``.

    A file under ``executed`` (a notebook that ran, a page that was computed) takes the place of the source
    with the same relative path; a notebook must have one. Everything else the pages may refer to (pictures,
    bibliography) is copied, except results and labs.

    Parameters
    ----------
    book : Path
        Sources.
    executed : Path
        Executed notebooks, in the same layout.
    stage : Path
        Emptied and filled: ``stage/book``, ``stage/_static``, ``stage/_extra``.
    toc : Path
        ``_toc.yml``, whose entries read ``book/...``.

    Returns
    -------
    dict of str to int
        Entries of the table of contents and the number of figures on each page.

    Raises
    ------
    UserError
        When an entry has no source, or as :func:`stage_notebook`.
    """
    if stage.exists():
        shutil.rmtree(stage)
    static = copy_assets(stage)
    if (book / "_static").is_dir():
        shutil.copytree(book / "_static", stage / "_static", dirs_exist_ok=True)
    figures = {}
    for entry in toc_entries(toc):
        source = _source(book, entry)
        relative = source.relative_to(book)
        target, ran = stage / "book" / relative, executed / relative
        if source.suffix == ".ipynb":
            away = "../" * len(target.relative_to(stage).parts[:-1])
            figures[entry] = stage_notebook(
                ran, target, static, source=f"{away}_static/notebooks/{relative.as_posix()}"
            )
            _copy(source, static / "notebooks" / relative)
        else:
            _copy(ran if ran.is_file() else source, target)
            figures[entry] = 0
    for path in _companions(book):
        _copy(path, stage / "book" / path.relative_to(book))
    return figures


def toc_entries(toc: Path) -> list[str]:
    """Documents that a ``_toc.yml`` names, in its order.

    Raises
    ------
    UserError
        When the file is not there.
    """
    import yaml

    if not toc.is_file():
        raise UserError("the table of contents is missing", value=str(toc))

    def documents(node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for item in node:
                yield from documents(item)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in ("root", "file"):
                    yield str(value)
                elif key in ("parts", "chapters", "sections", "subtrees", "entries"):
                    yield from documents(value)

    return list(documents(yaml.safe_load(toc.read_text(encoding="utf-8"))))


def _source(book: Path, entry: str) -> Path:
    for suffix in (".ipynb", ".md"):
        path = book.parent / f"{entry.removesuffix(suffix)}{suffix}"
        if path.is_file() and path.is_relative_to(book):
            return path
    raise UserError(
        "the table of contents names a page that is not there",
        value=entry,
        allowed=f"a notebook or a .md file under {book.name}/",
        hint="Mend _toc.yml",
    )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _companions(book: Path) -> Iterator[Path]:
    for path in sorted(book.rglob("*")):
        parts = path.relative_to(book).parts
        if path.is_file() and path.suffix not in (".ipynb", ".md") and not NOT_MIRRORED & set(parts):
            yield path


def _tags(cell: Any) -> list[str]:
    tags: list[str] = cell.metadata.get("tags", [])
    return tags


def _tag_code(cell: Any, injected: bool) -> None:
    """Put the code behind a toggle; the defaults that injected parameters override would only mislead."""
    tags = _tags(cell)
    if {"hide-input", "remove-input", "remove-cell", "hide-cell", "show-input"} & set(tags):
        return
    overridden = injected and "parameters" in tags
    cell.metadata["tags"] = [*tags, "remove-input" if overridden else "hide-input"]


def _replace(output: Any, markup: str, text: str | None = None) -> None:
    """Let an output hold HTML alone (with its plain text)."""
    plain = text if text is not None else output.data.get("text/plain", "")
    output.data = {"text/html": markup, "text/plain": plain}
    output.metadata = {}
