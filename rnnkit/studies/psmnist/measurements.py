"""The numbers the claims are settled by: one value per seed, from records alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnkit import models  # what is imported by name is there at once, and making models takes torch
from rnnkit.models import ARCHITECTURES
from rnnkit.probes import examples
from rnnkit.studies.psmnist.configs import BUDGETS, MODELS

if TYPE_CHECKING:
    from rnnkit.results import Record
    from rnnkit.studies.base import Study

BASE = tuple(name for name in MODELS if not ARCHITECTURES[name].memory_size)
WITH_MEMORY = tuple(name for name in MODELS if ARCHITECTURES[name].memory_size)
LAG = 400  # steps from the end at which gradients are compared with the last ones
WIDTH = 20  # steps of each
CONVERGED = 0.95  # of the way from the loss of guessing to the least in validation
_TABLE = ("train_loss", "valid_loss", "test_loss", "train_accuracy", "valid_accuracy", "test_accuracy")


def measure(study: Study) -> dict[str, np.ndarray]:
    """Name -> one value per seed of the study, as ``lstm.test_accuracy``; nan where a seed has none.

    What hangs on no seed has no axis. A net none of whose seeds has a value is left out. All are of the study's own
    budget: nets are compared with each other, and those that were trained for longer would be ahead by that.
    """
    place = {seed: i for i, seed in enumerate(study.seeds)}
    found: dict[str, np.ndarray] = {}

    def put(name: str, seed: int, value: float) -> None:
        found.setdefault(name, np.full(len(place), np.nan))[place[seed]] = value

    for net in MODELS:
        for kind, numbers in _NUMBERS.items():
            for record in at_budget(study, study.records(kind, only=net)):
                for name, value in numbers(record):
                    put(f"{net}.{name}", record.run["seed"], value)
        initial = [dict(_initial(record)) for record in study.records("initial", only=net)]
        for name in initial[0] if initial else ():
            found[f"untrained.{net}.{name}"] = np.array([values[name] for values in initial])
    for record in at_budget(study, study.records("control")):
        for name, value in _train(record):
            put(f"{record.key.config['net']['name']}.{name}", record.run["seed"], value)
    if not times_compare([record.run for record in at_budget(study, study.records("train"))]):
        found = {name: values for name, values in found.items() if not name.endswith("_seconds")}
    found |= dict(_between(found)) | errors_alike(study)
    for row in models.describe():
        found[f"{row['name']}.parameters"] = np.array(float(str(row["parameters"])))
    return found


def at_budget(study: Study, records: Sequence[Record]) -> list[Record]:
    """Those of nets that were not trained on more images than the study's budget has."""
    most = BUDGETS[study.budget].num_train
    return [record for record in records if record.key.config.get("net", {}).get("num_train", 0) <= most]


