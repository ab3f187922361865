"""Made-up arrays of the shapes that the chapter's records have, and a look into a figure's bindings."""

from __future__ import annotations

import numpy as np

from rnnkit.figures import Interactive
from rnnkit.figures.bindings import Binding

NETS = ("paper", "tuned", "untrained")


def curves(seq_len: int, num_seeds: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Net -> (n_seeds, S) in 0..1; the last net has one seed fewer where it can."""
    rng = np.random.default_rng(seed)
    found = {net: rng.random((num_seeds, seq_len)) for net in NETS}
    found[NETS[-1]] = found[NETS[-1]][: max(num_seeds - 1, 1)]
    return found


def early(num_clusters: int, *, n: int = 120, seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of an early_map record."""
    rng = np.random.default_rng(seed)
    labels, cluster = np.arange(n) % 10, rng.integers(-1, num_clusters, n)
    counts = np.zeros((num_clusters, 10), dtype=np.int64)
    np.add.at(counts, (cluster[cluster >= 0], labels[cluster >= 0]), 1)
    return {
        "embedding": rng.normal(size=(n, 2)).astype(np.float16),
        "labels": labels.astype(np.uint8),
        "inked": rng.random(n) < 0.3,
        "cluster": cluster.astype(np.int16),
        "counts": counts,
    }


def measurements(num_seeds: int) -> dict[str, np.ndarray]:
    """What is measured of sixes, one value per seed."""
    rng = np.random.default_rng(3)
    names = [
        f"six_{where}_{what}" for where in ("state", "pixels") for what in ("precision", "recall", "auc")
    ]
    names += ["six_share", "map_six_precision", "map_six_recall", "map_share_inked"]
    return {f"{net}.{name}": rng.random(num_seeds) for net in NETS for name in names}


def path_arrays(seq_len: int, num_blank: int, *, per_class: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of a paths record."""
    rng = np.random.default_rng(seed)
    count, total = 10 * per_class, seq_len + num_blank
    return {
        "paths": rng.normal(size=(count, total, 3)).astype(np.float32),
        "class_means": rng.normal(size=(10, total, 3)).astype(np.float32),
        "explained": np.array([0.4, 0.2, 0.1]),
        "labels": np.repeat(np.arange(10), per_class).astype(np.uint8),
        "images": rng.integers(0, 256, (count, seq_len, seq_len)).astype(np.uint8),
        "predicted": rng.integers(0, 10, (count, total)).astype(np.uint8),
        "confidence": rng.integers(26, 256, (count, total)).astype(np.uint8),
    }


def bound(figure: Interactive, trace: int | None, attr: str) -> Binding:
    """What an attribute of a trace, or of the layout, follows."""
    return next(b for b in figure.bindings if (b.trace, b.attr) == (trace, attr))
