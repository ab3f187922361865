"""Many small recurrent networks that read sequences of numbers, side by side along a leading model axis."""

from rnnkit.models.population.sequences.architecture import (
    CELLS,
    READOUTS,
    SequenceArchitecture,
    check_sequence_parameters,
    initial_sequences,
)
from rnnkit.models.population.sequences.population import SequencePopulation

__all__ = [
    "CELLS",
    "READOUTS",
    "SequenceArchitecture",
    "SequencePopulation",
    "check_sequence_parameters",
    "initial_sequences",
]
