from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.adder import carry_states
from rnnkit.figures.automaton import IDEAL, transitions
from rnnkit.figures.carry_line import carry_line
from tests.unit.figures.cells import assert_complete, by_name
from tests.unit.figures.lab import rng, sums
from tests.unit.figures.psmnist import bound, named

BITS, CARRY = sums()
SEEDS = 3
STATES = np.stack([(2 * CARRY - 1) * sign + 0.1 * rng().normal(size=CARRY.shape) for sign in (1, -1, 0.5)])
STATES = np.stack([STATES, rng(1).normal(size=STATES.shape)], axis=-1)
POINTS = {
    "0 + 0": (np.full((SEEDS, 1, 2), -1.0), np.ones((SEEDS, 1), dtype=bool)),
    "0 + 1": (np.arange(SEEDS * 6.0).reshape(SEEDS, 3, 2), np.array([[1, 0, 1]] * SEEDS, dtype=bool)),
}
PROBE = (np.array([[1.0, 0], [-1, 0], [3, 4]]), np.array([0.0, 0, 5]))


def test_states_of_the_picked_seed_and_step_are_marked_by_their_carry():
    figure = carry_states(STATES, CARRY, cell="rnn", fixed_points=POINTS, boundary=PROBE)
    assert_complete(figure)
    by, state = by_name(figure), {"seed": 1, "step": 3}
    np.testing.assert_array_equal(by["states", "x"].at(state), STATES[1, :, 3, 0])
    np.testing.assert_array_equal(by["states", "y"].at(state), STATES[1, :, 3, 1])
    np.testing.assert_array_equal(by["states", "marker.color"].at(state), CARRY[:, 3])
    symbols = by["states", "marker.symbol"].at(state)
    assert (symbols == np.where(CARRY[:, 3], "diamond", "circle")).all(), (
        "the carry is not told by colour alone"
    )


def test_fixed_points_say_their_input_and_whether_they_are_stable():
    figure = carry_states(STATES, CARRY, cell="rnn", fixed_points=POINTS)
    by = by_name(figure)
    assert list(named(figure, "fixed points").text) == ["0 + 0", "0 + 1", "0 + 1", "0 + 1"]
    shown = by["fixed points", "marker.symbol"].at({"seed": 2}).tolist()
    assert shown == ["square", "square", "square-open", "square"]
    np.testing.assert_array_equal(by["fixed points", "x"].at({"seed": 1}), [-1, 6, 8, 10])
    assert "With 0 + 1 held, stable fixed points by seed: 2, 2, 2." in figure.alt


def test_a_fixed_point_that_is_not_there_is_not_counted():
    points = POINTS["0 + 1"][0].copy()
    points[0, 2] = np.nan
    figure = carry_states(STATES, CARRY, cell="rnn", fixed_points={"0 + 1": (points, POINTS["0 + 1"][1])})
    assert "stable fixed points by seed: 1, 2, 2." in figure.alt


def test_the_line_of_the_probe_is_where_it_is_undecided_and_the_share_is_that_on_the_right_side():
    figure = carry_states(STATES, CARRY, cell="gru", boundary=PROBE)
    by = by_name(figure)
    for seed in range(SEEDS):
        ends = np.stack([by["boundary of the probe", axis].at({"seed": seed}) for axis in "xy"], axis=1)
        np.testing.assert_allclose(ends @ PROBE[0][seed], PROBE[1][seed], atol=1e-9)
        assert np.linalg.norm(ends[1] - ends[0]) > np.ptp(STATES[..., 1])
    right = [(STATES[s] @ PROBE[0][s] > PROBE[1][s]) == CARRY for s in range(SEEDS)]
    assert figure.table["on the right side, worst seed"][4] == round(min(r[:, 4].mean() for r in right), 4)
    assert right[0].all()
    assert right[1].all()


def test_the_axes_hold_every_state_and_fixed_point():
    figure = carry_states(STATES, CARRY, cell="rnn", fixed_points=POINTS)
    low, high = figure.figure.layout.xaxis.range
    assert low < STATES[..., 0].min()
    assert high > POINTS["0 + 1"][0].max() - 1


def test_seeds_may_have_sums_of_their_own():
    own = np.stack([sums(seed=seed)[1] for seed in range(SEEDS)])
    figure = carry_states(STATES, own, cell="lstm")
    shown = by_name(figure)["states", "marker.color"].at({"seed": 2, "step": 1})
    np.testing.assert_array_equal(shown, own[2, :, 1])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"states": STATES[..., :1]}, r"states: an array of \(seeds, n, T, 2\) is needed"),
        ({"carry": CARRY[:, :3]}, r"carry: an array of \(60, 6\) is needed, not one of \(60, 3\)"),
        ({"carry": 2 * CARRY}, r"carry: 0 and 1 are needed, not \[0, 2\]"),
        ({"cell": "elman"}, "no colour for cell 'elman'"),
        ({"boundary": (PROBE[0][:2], PROBE[1])}, r"direction: an array of \(3, 2\) is needed"),
        (
            {"fixed_points": {"0 + 0": (np.ones((2, 1, 2)), np.ones((2, 1)))}},
            r"fixed points of 0 \+ 0: an array",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change, match):
    arrays = {"states": STATES, "carry": CARRY, "cell": "rnn"} | change
    with pytest.raises(ValueError, match=match):
        carry_states(**arrays)


