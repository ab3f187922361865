"""The sentence player in a live kernel: the same fields and panels as ipywidgets, walked by Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnkit.figures.player import panel
from rnnkit.figures.player.walk import Walk
from rnnkit.figures.stepping.live import LiveStepper
from rnnkit.figures.stepping.plane import place, place_sides, plane_layout

if TYPE_CHECKING:
    from rnnkit.figures.player.element import SentencePlayer

_LABELLED = 40
"""Steps that carry their number; on longer paths the numbers would cover each other."""


class LivePlayer(LiveStepper):
    """Two sentences, the second of which may be empty, and one panel per net.

    Parameters
    ----------
    player : SentencePlayer
    """

    def __init__(self, player: SentencePlayer) -> None:
        self.player = player
        super().__init__(
            player,
            player.examples,
            fields=("Sentence A", "Sentence B"),
            steps="Words read",
            figure={"data": _traces(len(player.nets)), "layout": _layout(list(player.nets))},
            pick_net=False,
        )

    def walk(self) -> int:
        """Let the chosen nets read both sentences."""
        vocabulary = self.player.vocabulary
        self.readings = [vocabulary.parse(box.value) for box in self.texts]
        self.answers = [vocabulary.answers(reading.words) for reading in self.readings]
        self.walks = {
            label: [self.player.walk(label, self.model.index, reading.words) for reading in self.readings]
            for label in self.player.nets
        }
        return max(len(reading.words) for reading in self.readings)

    def follow(self) -> None:
        """Bring panels and words to the present step."""
        self.say(self._lines())
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
