"""The numbers the claims are settled by: one value per seed, from records alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.studies.lab import rows_configs

if TYPE_CHECKING:
    from rnnkit.results import Record
    from rnnkit.studies.base import Study

BySeed = dict[int, float]
TENTH = 10  # "early" and "late" are the first and the last tenth of the iterations
RIGHT = 0.999  # of the bits, at every length: a net that does not mind how long numbers are


def measure(study: Study) -> dict[str, np.ndarray]:
    """Name -> one value per seed, as ``rows.gru-2x256.test_accuracy``: fewer of rows than of the rest."""
    rows = _of_rows(study)
    found = {f"rows.{name}": np.array(list(values.values())) for name, values in rows.items()}
    found |= {f"rows.{name}": values for name, values in _between(rows)}
    for kind, numbers in (("recall", _recall), ("addition", _addition), ("adder", _adder)):
        for record in study.records(kind):
            name = record.key.config["net"]["name"].replace("-", ".", 3 if kind != "recall" else 2)
            name = name.replace("addition.", f"{kind}.", 1)
            found |= {f"{name}.{quantity}": values for quantity, values in numbers(record)}
    return found


def _of_rows(study: Study) -> dict[str, BySeed]:
    found: dict[str, BySeed] = {}
    for record in study.records("rows"):
        net = record.key.config["net"]["name"]
        for quantity, value in _rows(record):
            found.setdefault(f"{net}.{quantity}", {})[record.run["seed"]] = float(value)
    return found


def _rows(record: Record) -> Iterator[tuple[str, float]]:
    arrays = record.arrays
    tenth = max(1, len(arrays["loss"]) // TENTH)
    tested = arrays["epoch_test_accuracy"]
    yield "test_accuracy", record.metrics["test_accuracy"]
    yield "early_loss", arrays["loss"][:tenth].mean()
    yield "late_loss", arrays["loss"][-tenth:].mean()
    yield "overfit", arrays["epoch_train_accuracy"][-1] - tested[-1]
    yield "epoch_change", np.abs(np.diff(tested[-3:])).mean()
    yield "epoch_seconds", record.metrics["epoch_seconds"]


def _between(found: Mapping[str, BySeed]) -> Iterator[tuple[str, np.ndarray]]:
    """What compares nets that read rows, seed by seed, over the seeds that all of them have."""
    for cell, best in rows_configs.BEST.items():
        others = [n for n in rows_configs.GRID if n.startswith(f"{cell}-") and n != best]
        chosen, *rest = _in_common(found, [f"{net}.test_accuracy" for net in (best, *others)])
        if chosen.size:
            yield f"{cell}.best", chosen
            yield f"{cell}.best_other", np.max(rest, axis=0)
        decayed = best + rows_configs.DECAYED
        for quantity in ("early_loss", "late_loss", "test_accuracy"):
            plain, with_decay = _in_common(found, [f"{net}.{quantity}" for net in (best, decayed)])
            if plain.size and quantity == "test_accuracy":
                yield f"{cell}.gain", plain - with_decay
            elif plain.size:
                yield f"{cell}.{quantity}_gap", with_decay - plain


def _in_common(found: Mapping[str, BySeed], names: list[str]) -> list[np.ndarray]:
    """Values of measurements over the seeds that all of them have."""
    by_seed = [found.get(name, {}) for name in names]
    seeds = [seed for seed in by_seed[0] if all(seed in values for values in by_seed)]
    return [np.array([values[seed] for seed in seeds]) for values in by_seed]


def _recall(record: Record) -> Iterator[tuple[str, np.ndarray]]:
    arrays = record.arrays
    yield "test_accuracy", arrays["test_accuracy"][:, -1]
    yield "overfit", arrays["train_accuracy"][:, -1] - arrays["test_accuracy"][:, -1]
    truth = record.metrics["samples_truth"]
    yield "samples", (arrays["samples"] == truth).mean(axis=1)
    for length in (3, 10):
        yield f"accuracy_{length}", arrays["accuracy_by_length"][:, length - 3]


def _addition(record: Record) -> Iterator[tuple[str, np.ndarray]]:
    arrays = record.arrays
    tested, by_length = arrays["test_accuracy"][:, -1], arrays["length_accuracy"]
    yield "test_accuracy", tested
    yield "overfit", arrays["train_accuracy"][:, -1] - tested
    yield "longest_accuracy", by_length[:, -1]
    yield "least_accuracy", by_length.min(axis=1)
    yield "solved", (tested >= RIGHT).astype(float)
    yield "at_every_length", (by_length.min(axis=1) >= RIGHT).astype(float)


def _adder(record: Record) -> Iterator[tuple[str, np.ndarray]]:
    arrays = record.arrays
    for i, kind in enumerate(record.metrics["kinds"]):
        yield f"fails_by_{kind}", (arrays["kind"] == i).astype(float)
    for name in ("keeps", "adds"):
        yield name, arrays[name].astype(float)
    yield "probe_accuracy", arrays["probe_accuracy"].mean(axis=1)
