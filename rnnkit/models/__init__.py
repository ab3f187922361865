"""Recurrent networks: one step and the whole sequence of each, proven equal."""

from rnnkit.models.architectures import ARCHITECTURES, TITLES, describe, make_classifier
from rnnkit.models.classifier import ClassifierConfig, SequenceClassifier
from rnnkit.models.dropout import Masks
from rnnkit.models.keras_file import load_keras
from rnnkit.models.layers import Recurrent
from rnnkit.models.lmu import LMU
from rnnkit.models.rnn import PRECISIONS, VanillaRNN

__all__ = [
    "ARCHITECTURES",
    "LMU",
    "PRECISIONS",
    "TITLES",
    "ClassifierConfig",
    "Masks",
    "Recurrent",
    "SequenceClassifier",
    "VanillaRNN",
    "describe",
    "load_keras",
    "make_classifier",
]
