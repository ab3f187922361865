from itertools import product

import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.additions import totals
from rnnkit.probes.automaton import TransitionGraph, minimal, transition_graph
from tests.unit.probes.adders import level_adder, numbers, tanh_adder


def graph_of(follow, answer):
    """A graph that was seen ten times on every edge; -1 for edges never seen. Both are (3, K)."""
    follow, answer = np.array(follow), np.array(answer)
    number = follow.shape[1]
    counts = np.zeros((3, number, number), int)
    answers = np.zeros((3, number, 2), int)
    for s, i in np.argwhere(follow >= 0):
        counts[s, i, follow[s, i]] = 10
        answers[s, i, answer[s, i]] = 10
    return TransitionGraph(counts, answers, np.ones((number, 2), int), np.zeros((number, 1)))


def replies(follow, answer, start, word):
    """What a machine answers to a word of sums."""
    found, state = [], start
    for s in word:
        found.append(answer[s][state])
        state = follow[s][state]
    return found


# From start 0, one node for each total: nodes 1 to 4 are totals 0 to 3.
BY_TOTAL = [[1, 1, 1, 2, 2], [2, 2, 2, 3, 3], [3, 3, 3, 4, 4]]
RIGHT = [[0, 0, 0, 1, 1], [1, 1, 1, 0, 0], [0, 0, 0, 1, 1]]


def test_four_totals_and_a_start_are_the_adder_of_two_states():
    machine = minimal(graph_of(BY_TOTAL, RIGHT))
    assert machine.node_state.tolist() == [0, 0, 0, 1, 1]
    assert machine.next.tolist() == [[0, 0], [0, 1], [1, 1]]
    assert machine.output.tolist() == [[0, 1], [1, 0], [0, 1]]
    assert machine.adds


@pytest.mark.parametrize(
    ("change", "states"),
    [
        (("answer", 1, 4, 1), 3),  # total 3 answers wrongly to the next sum 1
        (("follow", 1, 3, 1), 3),  # a carry is lost at one bit set, from total 2
        (("follow", 2, 1, 1), 3),  # 1 + 1 sets no carry after total 0
    ],
)
def test_a_machine_with_one_fault_does_not_add(change, states):
    which, s, node, value = change
    follow, answer = np.array(BY_TOTAL), np.array(RIGHT)
    {"follow": follow, "answer": answer}[which][s, node] = value
    machine = minimal(graph_of(follow, answer))
    assert not machine.adds
    assert machine.num_states == states


def test_a_machine_of_one_state_and_one_with_the_carry_turned_round_do_not_add():
    always = minimal(graph_of([[0], [0], [0]], [[0], [1], [0]]))
    assert always.num_states == 1
    assert not always.adds
    assert not minimal(graph_of([[1, 1], [1, 0], [0, 0]], [[0, 1], [1, 0], [0, 1]])).adds


def test_an_edge_never_seen_is_not_guessed():
    follow = np.array(BY_TOTAL)
    follow[2, 4] = -1
    machine = minimal(graph_of(follow, RIGHT))
    assert not machine.adds
    assert (machine.next == -1).sum() == 1
    assert (machine.output == -1).sum() == 1


def test_nodes_that_are_never_reached_do_not_count():
    follow = np.column_stack([BY_TOTAL, [0, 5, 3]])
    answer = np.column_stack([RIGHT, [1, 1, 1]])
    machine = minimal(graph_of(follow, answer))
    assert machine.adds
    assert machine.node_state.tolist() == [0, 0, 0, 1, 1, -1]


@pytest.mark.parametrize("seed", range(30))
def test_the_least_machine_answers_alike_and_no_two_of_its_states_do(seed):
    generator = np.random.default_rng(seed)
    number = int(generator.integers(1, 6))
    follow, answer = generator.integers(number, size=(3, number)), generator.integers(2, size=(3, number))
    answer[:2] = answer[:2, :1]  # few answers differ, so that many nodes merge
    machine = minimal(graph_of(follow, answer))
    # Machines of at most 5 states that differ at all differ on some word of 5 sums.
    words = list(product(range(3), repeat=5))
    said = {}
    for word in words:
        assert replies(machine.next, machine.output, 0, word) == replies(follow, answer, 0, word)
        for state in range(machine.num_states):
            said.setdefault(state, []).append(replies(machine.next, machine.output, state, word))
    assert len({str(one) for one in said.values()}) == machine.num_states


def test_the_graph_of_the_tanh_adder_has_its_four_totals():
    adder, bits = tanh_adder(), numbers(100, 30)
    states, outputs = adder.run(bits)
    graph = transition_graph(states, bits, outputs, seed=0, num_clusters=4)
    assert graph.determinism == 1
    assert (graph.purity == 1).all()
    assert graph.counts.sum() == outputs.size
    sums = bits.sum(axis=2)
    np.testing.assert_array_equal(graph.counts.sum(axis=(1, 2)), np.bincount(sums.ravel()))
    # Each cluster is one total, and the start leads as total 0 does.
    sizes = graph.counts.sum(axis=(0, 1))[1:]
    assert sorted(sizes) == sorted(np.bincount(totals(bits).ravel()))
    assert minimal(graph).adds


def test_clusters_finer_than_the_totals_are_merged():
    # A unit that shows the first bit alone splits every total that either bit can make.
    adder, bits = tanh_adder(), numbers(200, 30)
    states, outputs = adder.run(bits)
    finer = np.concatenate([states, 3.0 * bits[:, :, :1]], axis=2)
    graph = transition_graph(finer, bits, outputs, seed=0, num_clusters=7)
    assert graph.determinism < 0.9
    machine = minimal(graph)
    assert machine.adds
    assert machine.agreement(graph) == 1


def test_agreement_counts_the_steps_that_stray():
    graph = graph_of(BY_TOTAL, RIGHT)
    graph.counts[1, 1, 3] = 2  # beside 10 that lead to node 2: a carry from nothing
    graph.answers[0, 0] = [7, 3]
    machine = minimal(graph)
    assert machine.adds
    assert machine.agreement(graph) == pytest.approx(min(150 / 152, 147 / 150))


def test_the_least_deterministic_graph_is_found():
    adder, bits = tanh_adder(), numbers(100, 30)
    states, outputs = adder.run(bits)
    graph = transition_graph(states, bits, outputs, seed=0)
    assert graph.determinism == 1
    assert minimal(graph).adds
    for fewer in range(1, len(graph.centres) - 1):
        assert transition_graph(states, bits, outputs, seed=0, num_clusters=fewer).determinism < 0.999


def test_a_carry_that_fades_in_five_steps_is_a_counter_of_seven_states():
    # Levels 1, 0.8, ..., 0.8 ** 5 stand for carry 1 and behave differently; all below are carry 0.
    adder, bits = level_adder(keep=0.8), numbers(100, 30)
    states, outputs = adder.run(bits)
    graph = transition_graph(states[:, :, :2], bits, outputs, seed=0)
    machine = minimal(graph)
    assert graph.determinism == 1
    assert machine.num_states == 7
    assert not machine.adds


def test_what_does_not_fit_is_refused():
    bits = numbers(10, 5)
    states, outputs = tanh_adder().run(bits)
    with pytest.raises(UserError, match="num_clusters"):
        transition_graph(states, bits, outputs, seed=0, num_clusters=100)
    with pytest.raises(UserError, match="outputs"):
        transition_graph(states, bits, outputs + 1, seed=0)
    with pytest.raises(UserError, match="initial"):
        transition_graph(states, bits, outputs, seed=0, initial=np.zeros(2))
