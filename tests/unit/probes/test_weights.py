import numpy as np
import pytest
import scipy.stats

from rnnkit.errors import UserError
from rnnkit.probes.weights import (
    change,
    moments,
    normal_gap,
    split_parts,
    spread,
    uniform_gap,
    uniform_scatter,
)


def samples(n=20_000):
    generator = np.random.default_rng(0)
    return {
        "uniform": generator.uniform(-0.3, 0.7, n),
        "normal": generator.normal(2, 0.1, n),
        "tails": generator.standard_t(5, n),
        "ties": generator.integers(0, 5, n) / 8,
        "small": generator.normal(size=7),
    }


@pytest.mark.parametrize("name", samples())
def test_moments_and_gaps_are_scipys(name):
    values = samples()[name]
    found = moments(values)
    expected = [values.mean(), values.std(), scipy.stats.skew(values), scipy.stats.kurtosis(values)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    mean, std = found[:2]
    uniform = scipy.stats.uniform(mean - np.sqrt(3) * std, 2 * np.sqrt(3) * std)
    for gap, law in ((uniform_gap, uniform), (normal_gap, scipy.stats.norm(mean, std))):
        assert gap(values) == pytest.approx(scipy.stats.ks_1samp(values, law.cdf, method="asymp").statistic)


def test_the_gaps_tell_a_uniform_from_a_normal_sample():
    uniform, normal = samples()["uniform"], samples()["normal"]
    bound = 1.63 / np.sqrt(len(uniform))  # the 1 % point of the Kolmogorov law
    assert uniform_gap(uniform) < bound < normal_gap(uniform)
    assert normal_gap(normal) < bound < uniform_gap(normal)
    assert moments(uniform)[3] == pytest.approx(-1.2, abs=0.03)
    assert moments(normal)[3] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("num_values", [50, 256])
def test_samples_scatter_less_about_the_law_of_their_own_moments(num_values):
    generator = np.random.default_rng(1)
    gap = uniform_scatter(num_values, generator=np.random.default_rng(0))
    others = [uniform_gap(generator.uniform(-3, 5, num_values)) for _ in range(4000)]
    assert np.mean(np.array(others) < gap) == pytest.approx(0.95, abs=0.015)
    assert gap < 0.75 * scipy.stats.kstwo.ppf(0.95, num_values)  # about the law they were drawn from
    assert uniform_scatter(num_values, generator=np.random.default_rng(0), share=0.5) < gap


def test_equal_weights_have_no_shape():
    found = spread({"encoder": np.full((3, 1), 0.1, np.float32)})
    np.testing.assert_allclose(found.moments, [[0.1, 0, np.nan, np.nan]], rtol=1e-6)
    assert np.isnan(found.uniform_gap[0])
    assert np.isnan(found.normal_gap[0])
    assert np.isnan(change({"a": np.ones(3)}, {"a": np.arange(3.0)}).distance[0])


def test_parts_put_together_again_are_the_matrices():
    generator = np.random.default_rng(0)
    weight_ih, weight_hh = generator.normal(size=(12, 6)), generator.normal(size=(12, 3))
    weight_out = generator.normal(size=(2, 3))
    parts = split_parts("lstm", weight_ih, weight_hh, weight_out, memory_width=5)
    gates = "ifgo"
    assert list(parts) == [
        *(f"{name} {gate}" for name in ("memory", "input", "recurrent") for gate in gates),
        "readout",
    ]
    rows = [np.hstack([parts[f"memory {gate}"], parts[f"input {gate}"]]) for gate in gates]
    np.testing.assert_array_equal(np.vstack(rows), weight_ih)
    np.testing.assert_array_equal(np.vstack([parts[f"recurrent {gate}"] for gate in gates]), weight_hh)
    np.testing.assert_array_equal(parts["readout"], weight_out)


def test_a_cell_of_one_gate_has_no_letters_and_an_input_may_be_left_out():
    square = np.eye(3)
    assert list(split_parts("rnn", square, square)) == ["input", "recurrent"]
    assert list(split_parts("rnn", square, square, memory_width=3)) == ["memory", "recurrent"]


def test_the_gates_are_those_of_the_library():
    """Probes may not import models: the order of the gates is checked by torch's own formula of an LSTM."""
    torch = pytest.importorskip("torch")
    from rnnkit.models import Recurrent
    from rnnkit.models.recurrence import NUM_GATES
    from rnnkit.probes.weights import GATES

    assert {cell: len(gates) for cell, gates in GATES.items()} == NUM_GATES
    layer = Recurrent("lstm", 2, 3, generator=torch.Generator().manual_seed(0))
    parts = split_parts("lstm", layer.weight_ih.detach().numpy(), layer.weight_hh.detach().numpy())
    bias = layer.bias_ih.detach().numpy().reshape(4, 3)
    x, h, c = (np.random.default_rng(0).normal(size=n).astype(np.float32) for n in (2, 3, 3))
    drive = {
        gate: parts[f"input {gate}"] @ x + parts[f"recurrent {gate}"] @ h + bias[place]
        for place, gate in enumerate("ifgo")
    }
    sigmoid = {gate: 1 / (1 + np.exp(-drive[gate])) for gate in "ifo"}
    expected_c = sigmoid["f"] * c + sigmoid["i"] * np.tanh(drive["g"])
    found_h, found_c = layer.step(*(torch.tensor(array)[None] for array in (x, h, c)))
    np.testing.assert_allclose(found_c[0].detach(), expected_c, rtol=1e-5)
    np.testing.assert_allclose(found_h[0].detach(), sigmoid["o"] * np.tanh(expected_c), rtol=1e-5)


def test_a_change_has_the_spread_before_and_after_and_scipys_distance():
    generator = np.random.default_rng(0)
    before = {"input": generator.uniform(-1, 1, (40, 3)), "recurrent": generator.normal(size=(40, 40))}
    after = {name: values + generator.standard_t(4, values.shape) for name, values in before.items()}
    found = change(before, after, num_bins=30)
    assert found.parts == ("input", "recurrent")
    for place, name in enumerate(found.parts):
        both = before[name].ravel(), after[name].ravel()
        for at, values in enumerate(both):
            alone = spread({name: values})
            np.testing.assert_array_equal(found.moments[place, at], alone.moments[0])
            assert found.uniform_gap[place, at] == alone.uniform_gap[0]
            assert found.normal_gap[place, at] == alone.normal_gap[0]
        expected = scipy.stats.wasserstein_distance(*both) / both[0].std()
        assert found.distance[place] == pytest.approx(expected)
        assert found.before[place].sum() == found.after[place].sum() == before[name].size
        expected_counts = np.histogram(both[1], found.edges[place])[0]
        np.testing.assert_array_equal(found.after[place], expected_counts)


def test_a_shift_by_one_deviation_is_a_distance_of_one():
    before = np.random.default_rng(0).normal(size=1000)
    found = change({"a": before}, {"a": before + before.std()})
    assert found.distance[0] == pytest.approx(1)
    np.testing.assert_array_equal(change({"a": before}, {"a": before}).distance, [0])


def test_half_precision_weights_are_counted_in_full():
    """A sum of a hundred thousand weights in float16 would overflow."""
    values = np.full(100_000, 8.0, np.float16)
    values[::2] = 4
    np.testing.assert_allclose(moments(values), [6, 2, 0, -2])


def test_bad_arguments_are_refused():
    square = np.eye(2)
    with pytest.raises(UserError, match="unknown cell"):
        split_parts("elman", square, square)
    with pytest.raises(UserError, match="matrices of a cell 'gru'"):
        split_parts("gru", square, square)
    with pytest.raises(UserError, match="memory_width"):
        split_parts("rnn", square, square, memory_width=3)
    with pytest.raises(UserError, match="weight_out"):
        split_parts("rnn", square, square, np.ones((10, 3)))
    with pytest.raises(UserError, match="no parts"):
        spread({})
    with pytest.raises(UserError, match="not finite"):
        spread({"input": np.array([1, np.nan])})
    with pytest.raises(UserError, match="other parts"):
        change({"a": square}, {"b": square})
    with pytest.raises(UserError, match="a before and after"):
        change({"a": square}, {"a": np.ones(4)})
    with pytest.raises(UserError, match="num_bins"):
        change({"a": square}, {"a": square}, num_bins=0)
