"""The sentence player in a live kernel: the same fields and panels as ipywidgets, walked by Python."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnkit.figures.player import panel
from rnnkit.figures.player.walk import Walk
from rnnkit.figures.stepping.plane import place, place_sides, plane_layout

if TYPE_CHECKING:
    from rnnkit.figures.player.element import SentencePlayer

_LABELLED = 40
"""Steps that carry their number; on longer paths the numbers would cover each other."""


class LivePlayer:
    """A plotly FigureWidget with one panel per net, under the fields and the slider.

    Parameters
    ----------
    player : SentencePlayer

    Attributes
    ----------
    texts : tuple of ipywidgets.Text
        The two sentences; the second may be empty.
    model : ipywidgets.Dropdown
    step : ipywidgets.IntSlider
    said : ipywidgets.HTML
        What the nets say at the present step.
    figure : plotly.graph_objects.FigureWidget
    widget : ipywidgets.VBox
        What a notebook displays.
    """

    def __init__(self, player: SentencePlayer) -> None:
        import ipywidgets
        import plotly.graph_objects as go

        self.player = player
        start = next(iter(player.examples.values()), ("", ""))
        self.texts = tuple(
            ipywidgets.Text(value=text, description=f"Sentence {name}", continuous_update=True)
            for name, text in zip("AB", start, strict=True)
        )
        self.examples = ipywidgets.Dropdown(options=list(player.examples), description="Example")
        self.model = ipywidgets.Dropdown(
            options=[(name, index) for index, name in enumerate(player.models)], description="Nets"
        )
        self.step = ipywidgets.IntSlider(min=0, max=0, description="Words read")
        self.said = ipywidgets.HTML()
        self.figure = go.FigureWidget(data=_traces(len(player.nets)), layout=_layout(list(player.nets)))
        for box in (*self.texts, self.examples, self.model, self.step):
            box.style.description_width = "initial"
        for box in self.texts:
            box.observe(lambda _: self._read(to_end=True), names="value")
        self.examples.observe(lambda _: self._take_example(), names="value")
        self.model.observe(lambda _: self._read(to_end=False), names="index")
        self.step.observe(lambda _: self._follow(), names="value")
        parts = [self.examples, *self.texts, self.model, self.step, self.said, self.figure]
        if player.caption:
            parts.append(ipywidgets.Label(player.caption))
        self.widget = ipywidgets.VBox(parts if player.examples else parts[1:])
        self._read(to_end=True)

    def _take_example(self) -> None:
        for box, text in zip(self.texts, self.player.examples[self.examples.value], strict=True):
            box.value = text

    def _read(self, *, to_end: bool) -> None:
        """Let the chosen nets read both sentences, and go to the end or stay."""
        vocabulary = self.player.vocabulary
        self.readings = [vocabulary.parse(box.value) for box in self.texts]
        self.answers = [vocabulary.answers(reading.words) for reading in self.readings]
        self.walks = {
            label: [self.player.walk(label, self.model.index, reading.words) for reading in self.readings]
            for label in self.player.nets
        }
        self.step.max = max(len(reading.words) for reading in self.readings)
        if to_end:
            self.step.value = self.step.max
        self._follow()

    def _follow(self) -> None:
        """Bring panels and words to the present step."""
        self.said.value = "<br>".join(html.escape(line) for line in self._lines())
        with self.figure.batch_update():
            for row, (label, walks) in enumerate(self.walks.items()):
                parameters = self.player.parameters(label, self.model.index)
                traces = self.figure.data[row * _PER_NET : (row + 1) * _PER_NET]
                place_sides(traces, panel.sides(parameters))
                for index, walk in enumerate(walks):
                    self._path(traces[panel.FIRST_PATH + index * panel.PER_PATH :], walk, index)

    def _path(self, traces: Any, walk: Walk, index: int) -> None:
        """One sentence's line, steps and present state; nothing for an empty one."""
        line, steps, now = traces[: panel.PER_PATH]
        words = self.readings[index].words
        t = min(self.step.value, len(words))
        states = walk.states[: t + 1] if words else np.empty((0, 2))
        place(line, states)
        place(steps, states[1:])
        steps.text = [str(k) if k <= _LABELLED else "" for k in range(1, t + 1)]
        steps.customdata = [
            f"after word {k}: {self.player.vocabulary.names[words[k - 1]]}" for k in range(1, t + 1)
        ]
        place(now, states[-1:])
        now.text = ["AB"[index]] if words else []
        now.textposition = "middle left" if index == 0 else "bottom center"

    def _lines(self) -> list[str]:
        """What each sentence leads to so far, and what was not understood."""
        lines = []
        for index, reading in enumerate(self.readings):
            if reading.unknown:
                lines.append(f"Left out, as the nets do not know: {', '.join(reading.unknown)}.")
            if index and not reading.words:
                continue
            t = min(self.step.value, len(reading.words))
            said = [
                f"{label} says {'positive' if walks[index].margins[t] > 0 else 'negative'} "
                f"({walks[index].positive[t]:.2f})"
                for label, walks in self.walks.items()
            ]
            right = (
                "the right answer is negative",
                "the right answer is positive",
                "a tie, so no answer is right",
            )
            lines.append(
                f"Sentence {'AB'[index]}, words read {t}: {', '.join(said)}; {right[self.answers[index][t]]}."
            )
        return lines


_PER_NET = panel.FIRST_PATH + 2 * panel.PER_PATH


def _traces(num_nets: int) -> list[dict[str, Any]]:
    """Traces of all panels, panel after panel, each on axes of its own."""
    suffix = ["" if i == 0 else str(i + 1) for i in range(num_nets)]
    return [{**trace, "xaxis": f"x{s}", "yaxis": f"y{s}"} for s in suffix for trace in panel.traces()]


def _layout(labels: list[str]) -> dict[str, Any]:
    """The panels side by side, each square under its label."""
    layout = plane_layout()
    x_axis, y_axis = layout.pop("xaxis"), layout.pop("yaxis")
    width, gap = 1 / len(labels), 0.06
    annotations = []
    for i, label in enumerate(labels):
        s = "" if i == 0 else str(i + 1)
        domain = [
            i * width + (gap if i else 0) / 2,
            (i + 1) * width - (gap if i + 1 < len(labels) else 0) / 2,
        ]
        layout[f"xaxis{s}"] = {**x_axis, "domain": domain, "anchor": f"y{s}", "constrain": "domain"}
        layout[f"yaxis{s}"] = {**y_axis, "anchor": f"x{s}", "scaleanchor": f"x{s}", "constrain": "domain"}
        annotations.append(
            {"text": label, "x": sum(domain) / 2, "y": 1, "xref": "paper", "yref": "paper"}
            | {"yanchor": "bottom", "showarrow": False}
        )
    return {**layout, "annotations": annotations, "height": 460, "margin": {**layout["margin"], "t": 36}}
