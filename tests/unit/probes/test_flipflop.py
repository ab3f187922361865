import numpy as np
import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.probes import flipflop
from rnnkit.probes.additions import PAIRS
from rnnkit.probes.flipflop import fixed_points, flip_flop
from tests.unit.probes.adders import level_adder, numbers, tanh_adder


def scalar(function):
    """A step of one unit that ignores its input."""
    return lambda states, bits: function(states)


STARTS = np.linspace(-1, 1, 41)[:, None]


def test_a_bistable_unit_has_two_stable_points_and_a_saddle_between():
    found = fixed_points(scalar(lambda h: np.tanh(2 * h)), PAIRS[0], STARTS)
    # h = tanh(2 h): 0 and +-0.957504; slope 2 (1 - h^2).
    points = np.array([orbit[0, 0] for orbit in found.orbits])
    order = np.argsort(points)
    np.testing.assert_allclose(points[order], [-0.957504, 0, 0.957504], atol=1e-6)
    np.testing.assert_allclose(found.eigenvalues[order, 0].real, 2 * (1 - points[order] ** 2), atol=1e-6)
    assert found.stable[order].tolist() == [True, False, True]
    # The start at 0 sits on the saddle.
    np.testing.assert_allclose(found.share[order], [20 / 41, 1 / 41, 20 / 41])
    assert found.settled == 1
    assert found.periods.tolist() == [1, 1, 1]


def test_a_cycle_of_two_is_one_orbit_and_its_fixed_point_unstable():
    found = fixed_points(scalar(lambda h: -np.tanh(2 * h)), PAIRS[0], STARTS[:20])
    cycle = int(np.flatnonzero(found.periods == 2)[0])
    assert found.share[cycle] == 1
    np.testing.assert_allclose(found.orbits[cycle].sum(), 0, atol=1e-9)
    top = np.abs(found.orbits[cycle]).max()
    np.testing.assert_allclose(found.eigenvalues[cycle, 0], (2 * (1 - top**2)) ** 2, atol=1e-6)
    assert found.stable[cycle]
    saddle = int(np.flatnonzero(found.periods == 1)[0])
    assert not found.stable[saddle]
    assert found.share[saddle] == 0


def test_a_state_that_runs_away_rests_nowhere():
    found = fixed_points(scalar(lambda h: h + 1), PAIRS[0], STARTS, settle=50)
    assert found.settled == 0
    assert found.orbits == ()
    assert found.eigenvalues.shape == (0, 1)
    assert found.stable.shape == (0,)


def test_what_creeps_is_taken_to_where_it_creeps_to():
    # Rests at 0.5; after 300 steps of 0.9999 the starts are still far from it and from each other.
    found = fixed_points(scalar(lambda h: h + 1e-4 * (0.5 - h)), PAIRS[0], 0.5 + STARTS / 20, settle=300)
    assert len(found.orbits) == 1
    assert found.orbits[0][0, 0] == pytest.approx(0.5, abs=1e-6)
    assert found.share.tolist() == [1]


def test_the_jacobian_is_that_of_autograd():
    torch.manual_seed(0)
    cell = torch.nn.GRUCell(2, 3).double()

    def step(states, bits):
        with torch.no_grad():
            return cell(torch.tensor(bits, dtype=torch.float64), torch.tensor(states)).numpy()

    found = fixed_points(step, PAIRS[1], np.random.default_rng(0).uniform(-1, 1, (20, 3)))
    for orbit, values in zip(found.orbits, found.eigenvalues, strict=True):
        x = torch.tensor(PAIRS[1:2], dtype=torch.float64)
        jacobian = torch.autograd.functional.jacobian(
            lambda h, x=x: cell(x, h[None])[0], torch.tensor(orbit[0])
        )
        wanted = np.linalg.eigvals(jacobian.numpy())
        np.testing.assert_allclose(np.sort_complex(values), np.sort_complex(wanted + 0j), atol=1e-6)
        np.testing.assert_allclose(step(orbit[-1:], PAIRS[1:2]), orbit[:1], atol=1e-6)


@pytest.mark.parametrize("adder", [tanh_adder(), level_adder()], ids=["tanh", "level"])
def test_an_exact_adder_is_a_flip_flop(adder):
    starts = adder.run(numbers(20, 8))[0].reshape(-1, len(adder.initial))
    # A step count never rests, so that part of the state is left out of the starts.
    if len(adder.initial) == 4:
        inner = adder.step
        adder = type(adder)(lambda h, b: inner(h, b) * [1, 1, 0, 0], adder.read, adder.initial)
        starts = starts * [1, 1, 0, 0]
    found, rests = flip_flop(adder.step, lambda h: adder.votes(h) > 0.5, starts, settle=50)
    assert found.sums.tolist() == [0, 1, 1, 2]
    assert found.stable.tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 1, 0]]
    assert found.complete
    assert [rest.settled for rest in rests] == [1, 1, 1, 1]


def test_a_leaking_carry_is_not_kept():
    inner = level_adder(keep=0.8)
    adder = type(inner)(lambda h, b: inner.step(h, b) * [1, 1, 0, 0], inner.read, inner.initial)
    starts = adder.run(numbers(20, 8))[0].reshape(-1, 4)
    found, _ = flip_flop(adder.step, lambda h: adder.votes(h) > 0.5, starts, settle=100)
    assert found.clears
    assert found.sets
    assert not found.keeps
    assert found.stable[1].tolist() == [1, 0, 0]
    assert not found.complete


def test_what_cannot_be_looked_for_is_refused():
    with pytest.raises(UserError, match="bits has the wrong shape"):
        fixed_points(scalar(np.tanh), PAIRS, STARTS)
    with pytest.raises(UserError, match="resting states"):
        fixed_points(scalar(np.tanh), PAIRS[0], STARTS, max_period=0)


def test_newtons_step_is_found_where_singular_values_do_not_converge(monkeypatch):
    generator = np.random.default_rng(0)
    matrices, targets = generator.standard_normal((3, 4, 4)), generator.standard_normal((3, 4))
    matrices[1, :, 2] = 0  # a singular one
    expected = np.stack(
        [np.linalg.lstsq(m, t, rcond=None)[0] for m, t in zip(matrices, targets, strict=True)]
    )
    np.testing.assert_allclose(flipflop._least_squares(matrices, targets), expected, atol=1e-12)

    def refuses(_):
        raise np.linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr(np.linalg, "pinv", refuses)
    np.testing.assert_allclose(flipflop._least_squares(matrices, targets), expected, atol=1e-12)