def test_nets_are_called_by_their_seeds():
    seeds = [3, 7, 19]
    assert carry_states(STATES, CARRY, cell="rnn", seeds=seeds).controls["seed"].values == ("3", "7", "19")
    figure = carry_line(STATES[..., 0], CARRY, np.arange(1, 7), cell="gru", seeds=seeds)
    assert figure.controls["seed"].values == ("3", "7", "19")
    assert "seed 19: -" in figure.alt
    with pytest.raises(ValueError, match="seeds: 3 are needed, not 2"):
        carry_states(STATES, CARRY, cell="rnn", seeds=[3, 7])


@pytest.mark.parametrize("count", [1, SEEDS])
def test_projections_stand_beside_their_step(count):
    steps, projection = np.arange(1, 7), STATES[:count, ..., 0]
    figure = carry_line(projection, CARRY, steps, cell="gru", threshold=np.arange(count))
    assert_complete(figure)
    by, last = by_name(figure), {"seed": count - 1}
    np.testing.assert_array_equal(by["states", "y"].at(last), projection[-1].ravel())
    np.testing.assert_array_equal(named(figure, "states").marker.color, CARRY.ravel())
    assert (np.abs(np.reshape(named(figure, "states").x, CARRY.shape) - steps) < 0.5).all()
    assert by["threshold of the probe", "y"].at(last).tolist() == [count - 1, count - 1]
    low, high = bound(figure, None, "yaxis.range").at(last)
    assert low < projection[-1].min() < projection[-1].max() < high


def test_after_the_last_step_there_is_no_carry():
    figure = carry_line(STATES[..., 0], CARRY, np.arange(1, 7), cell="gru")
    assert figure.table["mean over seeds, carry 1"][-1] is None
    mean = STATES[0, ..., 0][:, :5]
    expected = np.mean([mean[:, t][CARRY[:, t] == 1].mean() for t in range(5)])
    assert f"{expected:.2f} with a carry" in figure.alt
    with pytest.raises(ValueError, match=r"steps: an array of \(6,\) is needed"):
        carry_line(STATES[..., 0], CARRY, np.arange(5), cell="gru")


def test_edges_lead_from_cluster_to_cluster_and_the_counts_stand_on_them():
    matrix = np.zeros((3, 3, 3), dtype=int)
    matrix[0, 0, 1], matrix[1, 1, 2], matrix[2, 2, 2] = 10, 20, 30
    figure = transitions(matrix, ["a", "b", "c"])
    assert_complete(figure)
    nodes = np.stack([named(figure, "states").x, named(figure, "states").y], axis=1)
    edges = [t for t in figure.figure.data if t.name == "sum 0" and t.xaxis == "x"]
    points = np.stack([edges[0].x, edges[0].y], axis=1)[:-1]
    assert np.argmin(np.linalg.norm(nodes - points[0], axis=1)) == 0
    assert np.argmin(np.linalg.norm(nodes - points[-1], axis=1)) == 1
    assert list(named(figure, "sum 2, counts").text) == ["30"]
    assert "Of 3 pairs of cluster and sum that occur, 3 lead to one cluster" in figure.alt
    assert figure.table["next state"] == ["b", "c", "c"]


def test_a_rare_edge_is_thin_and_an_automaton_that_wavers_is_said_to():
    matrix = 100 * IDEAL
    matrix[0, 0] = [98, 2]
    matrix[1, 0] = [60, 40]
    figure = transitions(matrix, ["carry 0", "carry 1"])
    often = next(trace for trace in figure.figure.data if trace.name == "sum 0")
    assert named(figure, "sum 0, rare").line.width < often.line.width
    assert list(named(figure, "sum 0, rare, counts").text) == ["2"]
    assert "Of 6 pairs of cluster and sum that occur, 5 lead" in figure.alt
    assert figure.table["share"][:2] == [0.98, 0.02]


def test_the_ideal_automaton_adds():
    bits, carry = BITS.sum(axis=2), np.zeros(len(BITS), dtype=int)
    for t in range(bits.shape[1]):
        carry = IDEAL[bits[:, t], carry].argmax(axis=1)
        np.testing.assert_array_equal(carry, CARRY[:, t])


def test_picking_a_sum_shows_its_edges_alone():
    figure = transitions(5 * IDEAL, ["carry 0", "carry 1"])
    for binding in figure.bindings:
        name = figure.figure.data[binding.trace].name
        which = int(name.removeprefix("sum ")[0])
        assert binding.values == [True, *(k == which for k in range(3))]


@pytest.mark.parametrize("matrix", [IDEAL[:2], IDEAL[:, :1], IDEAL / 2, -IDEAL, 0 * IDEAL])
def test_a_matrix_that_holds_no_counts_of_these_states_is_refused(matrix):
    with pytest.raises(ValueError, match="matrix"):
        transitions(matrix, ["a", "b"])


def test_counts_of_a_crowded_automaton_wait_until_a_sum_is_picked():
    figure = transitions(rng().integers(1, 100, size=(3, 8, 8)), [f"state {k}" for k in range(8)])
    by = {figure.figure.data[b.trace].name: b for b in figure.bindings}
    assert by["sum 1, counts"].values == [False, False, True, False]
    assert by["sum 1"].values == [True, False, True, False]


def test_a_large_automaton_tables_its_most_frequent_edges():
    matrix = rng().integers(1, 100, size=(3, 8, 8))
    figure = transitions(matrix, [str(k) for k in range(8)])
    assert_complete(figure)
    least = min(figure.table["times"])
    assert (matrix > least).sum() <= 60
