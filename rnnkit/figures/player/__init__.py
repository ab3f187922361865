"""A sentence that the reader types, and two small nets that walk through their states while they read it."""

from rnnkit.figures.player.element import SentencePlayer
from rnnkit.figures.player.vocabulary import Reading, Vocabulary
from rnnkit.figures.player.walk import Walk, walk

__all__ = ["Reading", "SentencePlayer", "Vocabulary", "Walk", "walk"]
