"""The Legendre memory against scipy and its own recurrence; its two forms against each other."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch

from rnnkit.errors import UserError
from rnnkit.models import LMU, lmu, make_classifier
from rnnkit.models.legendre import (
    DISCRETIZERS,
    chunk_matrices,
    continuous_matrices,
    discrete_matrices,
    least_theta,
)


def _seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def _steps(layer, x, masks=None, precision="fp32"):
    """States and memories, one step after another."""
    m = x.new_zeros(len(x), layer.memory_d * layer.memory_size)
    h, c = x.new_zeros(len(x), layer.hidden_size), None
    states, memories = [], []
    for x_t in x.unbind(1):
        m, h, c = layer.step(x_t, m, h, c, recurrent_masks=masks, precision=precision)
        states.append(h)
        memories.append(m)
    return torch.stack(states, 1), torch.stack(memories, 1)


def test_the_matrices_are_those_of_the_definition():
    a, b = continuous_matrices(3)
    np.testing.assert_array_equal(a, [[-1, -1, -1], [3, -3, -3], [-5, 5, -5]])
    np.testing.assert_array_equal(b, [1, -3, 5])


@pytest.mark.parametrize(
    ("discretizer", "memory_size", "theta"),
    [(name, *sizes) for name in DISCRETIZERS for sizes in [(4, 10), (32, 200.5), (256, 6600)]]
    + [("zoh", 32, 100.5), ("zoh", 256, 784)],
)
def test_zero_order_hold_and_euler_are_those_of_scipy(discretizer, memory_size, theta):
    a, b = continuous_matrices(memory_size)
    system = (a / theta, b[:, None] / theta, np.ones((1, memory_size)), np.zeros((1, 1)))
    expected = scipy.signal.cont2discrete(system, dt=1.0, method=discretizer)
    transition, injection = discrete_matrices(memory_size, theta, discretizer)
    np.testing.assert_allclose(transition, expected[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(injection, expected[1][:, 0], rtol=1e-9, atol=1e-12)


def _radius(memory_size, theta):
    a, _ = continuous_matrices(memory_size)
    return np.abs(np.linalg.eigvals(np.eye(memory_size) + a / theta)).max()


@pytest.mark.parametrize("memory_size", [1, 2, 4, 16, 64, 256])
def test_at_the_least_theta_eulers_spectral_radius_crosses_one(memory_size):
    least = least_theta(memory_size)
    assert _radius(memory_size, least) == pytest.approx(1, abs=1e-8)
    assert _radius(memory_size, 0.98 * least) > 1 + 2e-5
    assert _radius(memory_size, 1.02 * least) < 1 - 2e-5


def test_the_least_theta_is_known_for_small_memories():
    assert least_theta(1) == pytest.approx(0.5)  # 1 - 1 / theta
    assert least_theta(2) == pytest.approx(1.5)  # l = -2 +- i sqrt 2: 6 / 4
    # Of 256, eigenvalues in 600 bits.
    assert least_theta(256) == pytest.approx(6541.51334, rel=1e-6)


@pytest.mark.parametrize("memory_size", [1, 4, 16, 64, 256])
def test_a_memory_that_eulers_step_makes_unstable_is_refused(memory_size):
    least = least_theta(memory_size)
    discrete_matrices(memory_size, least, "euler")
    discrete_matrices(memory_size, 0.99 * least, "zoh")
    with pytest.raises(UserError, match=rf"memory_size={memory_size}: .* above 1.*; allowed: at least .*zoh"):
        discrete_matrices(memory_size, 0.99 * least, "euler")


@pytest.mark.parametrize("paths", [{}, {"hidden_to_memory": True, "memory_to_memory": True}])
def test_an_unstable_memory_is_refused_before_anything_is_trained(paths):
    with pytest.raises(UserError, match=r"theta is too short .*: 784; allowed: at least 6541.51 here"):
        make_classifier("lmu-rnn", discretizer="euler")
    with pytest.raises(UserError, match="theta is too short"):
        LMU(1, 3, cell="rnn", memory_size=16, theta=59, discretizer="euler", **paths)
    LMU(1, 3, cell="rnn", memory_size=16, theta=60, discretizer="euler", **paths)


@pytest.mark.parametrize(("theta", "stays"), [(58, False), (60, True)])
def test_what_is_refused_grows_and_what_is_not_does_not(theta, stays):
    a, b = continuous_matrices(16)
    transition, memory = np.eye(16) + a / theta, np.zeros(16)
    for u in np.random.default_rng(0).random(20_000):
        memory = transition @ memory + b / theta * u
    assert (np.abs(memory).max() < 100) == stays


def test_the_memory_holds_the_window_as_legendre_polynomials():
    """A slow signal is read back, delayed by part of the window, from shifted Legendre polynomials."""
    theta, memory_size = 100, 12
    layer = LMU(1, 2, cell="rnn", memory_size=memory_size, theta=theta, encoder="ones")
    u = np.sin(2 * np.pi * np.arange(400) / 120)
    m = layer.memories(torch.tensor(u, dtype=torch.float32)[None, :, None])[0].detach().numpy()
    for share in (0.0, 0.5, 1.0):
        readout = np.array(
            [np.polynomial.legendre.Legendre.basis(i)(2 * share - 1) for i in range(memory_size)]
        )
        delay = int(share * theta)
        np.testing.assert_allclose((m @ readout)[200:], u[200 - delay : 400 - delay], atol=0.06)


def test_a_chunk_is_its_steps():
    a, b = discrete_matrices(5, 20, "zoh")
    matrices = chunk_matrices(5, 20, "zoh", 4)
    generator = np.random.default_rng(0)
    m, u = generator.normal(size=5), generator.normal(size=4)
    known = np.concatenate([m, u])
    for k in range(4):
        m = a @ m + b * u[k]
        np.testing.assert_allclose(known @ matrices[k], m, atol=1e-12)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("seq_len", [1, 16, 37])
@pytest.mark.parametrize(("input_size", "memory_d", "bias"), [(1, 1, False), (2, 3, True), (3, 1, False)])
def test_whole_sequence_and_steps_are_equal(cell, seq_len, input_size, memory_d, bias):
    layer = LMU(
        input_size,
        5,
        cell=cell,
        memory_size=6,
        theta=30,
        memory_d=memory_d,
        encoder_bias=bias,
        generator=_seeded(),
    )
    if bias:
        torch.nn.init.constant_(layer.bias_encoder, 0.3)
    _require_equal_to_its_steps(layer, seq_len)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(("seq_len", "steps", "num_chunks"), [(1, 4, 1), (8, 4, 2), (37, 16, 3), (37, 5, 8)])
def test_read_by_chunks_it_is_equal_to_its_steps(fused_by, cell, seq_len, steps, num_chunks):
    chunks = fused_by(steps)
    layer = LMU(1, 64, cell=cell, memory_size=6, theta=30, generator=_seeded())
    _require_equal_to_its_steps(layer, seq_len)
    assert chunks == [num_chunks]


@pytest.mark.parametrize(
    ("num_steps", "num_sums", "expected"),
    [(784, 1024, 0), (2048, 256, 2), (39_200, 1024, 4), (392_000, 1024, 16), (10**9, 64, 32)],
)
def test_chunks_are_long_where_there_are_many_sequences(num_steps, num_sums, expected):
    assert lmu._steps_per_chunk(num_steps, num_sums) == expected


@pytest.fixture
def fused_by(monkeypatch):
    """Have memories read by chunks of so many steps; the list tells how many chunks there were."""
    pytest.importorskip("numba")
    read, chunks = LMU._read_by_chunks, []

    def counted(layer, x, steps):
        inputs, weights = read(layer, x, steps)
        chunks.append(len(inputs))
        return inputs, weights

    def by(steps):
        monkeypatch.setenv("RNNKIT_RECURRENCE", "fused")
        monkeypatch.setattr(lmu, "_steps_per_chunk", lambda num_steps, num_sums: steps)
        monkeypatch.setattr(LMU, "_read_by_chunks", counted)
        return chunks

    return by


def _require_equal_to_its_steps(layer, seq_len):
    """States, memories and all gradients, with recurrent dropout."""
    x = torch.rand(4, seq_len, layer.input_size, generator=_seeded(1))
    masks = (torch.rand(layer.hidden.num_gates, 4, layer.hidden_size, generator=_seeded(2)) > 0.2) / 0.8
    states, memories = _steps(layer, x, masks)
    h_n, _, whole = layer(x, recurrent_masks=masks, states=True)
    torch.testing.assert_close(layer.memories(x), memories, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(whole, states, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(h_n, states[:, -1], rtol=1e-4, atol=1e-5)
    gradients = []
    for result in (whole, states):
        layer.zero_grad()
        result.square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in layer.parameters()])
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("hidden_size", "steps"), [(8, None), (64, 32)])
def test_whole_sequence_and_steps_are_equal_at_the_size_of_the_study(fused_by, hidden_size, steps):
    chunks = fused_by(steps) if steps else []
    layer = LMU(1, hidden_size, cell="gru", memory_size=256, theta=784, encoder="ones", generator=_seeded())
    x = torch.rand(2, 784, 1, generator=_seeded(1))
    with torch.no_grad():
        states, memories = _steps(layer, x)
        torch.testing.assert_close(layer.memories(x), memories, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(layer(x, states=True)[2], states, rtol=1e-4, atol=1e-4)
    assert chunks == ([25] if steps else [])


def test_gradients_reach_an_input_that_asks_for_them():
    layer = LMU(1, 4, cell="rnn", memory_size=3, theta=9, generator=_seeded())
    x = torch.rand(2, 10, 1, generator=_seeded(1), requires_grad=True)
    layer(x)[0].sum().backward()
    whole = x.grad.clone()
    x.grad = None
    _steps(layer, x)[0][:, -1].sum().backward()
    torch.testing.assert_close(whole, x.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("paths", [{"hidden_to_memory": True}, {"memory_to_memory": True}])
def test_with_feedback_the_memory_alone_is_refused(paths):
    layer = LMU(2, 3, cell="gru", memory_size=4, theta=10, **paths)
    x = torch.rand(2, 5, 2, generator=_seeded(1))
    torch.testing.assert_close(layer(x, states=True)[2], _steps(layer, x)[0])
    with pytest.raises(UserError, match="depends on the hidden cell"):
        layer.memories(x)
    with pytest.raises(UserError, match="feedback"):
        layer(x, input_masks=torch.ones(1, 2, 6))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_feedback_of_zero_is_no_feedback_at_either_precision(cell, precision):
    """The steps of a memory with feedback against the whole-sequence form of one without."""
    options = {"cell": cell, "memory_size": 6, "theta": 30, "encoder": "ones", "generator": _seeded()}
    plain, fed = (LMU(1, 5, hidden_to_memory=feedback, **options).double() for feedback in (False, True))
    fed.weight_encoder.data[:, 1:] = 0
    fed.hidden.load_state_dict(plain.hidden.state_dict())
    x = torch.rand(3, 20, 1, generator=_seeded(1), dtype=torch.float64)
    masks = (torch.rand(fed.hidden.num_gates, 3, 5, generator=_seeded(2)) > 0.2) / 0.8
    options = {"precision": precision, "states": True, "recurrent_masks": masks.double()}
    wanted = plain(x, **options)[2]
    assert torch.equal(fed(x, **options)[2], _steps(fed, x, masks.double(), precision)[0])
    torch.testing.assert_close(fed(x, **options)[2], wanted, rtol=1e-5, atol=1e-5)
    exact = plain(x, **options | {"precision": "fp32"})[2]
    assert ((wanted - exact).abs().max() > 1e-4) == (precision == "bf16")


@pytest.mark.parametrize("paths", [{}, {"hidden_to_memory": True}, {"memory_to_memory": True}])
def test_a_precision_that_is_none_is_refused(paths):
    layer = LMU(2, 3, cell="gru", memory_size=4, theta=10, **paths)
    state = torch.zeros(2, 4), torch.zeros(2, 3)
    for run in (layer, lambda x, **options: layer.step(x[:, 0], *state, **options)):
        with pytest.raises(UserError, match="unknown precision: 'nonsense'; allowed: fp32, bf16"):
            run(torch.zeros(2, 5, 2), precision="nonsense")
    with pytest.raises(UserError, match="unknown precision"):
        make_classifier("lmu-gru", precision="nonsense")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"discretizer": "bilinear"}, "unknown discretizer: 'bilinear'; allowed: zoh, euler"),
        ({"theta": 0}, "theta is no length of a window"),
        ({"theta": float("nan")}, "theta"),
        ({"memory_size": 0}, "memory_size is no memory's"),
        ({"memory_d": 1.5}, "memory_d is no network's"),
        ({"cell": "elman"}, "unknown cell"),
        ({"encoder": "zeros"}, "unknown start of the encoder"),
    ],
)
def test_options_that_are_none_are_refused(change, message):
    with pytest.raises(UserError, match=message):
        LMU(1, 3, **({"cell": "rnn", "memory_size": 4, "theta": 10} | change))


def test_another_input_size_is_refused():
    with pytest.raises(UserError, match="input_size = 1"):
        LMU(1, 3, cell="rnn", memory_size=4, theta=10)(torch.zeros(2, 5, 2))
