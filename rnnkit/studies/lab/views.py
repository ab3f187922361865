"""From the chapter's records to what its figures take: study in, arrays out. What is missing is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnkit import paths
from rnnkit.datasets import recall as recall_data
from rnnkit.errors import UserError
from rnnkit.results import load_claims, rules
from rnnkit.studies.lab import rows_configs, tasks_configs
from rnnkit.studies.lab.rows_configs import BEST, CELLS, DECAYED, GRID, HIDDEN_SIZES, LAYERS, SHOWN

if TYPE_CHECKING:
    from rnnkit.results import Record
    from rnnkit.studies.base import Study

Arrays = dict[str, np.ndarray]
_CELLS = {"rnn": "vanilla RNN", "gru": "GRU", "lstm": "LSTM", "bilstm": "bidirectional LSTM"}
NUM_RIGHT, NUM_WRONG = 6, 18  # images that are shown while they are read


def rows(study: Study, net: str) -> list[Record]:
    """Records of a net that reads rows, one per seed."""
    return study.records("rows", only=net)


def grid(study: Study) -> dict[str, np.ndarray]:
    """Test accuracy of the search: cell -> (layers, hidden sizes, n_seeds, num_epochs), nan where a net is missing.

    Seeds are those that every net of the search has: with a seed of its own, a net would be best among itself.
    """
    found = {name: [record.arrays["epoch_test_accuracy"] for record in rows(study, name)] for name in GRID}
    shape = (
        min((len(many) for many in found.values() if many), default=0),
        max((len(a) for many in found.values() for a in many), default=0),
    )
    values = {cell: np.full((len(LAYERS), len(HIDDEN_SIZES), *shape), np.nan) for cell in CELLS}
    for name, many in found.items():
        if many:
            cell, size = name.split("-")
            layers, hidden = (int(number) for number in size.split("x"))
            values[cell][LAYERS.index(layers), HIDDEN_SIZES.index(hidden)] = many[: shape[0]]
    return values


def iterations(study: Study) -> dict[str, Arrays]:
    """Curves within epochs of the report's best nets, without and with weight decay: net -> name -> array."""
    found = {}
    for net in SHOWN:
        if records := rows(study, net):
            arrays = {
                name: np.stack([record.arrays[name] for record in records]).astype(np.float64)
                for name in ("loss", "batch_accuracy", "test_loss", "test_accuracy")
            }
            arrays["iteration"] = np.arange(1, arrays["loss"].shape[1] + 1)
            arrays["test_iteration"] = records[0].arrays["iteration"]
            found[net] = arrays
    return found


