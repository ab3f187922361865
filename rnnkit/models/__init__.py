"""Recurrent networks: one step and the whole sequence of each, proven equal."""

from typing import TYPE_CHECKING

from rnnkit.lazily import exports

if TYPE_CHECKING:
    from rnnkit.models.architectures import describe, make_classifier
    from rnnkit.models.classifier import SequenceClassifier
    from rnnkit.models.configs import ARCHITECTURES, READOUTS, TITLES, ClassifierConfig, StackedConfig
    from rnnkit.models.dropout import Masks
    from rnnkit.models.keras_file import load_keras
    from rnnkit.models.layers import Recurrent
    from rnnkit.models.lmu import LMU
    from rnnkit.models.options import PRECISIONS
    from rnnkit.models.rnn import VanillaRNN
    from rnnkit.models.stacked import StackedClassifier
else:
    __getattr__, __dir__ = exports(__name__, __file__)

__all__ = [
    "ARCHITECTURES",
    "LMU",
    "PRECISIONS",
    "READOUTS",
    "TITLES",
    "ClassifierConfig",
    "Masks",
    "Recurrent",
    "SequenceClassifier",
    "StackedClassifier",
    "StackedConfig",
    "VanillaRNN",
    "describe",
    "load_keras",
    "make_classifier",
]
