"""Populations of tiny nets against a plain torch loop over the same nets: training steps, and random settings.

Both sides start from the same parameters and meet the same sentences. The floor beside a training step is what its
multiplications and additions would take at the speed of a large product on one core, timed in the same rounds.
"""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.timing import race, ratio, threads
from rnnkit.datasets.sentences import make
from rnnkit.models.population import Architecture, PopulationState, initial, random_settings
from rnnkit.results import peak_memory_bytes
from rnnkit.training import make_engine

BATCH, LEARNING_RATE = 32, 1e-3
# The ratios that the chapter asks for, on one core.
TARGETS = {
    ("train", "rnn"): {2: 150, 8: 60, 16: 30},
    ("train", "gru"): {2: 60, 8: 25, 16: 12},
    ("random", "rnn"): {2: 40, 4: 25},
    ("random", "gru"): {2: 40, 4: 25},
}


@dataclass(frozen=True)
class Work:
    """How much is timed."""

    input_size: int = 2
    num_models: int = 64
    num_steps: int = 25
    num_settings: int = 2048
    num_torch_settings: int = 8
    num_valid: int = 2000
    growth: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    ceiling: int = 1024  # of the large product that sets the scale


class TorchNet(nn.Module):
    """What one would write for one model without rnnkit."""

    def __init__(self, architecture: Architecture, parameters: np.ndarray) -> None:
        super().__init__()
        self.architecture = architecture
        sizes = architecture.input_size, architecture.hidden_size
        self.embedding = nn.Embedding(10, sizes[0])
        self.recurrent = {"rnn": nn.RNN, "gru": nn.GRU}[architecture.cell](*sizes, batch_first=True)
        self.readout = nn.Linear(sizes[1], 2)
        self.load(parameters)

    def load(self, parameters: np.ndarray) -> None:
        """Become the model with these parameters, flat (num_parameters,)."""
        flat, slices = torch.from_numpy(parameters), self.architecture.slices()
        with torch.no_grad():
            for parameter, name in zip(self.parameters(), slices, strict=True):
                parameter.copy_(flat[slices[name]].view_as(parameter))

    def forward(self, words: Tensor) -> Tensor:
        """Logits of the last state: words (batch, seq_len) -> (batch, 2)."""
        output, _ = self.recurrent(self.embedding(words))
        return self.readout(output[:, -1])


def torch_training(net: TorchNet, words: Tensor, labels: Tensor) -> None:
    """One pass in batches with Adam."""
    optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    for first in range(0, len(labels), BATCH):
        optimizer.zero_grad()
        logits = net(words[first : first + BATCH])
        nn.functional.cross_entropy(logits, labels[first : first + BATCH]).backward()
        optimizer.step()


def torch_count(net: TorchNet, words: Tensor, labels: Tensor) -> int:
    """How many sentences one model gets right."""
    with torch.inference_mode():
        return int((net(words).argmax(1) == labels).sum())


def operations(architecture: Architecture, batch: int, seq_len: int) -> int:
    """Multiplications and additions of a training step's products, with the words' table in place of its inputs.

    Forward T - 1 products of (batch, H) with (H, G H): the first state is zero. Backward as many for the gradient of
    the weights and of the states. The table of ten words, forward once and backward twice. The readout three times.
    """
    hidden, units = architecture.hidden_size, architecture.hidden_size * architecture.num_gates
    recurrent = 3 * batch * (seq_len - 1) * hidden * units
    return 2 * (recurrent + 3 * 10 * architecture.input_size * units + 3 * batch * 2 * hidden)


def run(*, repeats: int = 7, num_threads: tuple[int, ...] = (1,), work: Work | None = None) -> dict[str, Any]:
    """Time all cases on one thread, whatever ``num_threads`` says: jobs run on one."""
    work = work or Work()
    with threads(1):
        training = [
            _training(Architecture(cell, work.input_size, hidden), work, repeats)
            for cell in ("rnn", "gru")
            for hidden in (2, 4, 8, 16)
        ]
        settings = [
            _settings(Architecture(cell, work.input_size, hidden), work, repeats)
            for cell in ("rnn", "gru")
            for hidden in (2, 4)
        ]
    # A process of its own: a peak of memory is that of a process.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        growth = [executor.submit(_growth, number, work).result() for number in work.growth]
    return {"training": training, "settings": settings, "growth": growth}


