"""One training step of the psMNIST study's RNN, LSTM and GRU against what one would write instead.

A step is forward, cross-entropy, backward and Adam over sequences of one number a step. Rivals: a plain loop of torch
over the steps, and torch.nn's layer, which has no recurrent dropout; both in float32 and under autocast to bfloat16.
Keras joins in where it is installed. Peak memory is that of a process of its own, which takes one step.
The paper's size is ``run(work=Work(batch=1000, seq_len=784))``: it takes far longer, and the loop far more memory.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.timing import race, ratio, threads
from benchmarks.training_step import large_products
from rnnkit.models import ClassifierConfig, SequenceClassifier
from rnnkit.models.recurrence import NUM_GATES
from rnnkit.models.recurrence.dispatch import VARIABLE
from rnnkit.results import peak_memory_bytes

LEARNING_RATE, CEILING = 1e-3, 1024
WEIGHED = (
    "rnnkit bf16",
    "rnnkit fp32",
    "loop fp32",
    "torch.nn fp32",
    "keras fp32",
)  # whose memory is measured
PRECISIONS = ("bf16", "fp32")
TORCH = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


@dataclass(frozen=True)
class Work:
    """How much is timed: by default a part of the paper's 1000 sequences of 784 steps."""

    cells: tuple[str, ...] = ("rnn", "lstm", "gru")
    batch: int = 252
    seq_len: int = 49
    hidden_size: int = 256
    recurrent_dropout: float = 0.2
    memory: bool = True


