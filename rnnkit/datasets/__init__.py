"""Data the studies read: MNIST as rows or pixels, with checksums, what stands in when it cannot be had; sentences."""

from rnnkit.datasets import digits, mnist, permutations, sentences
from rnnkit.datasets._files import Report
from rnnkit.datasets._rows import Pixels, Rows

__all__ = ["Pixels", "Report", "Rows", "digits", "mnist", "permutations", "sentences"]
