"""A player as a notebook shows it: HTML with its data for the page, widgets in a live kernel."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.quantise import decode, encode_exactly

Parameters = Mapping[str, np.ndarray]


class SteppingElement(ABC):
    """Small nets that read what a reader enters; what is common to all kinds of it.

    A kind fills ``nets`` (the arrays of each net by its label, each with a leading axis of models) and says how it
    looks on a page and in a kernel.

    Parameters
    ----------
    alt : str
        What the element shows, in a sentence or two, for a reader who does not see it.
    caption : str, optional
        Shown under the panels, plain text.

    Raises
    ------
    ValueError
        When ``alt`` is empty.
    """

    nets: Mapping[str, Any]
    models: tuple[str, ...]

    def __init__(self, *, alt: str, caption: str | None) -> None:
        if not isinstance(alt, str) or not alt.strip():
            raise ValueError("alt: a figure needs a text alternative that says what it shows")
        self.alt, self.caption = " ".join(alt.split()), caption

    @abstractmethod
    def arrays(self, label: str) -> Parameters:
        """Parameters of all models of a net, in double precision."""

    @abstractmethod
    def payload(self) -> dict[str, Any]:
        """Everything the page's script needs, as plain JSON values."""

    @abstractmethod
    def markup(self, data: str) -> str:
        """HTML of the element with its payload as JSON."""

    @abstractmethod
    def live(self) -> Any:
        """The widget that a live kernel shows."""

    def parameters(self, label: str, model: int) -> dict[str, np.ndarray]:
        """Parameters of one model, in double precision: the very numbers that the page's script reads."""
        return {name: values[model] for name, values in self.arrays(label).items()}

    def encoded(self, label: str) -> dict[str, Any]:
        """Parameters of a net for the payload."""
        return {name: encode_exactly(values) for name, values in self.arrays(label).items()}

    def mimebundle(self) -> dict[str, str]:
        """Notebook output: HTML with the data in it, and the text alternative."""
        data = json.dumps(self.payload(), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return {"text/html": self.markup(data), "text/plain": self.alt}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.mimebundle()

    def _ipython_display_(self) -> None:
        self.show()

    def show(self) -> None:
        """Display the player: with ipywidgets in a live kernel, else as the output that a page's script drives."""
        from IPython.display import display

        from rnnkit.figures import live

        if live.is_live():
            display(self.live())
        else:
            display(self.mimebundle(), raw=True)


def named_models(counts: Mapping[str, int], models: Sequence[str] | None, what: str) -> tuple[str, ...]:
    """Names of the models, ``what`` with a number by default; ``counts`` is how many each net has.

    Raises
    ------
    ValueError
        When nets have different numbers of models, there are none, or the names are not as many.
    """
    if len(set(counts.values())) != 1:
        raise ValueError(f"nets must have as many models each, at least one net, not {dict(counts)}")
    count = next(iter(counts.values()))
    names = tuple(f"{what} {n}" for n in range(1, count + 1)) if models is None else tuple(map(str, models))
    if len(names) != count or not count:
        raise ValueError(f"{len(names)} names for {count} models")
    return names


def checked_arrays(
    label: str, parameters: Parameters, shapes: Mapping[str, tuple[int, ...]], count: int
) -> dict[str, np.ndarray]:
    """Arrays of one net in double precision, rounded to 32 bits.

    Parameters
    ----------
    label : str
        For messages.
    parameters : mapping of str to array
        Those of ``shapes`` at least, each with a leading axis of models.
    shapes : mapping of str to tuple of int
        Of one model.
    count : int
        Number of models.

    Raises
    ------
    ValueError
        When an array is missing, of another shape, or holds NaN or infinity.
    """
    result = {}
    for name, shape in shapes.items():
        if name not in parameters:
            raise ValueError(f"net {label!r}: {name} is missing; there are {', '.join(sorted(parameters))}")
        values = np.asarray(parameters[name], dtype=np.float32)
        if values.shape != (count, *shape):
            raise ValueError(f"net {label!r}: {name} must be of shape {(count, *shape)}, not {values.shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"net {label!r}: {name} holds NaN or infinity")
        result[name] = values.astype(np.float64)
    return result


def decoded(net: Mapping[str, Any], model: int) -> dict[str, np.ndarray]:
    """Parameters of one model from a net's entry in a payload, as the page's script takes them."""
    return {name: decode(payload)[model] for name, payload in net["parameters"].items()}
