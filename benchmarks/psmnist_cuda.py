"""Seconds per epoch of the psMNIST study's six models on a CUDA device, in CUDA graphs, at the size of the paper.

First the unrolled recurrence is checked against the stepwise one on that device, in float64, and graphed steps against
plain ones, also with a smaller last batch; where either fails there are no timings. An epoch is extrapolated from some
steps: 50,000 sequences in batches of 1000 for training, 20,000 in batches of 2000 for validation and test. cuDNN
(torch.nn, which has no recurrent dropout) runs beside the models without a memory.

No number here was ever measured where there is no CUDA device: then it says so and measures nothing. It needs torch,
numpy, tqdm and safetensors alone; where Triton is installed the pointwise work of a step is compiled with it.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.psmnist import TORCH, TorchClassifier, operations, recurrence_form
from benchmarks.psmnist import Work as OneStep
from rnnkit.models import ARCHITECTURES, SequenceClassifier, make_classifier
from rnnkit.models.recurrence import NUM_GATES, recur
from rnnkit.training import KerasSchedule
from rnnkit.training.graphed import Capture, GraphedEvaluation, GraphedStep

NO_DEVICE = "psmnist_cuda: there is no CUDA device here, so nothing was measured."
CEILING = 8192
LIMITS = {"float64": 1e-9, "bf16": 5e-2, "graphed": 1e-3}


@dataclass(frozen=True)
class Work:
    """How much is timed; by default what the paper trains."""

    models: tuple[str, ...] = tuple(ARCHITECTURES)
    precisions: tuple[str, ...] = ("bf16", "tf32")
    batch: int = 1000
    eval_batch: int = 2000
    seq_len: int = 784
    hidden_size: int = 256
    memory_size: int = 256
    num_train: int = 50_000
    num_eval: int = 20_000
    num_steps: int = 20
    check_batch: int = 48
    check_seq_len: int = 64
    ceiling: int = CEILING


def make_model(name: str, work: Work, device: torch.device, precision: str = "fp32") -> SequenceClassifier:
    """One of the six with the paper's dropout."""
    sizes = {"hidden_size": work.hidden_size} | (
        {"memory_size": work.memory_size} if name.startswith("lmu-") else {}
    )
    return make_classifier(
        name,
        generator=torch.Generator().manual_seed(0),
        dropout_generator=torch.Generator().manual_seed(2),
        precision="bf16" if precision == "bf16" else "fp32",
        **sizes,
    ).to(device)


