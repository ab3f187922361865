"""The sentence player as a notebook shows it: HTML with its data for the page, widgets in a live kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.player import panel
from rnnkit.figures.player.markup import player_html
from rnnkit.figures.player.vocabulary import MAX_WORDS, Vocabulary
from rnnkit.figures.player.walk import Walk, shapes, walk
from rnnkit.figures.stepping import GATES, Parameters, SteppingElement, checked_arrays, named_models
from rnnkit.figures.stepping.plane import NAME_LIMITS, plane_layout
from rnnkit.figures.theme import WORDS

VERSION = 2


class SentencePlayer(SteppingElement):
    """Nets with two hidden units that read what the reader types; right answers by the Count rule.

    Parameters
    ----------
    nets : mapping of str to (str, mapping of str to array)
        By label, such as ``"RNN"``: the cell (``"rnn"``, ``"gru"``, ``"lstm"``) and its parameters with a leading
        axis over M models: ``embedding`` (M, V, D), ``weight_ih`` (M, G*2, D), ``weight_hh`` (M, G*2, 2),
        ``bias_ih`` and ``bias_hh`` (M, G*2), ``weight_out`` (M, 2, 2), ``bias_out`` (M, 2); torch's order of gates,
        and of the two logits the second is positive. M is the same for all; D need not be. Kept in 32 bits.
    names : sequence of str
        The V words of the vocabulary.
    kinds : sequence of int
        0 for a stop word, 1 for a positive, -1 for a negative one.
    examples : mapping of str to str or (str, str), optional
        By what is printed on its button: a sentence as a reader could type it, or two to compare. The first is shown
        at the start.
    alt : str
        What the element shows, in a sentence or two, for a reader who does not see it.
    models : sequence of str, optional
        What the M choices are called; ``"nets 1"`` to ``"nets M"`` by default.
    caption : str, optional
        Shown under the panels, plain text.

    Raises
    ------
    ValueError
        When arrays are missing or of the wrong shape, hold NaN or infinity, when an example has unknown words, or
        when ``alt`` is empty.
    """

    def __init__(
        self,
        nets: Mapping[str, tuple[str, Parameters]],
        *,
        names: Sequence[str],
        kinds: Sequence[int] | np.ndarray,
        alt: str,
        examples: Mapping[str, str | Sequence[str]] | None = None,
        models: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> None:
        super().__init__(alt=alt, caption=caption)
        self.vocabulary = Vocabulary(names, kinds)
        self.nets = {
            str(label): (cell, _checked(label, cell, p, len(names))) for label, (cell, p) in nets.items()
        }
        counts = {label: len(parameters["embedding"]) for label, (_, parameters) in self.nets.items()}
        self.models = named_models(counts, models, "nets")
        self.examples = {
            str(label): _checked_example(self.vocabulary, e) for label, e in (examples or {}).items()
        }

    def walk(self, label: str, model: int, words: Sequence[int] | np.ndarray) -> Walk:
        """Let one model of one net read a sentence."""
        return walk(self.nets[label][0], self.parameters(label, model), words)

    def arrays(self, label: str) -> Parameters:
        """Parameters of all models of a net, in double precision."""
        return self.nets[label][1]

    def payload(self) -> dict[str, Any]:
        """Everything the page's script needs, as plain JSON values."""
        return {
            "version": VERSION,
            "nets": [
                {"label": label, "cell": cell, "parameters": self.encoded(label)}
                for label, (cell, _) in self.nets.items()
            ],
            "models": list(self.models),
            "names": list(self.vocabulary.names),
            "kinds": list(self.vocabulary.kinds),
            "colors": dict(WORDS),
            "aliases": self.vocabulary.aliases,
            "examples": [list(pair) for pair in self.examples.values()],
            "maxWords": MAX_WORDS,
            "panel": {"traces": panel.traces(), "layout": plane_layout(), "nameLimits": NAME_LIMITS},
        }

    def markup(self, data: str) -> str:
        """HTML of the player with its payload as JSON."""
        return player_html(self, data)

    def live(self) -> Any:
        """The widget that a live kernel shows."""
        from rnnkit.figures.player.widgets import LivePlayer

        return LivePlayer(self).widget


def _checked(label: str, cell: str, parameters: Parameters, num_words: int) -> dict[str, np.ndarray]:
    """Arrays of one net, rounded to 32 bits."""
    if cell not in GATES:
        raise ValueError(f"net {label!r}: the cell must be one of {', '.join(GATES)}, not {cell!r}")
    embedding = np.asarray(parameters.get("embedding", ()))
    input_size = embedding.shape[2] if embedding.ndim == 3 else 0
    return checked_arrays(
        label, parameters, shapes(cell, num_words, input_size, hidden_size=2), len(embedding)
    )


def _checked_example(vocabulary: Vocabulary, example: str | Sequence[str]) -> tuple[str, str]:
    first, second = (example, "") if isinstance(example, str) else example
    for text in (first, second):
        if unknown := vocabulary.parse(text).unknown:
            raise ValueError(f"the example {text!r} has unknown words: {', '.join(unknown)}")
    return first, second
