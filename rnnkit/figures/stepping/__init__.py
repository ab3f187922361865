"""What the players share: nets that read what a reader enters, one step at a time, on a page or in a kernel."""

from rnnkit.figures.stepping.cells import GATES, cell_shapes, logistic, read, step
from rnnkit.figures.stepping.element import Parameters, SteppingElement, checked_arrays, named_models

__all__ = [
    "GATES",
    "Parameters",
    "SteppingElement",
    "cell_shapes",
    "checked_arrays",
    "logistic",
    "named_models",
    "read",
    "step",
]
