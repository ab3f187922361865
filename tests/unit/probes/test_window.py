import numpy as np
import pytest
import scipy.integrate
import scipy.signal
import torch
from scipy.special import eval_sh_legendre

from rnnkit.errors import UserError
from rnnkit.models import LMU
from rnnkit.models.legendre import continuous_matrices, discrete_matrices
from rnnkit.probes.window import delayed, middles, read_window, run_memory, window

THETA = 100


def memory(order, theta=THETA):
    return discrete_matrices(order, theta, "zoh")


def wave(num_steps=400, period=60.0):
    return np.sin(2 * np.pi * np.arange(num_steps)[None] / period)


def test_the_window_is_a_sum_of_scipys_shifted_polynomials():
    memories = np.random.default_rng(0).normal(size=(2, 3, 256))
    delays = np.linspace(0, THETA, 57)
    found = read_window(memories, delays, theta=THETA)
    polynomials = np.stack([eval_sh_legendre(i, delays / THETA) for i in range(256)])
    np.testing.assert_allclose(found, memories @ polynomials, atol=1e-9)
    hand_worked = read_window(np.array([1.0, 2.0, 3.0]), [0, 25, 50, 100], theta=THETA)
    np.testing.assert_allclose(hand_worked, [2, -0.375, -0.5, 6])


def test_the_memory_is_scipys_linear_system_and_the_layers():
    signals = np.random.default_rng(0).normal(size=(3, 50))
    a, b = memory(6)
    found = run_memory(signals, a, b)
    layer = LMU(1, 4, cell="rnn", memory_size=6, theta=THETA, encoder="ones")
    own = layer.memories(torch.tensor(signals, dtype=torch.float32)[:, :, None])
    np.testing.assert_allclose(found, own.detach(), rtol=1e-3, atol=1e-4)
    for place, signal in enumerate(signals):
        # dlsim's state answers an input one step later.
        _, _, states = scipy.signal.dlsim(
            (a, b[:, None], np.eye(6), np.zeros((6, 1)), 1), np.append(signal, 0)
        )
        np.testing.assert_allclose(found[place], states[1:], rtol=1e-9, atol=1e-12)


def test_zero_order_hold_is_the_equation_solved_between_the_steps():
    """The reference is an integrator of ``theta m' = A m + B u``."""
    signal = np.random.default_rng(0).normal(size=5)
    a, b = continuous_matrices(4)
    m = np.zeros(4)
    for value in signal:
        solved = scipy.integrate.solve_ivp(
            lambda _, m, value=value: (a @ m + b * value) / THETA, (0, 1), m, rtol=1e-10, atol=1e-12
        )
        m = solved.y[:, -1]
    np.testing.assert_allclose(run_memory(signal[None], *memory(4))[0, -1], m, rtol=1e-7)


def test_a_constant_is_held_exactly_and_a_straight_line_nearly():
    num_steps = 20 * THETA
    line = np.arange(num_steps) / num_steps
    found = window(np.stack([np.ones(num_steps), line]), [memory(2)], theta=THETA, times=[num_steps])
    np.testing.assert_allclose(found.reconstruction[0], 1, atol=1e-9)
    # It is held in steps of 1 / num_steps, at the middle of which the line passes.
    np.testing.assert_allclose(found.reconstruction[1], found.truth[1][None], atol=0.01 / num_steps)


def test_the_memory_is_nearly_the_projection_of_the_window():
    """m_i = (2 i + 1) / theta times the integral of u(t - d) P_i(2 d / theta - 1) over the window."""
    signal, delays = wave(), middles(THETA)
    m = run_memory(signal, *memory(24))[0, -1]
    past = delayed(signal, [400], delays)[0, 0]
    for i in range(8):
        projection = (2 * i + 1) / THETA * (past * eval_sh_legendre(i, delays / THETA)).sum()
        assert m[i] == pytest.approx(projection, abs=3e-3)


def test_a_smooth_signal_is_read_the_better_the_more_polynomials_there_are():
    found = window(wave(), [memory(order) for order in (2, 4, 8, 16)], theta=THETA, times=[200, 400])
    assert found.orders.tolist() == [2, 4, 8, 16]
    assert (np.diff(found.error[0], axis=0) < 0).all()
    assert found.error[0, -1].max() < 0.02
    assert found.reconstruction.shape == (1, 4, 2, len(found.delays))


def test_the_error_is_measured_where_the_signal_had_begun():
    found = window(wave(), [memory(8)], theta=THETA, times=[10, 250], delays=middles(THETA))
    gap = found.reconstruction[0, 0] - found.truth[0]
    np.testing.assert_allclose(
        found.error[0, 0], [np.sqrt((gap[0, :10] ** 2).mean()), np.sqrt((gap[1] ** 2).mean())]
    )
    assert not found.truth[0, 0, 10:].any()
    assert np.isnan(window(wave(), [memory(8)], theta=THETA, times=[3], delays=[50]).error).all()


def test_the_truth_is_the_input_held_for_a_step():
    signals = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    found = delayed(signals, [1, 3], [0, 0.9, 1, 2.5, 3])
    expected = [[[1, 1, 0, 0, 0], [3, 3, 2, 1, 0]], [[4, 4, 0, 0, 0], [6, 6, 5, 4, 0]]]
    np.testing.assert_array_equal(found, expected)


def test_middles_of_the_steps_of_a_digit_are_196():
    np.testing.assert_array_equal(middles(784, every=4), np.arange(196) * 4 + 0.5)
    found = window(np.ones((1, 9)), [memory(3, 784)], theta=784, times=[9])
    np.testing.assert_array_equal(found.delays, middles(784, every=4))


def test_silence_is_read_as_silence():
    found = window(np.zeros((1, 30)), [memory(256)], theta=THETA, times=[30])
    assert not found.reconstruction.any()
    assert not found.error.any()


def test_bad_arguments_are_refused():
    signals, pair = wave(), memory(4)
    for times in ([0], [401], [1.5], []):
        with pytest.raises(UserError, match="times"):
            window(signals, [pair], theta=THETA, times=times)
    for delays in ([-1], [THETA + 1], []):
        with pytest.raises(UserError, match="delays"):
            window(signals, [pair], theta=THETA, times=[9], delays=delays)
    with pytest.raises(UserError, match="no memory"):
        window(signals, [], theta=THETA, times=[9])
    with pytest.raises(UserError, match="not of one memory"):
        run_memory(signals, np.eye(3), np.ones(4))
    with pytest.raises(UserError, match="signals"):
        run_memory(signals[0], *pair)
    with pytest.raises(UserError, match="theta"):
        read_window(np.ones(3), [0], theta=0)
    for theta, every in ((0.5, 1), (9, 0)):
        with pytest.raises(UserError, match="no delays"):
            middles(theta, every=every)
