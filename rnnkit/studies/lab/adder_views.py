"""From the records of adders to what figures, players and tables take: study in, arrays out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnkit.errors import UserError
from rnnkit.studies.lab import views
from rnnkit.studies.lab.tasks_configs import CELLS, HIDDEN_SIZES, LOSSES, POSITION, READOUTS

if TYPE_CHECKING:
    from rnnkit.results import Record
    from rnnkit.studies.base import Study

Key = tuple[str, int, str]
_CELLS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
_LOSSES = {"bce": "BCE", "mse-sigmoid": "MSE, sigmoid", "mse-linear": "MSE, linear"}
_PAIRS = ("0 + 0", "0 + 1", "1 + 0", "1 + 1")
MOST_DRAWN = 8  # nets to pick from in a figure
NUM_PLAYED, NUM_FAILING = 8, 3  # nets of each kind in a player, and how many of them may not have learned


def records(study: Study) -> dict[Key, Record]:
    """The probed populations: (cell, hidden size, loss) -> record."""
    return views.populations(study, "adder")


def failures(study: Study) -> dict[Key, dict[str, int]]:
    """Nets by how they fail on long numbers."""
    return {
        key: {kind: int((record.arrays["kind"] == i).sum()) for i, kind in enumerate(record.metrics["kinds"])}
        for key, record in records(study).items()
    }


def taught(record: Record) -> np.ndarray:
    """Which nets of a population add numbers of the training length, (n_seeds,) bool."""
    learned: np.ndarray = record.arrays["kind"] != record.metrics["kinds"].index("untaught")
    return learned


def carry_states(study: Study, cell: str) -> dict[str, Any]:
    """What `rnnkit.figures.adder.carry_states` takes: two-unit nets of a cell, those that add if any do."""
    record, chosen = _most_taught(study, cell, 2)
    arrays = {name: values[chosen] for name, values in record.arrays.items() if name != "drawn_carry"}
    rest, stable = arrays["rest"].astype(np.float64), arrays["rest_stable"]
    return {
        "states": arrays["drawn_states"].astype(np.float64),
        "carry": record.arrays["drawn_carry"],
        "cell": cell,
        "fixed_points": {pair: (rest[:, k], stable[:, k]) for k, pair in enumerate(_PAIRS)},
        "boundary": (arrays["direction"], arrays["threshold"]),
        "seeds": _seeds(record, chosen),
    }


def carry_line(study: Study, cell: str, hidden_size: int) -> dict[str, Any]:
    """What `rnnkit.figures.carry_line.carry_line` takes: nets of more units on the direction of the carry."""
    record, chosen = _most_taught(study, cell, hidden_size)
    projection = record.arrays["projection"][chosen].astype(np.float64)
    return {
        "projection": projection,
        "carry": record.arrays["drawn_carry"],
        "steps": np.arange(1, projection.shape[2] + 1),
        "cell": cell,
        "threshold": record.arrays["threshold"][chosen],
        "seeds": _seeds(record, chosen),
    }


def machine(study: Study) -> dict[str, Any]:
    """What `rnnkit.figures.automaton.transitions` takes: the adder of the fewest clusters among nets of two units.

    Nets that are no adder, and then those of more units, are taken only where there is no other.
    """
    best: tuple[tuple[bool, bool, int], Record, int] | None = None
    for (_, size, _), record in records(study).items():
        for i in np.flatnonzero(record.arrays["num_clusters"] > 0).tolist():
            rank = (not record.arrays["adds"][i], size > 2, int(record.arrays["num_clusters"][i]))
            if best is None or rank < best[0]:
                best = rank, record, i
    if best is None:
        raise UserError("no net adds the numbers that it was trained on", value=study.seeds, hint="Add seeds")
    _, found, chosen = best
    counts, carry = found.arrays["transitions"][chosen], found.arrays["node_carry"][chosen]
    used = np.flatnonzero(counts.sum(axis=(0, 1)) + counts.sum(axis=(0, 2)))
    names, seen = [], [0, 0]
    for node in used:
        bit = int(carry[node].argmax())
        names.append(f"carry {bit}{chr(ord('a') + seen[bit])}" if node else "start")
        seen[bit] += bool(node)
    config = found.key.config["net"]
    return {
        "matrix": counts[:, used][:, :, used],
        "labels": names,
        "net": f"{_CELLS[config['cell']]}, {config['hidden_size']} units, {_LOSSES[config['loss']]}, "
        f"seed {config['seeds'][chosen]}",
    }


def _most_taught(study: Study, cell: str, hidden_size: int) -> tuple[Record, np.ndarray]:
    """Of the losses, the population most of whose nets add short numbers, and those nets, at most `MOST_DRAWN`."""
    found = [record for (c, size, _), record in records(study).items() if (c, size) == (cell, hidden_size)]
    best = max(found, key=lambda record: int(taught(record).sum()))
    chosen = np.flatnonzero(taught(best))
    return best, (chosen if len(chosen) else np.arange(len(taught(best))))[:MOST_DRAWN]


def _seeds(record: Record, chosen: np.ndarray) -> list[int]:
    return [record.key.config["net"]["seeds"][i] for i in chosen]


def probe_table(study: Study) -> dict[str, list[str]]:
    """How well a linear probe reads the carry, in nets that add short numbers, beside its controls."""
    rows: dict[str, list[str]] = {}
    for (cell, size, loss), record in records(study).items():
        learned, arrays = taught(record), record.arrays
        if not learned.any():
            continue
        row = {"net": f"{_CELLS[cell]} {size}, {_LOSSES[loss]}", "nets": str(int(learned.sum()))}
        short = slice(0, 5)
        for name, array, steps in (
            ("at 5 bits", "probe_accuracy", short),
            ("at bits 60 to 64", "probe_accuracy", slice(59, 64)),
            ("from the input alone", "from_input", short),
            ("before training", "untrained_accuracy", short),
            ("dealt-out carries", "shuffled_accuracy", short),
        ):
            row[name] = f"{100 * arrays[array][learned][:, steps].mean():.1f} %"
        for column, text in row.items():
            rows.setdefault(column, []).append(text)
    return rows


def machine_table(study: Study) -> dict[str, list[str]]:
    """How many nets that add short numbers are the two-state adder, have its resting states, and add 64 bits."""
    rows: dict[str, list[str]] = {}
    for (cell, size, loss), record in records(study).items():
        learned, arrays = taught(record), record.arrays
        if not learned.any():
            continue
        last = arrays["chain_wrong"][learned][..., -1]
        held = [f"{int((last[:, carry] == 0).sum())}" for carry in (0, 1)]
        row = {
            "net": f"{_CELLS[cell]} {size}, {_LOSSES[loss]}",
            "add 5 bits": str(int(learned.sum())),
            "become the two-state adder": str(int(arrays["adds"][learned].sum())),
            "rest with either carry": str(int(arrays["keeps"][learned].sum())),
            "add 64 random bits": str(int((arrays["random_wrong"][learned][:, -1] <= 0.01).sum())),
            "hold a 0 for 62 steps": held[0],
            "hold a 1 for 62 steps": held[1],
        }
        for column, text in row.items():
            rows.setdefault(column, []).append(text)
    return rows


def recall_player(study: Study) -> dict[str, Any]:
    """What the recall player takes: the first nets of every size and read-out."""
    trained = views.populations(study, "recall")
    nets = {
        f"{size} units, read out {readout}": (readout, _first(trained[size, readout].weights))
        for size in reversed(HIDDEN_SIZES)
        for readout in READOUTS
        if (size, readout) in trained
    }
    return {
        "nets": nets,
        "position": POSITION,
        "models": [f"seed {seed}" for seed in study.seeds[:NUM_PLAYED]],
        "examples": {
            "7 0 5 3 9 9 4 5": "70539945",
            "the shortest": "375",
            "twice as long as any": "12345678901234567890",
        },
        "alt": (
            "Bidirectional LSTMs read digits that the reader types and are asked for the second one: "
            "their belief in each of the ten digits as bars, after every step."
        ),
    }


def adder_player(study: Study) -> dict[str, Any]:
    """What the adder player takes: of every cell and size, the nets trained with the loss that teaches most.

    It opens with a net of two units that adds, whose states can be seen in a plane; some that do not follow.
    """
    trained, nets = views.populations(study, "addition"), {}
    chosen: np.ndarray | None = None
    for cell in reversed(CELLS):
        for size in HIDDEN_SIZES:
            probed = {loss: found for (c, s, loss), found in records(study).items() if (c, s) == (cell, size)}
            if not probed:
                continue
            loss = max(LOSSES, key=lambda one: int(taught(probed[one]).sum()) if one in probed else -1)
            if chosen is None:
                learned = np.flatnonzero(taught(probed[loss]))[: NUM_PLAYED - NUM_FAILING]
                others = np.flatnonzero(~taught(probed[loss]))
                chosen = np.concatenate([learned, others])[:NUM_PLAYED]
            arrays = probed[loss].arrays
            carry = (arrays["direction"][chosen], arrays["threshold"][chosen])
            label = f"{_CELLS[cell]}, {size} units, {_LOSSES[loss]}"
            found = {
                name: np.asarray(values[chosen]) for name, values in trained[cell, size, loss].weights.items()
            }
            nets[label] = (cell, loss, found, carry)
    return {
        "nets": nets,
        "models": [f"seed {study.seeds[i]}" for i in (chosen if chosen is not None else ())],
        "alt": (
            "Recurrent nets add two numbers that the reader types, from the right: the written sum with "
            "its carries, the net's bits, and the hidden state at every step with the carry that it holds."
        ),
    }


def _first(parameters: Any) -> dict[str, np.ndarray]:
    return {name: np.asarray(values[:NUM_PLAYED]) for name, values in parameters.items()}