def _training(architecture: Architecture, work: Work, repeats: int) -> dict[str, Any]:
    number = BATCH * work.num_steps
    data = make("first", seed=0, num_train=number, num_valid=0, num_test=0).train
    words, labels = torch.from_numpy(data.words).long(), torch.from_numpy(data.labels).long()
    parameters, engine = initial(architecture, work.num_models, 0), make_engine("lanes")
    order, rate = np.arange(number), np.full(work.num_models, LEARNING_RATE)
    large = torch.randn(work.ceiling, work.ceiling)

    def ours() -> None:
        state = PopulationState.fresh(architecture, parameters)
        engine.train_epoch(state, data.words, data.labels, order, BATCH, rate)

    net = TorchNet(architecture, parameters[0])
    rivals = {
        "ours": ours,
        "torch": lambda: torch_training(net, words, labels),
        "product": lambda: large @ large,
    }
    seconds = race(rivals, repeats)
    mine, theirs = seconds["ours"] / work.num_models / work.num_steps, seconds["torch"] / work.num_steps
    ceiling = 2 * work.ceiling**3 / float(np.median(seconds["product"]))
    return _row("train", architecture, mine, theirs) | {
        "floor_us": operations(architecture, BATCH, data.words.shape[1]) / ceiling * 1e6,
        "ceiling_gflops": ceiling / 1e9,
    }


def _settings(architecture: Architecture, work: Work, repeats: int) -> dict[str, Any]:
    data = make("first", seed=0, num_train=0, num_valid=work.num_valid, num_test=0).valid
    words, labels = torch.from_numpy(data.words).long(), torch.from_numpy(data.labels).long()
    engine = make_engine("lanes")
    net = TorchNet(architecture, random_settings(architecture, 1, 0, 0)[0])

    def ours() -> None:
        settings = random_settings(architecture, work.num_settings, 0, 0)
        engine.count_right(architecture, settings, data.words, data.labels)

    def theirs() -> None:
        for parameters in random_settings(architecture, work.num_torch_settings, 0, 0):
            net.load(parameters)
            torch_count(net, words, labels)

    seconds = race({"ours": ours, "torch": theirs}, repeats)
    mine, plain = seconds["ours"] / work.num_settings, seconds["torch"] / work.num_torch_settings
    return _row("random", architecture, mine, plain)


def _row(what: str, architecture: Architecture, ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    return {
        "cell": architecture.cell,
        "hidden_size": architecture.hidden_size,
        "rnnkit_us": float(np.median(ours)) * 1e6,
        "torch_us": float(np.median(theirs)) * 1e6,
        "ratio": ratio(theirs, ours),
        "target": TARGETS[what, architecture.cell].get(architecture.hidden_size),
        "repeats": len(ours),
    }


def _growth(number: int, work: Work) -> dict[str, Any]:
    """Seconds and peak memory of so many random settings of the smallest RNN, in blocks as the study draws them."""
    architecture, block = Architecture("rnn", work.input_size, 2), 16_384
    data = make("first", seed=0, num_train=0, num_valid=work.num_valid, num_test=0).valid
    engine = make_engine("lanes")
    engine.count_right(
        architecture, random_settings(architecture, 1, 0, 0), data.words, data.labels
    )  # compiled
    start = time.perf_counter()
    for first in range(0, number, block):
        settings = random_settings(architecture, block, 0, first // block)[: number - first]
        engine.count_right(architecture, settings, data.words, data.labels)
    seconds = time.perf_counter() - start
    return {"num_settings": number, "seconds": seconds, "peak_bytes": peak_memory_bytes()}


def report(results: dict[str, Any]) -> str:
    """The rows as tables, with what the columns mean."""
    lines = [
        f"One training step of one model, batch {BATCH}, microseconds on one core. torch: nn.Embedding, nn.RNN or",
        "nn.GRU, nn.Linear and Adam, model after model. ratio: torch / rnnkit within a round, median [quartiles].",
        "floor: the step's multiplications and additions at the speed of one large product.",
        f"{'cell':>4} {'hidden':>6} {'rnnkit':>8} {'torch':>9}  {'ratio':<22} {'wanted':>6} {'floor':>6}",
    ]
    lines += [f"{_text(row)} {row['floor_us']:>6.2f}" for row in results["training"]]
    lines += [
        "",
        "One random setting on the validation sentences, microseconds on one core; drawing it is counted.",
        f"{'cell':>4} {'hidden':>6} {'rnnkit':>8} {'torch':>9}  {'ratio':<22} {'wanted':>6}",
    ]
    lines += [_text(row) for row in results["settings"]]
    lines += [
        "",
        "Growth, RNN with 2 hidden units:",
        f"{'settings':>12} {'seconds':>9} {'us each':>8} {'peak GiB':>9}",
    ]
    lines += [
        f"{row['num_settings']:>12,} {row['seconds']:>9.2f} {row['seconds'] / row['num_settings'] * 1e6:>8.2f} "
        f"{row['peak_bytes'] / 2**30:>9.2f}"
        for row in results["growth"]
    ]
    return "\n".join(lines)


def _text(row: dict[str, Any]) -> str:
    r = row["ratio"]
    ratios = f"{r['median']:.0f} [{r['low']:.0f}, {r['high']:.0f}]"
    wanted = "" if row["target"] is None else f"{row['target']}"
    return (
        f"{row['cell']:>4} {row['hidden_size']:>6} {row['rnnkit_us']:>8.2f} {row['torch_us']:>9.1f}  "
        f"{ratios:<22} {wanted:>6}"
    )
