"""Train a population on binary addition (Section 3.3, Anirudh R)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from rnnkit.datasets import addition
from rnnkit.models.population.sequences import SequencePopulation, initial_sequences
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.lab.tasks_configs import AdditionConfig
from rnnkit.studies.lab.tasks_training import checksum, fit, windows
from rnnkit.studies.progress import Steps
from rnnkit.training.sequence_population import SequenceBatches, decisions

LENGTHS_TRIED_SEED = 1000  # of the pairs of every length, the same for all nets


def compute_addition(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Train a population on short numbers, and try it on numbers of every length up to the longest."""
    config: AdditionConfig = job.config
    drawn = [
        addition.draw(config.num_batches, config.batch_size, length=config.length, seed=seed)
        for seed in config.seeds
    ]
    first = config.num_batches * 4 // 5
    train, test = (
        [addition.Pairs(one.a[part], one.b[part]) for one in drawn]
        for part in (slice(first), slice(first, None))
    )
    population = SequencePopulation(
        config.architecture, initial_sequences(config.architecture, config.seeds)
    ).to(device)

    def evaluate(population: SequencePopulation) -> dict[str, np.ndarray]:
        found = {}
        for name, pairs in (("test_accuracy", test), ("train_accuracy", train)):
            a, b = (np.stack([one[i].reshape(-1, config.length) for one in pairs]) for i in (0, 1))
            size = len(test[0].a) * config.batch_size
            found[name] = _right(population, config.loss, a[:, :size], b[:, :size]).mean(axis=(1, 2))
        return found

    data = SequenceBatches(
        np.stack([addition.inputs(*one).astype(np.uint8) for one in train]),
        np.stack([addition.targets(*one) for one in train]),
    )
    history = fit(job, population, data, config.loss, evaluate, device, checkpoint, progress)
    lengths = [try_length(population, config, length) for length in range(1, config.longest + 1)]
    return Outcome(
        arrays={
            "loss": windows(history.loss),
            **history.evaluations,
            "length_accuracy": np.stack([bits for bits, _ in lengths], axis=1),
            "whole_accuracy": np.stack([whole for _, whole in lengths], axis=1),
        },
        metrics={"num_parameters": config.architecture.num_parameters, "num_models": len(config.seeds)},
        data_checksums={"addition": checksum(*(bits for one in drawn for bits in one))},
        weights=population.arrays(),
    )


def try_length(
    population: SequencePopulation, config: AdditionConfig, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Share of the bits, and of whole sums, that each net has right among numbers of one length: (num_models,) each."""
    a, b = pairs_of_length(config, length)
    right = _right(population, config.loss, a, b)
    return right.mean(axis=(1, 2)), right.all(axis=2).mean(axis=1)


def pairs_of_length(config: AdditionConfig, length: int) -> addition.Pairs:
    """Numbers (num_pairs, length) that every net is tried on."""
    a, b = addition.draw(1, config.num_pairs, length=length, seed=LENGTHS_TRIED_SEED + length)
    return addition.Pairs(a[0], b[0])


def _right(population: SequencePopulation, loss: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether each net has each bit right: bits (n, length), or of each net its own, -> (num_models, n, length + 1)."""
    with torch.no_grad():
        outputs = population(torch.from_numpy(addition.inputs(a, b)))
    found: np.ndarray = decisions(loss, outputs).cpu().numpy() == addition.targets(a, b)
    return found