def times_compare(runs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether seconds of these runs can be held against each other: one device, and no cores lent to some of them."""
    return len({run["device"] for run in runs}) <= 1 and all(run.get("most_threads", 1) == 1 for run in runs)


def accuracy_bound(rate: float, class_counts: np.ndarray) -> float:
    """The most that training accuracy can be where a share of the images is blanked whole."""
    return float(1 - rate + rate * class_counts.max() / class_counts.sum())


def _train(record: Record) -> Iterator[tuple[str, float]]:
    arrays, metrics = record.arrays, record.metrics
    for name in _TABLE:
        yield name, metrics[name]
    yield "epoch_seconds", metrics["epoch_seconds"]
    yield "training_seconds", arrays["seconds"].sum()
    yield "loss_gap", abs(metrics["valid_loss"] - metrics["train_loss"])
    yield "epochs_to_converge", epochs_to_converge(arrays["valid_loss"])
    confusion = arrays["confusion"]
    for name, shares in (
        ("recall", examples.recall(confusion).share),
        ("precision", examples.precision(confusion).share),
    ):
        yield f"one_{name}", shares[1]
        yield f"one_{name}_margin", shares[1] - np.delete(shares, 1).max()
        yield f"five_{name}_margin", np.delete(shares, 5).min() - shares[5]
    yield "four_nine_lead", pair_lead(confusion, (4, 9))
    missed = np.delete(confusion[5], 5).sum()
    yield "five_named_368", confusion[5, [3, 6, 8]].sum() / missed if missed else np.nan
    yield "error_reliability", reliability(arrays["test_logits"].argmax(1), arrays["test_y"])


def _weights(record: Record) -> Iterator[tuple[str, float]]:
    parts, gap = record.metrics["parts"], record.arrays["normal_gap"]
    closer = gap[:, 1] < gap[:, 0]
    yield "closer_to_normal", closer.mean()
    for kind in ("input", "recurrent"):
        yield f"closer_to_normal_{kind}", closer[_chosen(parts, kind)].mean()
    ranks, shuffled = record.arrays["rank"], record.arrays["rank_shuffled"]
    yield "untrained_rank_against_shuffled", (ranks / shuffled)[:, 0].mean()
    yield "rank_against_shuffled", (ranks / shuffled)[:, 1].mean()
    shares = record.arrays["block_share"] / record.arrays["block_share_shuffled"]  # (G, before and after)
    yield "untrained_structure", shares[:, 0].mean()
    yield "structure", shares[:, 1].mean()


def _initial(record: Record) -> Iterator[tuple[str, float]]:
    parts = record.metrics["parts"]
    nearer = record.arrays["uniform_gap"] < record.arrays["normal_gap"]
    yield "uniform_is_nearer", nearer.mean()
    yield "recurrent_uniform_is_nearer", nearer[_chosen(parts, "recurrent")].mean()


def _inside(record: Record) -> Iterator[tuple[str, float]]:
    for kind in ("state", "input"):
        untrained, trained = (decades(norms) for norms in record.arrays[f"grad_{kind}"])
        yield f"{kind}_gradient_decades", trained
        yield f"untrained_{kind}_gradient_decades", untrained
    yield "train_loss_without_dropout", record.metrics["train_loss_without_dropout"]


_NUMBERS = {"train": _train, "weights": _weights, "inside": _inside}


def _between(found: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """What compares nets, seed by seed; nothing where one of them is missing."""
    for group, nets in (("base", BASE), ("lmu", WITH_MEMORY)):
        for name in _TABLE:
            if all(f"{net}.{name}" in found for net in nets):
                values = np.stack([found[f"{net}.{name}"] for net in nets])
                yield f"{group}.least_{name}", values.min(axis=0)
                yield f"{group}.{'largest' if name.endswith('loss') else 'best'}_{name}", values.max(axis=0)
    for net in MODELS:
        if f"{net}.valid_loss" in found and f"{net}.train_loss_without_dropout" in found:
            gap = found[f"{net}.valid_loss"] - found[f"{net}.train_loss_without_dropout"]
            yield f"{net}.loss_gap_without_dropout", abs(gap)


def errors_alike(study: Study) -> dict[str, np.ndarray]:
    """How alike the errors of each net and of the LSTM are, seed by seed: ``gru.error_correlation``."""
    found = {}
    reference = _confusions(study, "lstm")
    for net in MODELS:
        if net == "lstm":
            continue
        own = _confusions(study, net)
        values = [
            correlation(own[seed], reference[seed]) if seed in own and seed in reference else np.nan
            for seed in study.seeds
        ]
        if np.isfinite(values).any():
            found[f"{net}.error_correlation"] = np.array(values)
    return found


def _confusions(study: Study, net: str) -> dict[int, np.ndarray]:
    records = at_budget(study, study.records("train", only=net))
    return {record.run["seed"]: record.arrays["confusion"] for record in records}


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of the off-diagonal cells of two confusion matrices (C, C), as shares of each true class."""
    apart = ~np.eye(len(one), dtype=bool)
    shares = [(matrix / np.maximum(matrix.sum(1, keepdims=True), 1))[apart] for matrix in (one, other)]
    return float(np.corrcoef(shares)[0, 1]) if all(share.std() > 0 for share in shares) else float("nan")


def reliability(named: np.ndarray, true: np.ndarray, num_classes: int = 10) -> float:
    """Correlation of a net's errors on odd and on even test images, stepped up to all of them (Spearman and Brown)."""
    halves = [examples.confusion(true[start::2], named[start::2], num_classes) for start in (0, 1)]
    half = correlation(*halves)
    return 2 * half / (1 + half)


def pair_lead(confusion: np.ndarray, pair: tuple[int, int]) -> float:
    """Images of two classes taken for each other, less those of the most confused of the other pairs."""
    counts = {found.classes: found.count for found in examples.confused_pairs(confusion)}
    return float(counts.pop(pair) - max(counts.values()))


def epochs_to_converge(valid_loss: np.ndarray) -> float:
    """Epochs until the loss has come 95 % of the way from that of guessing to its least."""
    guessing = np.log(10)
    reached = valid_loss <= guessing - CONVERGED * (guessing - valid_loss.min())
    return float(reached.argmax() + 1)


def decades(norms: np.ndarray) -> float:
    """Decades between gradients about `LAG` steps before the end and the last ones; in short sequences half way back.

    Means of the logarithms over `WIDTH` steps: which pixel is read at a single step should not matter.
    """
    lag = min(LAG, len(norms) // 2)
    width = max(1, min(WIDTH, lag))
    logs = np.log10(np.maximum(norms, np.finfo(np.float64).tiny))
    return float(logs[-(lag + width) : -lag].mean() - logs[-width:].mean())


def _chosen(parts: list[str], kind: str) -> np.ndarray:
    return np.array([part.split()[0] in ((kind, "memory") if kind == "input" else (kind,)) for part in parts])
