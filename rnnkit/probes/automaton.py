"""The finite machine in an adder: states gathered into clusters, and what leads from one to the next.

Adding takes a machine of two states, carry 0 and carry 1. A net whose answer is read from the state after the
step needs more clusters, usually one for each total 0 to 3 of bits and carry; those that behave alike are one
state of the least machine (automata from recurrent nets: Omlin & Giles, 1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnkit.errors import UserError
from rnnkit.probes._checks import check_axes, check_bits, check_hidden_states, check_same_shape
from rnnkit.probes.additions import carries


@dataclass(frozen=True)
class TransitionGraph:
    """Transitions between clusters of states; node 0 is the state before the first step.

    Attributes
    ----------
    counts : ndarray (3, K, K)
        Entry [s, i, j]: steps from node i to node j whose two bits have the sum s.
    answers : ndarray (3, K, 2)
        Entry [s, i, y]: steps from node i with the sum s that the net answers with y.
    carry : ndarray (K, 2)
        How many states of each node come with carry 0 and carry 1.
    centres : ndarray (K, H)
        Mean state of each node.
    """

    counts: NDArray[np.int64]
    answers: NDArray[np.int64]
    carry: NDArray[np.int64]
    centres: NDArray[np.float64]

    @property
    def next(self) -> NDArray[np.int64]:
        """The commonest next node for each sum and node, shape (3, K); -1 where it was never seen."""
        return _commonest(self.counts)

    @property
    def output(self) -> NDArray[np.int64]:
        """The commonest answer for each sum and node, shape (3, K); -1 where it was never seen."""
        return _commonest(self.answers)

    @property
    def determinism(self) -> float:
        """Share of the steps that lead to the commonest next node, and that give the commonest answer; the lesser.

        Low where clusters are finer than what the net goes on with; then see `Machine.agreement`.
        """
        return min(float(c.max(axis=2).sum() / c.sum()) for c in (self.counts, self.answers))

    @property
    def purity(self) -> NDArray[np.float64]:
        """Share of the commoner carry in each node, shape (K,)."""
        return np.asarray(self.carry.max(axis=1) / self.carry.sum(axis=1))


@dataclass(frozen=True)
class Machine:
    """The least machine with the same answers; state 0 is the start.

    Attributes
    ----------
    node_state : ndarray (K,)
        State of each node of the graph; -1 for nodes that behave like none that the start reaches.
    next : ndarray (3, B)
        Next state for each sum and state; -1 where the graph does not say.
    output : ndarray (3, B)
        Answer for each sum and state; -1 where the graph does not say.
    """

    node_state: NDArray[np.int64]
    next: NDArray[np.int64]
    output: NDArray[np.int64]

    @property
    def num_states(self) -> int:
        """B."""
        return self.next.shape[1]

    @property
    def adds(self) -> bool:
        """Whether it is the adder: state 0 is carry 0, state 1 is carry 1, all answers right."""
        same = self.num_states == 2 and (self.output == [[0, 1], [1, 0], [0, 1]]).all()
        return bool(same and (self.next == [[0, 0], [0, 1], [1, 1]]).all())

    def agreement(self, graph: TransitionGraph) -> float:
        """Return the share of the graph's steps that lead where the machine does, and that answer so; the lesser."""
        here = self.node_state
        known = np.flatnonzero(here >= 0)
        leads = self.next[:, here[known], None] == here
        says = self.output[:, here[known], None] == np.arange(2)
        followed = graph.counts[:, known][leads].sum() / graph.counts.sum()
        return float(min(followed, graph.answers[:, known][says].sum() / graph.answers.sum()))