def data(count: int, seq_len: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Random pixels and labels."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(count, seq_len, 1, generator=generator)
    return x.to(device), torch.randint(0, 10, (count,), generator=generator).to(device)


def check_forms(cell: str, work: Work, device: torch.device, precision: str) -> float:
    """Greatest difference of states and gradients between unrolled and stepwise, over the greatest value of each.

    The stepwise form runs in float64, and so does the unrolled one where the precision says float64.
    """
    dtype = torch.float64 if precision == "float64" else torch.float32
    generator = torch.Generator().manual_seed(3)
    width, hidden = NUM_GATES[cell] * work.hidden_size, work.hidden_size
    drive = torch.randn(work.check_seq_len, work.check_batch, width, generator=generator)
    weight = torch.randn(width, hidden, generator=generator) * hidden**-0.5
    bias = torch.randn(width, generator=generator) * 0.2
    of_steps = (work.check_seq_len, NUM_GATES[cell], work.check_batch, hidden)
    masks = (torch.rand(*of_steps, generator=generator) < 0.5) * 2.0

    def found(form: str, dtype: torch.dtype, rounding: str) -> list[Tensor]:
        leaves = [given.to(device, dtype).requires_grad_() for given in (drive, weight, bias)]
        h_n, _, states = recur(
            cell, *leaves, masks=masks.to(device, dtype), precision=rounding, states=True, form=form
        )
        assert states is not None
        gradients = torch.autograd.grad(h_n.square().sum() + states.square().mean(), leaves)
        return [one.detach().double() for one in (h_n, states, *gradients)]

    ours = found("unrolled", dtype, "bf16" if precision == "bf16" else "fp32")
    exact = found("stepwise", torch.float64, "fp32")
    pairs = zip(ours, exact, strict=True)
    return max(float((one - other).abs().max() / other.abs().max()) for one, other in pairs)


def check_graphed(name: str, work: Work, device: torch.device, capture: Capture | None = None) -> float:
    """Greatest difference of parameters between graphed steps and plain, stepwise ones, over the steps' own length."""
    schedule = KerasSchedule(1e-3, batch_size=work.check_batch, num_epochs=1)
    x, y = data(work.check_batch, work.check_seq_len, device)
    parts = [(x, y), (x.flip(0), y.flip(0)), (x[: len(x) // 2], y[: len(x) // 2]), (x, y)]
    plain, graphed = (make_model(name, work, device) for _ in range(2))
    start = [parameter.detach().clone() for parameter in plain.parameters()]
    optimizer = torch.optim.Adam(plain.parameters(), lr=1e-3)
    with recurrence_form("stepwise"):
        for count, (some, labels) in enumerate(parts, start=1):
            optimizer.zero_grad()
            nn.functional.cross_entropy(plain(some), labels).backward()
            optimizer.param_groups[0]["eps"] = schedule.epsilon_at(count)
            optimizer.step()
    step = GraphedStep(graphed, torch.optim.Adam(graphed.parameters(), lr=1e-3), schedule, capture=capture)
    for some, labels in parts:
        step.step(some, labels)
    step.totals()
    moved = [wanted.detach() - before for wanted, before in zip(plain.parameters(), start, strict=True)]
    pairs = zip(plain.parameters(), graphed.parameters(), strict=True)
    apart = torch.cat([(one - other).detach().flatten() for one, other in pairs])
    return float(apart.norm() / torch.cat([one.flatten() for one in moved]).norm())


def seconds_of(call: Callable[[], object], count: int, device: torch.device) -> float:
    """Mean time of a call among so many that follow each other; the first one, which captures, comes before."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    call()
    wait()
    start = time.perf_counter()
    for _ in range(count):
        call()
    wait()
    return (time.perf_counter() - start) / count


def run(
    *, repeats: int | None = None, num_threads: tuple[int, ...] = (), work: Work | None = None
) -> list[dict[str, Any]]:
    """Check and time all models; no rows where there is no CUDA device. ``repeats``: steps that are timed."""
    if not torch.cuda.is_available():
        return []
    return run_on(torch.device("cuda"), work or Work(), repeats)


def run_on(device: torch.device, work: Work, repeats: int | None = None) -> list[dict[str, Any]]:
    """As `run`, on any device: a test's way to see that all of it but the device is right."""
    ceilings = {precision: _ceiling(precision, work, device) for precision in work.precisions}
    about = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    rows = []
    for name in work.models:
        checks = checked(name, work, device)
        for precision in work.precisions:
            row = _case(name, precision, work, repeats or work.num_steps, device)
            row |= {"checks": checks, "device": about, "ceiling_tflops": ceilings[precision] / 1e12}
            rows.append(row)
            print(_line(row), file=sys.stderr, flush=True)  # a device may be lent for minutes
    return rows


def checked(name: str, work: Work, device: torch.device, capture: Capture | None = None) -> dict[str, float]:
    """Differences between forms, in float32 products that are not TF32.

    Raises
    ------
    RuntimeError
        One that is greater than rounding makes it.
    """
    with _float32("highest"):
        cell = ARCHITECTURES[name].cell
        found = {precision: check_forms(cell, work, device, precision) for precision in ("float64", "bf16")}
        found["graphed"] = check_graphed(name, work, device, capture)
    for what, limit in LIMITS.items():
        if not found[what] <= limit:
            raise RuntimeError(f"{name}: {what} differs by {found[what]:.1e}, more than {limit:.0e}")
    return found


def _case(name: str, precision: str, work: Work, steps: int, device: torch.device) -> dict[str, Any]:
    x, y = data(max(work.batch, work.eval_batch), work.seq_len, device)
    with _float32("high" if precision == "tf32" else "highest"):
        found = _graphed_times(name, precision, work, x, y, steps)
        rival = _cudnn(name, precision, work, x[: work.batch], y[: work.batch], steps)
    num_steps, num_evals = -(-work.num_train // work.batch), -(-work.num_eval // work.eval_batch)
    train_s, eval_s = found["step_s"] * num_steps, found.pop("eval_step_s") * num_evals
    return (
        asdict(work)
        | found
        | {
            "model": name,
            "precision": precision,
            "train_s": train_s,
            "eval_s": eval_s,
            "epoch_s": train_s + eval_s,
            "cudnn_train_s": None if rival is None else rival * num_steps,
            "tflops": operations(name, one_step_work(work)) / found["step_s"] / 1e12,
        }
    )


def _graphed_times(name: str, precision: str, work: Work, x: Tensor, y: Tensor, steps: int) -> dict[str, Any]:
    on_cuda = x.device.type == "cuda"
    if on_cuda:
        gc.collect()  # graphs of the case before
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    model = make_model(name, work, x.device, precision)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    step = GraphedStep(model, adam, KerasSchedule(1e-3, batch_size=work.batch, num_epochs=1))
    evaluation = GraphedEvaluation(model)
    some, labels = x[: work.batch], y[: work.batch]
    step_s = seconds_of(lambda: step.step(some, labels), steps, x.device)
    loss = step.totals()[0]
    peak = torch.cuda.max_memory_reserved() if on_cuda else 0
    some, labels = x[: work.eval_batch], y[: work.eval_batch]
    eval_s = seconds_of(lambda: evaluation.step(some, labels), max(1, steps // 4), x.device)
    return {
        "step_s": step_s,
        "eval_step_s": eval_s,
        "peak_bytes": peak,
        "loss_is_finite": math.isfinite(loss),
    }


def one_step_work(work: Work) -> OneStep:
    """The sizes as the benchmark of one step has them, to count operations."""
    return OneStep(
        batch=work.batch,
        seq_len=work.seq_len,
        hidden_size=work.hidden_size,
        memory_size=work.memory_size,
    )


def _cudnn(name: str, precision: str, work: Work, x: Tensor, y: Tensor, steps: int) -> float | None:
    """Seconds of a step with torch.nn's layer, without recurrent dropout; None for a model with a memory."""
    if name not in TORCH:
        return None
    net = TorchClassifier(name, work.hidden_size).to(x.device)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bf16"):
            logits = net(x)
        nn.functional.cross_entropy(logits.float(), y).backward()
        optimizer.step()

    return seconds_of(step, steps, x.device)


def _ceiling(precision: str, work: Work, device: torch.device) -> float:
    """FLOP/s of one large product."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.randn(work.ceiling, work.ceiling, device=device).to(dtype) for _ in range(2))
    with _float32("high" if precision == "tf32" else "highest"):
        return 2 * work.ceiling**3 / seconds_of(lambda: a @ b, 10, device)


@contextmanager
def _float32(precision: str) -> Iterator[None]:
    """How exact products in float32 are: "high" is TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def report(rows: list[dict[str, Any]]) -> str:
    """The rows as a table, with what the columns mean."""
    if not rows:
        return NO_DEVICE
    first = rows[0]
    lines = [
        f"{first['device']}, batch {first['batch']}, {first['seq_len']} steps, hidden size {first['hidden_size']}, "
        "dropout as in the paper, "
        + (
            "plain steps: of a GPU this says nothing."
            if first["device"] == "cpu"
            else "steps as CUDA graphs."
        ),
        "epoch: training and evaluation, extrapolated. cuDNN: training alone, without recurrent dropout.",
        "TFLOP/s: of the cell's products, beside one large product's. checks: greatest differences, relative, of the",
        "unrolled form in float64 and in bf16 from the stepwise one in float64, and of graphed steps from plain ones.",
        f"{'model':<9} {'prec':<5} {'step ms':>8} {'train s':>8} {'eval s':>7} {'epoch s':>8} {'cuDNN s':>8} "
        f"{'GiB':>6} {'TFLOP/s':>8} {'ceiling':>8}  checks",
    ]
    return "\n".join([*lines, *map(_line, rows)])


def _line(row: dict[str, Any]) -> str:
    cudnn = "" if row["cudnn_train_s"] is None else f"{row['cudnn_train_s']:.2f}"
    checks = " ".join(f"{value:.0e}" for value in row["checks"].values())
    return (
        f"{row['model']:<9} {row['precision']:<5} {row['step_s'] * 1e3:>8.2f} {row['train_s']:>8.2f} "
        f"{row['eval_s']:>7.2f} {row['epoch_s']:>8.2f} {cudnn:>8} {row['peak_bytes'] / 2**30:>6.1f} "
        f"{row['tflops']:>8.1f} {row['ceiling_tflops']:>8.0f}  {checks}"
        + ("" if row["loss_is_finite"] else "  THE LOSS IS NOT FINITE")
    )
