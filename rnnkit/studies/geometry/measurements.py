"""The numbers the claims are settled by: one value per seed, from records alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.probes.dynamics import oscillation_period
from rnnkit.studies.geometry.configs import EARLY_STEP, NETS, TRANSIENT

if TYPE_CHECKING:
    from rnnkit.studies.base import Study

BEGUN = 0.05  # share of images with any ink from which on the rows count as telling something
AT_REST = 1e-5  # mean step of the state, per row, below which a net has come to rest


def measure(study: Study) -> dict[str, np.ndarray]:
    """Name -> one value per seed of the study, as ``paper.test_accuracy``; nan where a seed has none.

    A net none of whose seeds has a value is left out.
    """
    place = {seed: i for i, seed in enumerate(study.seeds)}
    found: dict[str, np.ndarray] = {}
    for net in NETS:
        for kind, numbers in (("train", _training), ("probes", _probes), ("early_map", _early_map)):
            for record in study.records(kind, only=net):
                for name, value in numbers(record.arrays, record.metrics).items():
                    values = found.setdefault(f"{net}.{name}", np.full(len(place), np.nan))
                    values[place[record.run["seed"]]] = value
    return found


def _training(arrays: Mapping[str, np.ndarray], metrics: Mapping[str, float]) -> dict[str, float]:
    return {"test_accuracy": metrics["test_accuracy"]} if "test_accuracy" in metrics else {}


def _probes(arrays: Mapping[str, np.ndarray], metrics: Mapping[str, float]) -> dict[str, float]:
    blank, stop, extra = arrays["blank_after"], arrays["stop_after"], arrays["extra_blank"]
    gap = (blank - stop)[1:-1]  # 1 to S - 1 rows shown, as in the paper
    seq_len = len(stop) - 1
    linear, own = arrays["linear_readout"], stop[1:]
    periods = arrays["periods"]
    if arrays["state_change"][-TRANSIENT:].mean() < AT_REST:
        periods = np.full_like(
            periods, np.nan
        )  # rounding noise may recur; a state at rest does not oscillate
    recurrence = oscillation_period(extra[TRANSIENT:])
    return {
        "final_accuracy": stop[-1],
        "blank_minus_stop_least": gap.min(),
        "blank_minus_stop_mean": gap.mean(),
        "blank_minus_stop_share_positive": (gap > 0).mean(),
        "blank_minus_stop_share_positive_inked": (gap > 0)[arrays["ink_started"][:-1] >= BEGUN].mean(),
        # The last four rows of a digit hold next to no ink: four rows less is the same image, only shorter.
        "stop_drop_4": stop[-1] - stop[-5],
        "blank_drop_4": blank[-1] - blank[-5],
        "own_readout_gain_at_end": own[-1] - own[:-4].max(),
        "drop_after_1_blank": extra[0] - extra[1],
        "drop_after_5_blank": extra[0] - extra[5],
        "drop_beyond_20_blank": extra[0] - extra[20:].max(),
        "accuracy_late_blank": extra[TRANSIENT:].mean(),
        "accuracy_late_spread": np.ptp(extra[TRANSIENT:]),
        "accuracy_recurrence": recurrence.height if recurrence.found else 0.0,
        "share_oscillating": np.isfinite(periods).mean(),
        **_dimension("", arrays["dimension"][5]),
        **_dimension("class_", arrays["dimension_per_class"][5].mean(0)),
        "participation_peak": arrays["participation"].max(),
        "participation_final": arrays["participation"][-1],
        "knn_purity_half": arrays["knn_purity"][seq_len // 2 - 1],
        "knn_purity_final": arrays["knn_purity"][-1],
        "knn_purity_gain": arrays["knn_purity"][-1] - arrays["knn_purity"][seq_len // 2 - 1],
        "knn_chance": metrics["knn_chance"],
        "linear_readout_half": linear[seq_len // 2 - 1],
        "own_readout_half": own[seq_len // 2 - 1],
        "readout_gap_half": linear[seq_len // 2 - 1] - own[seq_len // 2 - 1],
        "readout_gap_mean": (linear - own)[:-1].mean(),
        "rows_until_probe_80": _first(linear >= 0.8),
        "rows_until_own_80": _first(own >= 0.8),
        "spectral_radius": np.hypot(arrays["eigenvalues_real"], arrays["eigenvalues_imag"]).max(),
        "ink_started_early": arrays["ink_started"][EARLY_STEP - 1],
        **{name: metrics[name] for name in metrics if name.startswith("six_")},
    } | ({"period": float(np.nanmedian(periods))} if np.isfinite(periods).any() else {})


def _dimension(prefix: str, dimension: np.ndarray) -> dict[str, float]:
    """Components for 90 % of the variance: where they peak, and how far they fall afterwards.

    Counted from the paper's first map on (row 4): before it hardly an image has begun, and the few that have
    make up all the variance.
    """
    counted = dimension[EARLY_STEP - 1 :]
    peak = int(counted.argmax())
    return {
        f"{prefix}dimension_peak": counted[peak],
        f"{prefix}dimension_peak_row": peak + EARLY_STEP,
        f"{prefix}dimension_first": counted[0],
        f"{prefix}dimension_final": counted[-1],
        f"{prefix}dimension_expansion": counted[peak] - counted[0],
        f"{prefix}dimension_reduction": counted[peak] - counted[-1],
    }


def _first(reached: np.ndarray) -> float:
    """The first row after which it holds; one more than there are rows where it never does."""
    return float(reached.argmax() + 1 if reached.any() else len(reached) + 1)


def _early_map(arrays: Mapping[str, np.ndarray], metrics: Mapping[str, float]) -> dict[str, float]:
    return {
        f"map_{name}": metrics[name]
        for name in (
            "six_precision",
            "six_precision_coarse",
            "six_recall",
            "six_base",
            "two_six_share",
            "six_kept",
            "share_inked",
        )
    }
