"""The six classifiers of the psMNIST study (Sections II B and C, Irisarri)."""

from __future__ import annotations

from dataclasses import replace

import torch

from rnnkit.errors import UserError
from rnnkit.models.classifier import ClassifierConfig, SequenceClassifier

TITLES = {
    "rnn": "sRNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "lmu-rnn": "LMU + sRNN",
    "lmu-lstm": "LMU + LSTM",
    "lmu-gru": "LMU + GRU",
}


def _architecture(name: str) -> ClassifierConfig:
    """The paper's settings, as its code applies them (github.com/liris8/RNN-Analysis-of-the-psMNIST-Dataset).

    A cell alone has Keras's ``dropout`` and ``recurrent_dropout``; a Legendre memory has the ``dropout`` of keras-lmu,
    which acts on what the memory reads, and its cell has none. Each step draws masks of its own, as Keras 2 does.
    """
    has_memory, cell = name.startswith("lmu-"), name.removeprefix("lmu-")
    dropout, recurrent_dropout = 0.2, 0.5
    if has_memory or cell == "rnn":
        dropout, recurrent_dropout = (0.2 if has_memory else 0.3), 0.0
    return ClassifierConfig(
        cell,
        memory_size=256 if has_memory else 0,
        normalise=not has_memory,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        dropout_place="memory" if has_memory else "input",
        dropout_span="step",
    )


ARCHITECTURES = {name: _architecture(name) for name in TITLES}


def make_classifier(
    name: str,
    *,
    generator: torch.Generator | None = None,
    dropout_generator: torch.Generator | None = None,
    precision: str = "fp32",
    **changes: object,
) -> SequenceClassifier:
    """Make one of the six.

    Parameters
    ----------
    name : str
        A key of `ARCHITECTURES`.
    generator, dropout_generator, precision
        See `SequenceClassifier`.
    **changes
        Fields of `ClassifierConfig` that shall differ, as ``hidden_size=32``.
    """
    if name not in ARCHITECTURES:
        raise UserError("unknown model", value=name, allowed=ARCHITECTURES)
    config = ARCHITECTURES[name]
    ClassifierConfig.from_dict({"cell": config.cell, **changes})
    return SequenceClassifier(
        replace(config, **changes),  # type: ignore[arg-type]
        generator=generator,
        dropout_generator=dropout_generator,
        precision=precision,
    )


def describe() -> list[dict[str, object]]:
    """Return a row for each model: name, title, parameters as Keras counts them and those of them that are trained."""
    rows: list[dict[str, object]] = []
    for name, config in ARCHITECTURES.items():
        model = make_classifier(name, generator=torch.Generator().manual_seed(0))
        rows.append(
            {
                "name": name,
                "title": TITLES[name],
                "parameters": model.num_parameters,
                "trainable": model.num_trainable,
                "cell": config.cell,
                "hidden_size": config.hidden_size,
                "memory_size": config.memory_size,
                "theta": config.theta if config.memory_size else None,
                "batch_normalisation": config.normalise,
            }
        )
    return rows
