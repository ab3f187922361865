"""Table I: what was found here with its intervals, and what the paper has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnkit import paths
from rnnkit.results import Interval, load_claims, rules, student, wilson
from rnnkit.results.intervals import plural
from rnnkit.studies.psmnist import views
from rnnkit.studies.psmnist.configs import MODELS
from rnnkit.studies.psmnist.measurements import times_compare

if TYPE_CHECKING:
    from rnnkit.results import Claim, Record
    from rnnkit.studies.base import Study

MEASURES = {
    f"{part}_{kind}": f"{kind}, {word}"
    for kind in ("accuracy", "loss")
    for part, word in (("train", "training"), ("valid", "validation"), ("test", "test"))
}
Ends = tuple[float, float, str]
_POSSIBLE = {"accuracy": (0.0, 1.0), "loss": (0.0, math.inf)}


def finals(study: Study) -> dict[str, dict[str, np.ndarray]]:
    """What was found here: measure -> net -> (n_seeds,)."""
    found = views.trained(study)
    return {
        words: {net: np.array([record.metrics[name] for record in records]) for net, records in found.items()}
        for name, words in MEASURES.items()
    }


def intervals(study: Study) -> dict[str, dict[str, Ends]]:
    """95 % intervals of `finals`: measure -> net -> low, high, and in words what the interval is over.

    Of two or more seeds it is Student's interval of their mean. An accuracy of a single seed has Wilson's, over the
    images that the net was asked about; a loss of a single seed has none.
    """
    found = views.trained(study)
    every = {
        words: {net: _interval(name, records) for net, records in found.items()}
        for name, words in MEASURES.items()
    }
    return {words: _known(by_net) for words, by_net in every.items()}


def epoch_seconds(study: Study) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Median seconds per epoch of the budget's own images, net -> (n_seeds,), and net -> device."""
    found = views.trained(study)
    seconds = {
        net: np.array([record.metrics["epoch_seconds"] for record in records])
        for net, records in found.items()
    }
    devices = {
        net: dict.fromkeys(str(record.run["device"]) for record in records) for net, records in found.items()
    }
    return seconds, {net: ", ".join(names) for net, names in devices.items()}


def epoch_intervals(study: Study) -> dict[str, Ends]:
    """95 % intervals of the geometric mean of the seconds per epoch, net -> as `intervals`.

    They are Student's of the logarithms: a machine that has other things to do takes a multiple of the time. A single
    seed has none, nor have seeds whose times do not compare.
    """
    found = {}
    for net, records in views.trained(study).items():
        seconds = _values("epoch_seconds", records)
        ends = student(np.log(seconds)).ends if seconds.size else None
        if ends is not None and times_compare([record.run for record in records]):
            low, high = np.exp(ends)
            found[net] = (float(low), float(high), plural(seconds.size, "seeds"))
    return found


def paper_finals() -> dict[str, dict[str, float]]:
    """Table I as the paper has it, from the ledger of claims: measure -> net -> value, the same for ``NET-full``."""
    quoted = {
        rule.measure: float(rule.value)
        for claim in _ledger()
        if claim.where == "Table I" and isinstance(claim.rule, rules.All)
        for rule in claim.rule.rules
        if isinstance(rule, rules.Close)
    }
    return {
        words: views.at_any_length({net: quoted[f"{net}.{name}"] for net in MODELS})
        for name, words in MEASURES.items()
    }


def paper_parameters() -> dict[str, int]:
    """The paper's numbers of parameters, from the ledger of claims."""
    ledger = {claim.id: claim.paper for claim in _ledger()}
    return {net: int(ledger[f"psmnist-parameters-{net}"]) for net in MODELS}


def _interval(name: str, records: Sequence[Record]) -> Ends | None:
    part, _, kind = name.partition("_")
    values = _values(name, records)
    if kind == "accuracy" and values.size == 1:
        count = _num_images(records[0])[part]
        return _told(wilson(values, count), f"{count:,} images of one training")
    return _over_seeds(values, kind)


def _num_images(record: Record) -> dict[str, int]:
    """How many images of each part a net was trained on or asked about."""
    metrics, net = record.metrics, record.key.config["net"]
    # Where digits stand in for MNIST, a budget's training and test images may be more than there are.
    return {"train": metrics["num_train"], "valid": net["num_valid"], "test": metrics["num_test"]}


def _over_seeds(values: np.ndarray, kind: str) -> Ends | None:
    if not values.size:
        return None
    return _told(student(values).within(*_POSSIBLE[kind]), plural(values.size, "seeds"))


def _values(name: str, records: Sequence[Record]) -> np.ndarray:
    """One number per seed, without those of trainings that came to none."""
    values = np.array([record.metrics[name] for record in records], dtype=np.float64)
    return values[np.isfinite(values)]


def _told(interval: Interval, over: str) -> Ends | None:
    return None if interval.ends is None else (*interval.ends, over)


def _known(by_net: dict[str, Ends | None]) -> dict[str, Ends]:
    return {net: ends for net, ends in by_net.items() if ends is not None}


def _ledger() -> list[Claim]:
    return load_claims(paths.repository() / "book" / "psmnist" / "claims.yml", "psmnist")
