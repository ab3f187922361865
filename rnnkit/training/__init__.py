"""Training loops: seeds as arguments, metrics per epoch, checkpoints that resume to the same bits."""

from rnnkit.training.checkpoints import load_checkpoint, save_checkpoint
from rnnkit.training.engines import ENGINES, make_engine
from rnnkit.training.history import METRICS, History, Sequences, Watch
from rnnkit.training.loop import evaluate, train
from rnnkit.training.schedule import DecayedSchedule, KerasSchedule, Schedule
from rnnkit.training.seeds import Generators, generators

__all__ = [
    "ENGINES",
    "METRICS",
    "DecayedSchedule",
    "Generators",
    "History",
    "KerasSchedule",
    "Schedule",
    "Sequences",
    "Watch",
    "evaluate",
    "generators",
    "load_checkpoint",
    "make_engine",
    "save_checkpoint",
    "train",
]
