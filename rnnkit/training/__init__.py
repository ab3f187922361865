"""Training loops: seeds as arguments, metrics per epoch, checkpoints that resume to the same bits."""

from typing import TYPE_CHECKING

from rnnkit.lazily import exports

if TYPE_CHECKING:
    from rnnkit.training.checkpoints import load_checkpoint, save_checkpoint
    from rnnkit.training.engines import ENGINES, make_engine
    from rnnkit.training.history import METRICS, History, Sequences, Watch
    from rnnkit.training.loop import evaluate, train
    from rnnkit.training.schedule import DecayedSchedule, KerasSchedule, Schedule
    from rnnkit.training.seeds import Generators, generators
    from rnnkit.training.sequence_population import (
        LOSSES,
        SequenceBatches,
        SequenceHistory,
        decisions,
        sequence_losses,
        train_sequences,
    )
else:
    __getattr__, __dir__ = exports(__name__, __file__)

__all__ = [
    "ENGINES",
    "LOSSES",
    "METRICS",
    "DecayedSchedule",
    "Generators",
    "History",
    "KerasSchedule",
    "Schedule",
    "SequenceBatches",
    "SequenceHistory",
    "Sequences",
    "Watch",
    "decisions",
    "evaluate",
    "generators",
    "load_checkpoint",
    "make_engine",
    "save_checkpoint",
    "sequence_losses",
    "train",
    "train_sequences",
]
