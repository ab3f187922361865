"""What goes on inside a trained net: states by class through time, what can be read from them, and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from rnnkit.datasets.mnist import Pixels
from rnnkit.models import SequenceClassifier
from rnnkit.probes import by_class, gradients, readout
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.progress import Steps
from rnnkit.studies.psmnist.configs import ProbeConfig
from rnnkit.studies.psmnist.training import first_images, pixels, trained_model, untrained_model
from rnnkit.training import Sequences, evaluate

STRIDE = 14  # steps from one look at the states to the next
NUM_UNITS = 32
_TOGETHER = 100  # sequences whose states of all steps are held at once: 80 MB


def compute_inside(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Look at the states of test images, and follow the loss's gradient back through time."""
    config: ProbeConfig = job.config
    net = config.net
    data = first_images(pixels(config.dataset), net)
    seq_len = data.test_x.shape[1]
    model = trained_model(net, records[0], seq_len, device)
    untrained = untrained_model(net, job.seed, seq_len, device)
    progress.steps(5, f"look inside {job.key.label}")
    steps = np.arange(STRIDE, seq_len + 1, STRIDE)
    count = min(config.num_probed, len(data.test_y))
    train_x, train_y, test_x, test_y = (
        part[:count] for part in (data.train_x, data.train_y, data.test_x, data.test_y)
    )
    tested, means = _states(model, test_x, test_y, steps, device)
    untrained_tested, _ = _states(untrained, test_x, test_y, steps, device)
    progress.advance()
    arrays = _by_class(tested, test_y, means, steps)
    progress.advance()
    for name, asked, states in (
        ("linear", model, tested),
        ("linear_untrained", untrained, untrained_tested),
    ):
        fitted, _ = _states(asked, train_x, train_y, steps, device)
        arrays[name] = readout.linear_readout_through_time(fitted, train_y, states, test_y)
        progress.advance()
    arrays["own"] = readout.readout_accuracy_through_time(tested, *_affine_readout(model), test_y)
    arrays |= _gradients(model, untrained, data, config.num_gradients)
    progress.advance()
    trained_on = Sequences.of(train_x, train_y, device)
    loss, accuracy = evaluate(model, trained_on, _TOGETHER)
    return Outcome(
        arrays={
            name: array.astype(np.float32) if array.dtype == np.float64 and "grad" not in name else array
            for name, array in arrays.items()
        },
        # Training losses are taken with dropout on, while the net changes: these are without, at the end.
        metrics={"train_loss_without_dropout": loss, "train_accuracy_without_dropout": accuracy},
        data_checksums=data.checksums,
    )


def _states(
    model: SequenceClassifier, x: np.ndarray, y: np.ndarray, steps: np.ndarray, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """States (n, S, H) after some steps, and their means by class after every step (C, T, H)."""
    classes = np.unique(y)
    kept, sums = [], np.zeros((len(classes), x.shape[1], model.cell.hidden_size))
    for first in range(0, len(x), _TOGETHER):
        part = slice(first, first + _TOGETHER)
        with torch.no_grad():
            states = model.hidden_states(torch.from_numpy(x[part]).to(device)).cpu().numpy()  # (B, T, H)
        kept.append(states[:, steps - 1])
        for row, cls in enumerate(classes):
            sums[row] += states[y[part] == cls].sum(axis=0, dtype=np.float64)
    counts = np.array([(y == cls).sum() for cls in classes])
    return np.concatenate(kept), sums / counts[:, None, None]


def _by_class(
    states: np.ndarray, labels: np.ndarray, means: np.ndarray, steps: np.ndarray
) -> dict[str, np.ndarray]:
    found = by_class.class_paths(states, labels)
    units = by_class.selective_units(states, labels, num_units=min(NUM_UNITS, states.shape[2]))
    return {
        "steps": steps.astype(np.int32),
        "paths": (means - found.mean) @ found.components.T,  # (C, T, 3)
        "paths_spread": found.spread,
        "explained": found.explained,
        "separation": by_class.between_share(states, labels),
        "units": units.activation,
        "unit_index": units.index.astype(np.int32),
        "unit_share": units.share,
    }


def _affine_readout(model: SequenceClassifier) -> tuple[np.ndarray, np.ndarray]:
    """Weights (C, H) and bias (C,) of the readout, with the batch normalisation before it."""
    hidden_size = model.cell.hidden_size
    points = torch.cat([torch.zeros(1, hidden_size), torch.eye(hidden_size)]).to(model.weight_out.device)
    with torch.no_grad():
        answers = model.readout(points).cpu().numpy()
    return (answers[1:] - answers[0]).T, answers[0]


def _gradients(
    trained: SequenceClassifier, untrained: SequenceClassifier, data: Pixels, count: int
) -> dict[str, np.ndarray]:
    device = trained.weight_out.device
    x, y = (torch.from_numpy(part[:count]).to(device) for part in (data.test_x, data.test_y))
    # In double precision: hundreds of steps back, a gradient is less than float32 can hold.
    found = [gradients.classifier_gradients(model.double(), x.double(), y) for model in (untrained, trained)]
    trained.float()
    return {
        "grad_input": np.stack([each.input for each in found]),
        "grad_state": np.stack([each.hidden if each.cell is None else each.cell for each in found]),
    }
