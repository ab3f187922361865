"""Two numbers that the reader types, and a small recurrent net that adds them bit by bit."""

from rnnkit.figures.adder_player.element import AdderPlayer
from rnnkit.figures.adder_player.numbers import MAX_BITS, Number, Sum, read_number
from rnnkit.figures.adder_player.walk import LOSSES, Addition, add

__all__ = ["LOSSES", "MAX_BITS", "AdderPlayer", "Addition", "Number", "Sum", "add", "read_number"]
