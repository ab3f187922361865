"""Recurrences over whole sequences: one meaning, `stepwise.recur`, and faster forms of it."""

from rnnkit.models.recurrence.stepwise import CELLS, NUM_GATES, recur

__all__ = ["CELLS", "NUM_GATES", "recur"]
