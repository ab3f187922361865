"""The adder player in a live kernel: the same fields and panels as ipywidgets, walked by Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnkit.figures.adder_player import panel
from rnnkit.figures.adder_player.numbers import BASES, Sum, read_number
from rnnkit.figures.adder_player.table import columns, table_html
from rnnkit.figures.stepping.live import LiveStepper
from rnnkit.figures.stepping.plane import half_plane, place, place_sides, plane_layout

if TYPE_CHECKING:
    from rnnkit.figures.adder_player.element import AdderPlayer


class LiveAdder(LiveStepper):
    """Two numbers, the addition written out, the carry step by step, and a plane for nets with two units.

    Parameters
    ----------
    player : AdderPlayer

    Attributes
    ----------
    base : ipywidgets.Dropdown
    written : ipywidgets.HTML
        The column addition.
    plane : plotly.graph_objects.FigureWidget
        In ``plane_box``, which is put away for nets of other sizes.
    """

    def __init__(self, player: AdderPlayer) -> None:
        self.player = player
        super().__init__(
            player,
            player.examples,
            fields=("First number", "Second number"),
            steps="Columns added",
            figure={"data": panel.path_traces(), "layout": panel.line_layout()},
        )

    def more(self) -> Sequence[Any]:
        """The base, the addition and the plane."""
        import ipywidgets
        import plotly.graph_objects as go

        self.base = ipywidgets.Dropdown(options=list(BASES), description="Numbers are")
        self.base.style.description_width = "initial"
        self.base.observe(lambda _: self.read(to_end=True), names="value")
        self.written = ipywidgets.HTML()
        layout = {**plane_layout(), "height": 420, "width": 420}
        self.plane = go.FigureWidget(data=panel.plane_traces(), layout=layout)
        self.plane_box = ipywidgets.VBox([self.plane])
        return self.base, self.written, self.plane_box

    def walk(self) -> int:
        """Let the chosen net add the numbers."""
        self.numbers = [read_number(box.value, self.base.value) for box in self.texts]
        self.sum = Sum.of(*self.numbers)
        self.addition = self.player.walk(self.net.value, self.model.index, self.sum)
        return self.sum.length

    def follow(self) -> None:
        """Bring panels and words to the present step."""
        step, (label, model) = self.step.value, (self.net.value, self.model.index)
        self.say(self._lines(step))
        self.written.value = table_html(columns(self.sum, self.addition, step)) if self.sum.length else ""
        probe, flat = self.player.carry(label, model), self.player.nets[label].hidden_size == 2
        held = self.addition.held
        with self.figure.batch_update():
            reach = panel.reach(held.tolist())
            self.figure.layout.yaxis.update(
                range=[-reach, reach], title={"text": panel.ASKED if probe is None else panel.PROBED}
            )
            self.figure.layout.xaxis.range = [-0.5, self.sum.length + 0.5]
            self._path(self.figure.data, np.stack([np.arange(len(held)), held], axis=1), step)
        self.plane_box.layout.display = None if flat else "none"
        if not flat:
            return
        with self.plane.batch_update():
            drawn = probe is not None and len(probe[0]) == 2
            normal, offset = (probe[0], -probe[1]) if probe is not None and drawn else (np.zeros(2), 0.0)
            sides = {
                panel.SIDES[1]: half_plane(normal, offset),
                panel.SIDES[0]: half_plane(-normal, -offset),
            }
            place_sides(self.plane.data, sides)
            self._path(self.plane.data[-len(self.figure.data) :], self.addition.states[:, :2], step)

    def _path(self, traces: Any, points: np.ndarray, step: int) -> None:
        """Line, steps by their true carry, and the present one; nothing without numbers."""
        line, *steps, now = traces
        shown = points[: step + 1] if self.sum.length else points[:0]
        carries = self.sum.carries[: len(shown)]
        place(line, shown)
        for carry, trace in enumerate(steps):
            places = np.flatnonzero(carries == carry)
            place(trace, shown[places])
            trace.customdata = [f"after column {t}: true carry {carry}" for t in places]
        place(now, shown[-1:])

    def _lines(self, step: int) -> list[str]:
        """What was not understood, else what the net has done so far."""
        if faults := [
            f"{box.description}: {n.fault}"
            for box, n in zip(self.texts, self.numbers, strict=True)
            if n.fault
        ]:
            return faults
        wrong = int((self.addition.bits[:step] != self.sum.right[:step]).sum())
        carries = self.sum.carries[: step + 1] != (self.addition.held[: step + 1] > 0)
        total = sum(int(bit) << t for t, bit in enumerate(self.addition.bits))
        return [
            f"Columns added {step}: {wrong} wrong bits, and the carry held wrong {int(carries.sum())} times.",
            f"{self.sum.a} + {self.sum.b} = {self.sum.a + self.sum.b}; {self.net.value} says {total}.",
        ]
