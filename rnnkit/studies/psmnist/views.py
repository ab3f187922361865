"""From the chapter's records to what its figures take: study in, arrays out. What is missing is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rnnkit import models  # what is imported by name is there at once, and making models takes torch
from rnnkit.models import ARCHITECTURES
from rnnkit.probes import weights
from rnnkit.studies.psmnist.configs import (
    BUDGETS,
    CONTROL,
    MODELS,
    PRECISE,
    SETTINGS_SEEDS,
    STARTS,
    learning_rate,
)
from rnnkit.studies.psmnist.measurements import accuracy_bound, at_budget
from rnnkit.studies.psmnist.published import Published, load

if TYPE_CHECKING:
    from rnnkit.results import Record
    from rnnkit.studies.base import Study

Number = TypeVar("Number", int, float)

FULL = "-full"  # behind the name of a net that was trained as in the paper, at a smaller budget
_PARTS = (
    ("weight_encoder", "encoder of the memory"),
    ("weight_ih", "from input or memory"),
    ("weight_hh", "recurrent"),
    ("bias_ih", "biases of the cell"),
    ("bias_hh", "biases of the cell"),
    ("norm.", "batch normalisation"),
    ("_out", "readout"),
)


def trained(study: Study, kind: str = "train", only: Sequence[str] = MODELS) -> dict[str, list[Record]]:
    """Records of one kind by net; below the paper's budget, those of nets trained as in the paper as ``NET-full``."""
    found = {}
    for net in only:
        records = study.records(kind, only=net)
        own = at_budget(study, records)
        found[net], found[net + FULL] = own, [record for record in records if record not in own]
    return {net: records for net, records in found.items() if records}


def nets(
    study: Study, kind: str, *names: str, only: Sequence[str] = MODELS, by_seed: bool = False
) -> dict[str, dict[str, Any]]:
    """Arrays of one kind of record: net -> name -> (n_seeds, ...), and the names of its parts where it has any.

    Nets as by `trained`. `by_seed` makes row k that of the k-th of `seeds`, for figures where a reader picks one: NaN
    where a net lacks it, but for whole numbers, which are then those of the net's first.
    """
    found: dict[str, dict[str, Any]] = {}
    known = seeds(study, kind)
    for net, records in trained(study, kind, only).items():
        found[net] = {name: np.stack([record.arrays[name] for record in records]) for name in names}
        if by_seed:
            rows = [known.index(record.run["seed"]) for record in records]
            found[net] = {name: _in_rows(array, rows) for name, array in found[net].items()}
        if "parts" in records[0].metrics:
            found[net]["parts"] = records[0].metrics["parts"]
    return found


