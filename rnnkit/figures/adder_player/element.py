"""The adder player as a notebook shows it: HTML with its data for the page, widgets in a live kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnkit.figures.adder_player import panel
from rnnkit.figures.adder_player.markup import adder_html
from rnnkit.figures.adder_player.numbers import BASES, MAX_BITS, Sum, read_number
from rnnkit.figures.adder_player.walk import LOSSES, Addition, add, shapes
from rnnkit.figures.quantise import encode_exactly
from rnnkit.figures.stepping import GATES, Parameters, SteppingElement, checked_arrays, named_models
from rnnkit.figures.stepping.plane import NAME_LIMITS, plane_layout

VERSION = 1
EXAMPLES = {
    "13 + 15": ("13", "15"),
    "a carry through 16 columns": ("0b0" + 16 * "1", "0b1"),
    "a carry through 48 columns": ("0b0" + 48 * "1", "0b1"),
    "no carry at all": ("0b" + 8 * "10", "0b" + 8 * "01"),
}
"""Short enough for training, then farther than any net was trained to carry."""

Carry = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class _Net:
    """One net: its cell, its loss, its arrays, and (directions (M, K), thresholds (M,)) of a probe of the carry."""

    cell: str
    loss: str
    arrays: dict[str, np.ndarray]
    carry: Carry | None

    @property
    def count(self) -> int:
        return len(self.arrays["bias_out"])

    @property
    def hidden_size(self) -> int:
        return int(self.arrays["weight_hh"].shape[2])


class AdderPlayer(SteppingElement):
    """Recurrent nets that add two numbers which the reader types, least significant bit first.

    Parameters
    ----------
    nets : mapping of str to (str, str, mapping of str to array) or with (array, array) as a fourth
        By label, such as ``"GRU, 2 units"``: the cell (``"rnn"``, ``"gru"``, ``"lstm"``); the loss (``"bce"``,
        ``"mse-sigmoid"``, ``"mse-linear"``), which says how an output becomes a bit; the parameters with a leading
        axis over M models: ``weight_ih`` (M, G*H, 2), ``weight_hh`` (M, G*H, H), ``bias_ih`` and ``bias_hh`` (M, G*H),
        ``weight_out`` (M, 1, H), ``bias_out`` (M, 1), torch's order of gates; and, where a probe has found it, the
        directions of the carry (M, H), of an LSTM (M, 2*H) if it needs the cell state, with its thresholds (M,): a
        net holds a carry where ``state @ direction > threshold``. Without a probe a net holds a carry where it would
        write a 1 under a next 0 + 0. M is the same for all; H need not be. Kept in 32 bits.
    alt : str
        What the element shows, in a sentence or two, for a reader who does not see it.
    examples : mapping of str to (str or int, str or int), optional
        By what is printed on its button: two numbers as a reader could type them, binary ones with ``0b``. The first
        is shown at the start. By default 13 + 15 and sums whose carry runs far.
    models : sequence of str, optional
        What the M choices are called; ``"seed 1"`` to ``"seed M"`` by default.
    caption : str, optional
        Shown under the panels, plain text.

    Raises
    ------
    ValueError
        When arrays are missing or of the wrong shape, hold NaN or infinity, when cell or loss are not known, when an
        example is no number of at most 64 bits, or when ``alt`` is empty.
    """

    def __init__(
        self,
        nets: Mapping[str, tuple[str, str, Parameters] | tuple[str, str, Parameters, Carry]],
        *,
        alt: str,
        examples: Mapping[str, Sequence[str | int]] | None = None,
        models: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> None:
        super().__init__(alt=alt, caption=caption)
        self.nets = {str(label): _checked(label, *net) for label, net in nets.items()}
        counts = {label: net.count for label, net in self.nets.items()}
        self.models = named_models(counts, models, "seed")
        self.examples = {
            str(label): _checked_example(pair)
            for label, pair in (EXAMPLES if examples is None else examples).items()
        }

    def walk(self, label: str, model: int, numbers: Sum) -> Addition:
        """Let one model of one net add two numbers."""
        net = self.nets[label]
        return add(
            net.cell, net.loss, self.parameters(label, model), numbers.inputs, self.carry(label, model)
        )

    def carry(self, label: str, model: int) -> tuple[np.ndarray, float] | None:
        """Direction and threshold of the carry of one model; None where no probe has found it."""
        carry = self.nets[label].carry
        return None if carry is None else (carry[0][model], float(carry[1][model]))

    def arrays(self, label: str) -> Parameters:
        """Parameters of all models of a net, in double precision."""
        return self.nets[label].arrays

    def payload(self) -> dict[str, Any]:
        """Everything the page's script needs, as plain JSON values."""
        return {
            "version": VERSION,
            "nets": [
                {
                    "label": label,
                    "cell": net.cell,
                    "threshold": LOSSES[net.loss],
                    "hiddenSize": net.hidden_size,
                    "parameters": self.encoded(label),
                    "probe": None
                    if net.carry is None
                    else {
                        "direction": encode_exactly(net.carry[0]),
                        "threshold": encode_exactly(net.carry[1]),
                    },
                }
                for label, net in self.nets.items()
            ],
            "models": list(self.models),
            "bases": list(BASES),
            "maxBits": MAX_BITS,
            "examples": [list(pair) for pair in self.examples.values()],
            "yTitles": {"probed": panel.PROBED, "asked": panel.ASKED},
            "line": {"traces": panel.path_traces(), "layout": panel.line_layout()},
            "plane": {"traces": panel.plane_traces(), "layout": plane_layout(), "nameLimits": NAME_LIMITS},
        }

    def markup(self, data: str) -> str:
        """HTML of the player with its payload as JSON."""
        return adder_html(self, data)

    def live(self) -> Any:
        """The widget that a live kernel shows."""
        from rnnkit.figures.adder_player.widgets import LiveAdder

        return LiveAdder(self).widget


def _checked(label: str, cell: str, loss: str, parameters: Parameters, carry: Carry | None = None) -> _Net:
    """One net with its arrays rounded to 32 bits; the recurrent weights say how many models and units there are."""
    for what, value, known in (("cell", cell, GATES), ("loss", loss, LOSSES)):
        if value not in known:
            raise ValueError(f"net {label!r}: the {what} must be one of {', '.join(known)}, not {value!r}")
    recurrent = np.asarray(parameters.get("weight_hh", ()))
    count, size = (len(recurrent), recurrent.shape[2]) if recurrent.ndim == 3 else (0, 0)
    arrays = checked_arrays(label, parameters, shapes(cell, size), count)
    if carry is None:
        return _Net(cell, loss, arrays, None)
    directions, thresholds = carry
    width = np.shape(directions)[-1] if np.ndim(directions) else 0
    if cell != "lstm" or width != 2 * size:
        width = size
    probe = checked_arrays(
        label,
        {"carry direction": np.asarray(directions), "carry threshold": np.asarray(thresholds)},
        {"carry direction": (width,), "carry threshold": ()},
        count,
    )
    return _Net(cell, loss, arrays, (probe["carry direction"], probe["carry threshold"]))


def _checked_example(pair: Sequence[str | int]) -> tuple[str, str]:
    texts = [str(number) for number in pair]
    if len(texts) != 2:
        raise ValueError(f"an example must be two numbers, not {pair!r}")
    for text in texts:
        if fault := read_number(text, "decimal").fault:
            raise ValueError(f"the example {pair!r}: {fault}")
    return texts[0], texts[1]
