"""The landscape that training moves in: random settings, updates, perturbations (Section VI, Mehta)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from rnnkit.models.population import random_settings
from rnnkit.probes.perturbation import distances, perturb
from rnnkit.probes.updates import updates
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps
from rnnkit.studies.trainability import configs
from rnnkit.studies.trainability.configs import (
    FACTORS,
    SCALES,
    PerturbConfig,
    RandomConfig,
    UpdatesConfig,
)
from rnnkit.studies.trainability.populations import (
    choose,
    chosen_parameters,
    engine_for,
    labelled,
    splits_of,
    ticking,
    trained,
)
from rnnkit.training import load_checkpoint, save_checkpoint
from rnnkit.training.population import CHECKPOINT_SECONDS, CONSTANT, accuracy_and_loss, train_population

UPDATES_GOOD = 0.96  # "at least 96 %", Section VI.B
PERTURB_GOOD = 0.98  # "at least an accuracy of 98 %", Section VI.C
NUM_PARTS = 20  # equal parts of the settings, each counted by itself, for intervals
EARLY = 5  # the epoch up to which the cosine's rise counts as early
PART_THRESHOLDS = (0.55, 0.6, 0.75, 0.9, 0.95)
_NOISE = 5  # stream of random numbers


def compute_updates(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Local updates against the global one (Eq. 7, Fig. 9), for models that have learnt the task."""
    config: UpdatesConfig = job.config
    history, data, engine = trained(
        config.population, job, device, checkpoint, progress, keep=("curves", "trajectory")
    )
    models = [m for _, m in choose([history.best_accuracy], UPDATES_GOOD, config.num_good)]
    found = updates(history.trajectory[:, models], history.epochs[models])
    reached = config.population.num_epochs >= EARLY
    return Outcome(
        arrays={
            "cosine": found.cosine.astype(np.float32),
            "step": found.step.astype(np.float32),
            "total": found.total,
            "valid_accuracy": history.valid_accuracy[models],
            "best_accuracy": history.best_accuracy[models],
            "epochs": history.epochs[models].astype(np.int16),
            "mean_cosine": found.mean_cosine,
            "roughness": found.roughness,
            "straightness": found.straightness,
            "early_rise": found.early_rise(EARLY) if reached else np.full(len(models), np.nan),
        },
        metrics={
            "engine": engine.name,
            "num_candidates": [config.population.num_models],
            "num_good": [int((history.best_accuracy >= UPDATES_GOOD).sum())],
            "num_chosen": [len(models)],
        },
        data_checksums=data.checksums,
    )


def compute_perturbation(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Perturb trained models and train them on (Eqs. 8 and 9, Fig. 10), at a constant learning rate."""
    config: PerturbConfig = job.config
    architecture, data = config.population.architecture, splits_of(config.population, job.seed)
    engine = engine_for(device)
    parameters, _, counts = chosen_parameters(records, PERTURB_GOOD, config.num_good)
    generators = [np.random.default_rng([job.seed, _NOISE, model]) for model in range(len(parameters))]
    start = perturb(
        parameters,
        FACTORS,
        generators=generators,
        reading=config.reading,
        slices=architecture.slices().values(),
    )
    shape = start.shape[:2]
    progress.steps(config.num_epochs, f"perturb {job.key.label}")
    history = train_population(
        architecture,
        start.reshape(-1, start.shape[2]),
        replace(CONSTANT, num_epochs=config.num_epochs),
        train_data=labelled(data.train),
        valid_data=labelled(data.valid),
        engine=engine,
        seed=job.seed,
        keep=("curves", "trajectory"),
        checkpoint=checkpoint,
        identity=job.key.id,
        on_epoch=ticking(progress),
    )
    away = distances(history.trajectory.reshape(-1, *shape, start.shape[2]), parameters)  # (E + 1, K, M)
    margins = engine.margins(architecture, parameters, data.valid.words)
    base_accuracy, base_loss = accuracy_and_loss(margins, data.valid.labels)
    return Outcome(
        arrays={
            "factors": np.array(FACTORS),
            "loss": history.valid_loss.reshape(*shape, -1),
            "accuracy": history.valid_accuracy.reshape(*shape, -1),
            "distance": np.moveaxis(away, 0, -1).astype(np.float32),
            "base_loss": base_loss,
            "base_accuracy": base_accuracy,
            "norm": np.linalg.norm(parameters, axis=1),
        },
        metrics={"engine": engine.name, "reading": config.reading, **counts},
        data_checksums=data.checksums,
    )


def compute_random(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Accuracy of random settings on the validation sentences, without any training (Figs. 7 and 8)."""
    config: RandomConfig = job.config
    data, engine = splits_of(config.population, job.seed), engine_for(device)
    architecture, valid = config.population.architecture, data.valid
    numbers = [config.num_settings if scale == 1 else config.num_scaled for scale in SCALES]
    counts = np.zeros((len(SCALES), len(valid.labels) + 1), np.int64)
    good = np.zeros((len(SCALES), NUM_PARTS, len(PART_THRESHOLDS)), np.int64)
    first = (0, 0)
    if found := load_checkpoint(checkpoint, job.key.id, needs=("counts", "good")):
        tensors, state = found
        counts[...], good[...] = tensors["counts"].numpy(), tensors["good"].numpy()
        first = (state["scale"], state["block"])
    blocks = [(s, b) for s, number in enumerate(numbers) for b in range(-(-number // configs.BLOCK))]
    progress.steps(len(blocks), f"random {job.key.label}")
    wanted = np.ceil(np.array(PART_THRESHOLDS) * len(valid.labels) - 1e-9)
    saved = time.monotonic()
    for s, b in blocks:
        progress.advance(note=f"scale {SCALES[s]:g}")
        if (s, b) < first:
            continue
        size = min(configs.BLOCK, numbers[s] - b * configs.BLOCK)
        settings = random_settings(architecture, configs.BLOCK, job.seed, b, SCALES[s])[:size]
        right = engine.count_right(architecture, settings, valid.words, valid.labels)
        counts[s] += np.bincount(right, minlength=counts.shape[1])
        part = (b * configs.BLOCK + np.arange(size)) * NUM_PARTS // numbers[s]
        np.add.at(good[s], part, (right[:, None] >= wanted).astype(np.int64))
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            tensors = {"counts": torch.from_numpy(counts), "good": torch.from_numpy(good)}
            save_checkpoint(checkpoint, tensors, {"identity": job.key.id, "scale": s, "block": b + 1})
            saved = time.monotonic()
    return Outcome(
        arrays={
            "scales": np.array(SCALES),
            "counts": counts,
            "num_settings": np.array(numbers),
            "good_by_part": good,
            "part_thresholds": np.array(PART_THRESHOLDS),
        },
        metrics={"engine": engine.name},
        data_checksums=data.checksums,
    )
