import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.dynamics import autocorrelation, oscillation_period, spectrum, state_change

STEPS = np.arange(500)


@pytest.mark.parametrize("period", [2, 3, 7.3, 20, 61.7, 120])
def test_the_period_of_a_sine_is_found(period):
    found = oscillation_period(0.4 + 0.1 * np.cos(2 * np.pi * STEPS / period + 0.3))
    assert found.period == pytest.approx(period, rel=0.02)
    assert found.height > 0.95


def test_a_dying_oscillation_has_the_period_of_its_sine():
    series = np.exp(-STEPS / 80) * np.sin(2 * np.pi * STEPS / 17)
    found = oscillation_period(series)
    assert found.period == pytest.approx(17, rel=0.02)
    assert found.height > 0.9


def test_noise_on_a_sine_lowers_the_height_but_keeps_the_period():
    noise = np.random.default_rng(0).normal(size=len(STEPS))
    found = oscillation_period(np.sin(2 * np.pi * STEPS / 25) + 0.7 * noise)
    assert found.period == pytest.approx(25, rel=0.05)
    assert 0.3 < found.height < 0.8


def test_a_harmonic_is_not_taken_for_the_period():
    series = np.sin(2 * np.pi * STEPS / 40) + 0.8 * np.sin(2 * np.pi * STEPS / 20)
    assert oscillation_period(series).period == pytest.approx(40, rel=0.02)


def test_many_series_at_once_share_one_period():
    phases = np.linspace(0, 6, 9)
    found = oscillation_period(np.sin(2 * np.pi * STEPS[:, None] / 31 + phases))
    assert found.period == pytest.approx(31, rel=0.02)


@pytest.mark.parametrize("series", [np.full(500, 0.1), np.zeros(28), STEPS / 500, np.exp(-STEPS / 30)])
def test_constants_trends_and_decays_have_no_period(series):
    found = oscillation_period(series)
    assert not found.found
    assert np.isnan(found.period)
    assert np.isnan(found.height)


@pytest.mark.parametrize("length", [40, 500])
def test_white_noise_is_rarely_taken_for_an_oscillation(length):
    generator = np.random.default_rng(1)
    alarms = [oscillation_period(generator.normal(size=length)).found for _ in range(300)]
    assert np.mean(alarms) <= 0.03


def test_a_period_below_the_minimum_lag_is_passed_over():
    found = oscillation_period((-1.0) ** STEPS, min_lag=5)
    assert found.period == pytest.approx(6)


def test_autocorrelation_of_a_series_too_short_or_not_finite_is_refused():
    for series in (np.zeros(3), np.array([0, 1, np.nan, 2, 3]), np.zeros((5, 2, 2))):
        with pytest.raises(UserError, match="series"):
            autocorrelation(series)


def test_the_spectrum_of_scaled_rotations_is_known():
    def rotation(modulus, period):
        angle = 2 * np.pi / period
        return modulus * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    weight = np.zeros((6, 6))
    weight[:2, :2], weight[2:4, 2:4], weight[4, 4], weight[5, 5] = (
        rotation(0.9, 12),
        rotation(1.1, 5),
        -1.2,
        0.3,
    )
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    found = spectrum(basis @ weight @ basis.T)
    np.testing.assert_allclose(np.abs(found.eigenvalues), [1.2, 1.1, 1.1, 0.9, 0.9, 0.3])
    np.testing.assert_allclose(found.moduli, [1.1, 0.9])
    np.testing.assert_allclose(found.periods, [5, 12])
    assert found.radius == pytest.approx(1.2)
    np.testing.assert_allclose(found.eigenvalues[1], found.eigenvalues[2].conj())
    assert found.eigenvalues[1].imag > 0


def test_a_linear_net_oscillates_with_the_period_of_its_leading_pair():
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(30, 30)) / np.sqrt(30)
    weight /= spectrum(weight).radius
    leading = spectrum(weight)
    states = [generator.normal(size=30)]
    for _ in range(600):
        states.append(weight @ states[-1])
    if leading.moduli[0] < 0.999:
        pytest.fail("this seed's leading eigenvalue is real: choose another")
    assert oscillation_period(np.array(states[300:])).period == pytest.approx(leading.periods[0], rel=0.05)


def test_a_symmetric_matrix_has_no_complex_pairs_and_a_bad_one_is_refused():
    assert spectrum(np.diag([1.0, -2.0])).periods.shape == (0,)
    for weight in (np.zeros((2, 3)), np.full((2, 2), np.nan), np.zeros(4)):
        with pytest.raises(UserError, match="weight_hh"):
            spectrum(weight)


def test_state_change_starts_from_the_initial_state():
    states = np.array([[[3.0, 4.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, -1.0]]])
    np.testing.assert_allclose(state_change(states), [3, 1])
    np.testing.assert_allclose(state_change(states, initial=states[:, 0]), [0, 1])
