"""Ask trained adders how they add: where the carry is, where it rests, which machine they are, how they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rnnkit.datasets import addition
from rnnkit.models.population.sequences import initial_sequences
from rnnkit.models.recurrence import stepwise
from rnnkit.probes.adder import KINDS, failure
from rnnkit.probes.additions import PAIRS, Adder, carries
from rnnkit.probes.automaton import minimal, transition_graph
from rnnkit.probes.carry import CarryProbe, carry_probe
from rnnkit.probes.flipflop import RestingStates, flip_flop
from rnnkit.probes.lengths import length_or_chain
from rnnkit.results import Record
from rnnkit.studies.jobs import Job, Outcome
from rnnkit.studies.lab.tasks_configs import AdderConfig, AdditionConfig
from rnnkit.studies.progress import Steps
from rnnkit.training.sequence_population import decisions

_STEPS = {"rnn": stepwise.rnn_step, "lstm": stepwise.lstm_step, "gru": stepwise.gru_step}
NUM_DRAWN, STEPS_DRAWN = 40, 12  # numbers whose states are drawn, and steps of each
NUM_POINTS = 4  # resting states under each input that are kept
NUM_STARTS, SETTLE = 100, 1000  # states that are let come to rest, and for how many steps
MAX_CLUSTERS = 12  # of the machine
CHAINS = (1, 2, 4, 8, 16, 32, 62)


def compute_adders(
    job: Job, records: Sequence[Record], device: str, checkpoint: Path, progress: Steps
) -> Outcome:
    """Probe every net of a population."""
    config: AdderConfig = job.config
    population = config.population
    trained, untrained = records[0].weights, initial_sequences(population.architecture, population.seeds)
    progress.steps(len(population.seeds), f"adders of {job.key.label}")
    found = []
    for i, seed in enumerate(population.seeds):
        net, before = ({name: values[i] for name, values in one.items()} for one in (trained, untrained))
        found.append(_probed(population, net, before, config, seed))
        progress.advance()
    return Outcome(
        arrays={name: np.stack([one[name] for one in found]) for name in found[0]}
        | {"drawn_carry": carries(_drawn(population))},
        metrics={"kinds": list(KINDS), "chain_lengths": list(CHAINS)},
        data_checksums={},
    )


def make_adder(population: AdditionConfig, net: Mapping[str, np.ndarray]) -> Adder:
    """One net as callables in double precision; the state of an LSTM is h and c side by side."""
    weights = {name: torch.from_numpy(np.array(values, dtype=np.float64)) for name, values in net.items()}
    one_step, size = _STEPS[population.cell], population.hidden_size

    def step(states: NDArray[np.float64], bits: NDArray[np.uint8]) -> NDArray[np.float64]:
        before = torch.from_numpy(np.ascontiguousarray(states))
        x_t = torch.from_numpy(np.array(bits, dtype=np.float64))
        drive = torch.addmm(weights["bias_ih"], x_t, weights["weight_ih"].T)
        c = before[:, size:] if population.cell == "lstm" else None
        h, c = one_step(drive, before[:, :size], c, weights["weight_hh"], weights["bias_hh"])
        after: NDArray[np.float64] = (h if c is None else torch.cat([h, c], dim=1)).numpy()
        return after

    def read(states: NDArray[np.float64]) -> NDArray[np.int64]:
        h = torch.from_numpy(np.ascontiguousarray(states[:, :size]))
        outputs = torch.addmm(weights["bias_out"], h, weights["weight_out"].T)
        bits: NDArray[np.int64] = decisions(population.loss, outputs).numpy()
        return bits

    return Adder(step, read, np.zeros(size * (2 if population.cell == "lstm" else 1)))


def all_short(population: AdditionConfig) -> NDArray[np.uint8]:
    """Every pair of numbers of the training length, with the padded step: (4 ** length, length + 1, 2)."""
    length = population.length
    number = np.arange(4**length)
    bits = (number[:, None] >> np.arange(2 * length)) & 1
    padded = np.zeros((len(number), length + 1, 2), np.uint8)
    padded[:, :length, 0], padded[:, :length, 1] = bits[:, :length], bits[:, length:]
    return padded


def random_long(length: int, count: int, seed: int) -> NDArray[np.uint8]:
    """Pairs of random numbers with the padded step, (count, length + 1, 2)."""
    a, b = addition.draw(1, count, length=length, seed=seed)
    return addition.inputs(a[0], b[0]).astype(np.uint8)


def _drawn(population: AdditionConfig) -> NDArray[np.uint8]:
    return random_long(STEPS_DRAWN - 1, NUM_DRAWN, seed=0)


def _probed(
    population: AdditionConfig,
    net: Mapping[str, np.ndarray],
    untrained: Mapping[str, np.ndarray],
    config: AdderConfig,
    seed: int,
) -> dict[str, np.ndarray]:
    """What is found in one net, as arrays of the same shapes for every net."""
    generator = np.random.default_rng(seed)
    adder, size = make_adder(population, net), population.hidden_size
    short, long = all_short(population), random_long(population.longest, config.num_long, seed=1)

    def probe_of(one: Adder) -> CarryProbe:
        seen, tried = (one.run(bits)[0][:, :, :size] for bits in (short, long))
        return carry_probe(seen, short, tried, long, generator=generator)

    probe, before = probe_of(adder), probe_of(make_adder(population, untrained))

    def decode(states: NDArray[np.float64]) -> NDArray[np.uint8]:
        return probe.decode(states[:, :size])

    failed = failure(
        adder,
        short,
        long,
        generator=generator,
        decode=decode,
        lead_in_lengths=config.lead_in_lengths,
        num_lead_ins=config.num_lead_ins,
    )
    drawn = adder.run(_drawn(population))[0][:, :, :size]
    found = {
        "kind": np.array(KINDS.index(failed.kind), np.int8),
        "lost": np.array(failed.lost),
        "misread": np.array(failed.misread),
        "agreement": np.array(failed.agreement),
        "clock": failed.lead_ins.changed,
        "direction": probe.direction,
        "threshold": np.array(probe.threshold),
        "probe_accuracy": probe.accuracy,
        "held_accuracy": probe.held,
        "from_input": probe.from_input,
        "shuffled_accuracy": probe.shuffled,
        "untrained_accuracy": before.accuracy,
        "projection": (drawn @ probe.direction).astype(np.float16),
    }
    if size == 2:
        found["drawn_states"] = drawn.astype(np.float16)
    taught = failed.kind != "untaught"
    return (
        found
        | _of_lengths(adder, population, generator, taught)
        | _of_machine(adder, decode, short, size, seed, taught)
    )


def _of_lengths(
    adder: Adder, population: AdditionConfig, generator: np.random.Generator, taught: bool
) -> dict[str, np.ndarray]:
    """Wrong sums as length and chains grow; nan for a net that cannot add short numbers."""
    if not taught:
        nothing = np.full(population.longest, np.nan, np.float32)
        chains = np.full((2, len(CHAINS)), np.nan, np.float32)
        return {"random_wrong": nothing, "calm_wrong": nothing, "chain_wrong": chains}
    lengths = length_or_chain(
        adder, generator=generator, length=population.longest, chain_lengths=CHAINS, num=200
    )
    return {
        "random_wrong": lengths.random.astype(np.float32),
        "calm_wrong": lengths.calm.astype(np.float32),
        "chain_wrong": lengths.chains.astype(np.float32),
    }


def _of_machine(
    adder: Adder,
    decode: Callable[[NDArray[np.float64]], NDArray[Any]],
    short: NDArray[np.uint8],
    size: int,
    seed: int,
    taught: bool,
) -> dict[str, np.ndarray]:
    """Resting states and the machine that the net has become; of a net that cannot add there is none."""
    points = np.full((len(PAIRS), NUM_POINTS, size), np.nan, np.float32)
    stable = np.zeros(points.shape[:2], bool)
    clears = sets = keeps = adds = False
    clusters = states_needed = 0
    transitions = np.zeros((3, MAX_CLUSTERS + 1, MAX_CLUSTERS + 1), np.int32)
    node_carry = np.zeros((MAX_CLUSTERS + 1, 2), np.int32)
    if taught:
        states, outputs = adder.run(short)
        starts = np.unique(np.round(states.reshape(-1, states.shape[2]), 3), axis=0)
        starts = starts[np.random.default_rng(seed).permutation(len(starts))[:NUM_STARTS]]
        flop, rests = flip_flop(adder.step, decode, starts, settle=SETTLE)
        clears, sets, keeps = flop.clears, flop.sets, flop.keeps
        _fill(points, stable, rests)
        graph = transition_graph(states, short, outputs, seed=seed, max_clusters=MAX_CLUSTERS)
        nodes = len(graph.centres)
        transitions[:, :nodes, :nodes], node_carry[:nodes] = graph.counts, graph.carry
        machine = minimal(graph)
        clusters, states_needed, adds = nodes - 1, machine.num_states, machine.adds
    return {
        "clears": np.array(clears),
        "sets": np.array(sets),
        "keeps": np.array(keeps),
        "adds": np.array(adds),
        "num_clusters": np.array(clusters, np.int16),
        "num_states": np.array(states_needed, np.int16),
        "transitions": transitions,
        "node_carry": node_carry,
        "rest": points,
        "rest_stable": stable,
    }


def _fill(points: np.ndarray, stable: np.ndarray, rests: Sequence[RestingStates]) -> None:
    """Write fixed points under each input to points (4, NUM_POINTS, size), the stable ones first."""
    for k, rest in enumerate(rests):
        fixed = [i for i, orbit in enumerate(rest.orbits) if len(orbit) == 1]
        for place, i in enumerate(sorted(fixed, key=lambda i: not rest.stable[i])[:NUM_POINTS]):
            points[k, place], stable[k, place] = rest.orbits[i][0][: points.shape[2]], rest.stable[i]
