"""Many small independent classifiers at once, along a leading model axis."""

from rnnkit.models.population.architecture import CELLS, NUM_CLASSES, NUM_GATES, VOCABULARY_SIZE, Architecture
from rnnkit.models.population.parameters import (
    PopulationState,
    check_parameters,
    initial,
    pack,
    random_settings,
    unpack,
)

__all__ = [
    "CELLS",
    "NUM_CLASSES",
    "NUM_GATES",
    "VOCABULARY_SIZE",
    "Architecture",
    "PopulationState",
    "check_parameters",
    "initial",
    "pack",
    "random_settings",
    "unpack",
]
