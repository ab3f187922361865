"""Many small recurrent networks that read sequences of numbers, side by side along a leading model axis."""

from typing import TYPE_CHECKING

from rnnkit.lazily import exports

if TYPE_CHECKING:
    from rnnkit.models.population.sequences.architecture import (
        CELLS,
        READOUTS,
        SequenceArchitecture,
        check_sequence_parameters,
        initial_sequences,
    )
    from rnnkit.models.population.sequences.population import SequencePopulation
else:
    __getattr__, __dir__ = exports(__name__, __file__)

__all__ = [
    "CELLS",
    "READOUTS",
    "SequenceArchitecture",
    "SequencePopulation",
    "check_sequence_parameters",
    "initial_sequences",
]
