"""Digits that the reader types, and a small bidirectional LSTM that is asked for one of them."""

from rnnkit.figures.recall_player.digits import MAX_DIGITS, Typed, read_digits
from rnnkit.figures.recall_player.element import RecallPlayer
from rnnkit.figures.recall_player.walk import READOUTS, Recall, recall

__all__ = ["MAX_DIGITS", "READOUTS", "Recall", "RecallPlayer", "Typed", "read_digits", "recall"]
