"""The recall player as a notebook shows it: HTML with its data for the page, widgets in a live kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.recall_player import panel
from rnnkit.figures.recall_player.digits import MAX_DIGITS, ordinal, read_digits
from rnnkit.figures.recall_player.markup import recall_html
from rnnkit.figures.recall_player.walk import READOUTS, Recall, recall, shapes
from rnnkit.figures.stepping import Parameters, SteppingElement, checked_arrays, named_models

VERSION = 1


class RecallPlayer(SteppingElement):
    """Bidirectional LSTMs that read digits which the reader types, and are asked for the one at a position.

    Parameters
    ----------
    nets : mapping of str to (str, mapping of str to array)
        By label, such as ``"hidden 2"``: the readout (``"last"`` or ``"final"``) and the parameters with a leading
        axis over M models: ``weight_ih`` (M, 4*H, 10), ``weight_hh`` (M, 4*H, H), ``bias_ih`` and ``bias_hh``
        (M, 4*H), the same with the suffix ``_reverse``, ``weight_out`` (M, 10, 2*H), ``bias_out`` (M, 10); torch's
        order of gates, forward half first. M is the same for all; H need not be. Kept in 32 bits.
    alt : str
        What the element shows, in a sentence or two, for a reader who does not see it.
    position : int, default 1
        Which digit the nets are asked for, counting from 0.
    examples : mapping of str to str, optional
        By what is printed on its button: digits as a reader could type them. The first is shown at the start.
    models : sequence of str, optional
        What the M choices are called; ``"seed 1"`` to ``"seed M"`` by default.
    caption : str, optional
        Shown under the panels, plain text.

    Raises
    ------
    ValueError
        When arrays are missing or of the wrong shape, hold NaN or infinity, when the readout or the position is not
        one, when an example holds something else than digits, none, or too many, or when ``alt`` is empty.
    """

    def __init__(
        self,
        nets: Mapping[str, tuple[str, Parameters]],
        *,
        alt: str,
        position: int = 1,
        examples: Mapping[str, str] | None = None,
        models: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> None:
        super().__init__(alt=alt, caption=caption)
        if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < MAX_DIGITS:
            raise ValueError(f"position must be a whole number in 0..{MAX_DIGITS - 1}, not {position!r}")
        self.position, self.asked = position, ordinal(position + 1)
        self.nets = {
            str(label): (readout, _checked(label, readout, p)) for label, (readout, p) in nets.items()
        }
        counts = {label: len(parameters["bias_out"]) for label, (_, parameters) in self.nets.items()}
        self.models = named_models(counts, models, "seed")
        self.examples = {str(label): _checked_example(text) for label, text in (examples or {}).items()}

    def walk(self, label: str, model: int, digits: Sequence[int] | np.ndarray) -> Recall:
        """Let one model of one net read digits."""
        return recall(self.nets[label][0], self.parameters(label, model), digits)

    def right(self, digits: Sequence[int], step: int) -> int | None:
        """The digit asked for, once it has been read; None before."""
        return digits[self.position] if step > self.position else None

    def arrays(self, label: str) -> Parameters:
        """Parameters of all models of a net, in double precision."""
        return self.nets[label][1]

    def payload(self) -> dict[str, Any]:
        """Everything the page's script needs, as plain JSON values."""
        return {
            "version": VERSION,
            "nets": [
                {"label": label, "readout": readout, "parameters": self.encoded(label)}
                for label, (readout, _) in self.nets.items()
            ],
            "models": list(self.models),
            "position": self.position,
            "asked": self.asked,
            "examples": list(self.examples.values()),
            "maxDigits": MAX_DIGITS,
            "panel": {
                "traces": panel.traces(),
                "layout": panel.layout(),
                "frames": [panel.frame(digit) for digit in (*range(10), None)],
                "namedFrom": panel.NAMED_FROM,
            },
        }

    def markup(self, data: str) -> str:
        """HTML of the player with its payload as JSON."""
        return recall_html(self, data)

    def live(self) -> Any:
        """The widget that a live kernel shows."""
        from rnnkit.figures.recall_player.widgets import LiveRecall

        return LiveRecall(self).widget


def _checked(label: str, readout: str, parameters: Parameters) -> dict[str, np.ndarray]:
    """Arrays of one net, rounded to 32 bits; the recurrent weights say how many models and units there are."""
    if readout not in READOUTS:
        raise ValueError(f"net {label!r}: the readout must be one of {', '.join(READOUTS)}, not {readout!r}")
    recurrent = np.asarray(parameters.get("weight_hh", ()))
    count, size = (len(recurrent), recurrent.shape[2]) if recurrent.ndim == 3 else (0, 0)
    return checked_arrays(label, parameters, shapes(size), count)


def _checked_example(text: str) -> str:
    typed = read_digits(text)
    if typed.unknown or typed.cut or not typed.digits:
        raise ValueError(f"an example must be 1 to {MAX_DIGITS} digits, not {text!r}")
    return text
