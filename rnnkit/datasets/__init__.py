"""Data the studies read: MNIST as rows, with checksums, what stands in when it cannot be had; sentences."""

from rnnkit.datasets import digits, mnist, sentences
from rnnkit.datasets._files import Report
from rnnkit.datasets._rows import Rows

__all__ = ["Report", "Rows", "digits", "mnist", "sentences"]
