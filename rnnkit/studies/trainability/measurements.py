"""The numbers the claims are settled by: one value per model, from records alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.models.population import CELLS
from rnnkit.probes.solutions import kolmogorov_smirnov, quantiles
from rnnkit.studies.trainability.configs import (
    DATASETS,
    GRID,
    GRID_DATASETS,
    SCHEDULES,
    SMALL,
    SOLVED,
)

if TYPE_CHECKING:
    from rnnkit.studies.trainability.study import Trainability

NUM_PAPER = 3  # initialisations in the paper's heatmaps
DECENT = 0.9
HIGH = 0.55  # of a random setting
EARLY = 5  # epochs in which a cosine may rise at first
NARROW_HIDDEN = (2, 4)
NARROW = (2, 5)  # the two smallest input sizes: the first two columns of Figs. 3 and 4


def measure(study: Trainability) -> dict[str, np.ndarray]:
    """Name -> one value per model, as ``rnn.first.2x4.paper.best_accuracy``; what has no record is left out."""
    found: dict[str, list[np.ndarray]] = {}

    def add(values: Mapping[str, np.ndarray]) -> None:
        for name, array in values.items():
            found.setdefault(name, []).append(np.asarray(array, dtype=np.float64))

    for seed in study.seeds:
        for cell in CELLS:
            for dataset in DATASETS:
                for schedule in SCHEDULES:
                    add(_trained(study, cell, dataset, schedule, seed))
    for kind, numbers in (
        ("components", _components),
        ("states", _states),
        ("horizon", _horizon),
        ("updates", update_numbers),
        ("perturb", _perturb),
        ("random", _random),
    ):
        for record in study.records(kind):
            label = record.key.label.rpartition("-s")[0].replace("-", f".{kind}.", 1)
            prefix = label if f".{kind}" in label else f"{label}.{kind}"
            numbers_of = numbers(record.arrays)
            add({f"{prefix.replace('-', '.')}.{name}": value for name, value in numbers_of.items()})
    joined = {name: np.concatenate(arrays) for name, arrays in found.items()}
    return joined | _ratios(joined) | _distributions(study) | _capacity(joined)


def _trained(study: Trainability, cell: str, dataset: str, schedule: str, seed: int) -> dict[str, np.ndarray]:
    """Accuracies of the small architectures, and of the whole grid where there is one."""
    numbers: dict[str, np.ndarray] = {}
    small: list[np.ndarray] = []
    grid: list[np.ndarray] = []
    narrow: list[np.ndarray] = []
    narrowest: list[np.ndarray] = []
    for sizes in dict.fromkeys((*SMALL, *GRID)):
        record = study.population(cell, dataset, sizes, schedule, seed) if _planned(dataset, sizes) else None
        if record is None:
            continue
        best = record.arrays["best_accuracy"]
        prefix = f"{cell}.{dataset}.{sizes}.{schedule}"
        if sizes in SMALL:
            small.append(best)
            numbers |= {f"{prefix}.best_accuracy": best, f"{prefix}.solved": best >= SOLVED}
            numbers[f"{prefix}.stopped_early"] = (
                record.arrays["epochs"] < record.arrays["valid_accuracy"].shape[1] - 1
            )
        if sizes in GRID:
            grid.append(best)
            numbers[f"{prefix}.best_accuracy_three"] = best[:NUM_PAPER]
            if int(sizes.split("x")[0]) in NARROW:
                narrow.append(best[:NUM_PAPER])
                if int(sizes.split("x")[1]) in NARROW_HIDDEN:
                    narrowest.append(best[:NUM_PAPER])
    if len(small) == len(SMALL):
        prefix = f"{cell}.{dataset}.small.{schedule}"
        numbers |= {
            f"{prefix}.best_accuracy": np.concatenate(small),
            f"{prefix}.solved": np.concatenate(small) >= SOLVED,
        }
    if len(grid) == len(GRID):
        number = min(map(len, grid))
        values = np.concatenate([best[:number] for best in grid])
        three = np.concatenate([best[:NUM_PAPER] for best in grid])
        prefix = f"{cell}.{dataset}.grid.{schedule}"
        numbers |= {
            f"{prefix}.best_accuracy": values,
            f"{prefix}.solved": values >= SOLVED,
            f"{prefix}.solved_three": three >= SOLVED,
            f"{prefix}.decent_three": three >= DECENT,
            f"{prefix}.best_accuracy_narrow": np.concatenate(narrow),
            f"{prefix}.best_accuracy_narrowest": np.concatenate(narrowest),
            f"{prefix}.deviation": np.array([best[:number].std(ddof=1) for best in grid]),
        }
    return numbers


def _planned(dataset: str, sizes: str) -> bool:
    return sizes in SMALL or dataset in GRID_DATASETS


def _components(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    numbers: dict[str, np.ndarray] = {}
    for prefix in ("", "untrained_"):
        numbers |= {
            f"{prefix}image_ratio": arrays[f"{prefix}image_stop"] / arrays[f"{prefix}image_other"],
            f"{prefix}step_ratio": arrays[f"{prefix}step_stop"] / arrays[f"{prefix}step_other"],
            f"{prefix}line_images": arrays[f"{prefix}line_images"],
            f"{prefix}axis_images": arrays[f"{prefix}axis_images"],
            f"{prefix}line_readout": arrays[f"{prefix}line_readout"],
            f"{prefix}separable_words": arrays[f"{prefix}separable_words"],
            f"{prefix}separable_images": arrays[f"{prefix}separable_images"],
            f"{prefix}separable_readout": arrays[f"{prefix}separable_readout"],
        }
    return numbers


def _states(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    gap = arrays["prefix_gap"] / arrays["prefix_scale"][:, None, None]  # (models, pairs, steps)
    same = arrays["prefix_same_label"].astype(bool)
    right = arrays["swap_right"].astype(bool)
    return {
        "accuracy": arrays["accuracy"],
        "gap_after_7": np.median(gap[:, :, 7], 1),
        "gap_at_end": np.median(gap[:, :, -1], 1),
        "gap_at_end_same_label": np.median(gap[:, same, -1], 1) if same.any() else gap[:, 0, 0] * np.nan,
        "prefix_right": arrays["prefix_right"].mean((1, 2)),
        "swap_both_right": right.all(2).mean(1),
        "swap_flipped": arrays["swap_flipped"].mean(1),
    }


def _horizon(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    lengths = arrays["lengths"]

    def right_at(length: int) -> np.ndarray:
        return arrays["right"][:, int(np.searchsorted(lengths, min(length, lengths[-1])))]

    return {
        "length": arrays["horizon"],
        "forgets": arrays["forgets"],
        "remembers_to_the_end": arrays["horizon"] >= lengths[-1],
        "states_meet": arrays["forgets"] <= lengths[-1],
        "wrong_but_remembers": (arrays["horizon"] < lengths[-1]) & (arrays["forgets"] > lengths[-1]),
        "right_at_10": right_at(10),
        "right_at_15": right_at(15),
        "right_at_30": right_at(30),
        "right_at_end": arrays["right"][:, -1],
    }


def update_numbers(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """How straight and how smooth the way of each model is, from an ``updates`` record."""
    names = ("mean_cosine", "roughness", "straightness", "best_accuracy")
    first = arrays["cosine"][:, :EARLY]
    return {name: arrays[name] for name in names} | {"early_rise": np.nanmax(first, axis=1) - first[:, 0]}


def _perturb(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    numbers: dict[str, np.ndarray] = {}
    for k, factor in enumerate(arrays["factors"]):
        name = f"{factor:g}".replace(".", "_")
        distance = arrays["distance"][k]
        numbers |= {
            f"accuracy_k{name}": arrays["accuracy"][k, :, 1:].max(1),
            f"first_loss_k{name}": arrays["loss"][k, :, 0],
            f"recovered_k{name}": arrays["accuracy"][k, :, 1:].max(1) >= SOLVED,
            f"distance_left_k{name}": distance[:, -1] / distance[:, 0],
        }
    return numbers


def _random(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Share of the settings at or above an accuracy, in each of several equal parts of them, at every scale."""
    num_parts = arrays["good_by_part"].shape[1]
    return {
        f"x{scale:g}.share_{round(100 * threshold)}": arrays["good_by_part"][s, :, i]
        / (arrays["num_settings"][s] / num_parts)
        for s, scale in enumerate(arrays["scales"])
        for i, threshold in enumerate(arrays["part_thresholds"])
    }


