"""Recurrent networks: one step and the whole sequence of each, proven equal."""

from rnnkit.models.rnn import PRECISIONS, VanillaRNN

__all__ = ["PRECISIONS", "VanillaRNN"]