def _in_rows(array: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """The first axis spread over these rows and those before them, which are missing."""
    missing = array[:1] if np.issubdtype(array.dtype, np.integer) else np.full_like(array[:1], np.nan)
    spread = np.repeat(missing, max(rows) + 1, axis=0)
    spread[list(rows)] = array
    return spread


def rounding(study: Study) -> dict[str, list[str]]:
    """Last validation accuracy of one net in both precisions by seed, and how far both and seeds are apart, as text."""
    valid = curves(study, "valid", PRECISE, kind="settings")["accuracy"]
    if len(valid) < len(PRECISE):
        return {}
    exact, rounded = (valid[net][:, -1] for net in PRECISE)
    count = min(len(exact), len(rounded))
    exact, rounded = exact[:count], rounded[:count]
    rows = [*zip(exact, rounded, np.abs(rounded - exact), strict=True)]
    rows.append((np.ptp(exact), np.ptp(rounded), np.abs(rounded - exact).max()))
    return {
        "seed": [*(str(seed) for seed in SETTINGS_SEEDS[:count]), "largest difference"],
        "float32": [f"{100 * row[0]:.1f} %" for row in rows],
        "bfloat16": [f"{100 * row[1]:.1f} %" for row in rows],
        "between the two": [f"{100 * row[2]:.1f} %" for row in rows],
    }


def seeds(study: Study, kind: str) -> list[int]:
    """Seeds that have a record of this kind, in the order of the plan."""
    return list(dict.fromkeys(record.run["seed"] for record in study.records(kind)))


def array(study: Study, kind: str, name: str) -> np.ndarray:
    """One array of a record that hangs on no net."""
    (record,) = study.records(kind)
    return np.asarray(record.arrays[name])


def curves(
    study: Study, part: str, only: Sequence[str], *, kind: str = "train"
) -> dict[str, dict[str, np.ndarray]]:
    """``loss`` and ``accuracy`` by epoch -> net -> (n_seeds, num_epochs).

    ``part`` is ``train`` or ``valid``, ``kind`` that of the records: ``train``, or ``settings`` for the short trainings
    that settings are compared by.
    """
    return {
        metric: {
            net: arrays[f"{part}_{metric}"]
            for net, arrays in nets(study, kind, f"{part}_{metric}", only=only, by_seed=True).items()
        }
        for metric in ("accuracy", "loss")
    }


def starts(study: Study) -> tuple[dict[str, np.ndarray], list[int]]:
    """Accuracy of each batch of the simple RNN's first epochs, precision -> (n_seeds, num_steps); and their seeds.

    Of the seeds that have been trained in either precision.
    """
    found = {
        precision: {record.run["seed"]: record for record in study.records("start", only=name)}
        for name, precision in STARTS.items()
    }
    shared = sorted(set.intersection(*(set(records) for records in found.values())))
    if not shared:
        return {}, []
    return {
        precision: np.stack([records[seed].arrays["accuracy"] for seed in shared])
        for precision, records in found.items()
    }, shared


def control(study: Study, part: str) -> dict[str, dict[str, np.ndarray]]:
    """Curves as by `curves` of the LSTM's first seed, and of the same without recurrent dropout."""
    with_dropout = curves(study, part, ("lstm",))
    without = curves(study, part, (CONTROL,), kind="control")
    both = {metric: {**with_dropout[metric], **without[metric]} for metric in without}
    return {
        metric: {net: by_net[net][:1] for net in ("lstm", CONTROL) if net in by_net}
        for metric, by_net in both.items()
    }


def at_any_length(by_net: Mapping[str, Number]) -> dict[str, Number]:
    """The paper's numbers by net, for ``NET-full`` too."""
    return {**by_net, **{net + FULL: value for net, value in by_net.items()}}


def parameters() -> dict[str, dict[str, int]]:
    """Number of parameters by part, counted on the models themselves: net -> part -> count."""
    return {net: _counted(net) for net in MODELS}


def sizes() -> dict[str, int]:
    """Number of parameters, counted on the models themselves: net -> count, the same for ``NET-full``."""
    return at_any_length({net: sum(parts.values()) for net, parts in parameters().items()})


def _counted(net: str) -> dict[str, int]:
    model = models.make_classifier(net)
    counts: dict[str, int] = {}
    for name, value in model.state_dict().items():
        part = next(words for piece, words in _PARTS if piece in name)
        counts[part] = counts.get(part, 0) + value.numel()
    return counts


def uniform_scatter() -> tuple[int, float]:
    """Number of a simple RNN's input weights, and the gap that 95 in 100 uniform samples of so many stay below."""
    count = models.make_classifier("rnn").cell.weight_ih.numel()
    return count, weights.uniform_scatter(count, generator=np.random.default_rng(0))


def budgets(study: Study, only: Sequence[str] = MODELS) -> dict[str, str]:
    """At which budget each net was trained."""
    return {net: "paper" if net.endswith(FULL) else study.budget for net in trained(study, only=only)}


def num_test(study: Study) -> dict[str, int]:
    """Test images that each net was asked about."""
    return {net: int(records[0].metrics["num_test"]) for net, records in trained(study).items()}


def dropout_ceiling(study: Study) -> float:
    """The most that the simple RNN can reach in training, on average, where its dropout blanks whole images."""
    return accuracy_bound(ARCHITECTURES["rnn"].dropout, array(study, "data", "class_counts"))


def budget_table() -> dict[str, list[str]]:
    """What is trained at which budget: a column for each, as text."""
    columns: dict[str, list[str]] = {
        "": [
            "training images",
            "test images",
            "batch",
            "learning rate",
            "epochs without, with memory",
            "steps without, with memory",
            "products in",
        ]
    }
    for name, budget in BUDGETS.items():
        steps = -(-budget.num_train // budget.batch_size)
        columns[name] = [
            f"{budget.num_train:,}",
            f"{budget.num_test:,}",
            f"{budget.batch_size:,}",
            f"{learning_rate(budget.batch_size):.3g}",
            f"{budget.base_epochs}, {budget.memory_epochs}",
            f"{steps * budget.base_epochs:,}, {steps * budget.memory_epochs:,}",
            {"fp32": "float32", "bf16": "bfloat16"}[budget.precision],
        ]
    return columns


def published(path: Path | None = None) -> Published:
    """What others report, as by `published.load`; seconds are the same for ``NET-full``."""
    found = load(path)
    return replace(found, epoch_seconds=at_any_length(found.epoch_seconds))


def without_memory() -> tuple[str, ...]:
    """The models without a Legendre memory, in the paper's order."""
    return tuple(net for net in MODELS if not ARCHITECTURES[net].memory_size)


def with_memory() -> tuple[str, ...]:
    """The models with a Legendre memory, in the paper's order."""
    return tuple(net for net in MODELS if ARCHITECTURES[net].memory_size)


def control_of_singular_values(study: Study) -> dict[str, np.ndarray]:
    """Singular values of the trained recurrent matrices with their entries in random places: (n_seeds, P, H)."""
    found = nets(study, "weights", "singular_shuffled")
    return {
        net: np.stack([by_part(own["parts"], one)[:, 1] for one in own["singular_shuffled"]])
        for net, own in found.items()
    }


def by_part(parts: Sequence[str], recurrent: np.ndarray) -> np.ndarray:
    """What recurrent matrices have (G, ...) at their places among all parts (P, ...), nan elsewhere."""
    full = np.full((len(parts), *recurrent.shape[1:]), np.nan)
    full[[place for place, part in enumerate(parts) if part.startswith("recurrent")]] = recurrent
    return full


def singular_values(study: Study) -> dict[str, Mapping[str, Any]]:
    """What the figure of singular values takes."""
    found = nets(study, "weights", "singular", "moments")
    for own in found.values():
        own["singular"] = np.stack([by_part(own["parts"], one) for one in own["singular"]])
    return dict(found)
