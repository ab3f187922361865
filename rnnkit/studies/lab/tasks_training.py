"""What the trainings of recall and addition have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from rnnkit.models.population.sequences import SequencePopulation
from rnnkit.studies.jobs import Job
from rnnkit.studies.lab.tasks_configs import WINDOW
from rnnkit.studies.progress import Steps, counting
from rnnkit.training.sequence_population import SequenceBatches, SequenceHistory, train_sequences


def fit(
    job: Job,
    population: SequencePopulation,
    data: SequenceBatches,
    loss: str,
    evaluate: Callable[[SequencePopulation], Mapping[str, np.ndarray]],
    device: str,
    checkpoint: Path,
    progress: Steps,
) -> SequenceHistory:
    """Train the population of a job, with a bar over its epochs."""
    config = job.config
    progress.steps(config.num_epochs, job.key.label)

    return train_sequences(
        population,
        data,
        loss=loss,
        seeds=config.seeds,
        num_epochs=config.num_epochs,
        learning_rate=config.learning_rate,
        evaluate=evaluate,
        checkpoint=checkpoint,
        identity=job.key.id,
        on_epoch=counting(progress),
    )


def windows(loss: np.ndarray) -> np.ndarray:
    """Means over `WINDOW` steps: (num_models, steps) -> (num_models, steps / WINDOW), what is left over dropped."""
    steps = loss.shape[1] // WINDOW * WINDOW
    means: np.ndarray = loss[:, :steps].reshape(len(loss), -1, WINDOW).mean(axis=2)
    return means


def checksum(*arrays: np.ndarray) -> str:
    """SHA-256 of numbers, in the order given."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
