"""One training step of the psMNIST study's six models against what one would write instead.

A step is forward, cross-entropy, backward and Adam over sequences of one number a step. Rivals: a plain loop of torch
over the steps, and torch.nn's layer, which has neither recurrent dropout nor a Legendre memory; both in float32, and
under autocast to bfloat16 where the processor multiplies in it. Keras and keras-lmu, compiled by XLA, join in where
`benchmarks.keras_rival` finds them. Each runs without dropout and with recurrent dropout as in Keras 3, whose masks
last for a sequence; rnnkit and the loop also with the dropout that the study trains the net with, whose masks are those
of each step. Peak memory is that of a process of its own, which takes one such step.

The paper's own step is ``python -m benchmarks psmnist --batch 1000 --seq-len 784``. It takes far longer, and memory:
the loop keeps about 22 KB for each step of each sequence of an LSTM, 17 GB by extrapolation. LMUs read their memory
in chunks whose length depends on how many steps there are in all: what one size reaches says little of another.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.keras_rival import KerasRival, interpreter
from benchmarks.timing import race, ratio, threads
from benchmarks.training_step import large_products
from rnnkit.models import ARCHITECTURES, LMU, SequenceClassifier, make_classifier
from rnnkit.models._fused import bf16_is_native
from rnnkit.models.recurrence import NUM_GATES
from rnnkit.models.recurrence.dispatch import VARIABLE
from rnnkit.models.recurrence.stepwise import masks_at
from rnnkit.results import peak_memory_bytes

LEARNING_RATE = 1e-3
WEIGHED = (
    "rnnkit bf16",
    "rnnkit fp32",
    "loop fp32",
    "torch.nn fp32",
)  # whose memory is measured
PRECISIONS = ("bf16", "fp32")
DROPOUTS = {
    "none": "no dropout",
    "recurrent": "recurrent dropout",
    "trained": "dropout as trained",
}
TORCH = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


@dataclass(frozen=True)
class Work:
    """How much is timed: by default a part of the paper's 1000 sequences of 784 steps."""

    models: tuple[str, ...] = tuple(ARCHITECTURES)
    batch: int = 252
    seq_len: int = 49
    hidden_size: int = 256
    memory_size: int = 256
    theta: int = 784
    recurrent_dropout: float = 0.2
    precisions: tuple[str, ...] = PRECISIONS
    memory: bool = True
    ceiling: int = 1024  # of the large product that sets the scale


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


def operations(name: str, work: Work) -> int:
    """Floating-point operations of a step's products that depend on the hidden cell.

    The recurrent ones: forward, for the states, for the weights. Behind a memory, its projection too: forward and for
    the weights. Not the memory itself, which each rival has in a form of its own.
    """
    hidden, seen = work.hidden_size, work.memory_size + 1 if name.startswith("lmu-") else 0
    gates = NUM_GATES[ARCHITECTURES[name].cell]
    return 2 * work.batch * work.seq_len * gates * hidden * (3 * hidden + 2 * seen)


def data(work: Work) -> tuple[Tensor, Tensor]:
    """Random pixels and labels."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(work.batch, work.seq_len, 1, generator=generator)
    return x, torch.randint(0, 10, (work.batch,), generator=generator)


def make_rivals(name: str, dropout: str, work: Work) -> dict[str, Callable[[], float]]:
    """A training step of each rival in this process, by name; each returns its loss."""
    rivals = {}
    for precision in work.precisions:
        rivals[f"rnnkit {precision}"] = our_step(name, dropout, work, "fused", precision)
        if precision == "bf16" and not bf16_is_native():
            continue  # torch's own products take forty times as long in it there
        rivals[f"loop {precision}"] = our_step(name, dropout, work, "stepwise", precision)
        if dropout == "none" and name in TORCH:
            net = TorchClassifier(name, work.hidden_size)
            rivals[f"torch.nn {precision}"] = _step(net, net, work, autocast=precision == "bf16")
    return rivals


def our_step(name: str, dropout: str, work: Work, form: str, precision: str) -> Callable[[], float]:
    """A step of rnnkit's classifier; of the loop in bfloat16 under autocast, which is how one would write it."""
    autocast = form == "stepwise" and precision == "bf16"
    has_memory = name.startswith("lmu-")
    net = make_classifier(
        name,
        generator=torch.Generator().manual_seed(0),
        dropout_generator=torch.Generator().manual_seed(2),
        precision="fp32" if autocast else precision,
        hidden_size=work.hidden_size,
        **_rates(dropout, work),
        **({"memory_size": work.memory_size, "theta": work.theta} if has_memory else {}),
    )

    def call(x: Tensor) -> Tensor:
        if has_memory and form == "stepwise":
            return loop_over_memory(net, x)
        with recurrence_form(form):
            return net(x)

    return _step(net, call, work, autocast=autocast)


def _rates(dropout: str, work: Work) -> dict[str, Any]:
    """What differs from the architecture, which has the dropout that it is trained with."""
    if dropout == "trained":
        return {}
    rate = work.recurrent_dropout if dropout == "recurrent" else 0.0
    return {"dropout": 0.0, "recurrent_dropout": rate, "dropout_span": "sequence"}


def loop_over_memory(net: SequenceClassifier, x: Tensor) -> Tensor:
    """Logits of an LMU, memory and hidden cell one step after another."""
    assert isinstance(net.layer, LMU)
    masks = net.draw_masks(*x.shape[:2])
    remembered = x if masks.memory is None else x * masks.memory
    c: Tensor | None = None
    m, h = x.new_zeros(len(x), net.layer.memory_size), x.new_zeros(len(x), net.layer.hidden_size)
    for t, (x_t, remembered_t) in enumerate(zip(x.unbind(1), remembered.unbind(1), strict=True)):
        m = net.layer.next_memory(remembered_t, m, h)
        of_step = masks_at(masks.recurrent, t)
        h, c = net.layer.hidden.step(torch.cat([m, x_t], dim=1), h, c, recurrent_masks=of_step)
    return net.readout(h)


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


