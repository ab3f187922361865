"""From the chapter's records to what its figures take: study in, arrays out.

Each function gathers records that exist; what is missing is left out where a mapping can do without it, and
NaN in the arrays that have a place for every combination.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from rnnkit.models.population import CELLS
from rnnkit.probes import solutions, success
from rnnkit.results import Record
from rnnkit.studies.trainability import configs
from rnnkit.studies.trainability.configs import (
    GRID_DATASETS,
    HIDDEN_SIZES,
    INPUT_SIZES,
    READINGS,
    SMALL,
    UPDATES,
)
from rnnkit.studies.trainability.measurements import update_numbers

RULES = ("first", "xor", "count")
SCHEDULES = tuple(configs.SCHEDULES)
GRID_MODELS = configs.BUDGETS["paper"].num_grid
ACCURACIES = tuple(round(0.5 + 0.01 * i, 2) for i in range(51))
SOLUTION_ACCURACIES = (0.6, 0.7, 0.8, 0.9, 0.95)
MOST_TRIES = 30
_WALKS = {
    "roughness": "mean change of the cosine",
    "mean_cosine": "mean cosine",
    "straightness": "straight way over way gone",
    "early_rise": "rise of the cosine in the first epochs",
}

_WAYS = {"paper": "the paper's rule", "constant": "constant rate"}

Arrays = Mapping[str, np.ndarray]


class Shown(Protocol):
    """What a view asks of the study."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the records."""

    def population(self, cell: str, dataset: str, sizes: str, schedule: str, /) -> Record | None:
        """The record of one population, or None where there is none."""

    def records(self, kind: str) -> list[Record]:
        """The records of one kind that exist."""


def by_cell(study: Shown, kind: str) -> dict[str, Arrays]:
    """The arrays of the first record of a kind for each cell: ``components``, ``states`` or ``horizon``."""
    records = study.records(kind)
    found = {cell: labelled(records, f"{cell}-") for cell in CELLS}
    return {
        cell: record.arrays
        for cell, record in found.items()
        if record is not None and len(record.arrays["accuracy"])
    }


_ACCURACY = {"states": "accuracy", "perturb": "base_accuracy", "updates": "best_accuracy"}


def chosen(study: Shown, kind: str) -> dict[str, list[str]]:
    """Which nets the records of a kind look at, as columns of a table: ``states``, ``perturb`` or ``updates``."""
    columns: dict[str, list[str]] = {
        "nets": [],
        "shown": [],
        "of those that reach it": [],
        "least accuracy": [],
    }
    for record in study.records(kind):
        asked, metrics = record.key.config["asked"], record.metrics
        if asked.get("reading", "whole") != "whole":
            continue  # the other reading is of the same nets
        names = [record.key.config["schedule"]["name"]] if kind == "updates" else list(SCHEDULES)
        taken = zip(names, metrics["num_chosen"], metrics["num_good"], metrics["num_candidates"], strict=True)
        parts = [part for part in taken if part[1]]
        columns["nets"].append(
            f"{record.run['config']['net']['name'].upper()} {record.run['config']['net']['sizes']}"
        )
        columns["shown"].append(", ".join(f"{number} ({_WAYS[name]})" for name, number, _, _ in parts))
        columns["of those that reach it"].append(
            ", ".join(f"{good} of {every}" for _, _, good, every in parts)
        )
        columns["least accuracy"].append(f"{100 * record.arrays[_ACCURACY[kind]].min():.1f} %")
    return columns


def labelled(records: Sequence[Record], start: str) -> Record | None:
    """Return the first record whose label begins so."""
    return next((record for record in records if record.key.label.startswith(start)), None)


