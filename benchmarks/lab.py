"""Twenty seeds of the lab report's nets trained together, against one after another in torch.nn with the same batches.

Both sides start from the same parameters and meet the same batches in the same order. Ours makes each batch as it
trains; what torch.nn reads was made before the clock started.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.timing import race, ratio, threads
from rnnkit.datasets import addition, recall
from rnnkit.models.population import SequenceArchitecture, SequencePopulation, initial_sequences
from rnnkit.training.sequence_population import SEQUENCES_LEARNING_RATE, SequenceBatches, train_sequences

TARGET = 5.0
MODULES = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
RECALL = SequenceArchitecture("lstm", 10, 10, 10, bidirectional=True)
ADDITION = tuple(SequenceArchitecture(cell, 2, 5, 1, readout="each") for cell in ("rnn", "lstm", "gru"))


@dataclass(frozen=True)
class Work:
    """How much is timed; sizes of batches are the report's."""

    num_models: int = 20
    num_steps: int = 24
    recall_batch: int = 50
    addition_batch: int = 100


class TorchNet(nn.Module):
    """What one would write for one network without rnnkit."""

    def __init__(self, architecture: SequenceArchitecture, parts: Mapping[str, NDArray]) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.recurrent = MODULES[a.cell](
            a.input_size, a.hidden_size, batch_first=True, bidirectional=a.bidirectional
        )
        self.readout = nn.Linear(a.num_directions * a.hidden_size, a.output_size)
        self.load(parts)

    def by_name(self) -> dict[str, nn.Parameter]:
        """The parameters under the names that they have in a population."""
        recurrent = {name.replace("_l0", ""): p for name, p in self.recurrent.named_parameters()}
        return recurrent | {"weight_out": self.readout.weight, "bias_out": self.readout.bias}

    def load(self, parts: Mapping[str, NDArray]) -> None:
        """Become the network of these parameters."""
        with torch.no_grad():
            for name, parameter in self.by_name().items():
                parameter.copy_(torch.from_numpy(parts[name]))

    def forward(self, x: Tensor) -> Tensor:
        """What the linear layer puts out: x (batch, seq_len, input_size) -> (batch, output_size), or of each step."""
        output, h_n = self.recurrent(x)
        if self.architecture.readout == "each":
            return self.readout(output)
        if self.architecture.readout == "last":
            return self.readout(output[:, -1])
        h_n = h_n[0] if self.architecture.cell == "lstm" else h_n
        return self.readout(torch.cat(list(h_n), 1))


def torch_training(net: TorchNet, batches: list[tuple[Tensor, Tensor]], loss: str) -> list[float]:
    """The loss of each batch, before Adam's step on it."""
    optimizer, losses = torch.optim.Adam(net.parameters(), lr=SEQUENCES_LEARNING_RATE), []
    for x, y in batches:
        optimizer.zero_grad()
        if loss == "cross_entropy":
            value = nn.functional.cross_entropy(net(x), y)
        elif loss == "bce":
            value = nn.functional.binary_cross_entropy_with_logits(net(x).squeeze(-1), y)
        else:
            outputs = net(x).squeeze(-1)
            value = nn.functional.mse_loss(outputs.sigmoid() if loss == "mse-sigmoid" else outputs, y)
        value.backward()
        optimizer.step()
        losses.append(float(value.detach()))
    return losses


def recall_data(work: Work) -> SequenceBatches:
    """Batches of digits, of lengths that the networks have in common."""
    drawn = [
        recall.draw(work.num_steps, work.recall_batch, seed=seed, lengths_seed=0)
        for seed in range(work.num_models)
    ]
    return SequenceBatches(
        np.stack([one.digits for one in drawn]),
        np.stack([one.targets for one in drawn]),
        num_symbols=recall.NUM_DIGITS,
        lengths=drawn[0].lengths,
        common_order=0,
    )


def addition_data(work: Work) -> SequenceBatches:
    """Batches of pairs of numbers."""
    drawn = [addition.draw(work.num_steps, work.addition_batch, seed=seed) for seed in range(work.num_models)]
    x = np.stack([addition.inputs(*pairs).astype(np.uint8) for pairs in drawn])
    return SequenceBatches(x, np.stack([addition.targets(*pairs) for pairs in drawn]))


def torch_batches(data: SequenceBatches, loss: str) -> list[list[tuple[Tensor, Tensor]]]:
    """For each network, what it meets in the first epoch, in its order."""
    order = data.order(list(range(data.num_models)), 0)
    kind = torch.int64 if loss == "cross_entropy" else torch.float32
    steps = [data.take(batches, torch.device("cpu"), torch.float32) for batches in order.T]
    return [[(x[m].contiguous(), y[m].to(kind)) for x, y in steps] for m in range(data.num_models)]


def run(
    *, repeats: int = 7, num_threads: tuple[int, ...] = (1,), work: Work | None = None
) -> list[dict[str, Any]]:
    """Time all cases on one thread, whatever ``num_threads`` says: jobs run on one."""
    work = work or Work()
    with threads(1):
        rows = [_case("recall", RECALL, recall_data(work), "cross_entropy", repeats)]
        pairs = addition_data(work)
        return rows + [_case("addition", architecture, pairs, "bce", repeats) for architecture in ADDITION]


def _case(
    task: str, architecture: SequenceArchitecture, data: SequenceBatches, loss: str, repeats: int
) -> dict[str, Any]:
    seeds = list(range(data.num_models))
    parameters = initial_sequences(architecture, seeds)
    parts = [{name: value[m] for name, value in parameters.items()} for m in seeds]
    nets = [TorchNet(architecture, part) for part in parts]
    batches = torch_batches(data, loss)

    def ours() -> None:
        population = SequencePopulation(architecture, parameters)
        train_sequences(population, data, loss=loss, seeds=seeds, num_epochs=1)

    def theirs() -> None:
        for net, part, own in zip(nets, parts, batches, strict=True):
            net.load(part)
            torch_training(net, own, loss)

    seconds = race({"ours": ours, "torch": theirs}, repeats)
    return {
        "task": task,
        "cell": architecture.cell,
        "bidirectional": architecture.bidirectional,
        "hidden_size": architecture.hidden_size,
        "num_models": data.num_models,
        "rnnkit_ms": float(np.median(seconds["ours"])) / data.num_batches * 1e3,
        "torch_ms": float(np.median(seconds["torch"])) / data.num_batches * 1e3,
        "ratio": ratio(seconds["torch"], seconds["ours"]),
        "target": TARGET,
        "repeats": repeats,
    }


def report(rows: list[dict[str, Any]]) -> str:
    """The rows as a table, with what the columns mean."""
    lines = [
        f"One training step of {rows[0]['num_models']} networks, milliseconds on one core. torch: nn.RNN, nn.GRU or",
        "nn.LSTM, nn.Linear and Adam, network after network. ratio: torch / rnnkit within a round, median [quartiles].",
        f"{'task':>8} {'cell':>6} {'hidden':>6} {'rnnkit':>8} {'torch':>8}  {'ratio':<20} {'wanted':>6}",
    ]
    for row in rows:
        r, cell = row["ratio"], f"{'bi' if row['bidirectional'] else ''}{row['cell']}"
        ratios = f"{r['median']:.1f} [{r['low']:.1f}, {r['high']:.1f}]"
        lines.append(
            f"{row['task']:>8} {cell:>6} {row['hidden_size']:>6} {row['rnnkit_ms']:>8.2f} {row['torch_ms']:>8.2f}  "
            f"{ratios:<20} {row['target']:>6.0f}"
        )
    return "\n".join(lines)