class TorchClassifier(nn.Module):
    """torch.nn's layer, batch normalisation, readout."""

    def __init__(self, cell: str, hidden_size: int) -> None:
        super().__init__()
        self.layer = TORCH[cell](1, hidden_size, batch_first=True)
        self.norm = nn.BatchNorm1d(hidden_size, eps=1e-3, momentum=0.01)
        self.readout = nn.Linear(hidden_size, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the last state: x (batch, seq_len, 1) -> (batch, 10)."""
        return self.readout(self.norm(self.layer(x)[0][:, -1]))


def operations(cell: str, work: Work) -> int:
    """Floating-point operations of a step's recurrent products: forward, for the states, for the weights."""
    return 3 * 2 * work.batch * work.seq_len * NUM_GATES[cell] * work.hidden_size**2


def data(work: Work) -> tuple[Tensor, Tensor]:
    """Random pixels and labels."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(work.batch, work.seq_len, 1, generator=generator)
    return x, torch.randint(0, 10, (work.batch,), generator=generator)


def make_rivals(cell: str, masked: bool, work: Work) -> dict[str, Callable[[], float]]:
    """A training step of each, by name; each returns its loss."""
    rivals = {}
    for precision in PRECISIONS:
        rivals[f"rnnkit {precision}"] = our_step(cell, masked, work, "fused", precision)
        rivals[f"loop {precision}"] = our_step(cell, masked, work, "stepwise", precision)
        if not masked:
            net = TorchClassifier(cell, work.hidden_size)
            rivals[f"torch.nn {precision}"] = _step(net, net, work, autocast=precision == "bf16")
    if find_spec("keras") is not None:
        rivals["keras fp32"] = keras_step(cell, masked, work)
    return rivals


def our_step(cell: str, masked: bool, work: Work, form: str, precision: str) -> Callable[[], float]:
    """A step of rnnkit's classifier; of the loop in bfloat16 under autocast, which is how one would write it."""
    config = ClassifierConfig(
        cell, hidden_size=work.hidden_size, recurrent_dropout=work.recurrent_dropout if masked else 0.0
    )
    autocast = form == "stepwise" and precision == "bf16"
    net = SequenceClassifier(
        config,
        generator=torch.Generator().manual_seed(0),
        dropout_generator=torch.Generator().manual_seed(2),
        precision="fp32" if autocast else precision,
    )

    def call(x: Tensor) -> Tensor:
        with _form(form):
            return net(x)

    return _step(net, call, work, autocast=autocast)


def _step(
    net: nn.Module, call: Callable[[Tensor], Tensor], work: Work, *, autocast: bool
) -> Callable[[], float]:
    x, y = data(work)
    optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)

    def step() -> float:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            logits = call(x)
        loss = nn.functional.cross_entropy(logits.float(), y)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def keras_step(cell: str, masked: bool, work: Work) -> Callable[[], float]:
    """The same net in Keras, compiled as its backend can."""
    import keras

    layer = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
    rate = work.recurrent_dropout if masked else 0.0
    net = keras.Sequential(
        [
            layer(work.hidden_size, recurrent_dropout=rate),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.Adam(LEARNING_RATE), loss, jit_compile=True)
    x, y = (part.numpy() for part in data(work))
    return lambda: float(net.train_on_batch(x, y))


def run(
    *, repeats: int = 5, num_threads: tuple[int, ...] = (1, 2), work: Work | None = None
) -> list[dict[str, Any]]:
    """Time all cases with the greatest number of threads; one row per cell, dropout and precision."""
    work = work or Work()
    rows = []
    with threads(num_threads[-1]):
        for cell in work.cells:
            for masked in (False, True):
                rivals = make_rivals(cell, masked, work)
                products = {}
                for precision in PRECISIONS:
                    products |= large_products(CEILING, precision)
                seconds = race({**rivals, **products}, repeats)
                weighed = [name for name in WEIGHED if name in rivals and work.memory and not masked]
                peaks = _peaks(cell, masked, work, weighed, num_threads[-1])
                for precision in PRECISIONS:
                    rows.append(_row(cell, masked, work, precision, seconds, peaks))
                    rows[-1]["threads"] = num_threads[-1]
    return rows


def _row(
    cell: str,
    masked: bool,
    work: Work,
    precision: str,
    seconds: dict[str, np.ndarray],
    peaks: dict[str, int],
) -> dict[str, Any]:
    product = min(
        np.median(times) for name, times in seconds.items() if name.startswith(f"product {precision}")
    )
    ceiling = 2 * CEILING**3 / float(product)
    ours = seconds[f"rnnkit {precision}"]
    rate = operations(cell, work) / float(np.median(ours))
    others = [name for name in seconds if name.split()[0] in ("loop", "torch.nn", "keras")]
    return asdict(work) | {
        "cell": cell,
        "masked": masked,
        "precision": precision,
        "rnnkit_s": float(np.median(ours)),
        "others_s": {name: float(np.median(seconds[name])) for name in others},
        "ratios": {name: ratio(seconds[name], ours) for name in others},
        "peak_bytes": peaks,
        "gflops": rate / 1e9,
        "ceiling_gflops": ceiling / 1e9,
        "share_of_ceiling": rate / ceiling,
        "repeats": len(ours),
    }


def _peaks(cell: str, masked: bool, work: Work, names: list[str], count: int) -> dict[str, int]:
    """Peak memory of each rival, over that of a process that has only imported what all of them need."""
    spawn = multiprocessing.get_context("spawn")
    found = {}
    for name in names:
        with ProcessPoolExecutor(1, mp_context=spawn) as executor:
            found[name] = executor.submit(_peak, cell, masked, work, name, count).result()
    return found


def _peak(cell: str, masked: bool, work: Work, name: str, count: int) -> int:
    small = Work(batch=2, seq_len=2, hidden_size=work.hidden_size)
    with threads(count):
        make_rivals(cell, masked, small)[name]()
        before = peak_memory_bytes()
        make_rivals(cell, masked, work)[name]()
    return peak_memory_bytes() - before


@contextmanager
def _form(form: str) -> Iterator[None]:
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = form
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def report(rows: list[dict[str, Any]]) -> str:
    """The rows as a table, with what the columns mean."""
    first = rows[0]
    lines = [
        f"One training step of {first['batch']} sequences of {first['seq_len']} steps, hidden size "
        f"{first['hidden_size']}, {first['threads']} threads; medians.",
        "dropout: recurrent, a mask for each gate. ratio: rival's time / rnnkit's within a round, median [quartiles].",
        "GFLOP/s: of recurrent products, beside one large product's in the same rounds. GiB: peak memory of a step.",
    ]
    for row in rows:
        share = f"{row['gflops']:.0f} of {row['ceiling_gflops']:.0f} GFLOP/s ({row['share_of_ceiling']:.0%})"
        dropout = "dropout" if row["masked"] else "       "
        lines.append(
            f"\n{row['cell']:<4} {dropout} {row['precision']}  rnnkit {row['rnnkit_s']:.3f} s  {share}"
            f"{_gib(row, 'rnnkit ' + row['precision'])}"
        )
        for name, r in row["ratios"].items():
            ratios = f"{r['median']:.2f} [{r['low']:.2f}, {r['high']:.2f}]"
            lines.append(f"     {name:<14} {row['others_s'][name]:>8.3f} s  ratio {ratios}{_gib(row, name)}")
    return "\n".join(lines)


def _gib(row: dict[str, Any], name: str) -> str:
    return f"  {row['peak_bytes'][name] / 2**30:.2f} GiB" if name in row["peak_bytes"] else ""