def grid(study: Shown) -> dict[str, Any]:
    """Best accuracies of all sizes of net, for :func:`rnnkit.figures.trainability.heatmaps`.

    Returns
    -------
    dict
        ``best`` by cell, (rules, schedules, M, input sizes, hidden sizes), and the names of its axes.
    """
    shape = (len(GRID_DATASETS), len(SCHEDULES), GRID_MODELS, len(INPUT_SIZES), len(HIDDEN_SIZES))
    best = {cell: np.full(shape, np.nan) for cell in CELLS}
    most = 1
    for cell in CELLS:
        for place in np.ndindex(shape[0], shape[1], *shape[3:]):
            rule, schedule, inputs, hidden = place
            size = f"{INPUT_SIZES[inputs]}x{HIDDEN_SIZES[hidden]}"
            record = study.population(cell, GRID_DATASETS[rule], size, SCHEDULES[schedule])
            if record is not None:
                found = record.arrays["best_accuracy"][:GRID_MODELS]
                best[cell][rule, schedule, : len(found), inputs, hidden] = found
                most = max(most, len(found))
    return {
        "best": {cell: values[:, :, :most] for cell, values in best.items()},
        "datasets": GRID_DATASETS,
        "schedules": SCHEDULES,
        "input_sizes": INPUT_SIZES,
        "hidden_sizes": HIDDEN_SIZES,
    }


def populations(study: Shown, array: str = "best_accuracy") -> dict[str, np.ndarray]:
    """One array of every population of the small nets: by cell, (rules, schedules, sizes, M, ...).

    NaN where a population has fewer models than the largest, or is missing.
    """
    found = {place: np.asarray(record.arrays[array], dtype=float) for place, record in _small(study)}
    if not found:
        return {cell: np.full((len(RULES), len(SCHEDULES), len(SMALL), 1), np.nan) for cell in CELLS}
    rest = tuple(np.max([values.shape for values in found.values()], axis=0))
    stacked = {cell: np.full((len(RULES), len(SCHEDULES), len(SMALL), *rest), np.nan) for cell in CELLS}
    for (cell, *place), values in found.items():
        stacked[cell][tuple(place)][tuple(slice(n) for n in values.shape)] = values
    return stacked


def _small(study: Shown) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for cell in CELLS:
        for i, rule in enumerate(RULES):
            for j, schedule in enumerate(SCHEDULES):
                for k, size in enumerate(SMALL):
                    record = study.population(cell, rule, size, schedule)
                    if record is not None:
                        yield (cell, i, j, k), record


def axes_of_populations() -> dict[str, tuple[str, ...]]:
    """Names of the first three axes of :func:`populations`, as the figures take them."""
    return {"datasets": RULES, "schedules": SCHEDULES, "architectures": SMALL}


def success_shares(study: Shown) -> dict[str, Any]:
    """Share of initialisations that reach each accuracy, with its interval, for ``capacity.success_shares``.

    Returns
    -------
    dict
        ``shares`` by cell, (rules, schedules, sizes, 3, thresholds), and ``thresholds``.
    """
    thresholds = np.array(ACCURACIES)
    shape = (len(RULES), len(SCHEDULES), len(SMALL), 3, len(thresholds))
    found = {cell: np.full(shape, np.nan) for cell in CELLS}
    for (cell, *place), record in _small(study):
        shares = success.success(record.arrays["best_accuracy"], thresholds)
        found[cell][tuple(place)] = [shares.share, shares.low, shares.high]
    return {"shares": found, "thresholds": thresholds, **axes_of_populations()}


def best_of(study: Shown) -> dict[str, Any]:
    """Accuracy to expect of the best of n initialisations, for ``capacity.best_of``.

    Returns
    -------
    dict
        ``expected`` by cell, (rules, schedules, sizes, K), and ``tries``, the numbers n.
    """
    tries = np.arange(1, MOST_TRIES + 1)
    shape = (len(RULES), len(SCHEDULES), len(SMALL), len(tries))
    found = {cell: np.full(shape, np.nan) for cell in CELLS}
    for (cell, *place), record in _small(study):
        accuracy = record.arrays["best_accuracy"]
        possible = tries[tries <= len(accuracy)]
        found[cell][tuple(place)][: len(possible)] = success.best_of(accuracy, possible)
    return {"expected": found, "tries": tries, **axes_of_populations()}