def transition_graph(
    states: NDArray[Any],
    bits: NDArray[Any],
    outputs: NDArray[Any],
    *,
    seed: int,
    initial: NDArray[Any] | None = None,
    num_clusters: int | None = None,
    max_clusters: int = 12,
    deterministic: float = 0.999,
) -> TransitionGraph:
    """Gather states into clusters by k-means and count what leads from one to the next.

    Parameters
    ----------
    states : ndarray (n, T, H)
        After each step; for an LSTM h and c side by side, as h alone does not fix what comes next.
    bits : ndarray (n, T, 2)
    outputs : ndarray (n, T)
        The net's answers, 0 or 1.
    seed : int
        Starts k-means.
    initial : ndarray (H,), optional
        The state before the first step; zeros unless told.
    num_clusters : int, optional
        Unless told, the least number whose graph follows its own `minimal` machine.
    max_clusters : int
        Most that are tried; if none does, the graph that follows it best is returned.
    deterministic : float
        Least `Machine.agreement` to stop at.

    Returns
    -------
    TransitionGraph

    Raises
    ------
    UserError
        If the shapes do not fit each other, or there are fewer states than clusters.
    """
    states = check_hidden_states(states, "states").astype(np.float64)
    bits = check_bits(bits, "bits", states.shape[:2])
    outputs = check_axes(outputs, "outputs", ("n", "T"))
    check_same_shape(bits[:, :, 0], outputs, "bits at each step and outputs")
    start = np.zeros(states.shape[2]) if initial is None else check_axes(initial, "initial", ("H",))
    if not ((outputs == 0) | (outputs == 1)).all() or start.shape != states.shape[2:]:
        raise UserError(
            "outputs or initial do not fit",
            value=(np.unique(outputs)[:5].tolist(), start.shape),
            allowed=f"outputs of 0 and 1, initial of shape ({states.shape[2]},)",
        )
    flat = states.reshape(-1, states.shape[2])
    # Rounding merges what a saturated net repeats exactly, so that no cluster is left empty.
    distinct = len(np.unique(np.round(flat, 6), axis=0))
    wanted = range(1, min(max_clusters, distinct) + 1) if num_clusters is None else (num_clusters,)
    if not len(wanted) or not 1 <= wanted[-1] <= distinct:
        raise UserError("num_clusters is out of range", value=num_clusters, allowed=f"1 to {distinct}")
    best: tuple[float, TransitionGraph] | None = None
    for number in wanted:
        nodes = 1 + _clusters(flat, number, seed).reshape(outputs.shape)
        graph = _count(states, nodes, bits, outputs.astype(np.int64), start)
        agreement = minimal(graph).agreement(graph)
        if best is None or agreement > best[0]:
            best = agreement, graph
        if agreement >= deterministic:
            break
    assert best is not None
    return best[1]


def minimal(graph: TransitionGraph) -> Machine:
    """Merge the nodes that no further input tells apart (Moore's partition refinement, on a Mealy machine).

    Parameters
    ----------
    graph : TransitionGraph
        Taken as deterministic: its commonest transitions and answers count.

    Returns
    -------
    Machine
        Its states are numbered in the order in which the start reaches them, sums 0, 1, 2 in turn.
    """
    follow, answer = graph.next, graph.output
    blocks = _name_rows(answer.T)
    while True:
        after = np.where(follow >= 0, blocks[follow], -1)
        finer = _name_rows(np.column_stack([blocks, after.T]))
        if finer.max() == blocks.max():
            break
        blocks = finer
    order, member = [int(blocks[0])], [0]
    for node in member:
        for nxt in follow[:, node]:
            if nxt >= 0 and blocks[nxt] not in order:
                order.append(int(blocks[nxt]))
                member.append(int(nxt))
    names = np.full(blocks.max() + 2, -1)
    names[order] = np.arange(len(order))
    leads = follow[:, member]
    return Machine(
        node_state=names[blocks],
        next=np.where(leads >= 0, names[blocks[leads]], -1),
        output=answer[:, member],
    )


def _clusters(flat: NDArray[np.float64], number: int, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans

    return KMeans(number, n_init=5, random_state=seed).fit_predict(flat).astype(np.int64)


def _count(
    states: NDArray[np.float64],
    nodes: NDArray[np.int64],
    bits: NDArray[np.uint8],
    outputs: NDArray[np.int64],
    start: NDArray[Any],
) -> TransitionGraph:
    number = int(nodes.max()) + 1
    before = np.concatenate([np.zeros_like(nodes[:, :1]), nodes[:, :-1]], axis=1)
    sums = bits.sum(axis=2).astype(np.int64)
    counts = np.zeros((3, number, number), dtype=np.int64)
    answers = np.zeros((3, number, 2), dtype=np.int64)
    carry = np.zeros((number, 2), dtype=np.int64)
    np.add.at(counts, (sums, before, nodes), 1)
    np.add.at(answers, (sums, before, outputs), 1)
    np.add.at(carry, (nodes, carries(bits).astype(np.int64)), 1)
    carry[0, 0] = len(nodes)
    centres = np.stack(
        [np.asarray(start, np.float64), *(states[nodes == k].mean(axis=0) for k in range(1, number))]
    )
    return TransitionGraph(counts, answers, carry, centres)


def _commonest(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(counts.sum(axis=-1) > 0, counts.argmax(axis=-1), -1)


def _name_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the distinct rows: equal rows, equal numbers."""
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
