"""Data the studies read: MNIST as rows, with checksums, and what stands in when it cannot be had."""

from rnnkit.datasets import digits, mnist
from rnnkit.datasets._files import Report
from rnnkit.datasets._rows import Rows

__all__ = ["Report", "Rows", "digits", "mnist"]
