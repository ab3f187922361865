"""The sentence player as a notebook shows it: HTML with its data for the page, widgets in a live kernel."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.player import panel
from rnnkit.figures.player.markup import player_html
from rnnkit.figures.player.vocabulary import MAX_WORDS, Vocabulary
from rnnkit.figures.player.walk import GATES, Walk, shapes, walk
from rnnkit.figures.theme import WORDS

VERSION = 1

Parameters = Mapping[str, np.ndarray]


class SentencePlayer:
    """Nets with two hidden units that read what the reader types; right answers by the Count rule.

    Parameters
    ----------
    nets : mapping of str to (str, mapping of str to array)
        By label, such as ``"RNN"``: the cell (``"rnn"`` or ``"gru"``) and its parameters with a leading axis over M
        models: ``embedding`` (M, V, D), ``weight_ih`` (M, G*2, D), ``weight_hh`` (M, G*2, 2), ``bias_ih`` and
        ``bias_hh`` (M, G*2), ``weight_out`` (M, 2, 2), ``bias_out`` (M, 2); torch's order of gates, and of the two
        logits the second is positive. M is the same for all; D need not be. Kept in 32 bits.
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
        if not isinstance(alt, str) or not alt.strip():
            raise ValueError("alt: a figure needs a text alternative that says what it shows")
        self.alt, self.caption = " ".join(alt.split()), caption
        self.vocabulary = Vocabulary(names, kinds)
        self.nets = {
            str(label): (cell, _checked(label, cell, p, len(names))) for label, (cell, p) in nets.items()
        }
        sizes = {label: len(parameters["embedding"]) for label, (_, parameters) in self.nets.items()}
        if len(set(sizes.values())) != 1:
            raise ValueError(f"nets must have as many models each, at least one net, not {sizes}")
        count = next(iter(sizes.values()))
        self.models = tuple(str(m) for m in models) if models is not None else _numbers(count)
        if len(self.models) != count or not count:
            raise ValueError(f"{len(self.models)} names for {count} models")
        self.examples = {
            str(label): _checked_example(self.vocabulary, e) for label, e in (examples or {}).items()
        }

    def walk(self, label: str, model: int, words: Sequence[int] | np.ndarray) -> Walk:
        """Let one model of one net read a sentence."""
        return walk(self.nets[label][0], self.parameters(label, model), words)

    def parameters(self, label: str, model: int) -> dict[str, np.ndarray]:
        """Parameters of one model, in double precision: the very numbers that the page's script reads."""
        return {name: values[model] for name, values in self.nets[label][1].items()}

    def payload(self) -> dict[str, Any]:
        """Everything the page's script needs, as plain JSON values."""
        return {
            "version": VERSION,
            "nets": [
                {"label": label, "cell": cell, "parameters": {n: v.tolist() for n, v in parameters.items()}}
                for label, (cell, parameters) in self.nets.items()
            ],
            "models": list(self.models),
            "names": list(self.vocabulary.names),
            "kinds": list(self.vocabulary.kinds),
            "colors": dict(WORDS),
            "aliases": self.vocabulary.aliases,
            "examples": [list(pair) for pair in self.examples.values()],
            "maxWords": MAX_WORDS,
            "panel": {"traces": panel.traces(), "layout": panel.layout(), "nameLimits": panel.NAME_LIMITS},
        }

    def mimebundle(self) -> dict[str, str]:
        """Notebook output: HTML with the data in it, and the text alternative."""
        data = json.dumps(self.payload(), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return {"text/html": player_html(self, data), "text/plain": self.alt}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.mimebundle()

    def _ipython_display_(self) -> None:
        self.show()

    def show(self) -> None:
        """Display the player: with ipywidgets in a live kernel, else as the output that a page's script drives."""
        from IPython.display import display

        from rnnkit.figures import live
        from rnnkit.figures.player.widgets import LivePlayer

        if live.is_live():
            display(LivePlayer(self).widget)
        else:
            display(self.mimebundle(), raw=True)


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(f"nets {number}" for number in range(1, count + 1))


def _checked(label: str, cell: str, parameters: Parameters, num_words: int) -> dict[str, np.ndarray]:
    """Arrays of one net, rounded to the shortest decimals that stand for their 32-bit values."""
    if cell not in GATES:
        raise ValueError(f"net {label!r}: the cell must be one of {', '.join(GATES)}, not {cell!r}")
    embedding = np.asarray(parameters.get("embedding", ()))
    input_size = embedding.shape[2] if embedding.ndim == 3 else 0
    result = {}
    for name, shape in shapes(cell, num_words, input_size, hidden_size=2).items():
        if name not in parameters:
            raise ValueError(f"net {label!r}: {name} is missing; there are {', '.join(sorted(parameters))}")
        values = np.asarray(parameters[name], dtype=np.float32)
        if values.shape != (len(embedding), *shape):
            raise ValueError(
                f"net {label!r}: {name} must be of shape {(len(embedding), *shape)}, not {values.shape}"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"net {label!r}: {name} holds NaN or infinity")
        result[name] = np.array([float(str(v)) for v in values.ravel()]).reshape(values.shape)
    return result


def _checked_example(vocabulary: Vocabulary, example: str | Sequence[str]) -> tuple[str, str]:
    first, second = (example, "") if isinstance(example, str) else example
    for text in (first, second):
        if unknown := vocabulary.parse(text).unknown:
            raise ValueError(f"the example {text!r} has unknown words: {', '.join(unknown)}")
    return first, second
