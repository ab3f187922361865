"""t-SNE maps and 3-D paths of one trained net (Figs. 4 to 6, Horoi, Lajoie & Wolf)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from rnnkit.models import VanillaRNN
from rnnkit.probes.embedding import tsne, tsne_through_time
from rnnkit.probes.neighbours import knn_purity, neighbour_shares
from rnnkit.probes.separation import ClusterPurity, cluster_purity
from rnnkit.probes.trajectory import class_means, trajectories
from rnnkit.results import Record
from rnnkit.studies.geometry.configs import EARLY_STEP, ProbeConfig
from rnnkit.studies.geometry.probing import (
    NUM_NEIGHBOURS,
    SIX,
    continued_states,
    hidden_states,
)
from rnnkit.studies.geometry.training import probed
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps

TWO = 2
MIXED_SHARE = 0.15  # of each class in a cluster of two classes
PERPLEXITIES = (5, 30, 100)
VARIANT_SEEDS = (0, 1, 2)
NUM_VARIANT_POINTS = 1000
PATHS_PER_CLASS = 12
NUM_PATH_EXTRA = 60  # blank rows that a path goes on for


def _beliefs(model: VanillaRNN, states: np.ndarray, device: str) -> tuple[np.ndarray, np.ndarray]:
    """The class the readout would name at each step and how sure it is: (steps, n) uint8, confidence in 1/255."""
    with torch.no_grad():
        probabilities = model.readout(torch.from_numpy(states).to(device)).softmax(-1).cpu()
    confidence, predicted = probabilities.max(-1)
    return predicted.numpy().astype(np.uint8).T, (confidence.numpy() * 255).round().astype(np.uint8).T


def compute_embedding(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """One map per step, each started from the one before (Figs. 4 to 6)."""
    config: ProbeConfig = job.config
    model, data, x, y = probed(config, records[0], device, config.budget.num_points)
    states = hidden_states(model, x, device)
    progress.steps(states.shape[1], f"t-SNE {job.key.label}")
    maps = tsne_through_time(states, seed=job.seed, n_jobs=1, progress=lambda *_: progress.advance())
    predicted, confidence = _beliefs(model, states, device)
    arrays: dict[str, np.ndarray] = {
        "embedding": maps.astype(np.float16),
        "labels": y.astype(np.uint8),
        "predicted": predicted,
        "confidence": confidence,
    }
    return Outcome(arrays, {"num_points": len(y)}, data.checksums)


def compute_variants(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Maps of three steps under several perplexities and t-SNE seeds: what in a map is the method's doing."""
    config: ProbeConfig = job.config
    count = min(NUM_VARIANT_POINTS, config.budget.num_points)
    model, data, x, y = probed(config, records[0], device, count)
    states = hidden_states(model, x, device)
    steps = (EARLY_STEP, states.shape[1] // 2, states.shape[1])
    shape = (len(steps), len(PERPLEXITIES), len(VARIANT_SEEDS))
    maps, purity = np.zeros((*shape, len(y), 2), np.float16), np.zeros(shape)
    progress.steps(int(np.prod(shape)), f"t-SNE variants {job.key.label}")
    for place in np.ndindex(*shape):
        step, perplexity, seed = (
            choice[i] for choice, i in zip((steps, PERPLEXITIES, VARIANT_SEEDS), place, strict=True)
        )
        found = tsne(states[:, step - 1], perplexity=perplexity, seed=seed, n_jobs=1)
        maps[place] = found
        purity[place] = knn_purity(found, y, NUM_NEIGHBOURS).overall
        progress.advance()
    arrays: dict[str, np.ndarray] = {
        "maps": maps,
        "map_knn_purity": purity,
        "state_knn_purity": np.array(
            [knn_purity(states[:, s - 1], y, NUM_NEIGHBOURS).overall for s in steps]
        ),
        "labels": y.astype(np.uint8),
        "steps": np.array(steps),
        "perplexities": np.array(PERPLEXITIES),
        "seeds": np.array(VARIANT_SEEDS),
    }
    return Outcome(arrays, {"num_points": len(y)}, data.checksums)


def compute_early_map(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """The map at step 4, its clusters, and how many of the sixes the best cluster for them holds (Fig. 4)."""
    config: ProbeConfig = job.config
    model, data, x, y = probed(config, records[0], device, config.budget.num_map_points)
    progress.steps(2, f"map {job.key.label}")
    states = hidden_states(model, x, device)
    found = tsne(states[:, EARLY_STEP - 1], seed=job.seed, n_jobs=1)
    progress.advance()
    inked = (x[:, :EARLY_STEP] != np.float32(data.blank)).any((1, 2))
    metrics = {
        "num_points": len(y),
        "share_inked": float(inked.mean()),
        "six_share": float((y == SIX).mean()),
    }
    metrics["six_base"] = float((y[inked] == SIX).mean()) if inked.any() else 0.0
    clusters = cluster_purity(found, y, finest=True)
    metrics |= _clusters_of_figure_4(clusters, states[:, -1], y, inked)
    coarse = _clusters_of_figure_4(cluster_purity(found, y), states[:, -1], y, inked)
    metrics["six_precision_coarse"] = coarse["six_precision"]
    progress.advance()
    arrays = {
        "embedding": found.astype(np.float16),
        "labels": y.astype(np.uint8),
        "cluster": clusters.assignment.astype(np.int16),
        "counts": clusters.counts,
        "inked": inked,
    }
    return Outcome(arrays, metrics, data.checksums)


def _clusters_of_figure_4(
    clusters: ClusterPurity, final_states: np.ndarray, y: np.ndarray, inked: np.ndarray
) -> dict[str, float]:
    """What Fig. 4 points out: a cluster of sixes, one of sixes and twos, and whether the first holds to the end.

    Only clusters count that hold at least 1 % of the points and are mostly of images with ink: the rest of the
    map is the one state of all images that have not begun. The cluster of sixes is the one with the largest
    share of them; a cluster of sixes and twos has at least 15 % of each.
    """
    share_inked = np.array([inked[clusters.assignment == c].mean() for c in range(len(clusters.sizes))])
    counted = np.flatnonzero((clusters.sizes >= 0.01 * len(y)) & (share_inked > 0.5))
    shares = clusters.counts / np.maximum(clusters.sizes, 1)[:, None]
    found = {"six_precision": 0.0, "six_recall": 0.0, "two_six_share": 0.0, "six_kept": 0.0}
    found["num_clusters"] = float(len(counted))
    if not len(counted):
        return found
    best = counted[shares[counted, SIX].argmax()]
    is_six = y == SIX
    members = (clusters.assignment == best) & is_six
    found["six_precision"] = float(shares[best, SIX])
    found["six_recall"] = float(members.sum() / max(is_six.sum(), 1))
    mixed = [c for c in counted if c != best and shares[c, [TWO, SIX]].min() >= MIXED_SHARE]
    found["two_six_share"] = float(max((shares[c, [TWO, SIX]].sum() for c in mixed), default=0.0))
    if members.any():
        same, classes = neighbour_shares(final_states, y, NUM_NEIGHBOURS)
        found["six_kept"] = float((same[members][:, classes == SIX] > 0.5).mean())
    return found


def compute_paths(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Paths through the principal axes of all states: class means, and single images with the belief on the way."""
    config: ProbeConfig = job.config
    model, data, x, y = probed(config, records[0], device, config.budget.num_test)
    progress.steps(1, f"paths {job.key.label}")
    states = hidden_states(model, x, device)
    blanks = np.full((len(x), NUM_PATH_EXTRA, x.shape[2]), data.blank, dtype=np.float32)
    tails = continued_states(model, states[:, -1], blanks, device)
    chosen = np.concatenate([np.flatnonzero(y == digit)[:PATHS_PER_CLASS] for digit in range(10)])
    means = class_means(np.concatenate([states, tails], 1), y)
    single = np.concatenate([states[chosen], tails[chosen]], 1)
    every = trajectories(np.concatenate([single, means.astype(np.float32)]), fit_on=states)
    predicted, confidence = _beliefs(model, single, device)
    progress.advance()
    arrays: dict[str, np.ndarray] = {
        "paths": every.projected[: len(chosen)],
        "class_means": every.projected[len(chosen) :],
        "explained": every.explained,
        "labels": y[chosen].astype(np.uint8),
        "images": _pixels(x[chosen]),
        "predicted": predicted.T,
        "confidence": confidence.T,
    }
    return Outcome(arrays, {"num_rows": states.shape[1]}, data.checksums)


def _pixels(x: np.ndarray) -> np.ndarray:
    """Images as 0..255, whether or not the net reads them normalised."""
    low, high = x.min(), x.max()
    return ((x - low) / (high - low) * 255).round().astype(np.uint8)
