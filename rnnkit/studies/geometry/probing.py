"""Put the chapter's questions to one trained net: everything that is cheap enough for every net and seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rnnkit.datasets.mnist import Rows
from rnnkit.models import VanillaRNN
from rnnkit.probes.dimension import dimension_through_time
from rnnkit.probes.dynamics import oscillation_period, spectrum, state_change
from rnnkit.probes.ink import ink_per_row
from rnnkit.probes.neighbours import knn_purity_through_time
from rnnkit.probes.readout import linear_readout_through_time
from rnnkit.probes.separation import one_class_separation
from rnnkit.probes.truncation import truncation
from rnnkit.results import Record
from rnnkit.studies.geometry.configs import EARLY_STEP, THRESHOLDS, TRANSIENT, ProbeConfig
from rnnkit.studies.geometry.training import probed
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps

NUM_NEIGHBOURS = 10
NUM_OSCILLATING = 40  # images whose states are followed through the blank rows
SIX = 6


def compute_probes(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """All three experiments, dimension, neighbours, readout, ink and dynamics of one net."""
    config: ProbeConfig = job.config
    budget = config.budget
    model, data, x, y = probed(config, records[0], device, budget.num_test)
    seq_len = x.shape[1]
    progress.steps(3 * seq_len + len(x), f"probe {job.key.label}")

    def tick(*_: int) -> None:
        progress.advance()

    arrays = _experiments(model, x, y, data, config, device, progress)
    states = hidden_states(model, x, device)
    fit_x, fit_y = data.train_x[: budget.num_probe_train], data.train_y[: budget.num_probe_train]
    arrays |= _dimension(states, y)
    progress.advance(seq_len)
    near = slice(budget.num_neighbour_images)
    purity = knn_purity_through_time(states[near], y[near], NUM_NEIGHBOURS, progress=tick)
    arrays |= {"knn_purity": purity.overall, "knn_purity_per_class": purity.per_class}
    arrays["linear_readout"] = linear_readout_through_time(
        hidden_states(model, fit_x, device), fit_y, states, y, progress=tick
    )
    arrays |= _ink(x, y, data.blank)
    arrays |= _dynamics(model, states, x, data.blank, device, budget.num_extra)
    arrays["confusion"] = confusion(model.readout(_tensor(states[:, -1], device)), y)
    metrics: dict[str, float] = {"num_test": len(y), "knn_chance": float(purity.chance)}
    for name, early in [
        ("state", states[:, EARLY_STEP - 1]),
        ("pixels", x[:, :EARLY_STEP].reshape(len(x), -1)),
    ]:
        found = one_class_separation(early, y, SIX, k=NUM_NEIGHBOURS, seed=job.seed)
        metrics |= {f"six_{name}_precision": _number(found.precision), f"six_{name}_recall": found.recall}
        metrics |= {f"six_{name}_auc": found.auc, "six_share": found.share}
    return Outcome(arrays, metrics, data.checksums)


def hidden_states(model: VanillaRNN, x: np.ndarray, device: str, batch_size: int = 1000) -> np.ndarray:
    """The states of every image at every row, (n, seq_len, hidden_size) float32."""
    with torch.no_grad():
        parts = [model.hidden_states(part).cpu() for part in _tensor(x, device).split(batch_size)]
    return torch.cat(parts).numpy()


def confusion(logits: Tensor, y: np.ndarray, num_classes: int = 10) -> np.ndarray:
    """Counts, (true class, predicted class)."""
    predicted = logits.detach().argmax(1).cpu().numpy()
    return np.bincount(y * num_classes + predicted, minlength=num_classes**2).reshape(num_classes, -1)


def _experiments(
    model: VanillaRNN,
    x: np.ndarray,
    y: np.ndarray,
    data: Rows,
    config: ProbeConfig,
    device: str,
    progress: Steps,
) -> dict[str, np.ndarray]:
    """The curves with blank rows as white paper is, and for a normalised net also with rows of zeros."""
    h_0 = torch.zeros(model.hidden_size, device=device)
    arrays = {}
    blanks = {"": data.blank} | ({"_zero": 0.0} if data.blank != 0 else {})
    for suffix, blank in blanks.items():
        result = truncation(
            model.step,
            model.readout,
            _tensor(x, device),
            torch.from_numpy(y).to(device),
            h_0=h_0,
            blank=blank,
            num_extra=config.budget.num_extra,
            on_batch=progress.advance if suffix == "" else None,
        )
        arrays[f"blank_after{suffix}"] = result.blank_after
        arrays[f"stop_after{suffix}"] = result.stop_after
        arrays[f"extra_blank{suffix}"] = result.extra_blank
    return arrays


def _dimension(states: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    found = dimension_through_time(states, y, THRESHOLDS)
    return {
        "dimension": found.overall,
        "dimension_per_class": found.per_class,
        "participation": found.participation,
        "participation_per_class": found.participation_per_class,
        "cumulative_variance": found.cumulative.astype(np.float32),
    }


def _ink(x: np.ndarray, y: np.ndarray, blank: float) -> dict[str, np.ndarray]:
    found = ink_per_row(x, y, blank=blank)
    return {
        "ink_started": found.share_started,
        "ink_started_per_class": found.share_started_per_class,
        "ink_mean": found.mean_ink,
    }


def _dynamics(
    model: VanillaRNN, states: np.ndarray, x: np.ndarray, blank: float, device: str, num_extra: int
) -> dict[str, np.ndarray]:
    """Eigenvalues, how fast states move, and the periods of single images' states on blank rows."""
    eigenvalues = spectrum(model.weight_hh.detach().cpu().numpy()).eigenvalues
    blanks = np.full((NUM_OSCILLATING, num_extra, x.shape[2]), blank, dtype=np.float32)
    tails = continued_states(model, states[:NUM_OSCILLATING, -1], blanks, device)
    found = [oscillation_period(tail[TRANSIENT:]) for tail in tails]
    moved = np.concatenate([states[:NUM_OSCILLATING], tails], axis=1)
    return {
        "eigenvalues_real": eigenvalues.real.astype(np.float64),
        "eigenvalues_imag": eigenvalues.imag.astype(np.float64),
        "periods": np.array([one.period for one in found]),
        "period_heights": np.array([one.height for one in found]),
        "state_change": state_change(moved),
    }


def continued_states(model: VanillaRNN, h: np.ndarray, x: np.ndarray, device: str) -> np.ndarray:
    """The states that follow h (n, hidden_size) while x (n, steps, input_size) is read."""
    with torch.no_grad():
        return model.hidden_states(_tensor(x, device), _tensor(h, device)).cpu().numpy()


def _tensor(array: np.ndarray, device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def _number(value: float) -> float:
    """JSON has no nan: a precision without any hit counts as zero."""
    return 0.0 if np.isnan(value) else float(value)
