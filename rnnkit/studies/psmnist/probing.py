"""What is asked of a trained net's answers and weights, and of weights before any training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnkit.models import LMU, SequenceClassifier
from rnnkit.probes import examples, structure, weights
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps
from rnnkit.studies.psmnist.configs import MASK_RATES, MASKED_UNITS, NUM_MASKS, ProbeConfig
from rnnkit.studies.psmnist.inputs import in_rows
from rnnkit.studies.psmnist.training import first_images, pixels, trained_model, untrained_model

NUM_EXAMPLES = 3
NUM_CONTROLS = 3  # matrices with the same entries in random places
NUM_PIXELS = 784
HEAT_STRIDE = 2  # of the ordered units, every second one is drawn


def compute_confusion(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Find the images behind each cell of the confusion matrix."""
    config: ProbeConfig = job.config
    data = first_images(pixels(config.dataset), config.net)
    logits = records[0].arrays["test_logits"].astype(np.float32)
    found = examples.cell_examples(logits, data.test_y, num_examples=NUM_EXAMPLES)
    side = int(np.sqrt(data.test_x.shape[1]))
    plain = np.rint(in_rows(data.test_x, data.permutation) * 255).astype(np.uint8)
    shown = np.where(found.index[..., None] >= 0, plain[found.index], 0)
    return Outcome(
        arrays={
            "matrix": found.matrix,
            "index": found.index.astype(np.int32),
            "confidence": found.confidence.astype(np.float32),
            "images": shown.reshape(*found.index.shape, side, side),
        },
        metrics={},
        data_checksums=data.checksums,
    )


def parts_of(model: SequenceClassifier) -> dict[str, np.ndarray]:
    """The weights of a net, one part for each matrix and gate."""
    arrays = {name: value.detach().cpu().numpy() for name, value in model.named_parameters()}
    prefix = "layer.hidden." if isinstance(model.layer, LMU) else "layer."
    return weights.split_parts(
        model.config.cell,
        arrays[f"{prefix}weight_ih"],
        arrays[f"{prefix}weight_hh"],
        arrays["weight_out"],
        memory_width=model.config.memory_size * model.config.memory_d,
    )


def compute_weights(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Compare the weights before and after training: how they are spread, and whether their order says anything."""
    net = job.config.net
    seq_len = pixels(job.config.dataset).test_x.shape[1]
    before = parts_of(untrained_model(net, job.seed, seq_len))
    after = parts_of(trained_model(net, records[0], seq_len, "cpu"))
    change = weights.change(before, after)
    recurrent = [name for name in before if name.startswith("recurrent")]
    progress.steps(2 * len(recurrent), f"weights of {job.key.label}")
    found = []
    for name in recurrent:
        for parts in (before, after):
            generator = np.random.default_rng(job.seed)
            found.append(
                structure.structure(
                    parts[name].astype(np.float64), generator=generator, num_controls=NUM_CONTROLS
                )
            )
            progress.advance()

    def stacked(arrays: Sequence[np.ndarray | float]) -> np.ndarray:
        both = np.stack([np.asarray(array, np.float32) for array in arrays])
        return both.reshape(len(recurrent), 2, *both.shape[1:])  # (G, before and after, ...)

    matrices = [parts[name] for name in recurrent for parts in (before, after)]
    ordered = [matrix[np.ix_(each.order, each.order)] for matrix, each in zip(matrices, found, strict=True)]
    return Outcome(
        arrays={
            "edges": change.edges.astype(np.float32),
            "before": change.before,
            "after": change.after,
            "moments": change.moments,
            "uniform_gap": change.uniform_gap,
            "normal_gap": change.normal_gap,
            "distance": change.distance,
            "singular": stacked([each.singular for each in found]),
            "singular_shuffled": stacked([each.control_singular.mean(axis=0) for each in found]),
            "rank": stacked([each.rank for each in found]),
            "rank_shuffled": stacked([each.control_rank.mean() for each in found]),
            "block_share": stacked([each.share for each in found]),
            "block_share_shuffled": stacked([each.control_share.mean() for each in found]),
            "heat": stacked([_thinned(matrix) for matrix in ordered]).astype(np.float16),
            "heat_plain": stacked([_thinned(matrix) for matrix in matrices]).astype(np.float16),
        },
        metrics={"parts": list(change.parts), "recurrent": recurrent},
        data_checksums={},
    )


def _thinned(matrix: np.ndarray) -> np.ndarray:
    return matrix[::HEAT_STRIDE, ::HEAT_STRIDE]


def compute_masked(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Measure what recurrent dropout makes of an orthogonal matrix: the spectral radius of what is left, scaled up."""
    generator = np.random.default_rng(job.seed)
    rates = np.array(MASK_RATES)
    radius = np.empty((len(rates), NUM_MASKS))
    for place in np.ndindex(*radius.shape):
        matrix, _ = np.linalg.qr(generator.standard_normal((MASKED_UNITS, MASKED_UNITS)))
        mask = (generator.random(MASKED_UNITS) >= rates[place[0]]) / (1 - rates[place[0]])
        radius[place] = np.abs(np.linalg.eigvals(matrix * mask)).max()
    return Outcome(arrays={"rates": rates, "radius": radius}, metrics={}, data_checksums={})


def compute_initial(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Describe how the weights are spread before any training."""
    found = weights.spread(parts_of(untrained_model(job.config, job.seed, NUM_PIXELS)))
    return Outcome(
        arrays={
            "moments": found.moments,
            "uniform_gap": found.uniform_gap,
            "normal_gap": found.normal_gap,
        },
        metrics={"parts": list(found.parts)},
        data_checksums={},
    )
