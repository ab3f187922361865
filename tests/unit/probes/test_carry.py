import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.additions import carries
from rnnkit.probes.carry import carry_probe
from tests.unit.probes.adders import level_adder, numbers, tanh_adder

SHORT, LONG = numbers(400, 5), numbers(300, 40, seed=1)


def probe(short_states, long_states):
    return carry_probe(short_states, SHORT, long_states, LONG, generator=np.random.default_rng(0))


def test_the_carry_of_an_exact_adder_is_read_at_every_length():
    adder = tanh_adder()
    states = adder.run(LONG)[0]
    found = probe(adder.run(SHORT)[0], states)
    assert (found.accuracy == 1).all()
    assert (found.held[:-1] == 1).all()
    assert np.isnan(found.held[-1])  # the padded step has no bit set
    assert (found.by_length == 1).all()
    # The second unit is the carry.
    assert abs(found.direction[1]) > 0.9
    assert np.linalg.norm(found.direction) == pytest.approx(1)
    np.testing.assert_array_equal(found.decode(states), carries(LONG))
    np.testing.assert_array_equal(found.margin(states), states @ found.direction - found.threshold)


def test_controls_say_what_needs_no_memory():
    adder = tanh_adder()
    found = probe(adder.run(SHORT)[0], adder.run(LONG)[0])
    # Equal bits give the carry away, one bit set leaves a guess: 1/2 + 1/2 * 1/2.
    assert found.from_input[5:-1].mean() == pytest.approx(0.75, abs=0.02)
    assert found.shuffled[5:-1].mean() == pytest.approx(0.5, abs=0.06)
    # The units say the total; from total 1 (0 + carry, or 1) no line tells the parity of the bits.
    assert found.parity[5:-1].mean() < 0.8


def test_states_that_show_the_input_alone_hold_no_carry():
    def shown(bits):
        return np.concatenate([bits, bits.sum(axis=2, keepdims=True) == 1], axis=2).astype(float)

    found = probe(shown(SHORT), shown(LONG))
    np.testing.assert_allclose(found.accuracy[2:-1].mean(), found.from_input[2:-1].mean(), atol=0.02)
    assert found.held[5:-1].mean() == pytest.approx(0.5, abs=0.05)
    assert (found.parity == 1).all()


def test_a_carry_that_fades_is_read_until_it_has():
    adder = level_adder(keep=0.5)  # above 0.3 after one step of holding, not after two
    found = probe(adder.run(SHORT)[0], adder.run(LONG)[0])
    assert found.accuracy[10:-1].mean() < 0.99
    assert found.held[10:-1].mean() < found.accuracy[10:-1].mean()


def test_accuracy_by_length_averages_over_the_steps():
    rng = np.random.default_rng(3)
    found = probe(rng.normal(size=(400, 6, 2)), rng.normal(size=(300, 41, 2)))
    for length in (1, 7, 41):
        assert found.by_length[length - 1] == pytest.approx(found.accuracy[:length].mean())


def test_states_that_do_not_vary_have_no_direction():
    found = probe(np.zeros((400, 6, 2)), np.zeros((300, 41, 2)))
    assert found.direction.tolist() == [0, 0]
    commoner = int(carries(SHORT).mean() > 0.5)
    np.testing.assert_allclose(found.accuracy, (carries(LONG) == commoner).mean(axis=0))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="test_bits has the wrong shape"):
        probe(np.zeros((400, 6, 2)), np.zeros((300, 40, 2)))
    with pytest.raises(UserError, match="hidden size"):
        probe(np.zeros((400, 6, 2)), np.zeros((300, 41, 3)))
