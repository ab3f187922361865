"""The controls of an Interactive as ipywidgets, for a notebook whose kernel is running."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnkit.figures.interactive import Interactive

STATIC_SETTING = "RNNKIT_STATIC"


def is_live() -> bool:
    """Whether figures should answer through the kernel.

    False where ``RNNKIT_STATIC`` is set (the book's own runs set it), outside a notebook kernel, and where
    ipywidgets or anywidget is missing.
    """
    if os.environ.get(STATIC_SETTING, "") not in ("", "0"):
        return False
    try:
        import anywidget  # noqa: F401
        import ipywidgets  # noqa: F401
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


class LiveFigure:
    """A plotly FigureWidget under its controls.

    Parameters
    ----------
    interactive : Interactive
        Its figure is copied; its bindings are used as they are.

    Attributes
    ----------
    figure : plotly.graph_objects.FigureWidget
    inputs : dict of str to ipywidgets.SelectionSlider or ipywidgets.Dropdown
        By name of the control; ``index`` is the position.
    widget : ipywidgets.VBox
        What a notebook displays.
    """

    def __init__(self, interactive: Interactive) -> None:
        import ipywidgets
        import plotly.graph_objects as go

        self._bindings = list(interactive.bindings)
        self.figure = go.FigureWidget(interactive.figure)
        self.inputs: dict[str, Any] = {}
        for name, control in interactive.controls.items():
            make = ipywidgets.SelectionSlider if control.kind == "slider" else ipywidgets.Dropdown
            options = [(text, position) for position, text in enumerate(control.values)]
            box = make(options=options, index=control.start, description=control.label)
            box.style.description_width = "initial"
            box.observe(lambda change, name=name: self._follow(name), names="index")
            self.inputs[name] = box
        parts = [*self.inputs.values(), self.figure]
        if interactive.caption:
            parts.append(ipywidgets.Label(interactive.caption))
        self.widget = ipywidgets.VBox(parts)

    def _follow(self, moved: str) -> None:
        """Bring every attribute bound to the moved control to the present state."""
        state = {name: box.index for name, box in self.inputs.items()}
        with self.figure.batch_update():
            for binding in self._bindings:
                if moved in binding.over:
                    target = self.figure.layout if binding.trace is None else self.figure.data[binding.trace]
                    target[binding.attr] = binding.at(state)