def reading(study: Study) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Images, digits, and what the best nets believe of them row by row: wrong ones among them, if there are any.

    Returns
    -------
    images, labels : (n, S, S) uint8, (n,)
    belief : net -> (n, S, 10)
    """
    (record,) = study.records("images")
    images, labels = record.arrays["images"], record.arrays["labels"]
    belief = {
        net: records[0].arrays["belief"].astype(np.float64)
        for net in BEST.values()
        if (records := [r for r in rows(study, net) if "belief" in r.arrays])
    }
    if not belief:
        raise UserError(
            "no net's reading was kept: it is that of seed 0",
            value=study.seeds,
            hint="Let 0 be among the seeds",
        )
    kept = min(map(len, belief.values()))
    wrong = np.zeros(kept, bool)
    for probabilities in belief.values():
        wrong |= probabilities[:kept, -1].argmax(1) != labels[:kept]
    chosen = np.concatenate([np.flatnonzero(~wrong)[:NUM_RIGHT], np.flatnonzero(wrong)[:NUM_WRONG]])
    return images[chosen], labels[chosen], {net: found[chosen] for net, found in belief.items()}


def accuracy_by_row(study: Study) -> dict[str, np.ndarray]:
    """How many images are named rightly after each row: net -> (n_seeds, S)."""
    return {
        net: np.stack([record.arrays["accuracy_by_row"] for record in records])
        for net in BEST.values()
        if (records := rows(study, net))
    }


def populations(study: Study, kind: str) -> dict[tuple[Any, ...], Record]:
    """Records of ``recall`` by (hidden size, read-out), of ``addition`` or ``adder`` by (cell, hidden size, loss)."""
    names = ("hidden_size", "readout") if kind == "recall" else ("cell", "hidden_size", "loss")
    return {tuple(record.key.config["net"][name] for name in names): record for record in study.records(kind)}


def recall(study: Study, name: str) -> dict[tuple[int, str], np.ndarray]:
    """One array of every population that recalls: (hidden size, read-out) -> (n_seeds, ...)."""
    return {key: record.arrays[name] for key, record in populations(study, "recall").items()}


def addition(study: Study, name: str) -> dict[tuple[str, int, str], np.ndarray]:
    """One array of every population that adds: (cell, hidden size, loss) -> (n_seeds, ...)."""
    return {key: record.arrays[name] for key, record in populations(study, "addition").items()}


def paper_recall() -> dict[int, float]:
    """What the report says of recall: hidden size -> test accuracy, from the ledger of claims."""
    return {size: _quoted(f"lab-recall-{size}-accuracy") for size in tasks_configs.HIDDEN_SIZES}


def paper_addition() -> dict[tuple[int, str], float]:
    """What the report says of addition: (hidden size, ``bce`` or ``mse``) -> bit accuracy."""
    return {
        (size, loss): _quoted(f"lab-addition-{size}-{loss}")
        for size in tasks_configs.HIDDEN_SIZES
        for loss in ("bce", "mse")
    }


def paper_rows() -> dict[str, float]:
    """What the report says of rows: net -> test accuracy."""
    return {
        net: _quoted(f"lab-rows-{cell}{suffix}-accuracy")
        for cell, best in rows_configs.BEST.items()
        for suffix in ("", DECAYED)
        for net in (best + suffix,)
    }


def samples(study: Study, count: int = 12) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """The first test images, their digits, and what the report's best nets name them: net -> (count,)."""
    (record,) = study.records("images")
    named = {
        net: records[0].arrays["belief"][:count, -1].argmax(1)
        for net in BEST.values()
        if (records := [r for r in rows(study, net) if "belief" in r.arrays])
    }
    return record.arrays["images"][:count], record.arrays["labels"][:count], named


def recall_examples(count: int = 6) -> dict[str, list[str]]:
    """Sequences of the recall task with their lengths and targets, as columns of a table."""
    drawn = recall_data.draw(count, 1, position=tasks_configs.POSITION, seed=0)
    texts = [" ".join(map(str, drawn.sequences(i)[0])) for i in range(count)]
    return {
        "sequence": texts,
        "length": [str(length) for length in drawn.lengths],
        "second digit": [str(target) for target in drawn.targets[:, 0]],
    }


def adding_machine() -> dict[str, list[str]]:
    """The adder as a table: what it writes and carries on, for each carry and sum of the two bits."""
    steps = [(carry, bits) for carry in (0, 1) for bits in (0, 1, 2)]
    return {
        "carry in": [str(carry) for carry, _ in steps],
        "bits": [("0 + 0", "0 + 1 or 1 + 0", "1 + 1")[bits] for _, bits in steps],
        "writes": [str((carry + bits) % 2) for carry, bits in steps],
        "carry out": [str((carry + bits) // 2) for carry, bits in steps],
    }


def sizes(study: Study) -> dict[str, list[str]]:
    """Number of parameters of every kind of net, from the records, as columns of a table."""
    found: dict[tuple[str, str, str], int] = {}
    for record in [*study.records("rows"), *study.records("recall"), *study.records("addition")]:
        net, kind = record.key.config["net"], record.key.kind
        if net["name"].endswith(DECAYED):
            continue
        cell = {"recall": "bilstm"}.get(kind, net.get("cell", ""))
        layers = f"{net['num_layers']} x " if kind == "rows" else ""
        found[kind, _CELLS[cell], f"{layers}{net['hidden_size']}"] = record.metrics["num_parameters"]
    return {
        "task": [task for task, _, _ in found],
        "net": [net for _, net, _ in found],
        "hidden size": [size for _, _, size in found],
        "parameters": [f"{count:,}" for count in found.values()],
    }


def _quoted(identity: str) -> float:
    ledger = load_claims(paths.repository() / "book" / "lab" / "claims.yml", "lab")
    (claim,) = [one for one in ledger if one.id == identity]
    rule = claim.rule.rules[0] if isinstance(claim.rule, rules.All | rules.Any) else claim.rule
    if not isinstance(rule, rules.Close):
        raise UserError("this claim quotes no number", value=identity)
    return float(rule.value)