def random_settings(study: Shown) -> dict[str, Any]:
    """Random settings as the figures take them.

    Returns
    -------
    dict
        By cell, the scales rising: ``counts`` (sizes, S, 101) by whole percents, ``boxes`` (sizes, S, 7) and
        ``shares`` (sizes, thresholds, 3, S); and ``scales``, ``thresholds``, ``architectures``.
    """
    records = study.records("random")
    sizes = [size for size in SMALL if all(labelled(records, f"{cell}-{size}-") for cell in CELLS)]
    found: dict[str, dict[str, list[Any]]] = {
        name: {c: [] for c in CELLS} for name in ("counts", "boxes", "shares")
    }
    scales = np.ones(1)
    for cell in CELLS:
        for size in sizes:
            record = labelled(records, f"{cell}-{size}-")
            assert record is not None
            order = np.argsort(record.arrays["scales"])
            counts, scales = record.arrays["counts"][order], record.arrays["scales"][order]
            found["counts"][cell].append(solutions.by_percent(counts))
            found["boxes"][cell].append(_seven(counts))
            shares = solutions.share_at_least(counts, np.array(SOLUTION_ACCURACIES))
            parts = np.stack([shares.share, shares.low, shares.high])  # (3, S, thresholds)
            found["shares"][cell].append(parts.transpose(2, 0, 1))
    stacked = {name: {cell: np.stack(arrays[cell]) for cell in CELLS} for name, arrays in found.items()}
    return {**stacked, "scales": scales, "thresholds": SOLUTION_ACCURACIES, "architectures": tuple(sizes)}


def _seven(counts: np.ndarray) -> np.ndarray:
    box = solutions.boxes(counts)
    parts = (box.minimum, box.whisker_low, box.lower, box.median, box.upper, box.whisker_high, box.maximum)
    return np.stack(parts, axis=-1)


def cosines(study: Shown) -> dict[str, Any]:
    """Cosines of the updates, for ``updates.cosines``.

    Returns
    -------
    dict
        ``cosine`` by cell, (sizes, schedules, M, E), NaN where there is no model, and the names of the axes.
    """
    found = {place: record.arrays["cosine"] for place, record in _walks(study)}
    return {"cosine": _dense(found), "architectures": UPDATES, "schedules": SCHEDULES}


def smoothness(study: Shown) -> dict[str, Any]:
    """How smooth and how straight each model's way was, for ``updates.smoothness``.

    Returns
    -------
    dict
        ``measured``: name -> cell -> (sizes, schedules, M), and the names of the axes.
    """
    walks = list(_walks(study))
    dense = {
        title: _dense({place: update_numbers(record.arrays)[name] for place, record in walks})
        for name, title in _WALKS.items()
    }
    return {"measured": dense, "architectures": UPDATES, "schedules": SCHEDULES}


def _walks(study: Shown) -> Iterator[tuple[tuple[Any, ...], Record]]:
    records = study.records("updates")
    for cell in CELLS:
        for i, size in enumerate(UPDATES):
            for j, schedule in enumerate(SCHEDULES):
                record = labelled(records, f"{cell}-{size}-{schedule}-")
                if record is not None:
                    yield (cell, i, j), record


def _dense(found: Mapping[tuple[Any, ...], np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays of different lengths in one per cell, NaN where there is nothing: (sizes, schedules, M, ...)."""
    shapes = [values.shape for values in found.values()] or [(1,)]
    rest = tuple(max(1, int(n)) for n in np.max(shapes, axis=0))
    dense = {cell: np.full((len(UPDATES), len(SCHEDULES), *rest), np.nan) for cell in CELLS}
    for (cell, *place), values in found.items():
        dense[cell][tuple(place)][tuple(slice(n) for n in values.shape)] = values
    return dense


def perturbations(study: Shown) -> dict[str, dict[str, Arrays]]:
    """Perturbed nets by reading and cell, for the figures of :mod:`rnnkit.figures.perturbation`."""
    records = study.records("perturb")
    found: dict[str, dict[str, Arrays]] = {}
    for reading in READINGS:
        own = {cell: labelled(records, f"{cell}-{reading}-") for cell in CELLS}
        kept = {cell: record.arrays for cell, record in own.items() if record is not None}
        if len(kept) == len(CELLS):
            found[reading] = kept
    return found
