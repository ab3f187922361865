"""Data the studies read: MNIST as rows or pixels, with checksums, what stands in when it cannot be had; sentences;
digits to recall, binary numbers to add.
"""

from rnnkit.datasets import addition, digits, mnist, permutations, recall, sentences
from rnnkit.datasets._files import Report
from rnnkit.datasets._rows import Pixels, Rows

__all__ = [
    "Pixels",
    "Report",
    "Rows",
    "addition",
    "digits",
    "mnist",
    "permutations",
    "recall",
    "sentences",
]
