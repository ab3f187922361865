"""The recall player in a live kernel: the same field and panels as ipywidgets, walked by Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.figures.recall_player import panel
from rnnkit.figures.recall_player.digits import MAX_DIGITS, read_digits
from rnnkit.figures.stepping.live import LiveStepper

if TYPE_CHECKING:
    from rnnkit.figures.recall_player.element import RecallPlayer

_TITLES = ("If the sequence ended here", "After the whole sequence")


class LiveRecall(LiveStepper):
    """Digits, and two panels of bars.

    Parameters
    ----------
    player : RecallPlayer
    """

    def __init__(self, player: RecallPlayer) -> None:
        self.player = player
        super().__init__(
            player,
            {label: (text,) for label, text in player.examples.items()},
            fields=("Digits",),
            steps="Digits read",
            figure={"data": _traces(), "layout": _layout()},
            first=1,
        )

    def walk(self) -> int:
        """Let the chosen net read the digits."""
        self.typed = read_digits(self.texts[0].value)
        self.recall = self.player.walk(self.net.value, self.model.index, self.typed.digits)
        return len(self.typed.digits)

    def follow(self) -> None:
        """Bring panels and words to the present step."""
        self.say(self._lines())
        with self.figure.batch_update():
            for side, step in enumerate((self.step.value, len(self.typed.digits))):
                traces = self.figure.data[side * _PER_PANEL : (side + 1) * _PER_PANEL]
                beliefs = self.recall.beliefs[step - 1].tolist() if self.typed.digits else []
                traces[panel.BARS].y, traces[panel.BARS].text = beliefs, panel.numbers(beliefs)
                for name, points in panel.frame(self.player.right(self.typed.digits, step)).items():
                    next(trace for trace in traces if trace.name == name).update(points)

    def _lines(self) -> list[str]:
        lines = []
        if self.typed.unknown:
            lines.append(f"Left out, as they are no digits: {', '.join(self.typed.unknown)}.")
        if self.typed.cut:
            lines.append(f"Only the first {MAX_DIGITS} digits are read.")
        if not self.typed.digits:
            return [*lines, "Type digits: the net reads along."]
        count = len(self.typed.digits)
        return [*lines, *(self._report(step) for step in dict.fromkeys((self.step.value, count)))]

    def _report(self, step: int) -> str:
        digits, said = self.typed.digits, int(self.recall.said[step - 1])
        right = self.player.right(digits, step)
        judged = f"the {self.player.asked} digit is not there yet"
        if right is not None:
            judged = (
                f"the {self.player.asked} digit is {right}, so it is {'right' if said == right else 'wrong'}"
            )
        belief = self.recall.beliefs[step - 1, said]
        return f"Digits read {step}: {self.net.value} says {said} ({belief:.2f}); {judged}."


_PER_PANEL = len(panel.traces())


def _traces() -> list[dict[str, Any]]:
    return [{**trace, "xaxis": f"x{s}", "yaxis": f"y{s}"} for s in ("", "2") for trace in panel.traces()]


def _layout() -> dict[str, Any]:
    """Both panels side by side, each under its title."""
    layout = panel.layout()
    x_axis, y_axis = layout.pop("xaxis"), layout.pop("yaxis")
    annotations = []
    for s, title, domain in zip(("", "2"), _TITLES, ([0, 0.46], [0.54, 1]), strict=True):
        layout[f"xaxis{s}"] = {**x_axis, "domain": domain, "anchor": f"y{s}"}
        layout[f"yaxis{s}"] = {**y_axis, "anchor": f"x{s}"}
        annotations.append(
            {"text": title, "x": sum(domain) / 2, "y": 1, "xref": "paper", "yref": "paper"}
            | {"yanchor": "bottom", "showarrow": False}
        )
    return {**layout, "annotations": annotations, "margin": {**layout["margin"], "t": 36}}
