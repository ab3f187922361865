"""Recurrent networks: one step and the whole sequence of each, proven equal."""

from rnnkit.models.architectures import ARCHITECTURES, TITLES, describe, make_classifier
from rnnkit.models.classifier import ClassifierConfig, SequenceClassifier
from rnnkit.models.dropout import Masks
from rnnkit.models.keras_file import load_keras
from rnnkit.models.layers import Recurrent
from rnnkit.models.lmu import LMU
from rnnkit.models.recurrence import PRECISIONS
from rnnkit.models.rnn import VanillaRNN
from rnnkit.models.stacked import READOUTS, StackedClassifier, StackedConfig

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