def _distributions(study: Trainability) -> dict[str, np.ndarray]:
    """How RNN and GRU differ in the accuracies of random settings at PyTorch's scale; of all seeds, no interval.

    The greatest gap between the cumulated distributions, the lengths of the boxes and their difference, the share
    at exactly one half, and how many more GRUs than RNNs are at `HIGH` or above.
    """
    numbers: dict[str, np.ndarray] = {}
    for sizes in SMALL:
        found = {cell: _counted(study, cell, sizes) for cell in CELLS}
        totals = {cell: counts for cell, counts in found.items() if counts is not None}
        for cell, total in totals.items():
            box = np.diff(quantiles(total, np.array([0.25, 0.75])))[0]
            numbers[f"{cell}.random.{sizes}.box"] = np.asarray(box)
            numbers[f"{cell}.random.{sizes}.at_half"] = np.asarray(total[(len(total) - 1) // 2] / total.sum())
        if len(totals) < len(CELLS):
            continue
        rnn, gru = totals["rnn"], totals["gru"]
        boxes = [numbers[f"{cell}.random.{sizes}.box"] for cell in CELLS]
        numbers[f"random.{sizes}.box_difference"] = np.asarray(abs(boxes[0] - boxes[1]))
        numbers[f"random.{sizes}.kolmogorov_smirnov"] = np.asarray(kolmogorov_smirnov(rnn, gru))
        high = [total[math.ceil(HIGH * (len(total) - 1)) :].sum() for total in (rnn, gru)]
        if high[0]:
            numbers[f"random.{sizes}.high_ratio"] = np.asarray(high[1] / high[0])
    return numbers


def _counted(study: Trainability, cell: str, sizes: str) -> np.ndarray | None:
    """Settings at PyTorch's scale by how many sentences they get right, of all seeds; None where there is no record."""
    records = [r for r in study.records("random", only=cell) if f"-{sizes}-" in r.key.label]
    return np.sum([record.arrays["counts"][0] for record in records], axis=0) if records else None


def _capacity(measured: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Best GRU less best RNN of each small size, over all initialisations and both schedules; exact numbers."""
    numbers: dict[str, np.ndarray] = {}
    for dataset in DATASETS:
        for sizes in SMALL:
            best = {
                cell: [
                    measured[name].max()
                    for s in SCHEDULES
                    if (name := f"{cell}.{dataset}.{sizes}.{s}.best_accuracy") in measured
                ]
                for cell in CELLS
            }
            if all(best.values()):
                gap = max(best["gru"]) - max(best["rnn"])
                numbers[f"capacity.{dataset}.{sizes}.gap"] = np.asarray(gap)
    return numbers


def _ratios(measured: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """GRU over RNN: how many more of its random settings are good, part by part where every part has some."""
    ratios = {}
    for name, values in measured.items():
        other = measured.get(name.replace("gru", "rnn", 1))
        if name.startswith("gru.random.") and other is not None and (other > 0).all():
            ratios[name.removeprefix("gru.") + "_ratio"] = values / other
    return ratios
