"""Many small independent classifiers at once, along a leading model axis."""

from typing import TYPE_CHECKING

from rnnkit.lazily import exports

if TYPE_CHECKING:
    from rnnkit.models.population.architecture import (
        CELLS,
        NUM_CLASSES,
        NUM_GATES,
        VOCABULARY_SIZE,
        Architecture,
    )
    from rnnkit.models.population.engine import (
        BETAS,
        DTYPES,
        EPSILON,
        Engine,
        check_batch_size,
        check_dtype,
        check_labels,
        check_learning_rate,
        check_order,
        check_words,
    )
    from rnnkit.models.population.parameters import (
        PopulationState,
        check_integer,
        check_parameters,
        initial,
        pack,
        random_settings,
        unpack,
    )
    from rnnkit.models.population.sequences import (
        SequenceArchitecture,
        SequencePopulation,
        check_sequence_parameters,
        initial_sequences,
    )
    from rnnkit.models.population.torch_engine import TorchEngine
else:
    __getattr__, __dir__ = exports(__name__, __file__)

__all__ = [
    "BETAS",
    "CELLS",
    "DTYPES",
    "EPSILON",
    "NUM_CLASSES",
    "NUM_GATES",
    "VOCABULARY_SIZE",
    "Architecture",
    "Engine",
    "PopulationState",
    "SequenceArchitecture",
    "SequencePopulation",
    "TorchEngine",
    "check_batch_size",
    "check_dtype",
    "check_integer",
    "check_labels",
    "check_learning_rate",
    "check_order",
    "check_parameters",
    "check_sequence_parameters",
    "check_words",
    "initial",
    "initial_sequences",
    "pack",
    "random_settings",
    "unpack",
]