def keras_rival(name: str, dropout: str, work: Work, count: int) -> KerasRival | None:
    """The same net in Keras; None where there is none. Keras 3 has no masks of each step, so none as trained."""
    python = interpreter()
    if python is None or dropout == "trained":
        return None
    sizes = {key: getattr(work, key) for key in ("batch", "seq_len", "hidden_size", "memory_size", "theta")}
    rate = _rates(dropout, work)["recurrent_dropout"]
    return KerasRival(python, model=name, recurrent_dropout=rate, threads=count, **sizes)


def run(
    *, repeats: int = 5, num_threads: tuple[int, ...] = (1, 2), work: Work | None = None
) -> list[dict[str, Any]]:
    """Time all cases with the greatest number of threads; one row per model, dropout and precision."""
    work = work or Work()
    rows = []
    with threads(num_threads[-1]):
        for name in work.models:
            for dropout in DROPOUTS:
                rows += _case(name, dropout, work, num_threads[-1], repeats)
    return rows


def _case(name: str, dropout: str, work: Work, count: int, repeats: int) -> list[dict[str, Any]]:
    with ExitStack() as stack:
        rivals: dict[str, Callable[[], object]] = {**make_rivals(name, dropout, work)}
        for precision in work.precisions:
            rivals |= large_products(work.ceiling, precision)
        weighed = [one for one in WEIGHED if one in rivals and work.memory]
        peaks = _peaks(name, dropout, work, weighed, count)
        keras = keras_rival(name, dropout, work, count)
        if keras is not None:
            rivals["keras fp32"] = stack.enter_context(keras)
            peaks |= {"keras fp32": keras.peak_bytes} if work.memory else {}
        seconds = race(rivals, repeats)
    about = {"threads": count} | ({} if keras is None else keras.about)
    return [_row(name, dropout, work, precision, seconds, peaks) | about for precision in work.precisions]


def _row(
    name: str,
    dropout: str,
    work: Work,
    precision: str,
    seconds: dict[str, np.ndarray],
    peaks: dict[str, int],
) -> dict[str, Any]:
    product = min(
        np.median(times) for one, times in seconds.items() if one.startswith(f"product {precision}")
    )
    ceiling = 2 * work.ceiling**3 / float(product)
    ours = seconds[f"rnnkit {precision}"]
    rate = operations(name, work) / float(np.median(ours))
    others = [one for one in seconds if one.split()[0] in ("loop", "torch.nn", "keras")]
    return asdict(work) | {
        "model": name,
        "dropout": dropout,
        "precision": precision,
        "rnnkit_s": float(np.median(ours)),
        "others_s": {one: float(np.median(seconds[one])) for one in others},
        "ratios": {one: ratio(seconds[one], ours) for one in others},
        "peak_bytes": peaks,
        "gflops": rate / 1e9,
        "ceiling_gflops": ceiling / 1e9,
        "share_of_ceiling": rate / ceiling,
        "repeats": len(ours),
    }


def _peaks(name: str, dropout: str, work: Work, rivals: list[str], count: int) -> dict[str, int]:
    """Peak memory of each rival, over that of a process that has only imported what all of them need."""
    spawn = multiprocessing.get_context("spawn")
    found = {}
    for rival in rivals:
        with ProcessPoolExecutor(1, mp_context=spawn) as executor:
            found[rival] = executor.submit(_peak, name, dropout, work, rival, count).result()
    return found


def _peak(name: str, dropout: str, work: Work, rival: str, count: int) -> int:
    small = replace(work, batch=2, seq_len=2)
    with threads(count):
        make_rivals(name, dropout, small)[rival]()
        before = peak_memory_bytes()
        make_rivals(name, dropout, work)[rival]()
    return peak_memory_bytes() - before


@contextmanager
def recurrence_form(form: str) -> Iterator[None]:
    """Take this form of the recurrence."""
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
        "recurrent dropout: a mask for each gate and sequence; as trained: the study's, masks of each step.",
        "ratio: rival's time / rnnkit's within a round, median [quartiles].",
        "GFLOP/s: of the cell's products, beside one large product's in the same rounds. GiB: peak memory of a step.",
        f"keras: {first['keras']}, TensorFlow {first['tensorflow']}, XLA on."
        if "keras" in first
        else "keras: not here; see benchmarks/keras_rival.py.",
    ]
    for row in rows:
        share = f"{row['gflops']:.0f} of {row['ceiling_gflops']:.0f} GFLOP/s ({row['share_of_ceiling']:.0%})"
        lines.append(
            f"\n{row['model']:<8} {row['precision']}, {DROPOUTS[row['dropout']]}: "
            f"rnnkit {row['rnnkit_s']:.3f} s  {share}{_gib(row, 'rnnkit ' + row['precision'])}"
        )
        for name, r in row["ratios"].items():
            ratios = f"{r['median']:.2f} [{r['low']:.2f}, {r['high']:.2f}]"
            lines.append(f"     {name:<14} {row['others_s'][name]:>8.3f} s  ratio {ratios}{_gib(row, name)}")
    return "\n".join(lines)


def _gib(row: dict[str, Any], name: str) -> str:
    return f"  {row['peak_bytes'][name] / 2**30:.2f} GiB" if name in row["peak_bytes"] else ""
