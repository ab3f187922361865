"""Train the populations of the chapter, and find among their models those that a probe looks at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from rnnkit.datasets.sentences import Sentences, Splits, make
from rnnkit.models.population import Engine, initial
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps, counting
from rnnkit.studies.trainability.configs import PROBED, PopulationConfig
from rnnkit.training import make_engine
from rnnkit.training.population import (
    Labelled,
    PopulationHistory,
    accuracy_and_loss,
    train_population,
)

WEIGHTS = "parameters"


@lru_cache(maxsize=4)
def splits(dataset: str, seed: int, num_train: int, num_valid: int, num_test: int) -> Splits:
    """The sentences, drawn once per process."""
    return make(dataset, seed=seed, num_train=num_train, num_valid=num_valid, num_test=num_test)


def splits_of(config: PopulationConfig, seed: int) -> Splits:
    """The sentences that a population is trained on."""
    return splits(config.dataset, seed, config.num_train, config.num_valid, config.num_test)


def engine_for(device: str) -> Engine:
    """Compiled lanes on a CPU, torch elsewhere."""
    return make_engine("auto", device=device)


def labelled(sentences: Sentences) -> Labelled:
    """Words and labels."""
    return Labelled(sentences.words, sentences.labels)


def trained(
    config: PopulationConfig,
    job: Job,
    device: str,
    checkpoint: Path,
    progress: Steps,
    *,
    keep: tuple[str, ...],
) -> tuple[PopulationHistory, Splits, Engine]:
    """Train a population from PyTorch's initialisation, with a bar over its epochs."""
    data, engine = splits_of(config, job.seed), engine_for(device)
    progress.steps(config.num_epochs, f"{job.key.kind} {job.key.label}")
    history = train_population(
        config.architecture,
        initial(config.architecture, config.num_models, job.seed),
        config.training,
        train_data=labelled(data.train),
        valid_data=labelled(data.valid),
        engine=engine,
        seed=job.seed,
        keep=keep,
        checkpoint=checkpoint,
        identity=job.key.id,
        on_epoch=ticking(progress),
    )
    return history, data, engine


def ticking(progress: Steps) -> Callable[[int, int], None]:
    """Report epochs, and how many models are left."""
    reached = counting(progress)
    return lambda epoch, active: reached(epoch, f"{active} models in training")


def compute_training(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Train one population; the parameters of the best epoch are kept where a probe needs them."""
    config: PopulationConfig = job.config
    history, data, engine = trained(config, job, device, checkpoint, progress, keep=("curves", "best"))
    margins = engine.margins(config.architecture, history.best, data.test.words)
    test_accuracy, _ = accuracy_and_loss(margins, data.test.labels)
    return Outcome(
        arrays={
            "valid_accuracy": history.valid_accuracy,
            "valid_loss": history.valid_loss,
            "epochs": history.epochs.astype(np.int16),
            "best_accuracy": history.best_accuracy,
            "best_epoch": history.best_epoch.astype(np.int16),
            "test_accuracy": test_accuracy,
        },
        metrics={
            "engine": engine.name,
            "num_parameters": config.architecture.num_parameters,
            "median_best_accuracy": float(np.median(history.best_accuracy)),
        },
        data_checksums=data.checksums,
        weights={WEIGHTS: history.best} if (config.dataset, config.sizes) in PROBED else None,
    )


def choose(accuracy: Sequence[np.ndarray], threshold: float, number: int) -> list[tuple[int, int]]:
    """Models to look at: the first that reach a threshold, then the best of the others; no number twice.

    Model 7 of two populations starts from the same weights, so that only one of them is taken.

    Parameters
    ----------
    accuracy : sequence of (num_models,)
        Best validation accuracy in each population, in the order in which they are to be used.
    threshold : float
    number : int

    Returns
    -------
    list of (population, model)
        As many as asked for, as far as there are models.
    """
    places = [(p, m) for p, values in enumerate(accuracy) for m in range(len(values))]
    reached = [(p, m) for p, m in places if accuracy[p][m] >= threshold]
    rest = [(p, m) for p, m in places if not accuracy[p][m] >= threshold]
    in_turn = reached + sorted(rest, key=lambda place: -accuracy[place[0]][place[1]])
    once = {model: (population, model) for population, model in reversed(in_turn)}
    return [place for place in in_turn if once[place[1]] == place][:number]


def chosen_parameters(
    records: Sequence[Record], threshold: float, number: int
) -> tuple[np.ndarray, np.ndarray, dict[str, list[int]]]:
    """Parameters (n, num_parameters) and accuracy (n,) of the models that :func:`choose` picks, and its counts."""
    accuracy = [record.arrays["best_accuracy"] for record in records]
    places = choose(accuracy, threshold, number)
    parameters = np.stack([records[p].weights[WEIGHTS][m] for p, m in places])
    counts = {
        "num_candidates": [len(values) for values in accuracy],
        "num_good": [int((values >= threshold).sum()) for values in accuracy],
        "num_chosen": [sum(p == population for p, _ in places) for population in range(len(records))],
    }
    return parameters, np.array([accuracy[p][m] for p, m in places]), counts
