"""Look inside two-unit nets: their words, their states, how long they remember (Section IV, Mehta)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnkit.datasets.sentences import VOCABULARY_SIZE, kinds, label
from rnnkit.models.population import Architecture, initial, unpack
from rnnkit.probes.horizon import log_lengths, memory, tail_sentences
from rnnkit.probes.plane import margin_weights
from rnnkit.probes.walks import distances, prefix_pairs, random_distance, swap_pairs
from rnnkit.probes.words import line_share, mean_norms, readout_images, separable, step_sizes, word_images
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps
from rnnkit.studies.trainability.configs import InsideConfig
from rnnkit.studies.trainability.populations import WEIGHTS, chosen_parameters, engine_for, splits_of

GOOD = 0.98  # "greater than 98 %", Section IV.B
NUM_SENTENCES = 500
KINDS = kinds(np.arange(VOCABULARY_SIZE, dtype=np.uint8))
_PAIRS, _TAILS = 3, 4  # streams of random numbers


def compute_components(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Word vectors and where the weights take them, for the best models and for untrained ones (Fig. 1)."""
    config: InsideConfig = job.config
    architecture, data = config.population.architecture, splits_of(config.population, job.seed)
    engine = engine_for(device)
    paper, constant = records
    parameters, accuracy, _ = chosen_parameters([constant], 2.0, config.budget.num_good)
    words = data.valid.words[:NUM_SENTENCES]
    fresh = initial(architecture, config.population.num_models, job.seed)
    untrained = _components(architecture, fresh)
    arrays = _components(architecture, parameters)
    for name, values in (("", parameters), ("untrained_", fresh)):
        steps = step_sizes(engine.hidden_states(architecture, values, words), words, KINDS)
        arrays |= {f"{name}step_stop": steps.stop, f"{name}step_other": steps.other}
    summaries = [name for name in untrained if untrained[name].ndim == 1]
    return Outcome(
        arrays={
            **arrays,
            **{f"untrained_{name}": untrained[name] for name in summaries},
            "accuracy": accuracy,
            "best_accuracy_paper": paper.arrays["best_accuracy"],
            "best_accuracy_constant": constant.arrays["best_accuracy"],
        },
        metrics={"engine": engine.name},
        data_checksums=data.checksums,
    )


def _components(architecture: Architecture, parameters: np.ndarray) -> dict[str, np.ndarray]:
    parts = unpack(architecture, parameters)
    images = word_images(parts["embedding"], parts["weight_ih"], num_gates=architecture.num_gates)
    readout = readout_images(images, parts["weight_out"])
    candidate = images[:, -1]  # of a GRU, what enters the new state; of a vanilla RNN, all there is
    norms = mean_norms(candidate, KINDS)
    arrays = {
        "words": parts["embedding"],
        "images": images,
        "readout": readout,
        "image_stop": norms.stop,
        "image_other": norms.other,
        "line_images": line_share(candidate),
        "axis_images": _axis_share(candidate),
        "line_readout": line_share(readout),
    }
    for name, points in (("words", parts["embedding"]), ("images", candidate), ("readout", readout)):
        arrays[f"separable_{name}"] = separable(points[:, KINDS > 0], points[:, KINDS < 0])
    return arrays


def _axis_share(points: np.ndarray) -> np.ndarray:
    """Share of the variance of points (..., n, K) along the coordinate with the least of it."""
    variance = points.var(axis=-2)
    return variance.min(-1) / variance.sum(-1)


def compute_states(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Pairs of sentences in the plane of the hidden state (Fig. 2 a, b, e, f, i, j)."""
    config: InsideConfig = job.config
    architecture, data = config.population.architecture, splits_of(config.population, job.seed)
    engine = engine_for(device)
    parameters, accuracy, counts = chosen_parameters(records, GOOD, config.budget.num_good)
    run = partial(engine.hidden_states, architecture, parameters)
    says = partial(engine.margins, architecture, parameters)
    generator = np.random.default_rng([job.seed, _PAIRS])
    decide = partial(label, rule=config.population.dataset)
    pairs = prefix_pairs(config.budget.num_pairs, KINDS, decide, generator=generator)
    first, second = run(pairs.stop), run(pairs.other)
    swaps = swap_pairs(data.valid.words, KINDS)
    right = [(says(words) > 0) == (decide(words) > 0) for words in (swaps.original, swaps.swapped)]
    prefix_right = [
        (says(words) > 0) == (pairs.labels[:, side] > 0)
        for side, words in enumerate((pairs.stop, pairs.other))
    ]
    return Outcome(
        arrays={
            "accuracy": accuracy,
            "prefix_gap": distances(first, second).astype(np.float32),
            "prefix_scale": random_distance(
                run(data.valid.words[:NUM_SENTENCES])[:, :, -1], generator=generator
            ),
            "prefix_same_label": pairs.same_label,
            "prefix_right": np.stack(prefix_right, -1),
            "swap_right": np.stack(right, -1),
            "swap_flipped": right[0] != right[1],
        },
        metrics={"engine": engine.name, **counts},
        data_checksums=data.checksums,
        weights={WEIGHTS: parameters},
    )


def compute_horizon(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """How long the nets of the states record remember the first word while they read stop words (Fig. 2 c, d)."""
    config: InsideConfig = job.config
    architecture, engine = config.population.architecture, engine_for(device)
    parameters = records[0].weights[WEIGHTS]
    parts = unpack(architecture, np.array(parameters))
    generator = np.random.default_rng([job.seed, _TAILS])
    sentences = tail_sentences(KINDS, generator=generator, longest=config.budget.longest)
    run: Any = partial(engine.hidden_states, architecture, parameters)
    found = memory(run, *margin_weights(parts["weight_out"], parts["bias_out"]), sentences, block=4)
    lengths = log_lengths(config.budget.longest)
    kept = found.at(lengths)
    return Outcome(
        arrays={
            "accuracy": records[0].arrays["accuracy"],
            "lengths": lengths,
            "right": kept.right.astype(np.float32),
            "distance": kept.distance.astype(np.float32),
            "horizon": found.horizon,
            "forgets": found.forgets,
        },
        metrics={"engine": engine.name, "longest": config.budget.longest},
        data_checksums={},
    )
