"""A book of five notebooks with every kind of binding, made without running anything."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import plotly.graph_objects as go
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from rnnkit.figures import Interactive, certainty_colorscale, digit_colorscale, digit_marker, net_color
from rnnkit.figures.step_code import StepCode
from rnnkit.figures.stepping import SteppingElement
from tests.unit.figures.lab_nets import make_adder, make_recall
from tests.unit.figures.players import make_player

ROOT = Path(__file__).parents[2]
STEPS = 6
POINTS = 300
TOC = """\
format: jb-book
root: book/intro
parts:
  - caption: A chapter
    chapters:
      - file: book/chapter/01_points
      - file: book/chapter/02_lines
      - file: book/chapter/03_player
      - file: book/chapter/04_recall
      - file: book/chapter/05_adder
"""
BIB = "@article{one, author={A. Author}, title={On nets}, journal={Journal}, year={2020}}\n"
INTRO = """\
# A small book

It speaks of zebrafish once, so that a search can find the page. Go to [](chapter/01_points.ipynb).
"""
CODE = {
    cell: {f"models.{cell}_step": f"def {cell}_step(h):\n    return h  # {'a line that is long ' * 8}"}
    for cell in ("rnn", "lstm", "gru", "lmu")
}


@dataclass(frozen=True)
class Sample:
    """Where the parts of the book are, and the arrays its figures were made from."""

    book: Path
    executed: Path
    toc: Path
    config: Path
    arrays: dict[str, np.ndarray]


def make_arrays() -> dict[str, np.ndarray]:
    """Points (step, point, axis), lines (net, step, time) with a gap, pictures (picture, row, column)."""
    rng = np.random.default_rng(0)
    points = np.cumsum(rng.normal(size=(STEPS, POINTS, 3)), axis=0).astype(np.float32)
    lines = np.cumsum(rng.normal(size=(2, STEPS, 40)), axis=2)
    lines[:, :, 7] = np.nan
    return {
        "points": points,
        "labels": np.arange(POINTS) % 10,
        "certainty": rng.random(POINTS),
        "lines": lines,
        "pictures": rng.integers(0, 256, size=(3, 8, 8)),
        "words": np.array([[f"step {s}, point {p % 7}" for p in range(POINTS)] for s in range(STEPS)]),
    }


def points_figure(arrays: dict[str, np.ndarray]) -> Interactive:
    """Scatter over steps, coloured by class or certainty."""
    marker = digit_marker(size=5)
    fig = go.Figure(
        go.Scattergl(mode="markers", marker=marker, name="points", hoverinfo="text"),
        layout={
            "title": {"text": "Hidden states at step 1, a title long enough to need two lines on a phone"},
            "xaxis": {"range": [-9, 9], "title": {"text": "first component"}},
            "yaxis": {"range": [-9, 9], "title": {"text": "second component"}},
        },
    )
    colors = np.stack([arrays["labels"].astype(float), arrays["certainty"]])
    titles = [
        f"Hidden states at step {s + 1}, a title long enough to need two lines on a phone"
        for s in range(STEPS)
    ]
    ticks = [[list(range(10)), [str(d) for d in range(10)]], [[0, 0.5, 1], ["0", "½", "1"]]]
    return (
        Interactive(
            fig,
            alt="Points drift apart over six steps.",
            table={
                "point": np.arange(100),
                "x": arrays["points"][0, :100, 0].astype(float),
                "kind": ["a"] * 100,
            },
            caption="Each point is one made-up image; colour is its class.",
        )
        .slider("step", "Step", range(1, STEPS + 1), start=2)
        .select("colour", "Colour by", ["class", "certainty"])
        .bind("points", "x", arrays["points"][:, :, 0])
        .bind("points", "y", arrays["points"][:, :, 1])
        .bind("points", "text", arrays["words"])
        .bind("points", "marker.color", colors, over="colour")
        .bind_values(
            "points", "marker.colorscale", [digit_colorscale(), certainty_colorscale()], over="colour"
        )
        .bind_values("points", "marker.cmin", [-0.5, 0], over="colour")
        .bind_values("points", "marker.cmax", [9.5, 1], over="colour")
        .bind_values("points", "marker.colorbar.tickvals", [t[0] for t in ticks], over="colour")
        .bind_values("points", "marker.colorbar.ticktext", [t[1] for t in ticks], over="colour")
        .bind_values("points", "marker.colorbar.title.text", ["digit", "certainty"], over="colour")
        .bind_layout("title.text", titles, over="step")
    )


def picture_figure(arrays: dict[str, np.ndarray]) -> Interactive:
    """One of three pictures."""
    fig = go.Figure(
        go.Heatmap(colorscale="Greys", zmin=0, zmax=255, showscale=False),
        layout={"height": 320, "yaxis": {"autorange": "reversed", "scaleanchor": "x"}},
    )
    return (
        Interactive(fig, alt="One of three random pictures of eight by eight pixels.")
        .select("picture", "Picture", ["one", "two", "three"])
        .bind(0, "z", arrays["pictures"], over="picture")
    )


def lines_figure(arrays: dict[str, np.ndarray]) -> Interactive:
    """Two lines that follow two controls, and a reference that stays."""
    fig = go.Figure(
        [
            go.Scatter(name="paper", line={"color": net_color("paper")}, x=np.arange(40)),
            go.Scatter(name="tuned", line={"color": net_color("tuned")}, x=np.arange(40)),
        ],
        layout={
            "yaxis": {"range": [-20, 20], "title": {"text": "sum"}},
            "xaxis": {"title": {"text": "time"}},
        },
    )
    return (
        Interactive(fig, alt="Two random walks with a gap at time seven.", caption="Random walks.")
        .select("sign", "Sign", ["as they are", "turned over"], start=1)
        .slider("step", "Step", range(STEPS))
        .bind("paper", "y", np.stack([arrays["lines"][0], -arrays["lines"][0]]), over=("sign", "step"))
        .bind("tuned", "y", arrays["lines"][1])
        .bind_values("tuned", "line.dash", ["solid", "dot"], over="sign")
    )


def space_figure(arrays: dict[str, np.ndarray]) -> Interactive:
    """The points of the first figure in space; it shares their arrays."""
    axis = {"range": [-9, 9]}
    fig = go.Figure(
        go.Scatter3d(mode="markers", marker=digit_marker(size=3, color=arrays["labels"])),
        layout={"scene": {"xaxis": axis, "yaxis": axis, "zaxis": axis}, "height": 420},
    )
    figure = Interactive(fig, alt="The same points in three dimensions.").slider(
        "step", "Step", range(1, STEPS + 1)
    )
    for index, attr in enumerate("xyz"):
        figure.bind(0, attr, arrays["points"][:, :, index])
    return figure


def make_sample(folder: Path) -> Sample:
    """Write sources and executed notebooks under ``folder``."""
    arrays = make_arrays()
    book, executed = folder / "book", folder / "executed"
    pages = {
        "chapter/01_points.ipynb": _notebook(
            "Points in the plane", [points_figure(arrays), picture_figure(arrays)]
        ),
        "chapter/02_lines.ipynb": _notebook(
            "Lines and space", [lines_figure(arrays), space_figure(arrays)], [StepCode(CODE)]
        ),
        "chapter/03_player.ipynb": _notebook("Type a sentence", [make_player()]),
        "chapter/04_recall.ipynb": _notebook("Type digits", [make_recall()]),
        "chapter/05_adder.ipynb": _notebook("Type two numbers", [make_adder()]),
    }
    for relative, notebook in pages.items():
        for root in (book, executed):
            (root / relative).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, executed / relative)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        nbformat.write(notebook, book / relative)
    (book / "intro.md").write_text(INTRO, encoding="utf-8")
    (book / "references.bib").write_text(BIB, encoding="utf-8")
    (folder / "_toc.yml").write_text(TOC, encoding="utf-8")
    shutil.copyfile(ROOT / "_config.yml", folder / "_config.yml")
    return Sample(book, executed, folder / "_toc.yml", folder / "_config.yml", arrays)


def _notebook(
    title: str, figures: Sequence[Interactive | SteppingElement], codes: Sequence[StepCode] = ()
) -> nbformat.NotebookNode:
    text = (
        f"# {title}\n\nWhat {{cite}}`one` asked: is $h_t = \\tanh(W h_{{t-1}} + U x_t)$ enough?\n\n## Figures"
    )
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Widget()"}
    cells = [
        new_markdown_cell(text),
        new_code_cell('budget = "quick"', metadata={"tags": ["parameters"]}),
        new_code_cell('budget = "paper"', metadata={"tags": ["injected-parameters"]}),
        new_code_cell(
            "import numpy as np",
            metadata={"tags": ["setup"], "papermill": {"duration": 1.0}},
            outputs=[new_output("stream", name="stderr", text="a warning nobody should read")],
        ),
        *[
            new_code_cell(f"figure_{i}.show()", outputs=[_display(f.mimebundle())])
            for i, f in enumerate(figures)
        ],
        *[
            new_code_cell(
                "code", outputs=[_display({"text/html": code._repr_html_(), "text/plain": repr(code)})]
            )
            for code in codes
        ],
        new_code_cell(
            "widget", outputs=[_display(widget)], metadata={"rnnkit": {"live": "Draw a digit yourself."}}
        ),
        new_markdown_cell("## References\n\n```{bibliography}\n:filter: docname in docnames\n```"),
    ]
    notebook = new_notebook(cells=cells)
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "papermill": {"input_path": "/somewhere/else.ipynb"},
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
    }
    return notebook


def _display(bundle: dict) -> nbformat.NotebookNode:
    return new_output("display_data", data=bundle)
