"""A player in a live kernel: the page's fields, pickers and slider as ipywidgets, walked by Python."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnkit.figures.stepping.element import SteppingElement


class LiveStepper(ABC):
    """A plotly FigureWidget under the fields and the slider; what is common to all kinds of players.

    Parameters
    ----------
    element : SteppingElement
    examples : mapping of str to sequence of str
        Texts for the fields, by what the example is called; the first is shown at the start.
    fields : sequence of str
        Names of the text fields.
    steps : str
        Name of the slider.
    figure : dict
        ``data`` and ``layout`` of the figure.
    pick_net : bool, default True
        Whether one net is shown at a time.
    first : int, default 0
        Lowest step.

    Attributes
    ----------
    texts : tuple of ipywidgets.Text
    examples, net, model : ipywidgets.Dropdown
    step : ipywidgets.IntSlider
    said : ipywidgets.HTML
        What the nets say at the present step.
    figure : plotly.graph_objects.FigureWidget
    widget : ipywidgets.VBox
        What a notebook displays.
    """

    def __init__(
        self,
        element: SteppingElement,
        examples: Mapping[str, Sequence[str]],
        *,
        fields: Sequence[str],
        steps: str,
        figure: dict[str, Any],
        pick_net: bool = True,
        first: int = 0,
    ) -> None:
        import ipywidgets
        import plotly.graph_objects as go

        self._examples, self._first = dict(examples), first
        start = next(iter(self._examples.values()), ("",) * len(fields))
        self.texts = tuple(
            ipywidgets.Text(value=text, description=name, continuous_update=True)
            for name, text in zip(fields, start, strict=True)
        )
        self.examples = ipywidgets.Dropdown(options=list(self._examples), description="Example")
        self.net = ipywidgets.Dropdown(options=list(element.nets), description="Net")
        self.model = ipywidgets.Dropdown(
            options=[(name, index) for index, name in enumerate(element.models)], description="Trained"
        )
        self.step = ipywidgets.IntSlider(min=0, max=0, description=steps)
        self.said = ipywidgets.HTML()
        self.figure = go.FigureWidget(**figure)
        pickers = (self.net, self.model) if pick_net else (self.model,)
        for box in (*self.texts, self.examples, *pickers, self.step):
            box.style.description_width = "initial"
        for box in self.texts:
            box.observe(lambda _: self.read(to_end=True), names="value")
        self.examples.observe(lambda _: self._take_example(), names="value")
        for box in pickers:
            box.observe(lambda _: self.read(to_end=False), names="index")
        self.step.observe(lambda _: self.follow(), names="value")
        parts = [
            *([self.examples] if self._examples else []),
            *(*self.texts, *pickers, self.step, self.said, *self.more(), self.figure),
        ]
        if element.caption:
            parts.append(ipywidgets.Label(element.caption))
        self.widget = ipywidgets.VBox(parts)
        self.read(to_end=True)

    def more(self) -> Sequence[Any]:
        """Widgets between what is said and the figure."""
        return ()

    @abstractmethod
    def walk(self) -> int:
        """Let the chosen net read what is in the fields, and return the number of steps."""

    @abstractmethod
    def follow(self) -> None:
        """Bring panels and words to the present step."""

    def read(self, *, to_end: bool) -> None:
        """Walk anew, and go to the end or stay."""
        length = self.walk()
        first = min(self._first, length)
        self.step.min, self.step.max = min(first, self.step.max), length
        self.step.min = first
        if to_end:
            self.step.value = length
        self.follow()

    def say(self, lines: Sequence[str]) -> None:
        """Say lines of plain text."""
        self.said.value = "<br>".join(html.escape(line) for line in lines)

    def _take_example(self) -> None:
        for box, text in zip(self.texts, self._examples[self.examples.value], strict=True):
            box.value = text
