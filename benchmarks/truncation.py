"""All three truncation experiments in one pass, against running the net anew for every prefix.

Each number of threads is timed in a process of its own, whose peak memory is that of the probe and its data. The
naive way takes much longer, so that it runs on a subset of the images, in turns with ours on the same subset, and its
time for all of them is scaled up by their number.
"""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.timing import race, ratio, threads
from rnnkit.models import VanillaRNN
from rnnkit.probes.truncation import Truncation, truncation
from rnnkit.results import peak_memory_bytes

MEMORY_LIMIT = 4 * 2**30


@dataclass(frozen=True)
class Work:
    """How much is measured.

    Attributes
    ----------
    num_images, num_extra : int
        Images, and blank rows of experiment 3.
    num_naive : int
        Images that the naive way is timed on.
    seq_len, input_size, hidden_size, num_classes : int
    batch_size : int
        Images that go through a net together, in both ways.
    """

    num_images: int = 10_000
    num_extra: int = 500
    num_naive: int = 500
    seq_len: int = 28
    input_size: int = 28
    hidden_size: int = 200
    num_classes: int = 10
    batch_size: int = 500


def make_case(work: Work, num_images: int) -> tuple[VanillaRNN, Tensor, Tensor]:
    """A net with random weights and random images: what they say does not change how long it takes."""
    generator = torch.Generator().manual_seed(0)
    net = VanillaRNN(work.input_size, work.hidden_size, work.num_classes, generator=generator).eval()
    x = torch.rand(num_images, work.seq_len, work.input_size, generator=generator)
    y = torch.randint(0, work.num_classes, (num_images,), generator=generator)
    return net, x, y


def one_pass(net: VanillaRNN, x: Tensor, y: Tensor, work: Work) -> Truncation:
    """The probe as the chapter uses it."""
    h_0 = net.initial_state(1)[0]
    return truncation(
        net.step, net.readout, x, y, h_0=h_0, num_extra=work.num_extra, batch_size=work.batch_size
    )


@torch.no_grad()
def naive(net: VanillaRNN, x: Tensor, y: Tensor, work: Work) -> Truncation:
    """A run of torch.nn.RNN for each prefix of experiments 1 and 2; one run with all blank rows for experiment 3."""
    rnn = nn.RNN(work.input_size, work.hidden_size, bias=False, batch_first=True)
    rnn.load_state_dict({"weight_ih_l0": net.weight_ih, "weight_hh_l0": net.weight_hh})

    def accuracies(images: Tensor, last: int = 1) -> np.ndarray:
        """After each of the last steps, over all images."""
        correct = np.zeros(last)
        for batch, labels in zip(images.split(work.batch_size), y.split(work.batch_size), strict=True):
            states = rnn(batch)[0][:, -last:]
            correct += (net.readout(states).argmax(2) == labels[:, None]).sum(0).numpy()
        return correct / len(y)

    def blanked(rows: int) -> Tensor:
        images = x.clone()
        images[:, rows:] = 0
        return images

    nothing = net.readout(net.initial_state(len(y))).argmax(1) == y
    extra = torch.cat([x, x.new_zeros(len(x), work.num_extra, work.input_size)], dim=1)
    prefixes = range(1, work.seq_len + 1)
    return Truncation(
        np.concatenate([accuracies(blanked(n)) for n in range(work.seq_len + 1)]),
        np.concatenate([[float(nothing.double().mean())], *(accuracies(x[:, :n]) for n in prefixes)]),
        accuracies(extra, work.num_extra + 1),
    )


def run(
    *, repeats: int = 3, num_threads: tuple[int, ...] = (1, 2), work: Work | None = None
) -> list[dict[str, Any]]:
    """Time all cases; one row per number of threads."""
    # A fresh process each: a peak of memory is that of a process.
    spawn = multiprocessing.get_context("spawn")
    rows = []
    for count in num_threads:
        with ProcessPoolExecutor(1, mp_context=spawn) as executor:
            rows.append(executor.submit(_measure, work or Work(), count, repeats).result())
    return rows


def _measure(work: Work, count: int, repeats: int) -> dict[str, Any]:
    with threads(count):
        net, x, y = make_case(work, work.num_images)
        start = time.perf_counter()
        one_pass(net, x, y, work)
        seconds, peak = time.perf_counter() - start, peak_memory_bytes()
        few = net, x[: work.num_naive], y[: work.num_naive], work
        race_seconds = race({"ours": lambda: one_pass(*few), "naive": lambda: naive(*few)}, repeats)
    return asdict(work) | {
        "threads": count,
        "seconds": seconds,
        "peak_bytes": peak,
        "ratio": ratio(race_seconds["naive"], race_seconds["ours"]),
        "naive_seconds_scaled": float(np.median(race_seconds["naive"])) * work.num_images / work.num_naive,
        "repeats": repeats,
    }


def report(rows: list[dict[str, Any]]) -> str:
    """The rows as a table, with what the columns mean."""
    first = rows[0]
    lines = [
        f"Experiments 1 to 3 for {first['num_images']:,} images with up to {first['num_extra']} blank rows more.",
        f"naive: torch.nn.RNN run anew for every prefix; timed on {first['num_naive']:,} images in turns with rnnkit",
        "(ratio: naive / rnnkit on those, median [quartiles]) and scaled up to all.",
        f"{'threads':>7} {'rnnkit s':>9} {'peak GiB':>9} {'naive s (scaled)':>17}  ratio",
    ]
    for row in rows:
        r = row["ratio"]
        too_much = "" if row["peak_bytes"] < MEMORY_LIMIT else "  over the limit of 4 GiB"
        lines.append(
            f"{row['threads']:>7} {row['seconds']:>9.2f} {row['peak_bytes'] / 2**30:>9.2f} "
            f"{row['naive_seconds_scaled']:>17.1f}  {r['median']:.2f} [{r['low']:.2f}, {r['high']:.2f}]{too_much}"
        )
    return "\n".join(lines)
