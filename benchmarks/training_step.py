"""One training step of the chapter's net against the obvious torch.nn.RNN loop.

A step is forward, cross-entropy, backward and Adam. The floor beside it is what the step's matrix products alone
would take at the speed of a large product, timed in the same rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.timing import race, ratio, threads
from rnnkit.models import PRECISIONS, VanillaRNN
from rnnkit.models._fused import bf16_is_native, onednn_linear_available

LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Shape:
    """Sizes of the net and its sequences, and of the square matrices whose product sets the ceiling."""

    input_size: int = 28
    seq_len: int = 28
    hidden_size: int = 200
    num_classes: int = 10
    ceiling: int = 1024


class TorchRNN(nn.Module):
    """What one would write without rnnkit; with ``bf16`` it runs under autocast, states included."""

    def __init__(self, shape: Shape, precision: str) -> None:
        super().__init__()
        self.precision = precision
        self.rnn = nn.RNN(shape.input_size, shape.hidden_size, bias=False, batch_first=True)
        self.readout = nn.Linear(shape.hidden_size, shape.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the last state: x (batch, seq_len, input_size) -> (batch, num_classes)."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            output, _ = self.rnn(x)
            return self.readout(output[:, -1]).float()


def make_pair(shape: Shape, precision: str) -> tuple[VanillaRNN, TorchRNN]:
    """Both nets with the same weights."""
    ours = VanillaRNN(
        shape.input_size,
        shape.hidden_size,
        shape.num_classes,
        precision=precision,
        generator=torch.Generator().manual_seed(0),
    )
    theirs = TorchRNN(shape, precision)
    theirs.rnn.load_state_dict({"weight_ih_l0": ours.weight_ih, "weight_hh_l0": ours.weight_hh})
    theirs.readout.load_state_dict({"weight": ours.weight_out, "bias": ours.bias_out})
    return ours, theirs


def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor
) -> Callable[[], float]:
    """One step as a function that returns the loss."""

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def operations(shape: Shape, batch: int) -> int:
    """Floating-point operations of a step's matrix products, forward and backward.

    Forward, T steps of (batch, H + I) times (H + I, H); backward, the same for the gradient of the weights and
    T - 1 steps of (batch, H) times (H, H) for that of the states; three products of the readout. Two operations
    each (multiply, add). The images need no gradient.
    """
    hidden, both = shape.hidden_size, shape.hidden_size + shape.input_size
    recurrence = 2 * shape.seq_len * hidden * both + (shape.seq_len - 1) * hidden * hidden
    return 2 * batch * (recurrence + 3 * hidden * shape.num_classes)


def run(
    *,
    repeats: int = 60,
    batches: tuple[int, ...] = (128, 512),
    num_threads: tuple[int, ...] = (1, 2),
    shape: Shape | None = None,
) -> list[dict[str, Any]]:
    """Time all cases; one row per batch size, number of threads and precision."""
    rows = []
    for count in num_threads:
        with threads(count):
            for batch in batches:
                rows += _case(shape or Shape(), batch, count, repeats)
    return rows


def _case(shape: Shape, batch: int, count: int, repeats: int) -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(batch, shape.seq_len, shape.input_size, generator=generator)
    y = torch.randint(0, shape.num_classes, (batch,), generator=generator)
    rivals: dict[str, Callable[[], object]] = {}
    for precision in PRECISIONS:
        ours, theirs = make_pair(shape, precision)
        fused = torch.optim.Adam(ours.parameters(), lr=LEARNING_RATE, fused=True)
        plain = torch.optim.Adam(theirs.parameters(), lr=LEARNING_RATE)
        rivals[f"rnnkit {precision}"] = training_step(ours, fused, x, y)
        rivals[f"torch {precision}"] = training_step(theirs, plain, x, y)
        rivals |= large_products(shape.ceiling, precision)
    seconds = race(rivals, repeats)
    return [_row(shape, batch, count, precision, seconds) for precision in PRECISIONS]


def large_products(size: int, precision: str) -> dict[str, Callable[[], object]]:
    """A large product by every way that torch has for it on a CPU; the fastest one is the ceiling.

    In float32 where the processor has no products of bfloat16.
    """
    dtype = torch.bfloat16 if precision == "bf16" and bf16_is_native() else torch.float32
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    products: dict[str, Callable[[], object]] = {f"product {precision} mm": lambda: a @ b}
    if onednn_linear_available():
        linear = torch.ops.mkldnn._linear_pointwise
        products[f"product {precision} onednn"] = lambda: linear(a, b, None, "none", [], "none")
    return products


def _row(
    shape: Shape, batch: int, count: int, precision: str, seconds: dict[str, np.ndarray]
) -> dict[str, Any]:
    ours, theirs = seconds[f"rnnkit {precision}"], seconds[f"torch {precision}"]
    product = min(
        np.median(times) for name, times in seconds.items() if name.startswith(f"product {precision}")
    )
    ceiling = 2 * shape.ceiling**3 / product
    floor = operations(shape, batch) / ceiling
    return {
        "batch": batch,
        "threads": count,
        "precision": precision,
        "rnnkit_ms": float(np.median(ours)) * 1e3,
        "torch_ms": float(np.median(theirs)) * 1e3,
        "ratio": ratio(theirs, ours),
        "floor_ms": float(floor) * 1e3,
        "ceiling_gflops": float(ceiling) / 1e9,
        "repeats": len(ours),
    }


def report(rows: list[dict[str, Any]]) -> str:
    """The rows as a table, with what the columns mean."""
    lines = [
        "One training step, medians in ms. torch: nn.RNN, nn.Linear and Adam (bf16: under autocast).",
        "ratio: torch / rnnkit within a round, median [quartiles]. floor: the step's matrix products at the",
        "speed of one large product in the same rounds.",
        f"{'batch':>5} {'threads':>7} {'precision':>9} {'rnnkit':>8} {'torch':>8}  {'ratio':<18} {'floor':>7} "
        f"{'GFLOP/s':>8}",
    ]
    for row in rows:
        r = row["ratio"]
        ratios = f"{r['median']:.2f} [{r['low']:.2f}, {r['high']:.2f}]"
        lines.append(
            f"{row['batch']:>5} {row['threads']:>7} {row['precision']:>9} {row['rnnkit_ms']:>8.2f} "
            f"{row['torch_ms']:>8.2f}  {ratios:<18} {row['floor_ms']:>7.2f} {row['ceiling_gflops']:>8.0f}"
        )
    return "\n".join(lines)
