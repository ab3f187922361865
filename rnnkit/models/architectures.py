"""The six classifiers of the psMNIST study, made and counted."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch

from rnnkit.errors import UserError
from rnnkit.models.classifier import SequenceClassifier
from rnnkit.models.configs import ARCHITECTURES, TITLES, ClassifierConfig


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


@cache
def _counted(name: str) -> tuple[int, int]:
    """Parameters of a model, and those of them that are trained, counted on the model."""
    model = make_classifier(name, generator=torch.Generator().manual_seed(0))
    return model.num_parameters, model.num_trainable


def describe() -> list[dict[str, object]]:
    """Return a row for each model: name, title, parameters as Keras counts them and those of them that are trained."""
    rows: list[dict[str, object]] = []
    for name, config in ARCHITECTURES.items():
        num_parameters, num_trainable = _counted(name)
        rows.append(
            {
                "name": name,
                "title": TITLES[name],
                "parameters": num_parameters,
                "trainable": num_trainable,
                "cell": config.cell,
                "hidden_size": config.hidden_size,
                "memory_size": config.memory_size,
                "theta": config.theta if config.memory_size else None,
                "batch_normalisation": config.normalise,
            }
        )
    return rows
