"""Train a population on recall (Section 3.2, Anirudh R)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from rnnkit.datasets import recall
from rnnkit.models.population.sequences import SequencePopulation, initial_sequences
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.lab.tasks_configs import LENGTHS_SEED, RecallConfig
from rnnkit.studies.lab.tasks_training import checksum, fit, windows
from rnnkit.studies.progress import Steps
from rnnkit.training.sequence_population import SequenceBatches

MIN_LENGTH, MAX_LENGTH = 3, 10
LENGTHS = tuple(range(MIN_LENGTH, MAX_LENGTH + 1))


def compute_recall(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Train a population, and try it on what it has not seen, by length, and on the report's sixteen sequences."""
    config: RecallConfig = job.config
    drawn = [_draw(config, seed) for seed in config.seeds]
    train, test = ([one.split(config.num_batches * 4 // 5)[part] for one in drawn] for part in (0, 1))
    population = SequencePopulation(
        config.architecture, initial_sequences(config.architecture, config.seeds)
    ).to(device)

    def evaluate(population: SequencePopulation) -> dict[str, np.ndarray]:
        seen = [one.split(len(test[0].lengths))[0] for one in train]
        return {
            "test_accuracy": _by_length(population, test)[0],
            "train_accuracy": _by_length(population, seen)[0],
        }

    history = fit(job, population, _batches(train), "cross_entropy", evaluate, device, checkpoint, progress)
    named = np.stack([_named(population, sample.digits) for sample in recall.SAMPLES], axis=1)
    return Outcome(
        arrays={
            "loss": windows(history.loss),
            **history.evaluations,
            "accuracy_by_length": _by_length(population, test)[1],
            "samples": named.astype(np.uint8),
        },
        metrics={
            "num_parameters": config.architecture.num_parameters,
            "num_models": len(config.seeds),
            "samples_truth": [sample.truth for sample in recall.SAMPLES],
        },
        data_checksums={"recall": checksum(*(one.digits for one in drawn))},
        weights=population.arrays(),
    )


def _draw(config: RecallConfig, seed: int) -> recall.Recall:
    return recall.draw(
        config.num_batches,
        config.batch_size,
        position=config.position,
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        seed=seed,
        lengths_seed=LENGTHS_SEED,
    )


def _batches(parts: list[recall.Recall]) -> SequenceBatches:
    return SequenceBatches(
        np.stack([part.digits for part in parts]),
        np.stack([part.targets for part in parts]),
        num_symbols=recall.NUM_DIGITS,
        lengths=parts[0].lengths,
        common_order=LENGTHS_SEED,
    )


def _by_length(population: SequencePopulation, parts: list[recall.Recall]) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy on all sequences (num_models,), and by length (num_models, 8)."""
    right, count = np.zeros((population.num_models, len(LENGTHS))), np.zeros(len(LENGTHS))
    digits = np.stack([part.digits for part in parts])  # (M, num_batches, batch_size, max_length)
    targets = np.stack([part.targets for part in parts])
    for i, length in enumerate(LENGTHS):
        chosen = parts[0].lengths == length
        if not chosen.any():
            continue
        x = digits[:, chosen, :, :length].reshape(len(parts), -1, length)
        y = targets[:, chosen].reshape(len(parts), -1)
        right[:, i], count[i] = (_answers(population, x) == y).sum(1), y.shape[1]
    with np.errstate(invalid="ignore"):
        return right.sum(1) / count.sum(), right / count


def _named(population: SequencePopulation, digits: tuple[int, ...]) -> np.ndarray:
    """What each net says of one sequence, (num_models,)."""
    return _answers(population, np.array([digits]))[:, 0]


def _answers(population: SequencePopulation, digits: np.ndarray) -> np.ndarray:
    """Digits named after sequences (n, length) or (num_models, n, length) -> (num_models, n)."""
    with torch.no_grad():
        outputs = population(torch.from_numpy(recall.one_hot(digits)))
    found: np.ndarray = outputs.argmax(-1).cpu().numpy()
    return found
