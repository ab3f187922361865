import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.additions import (
    Adder,
    calm_numbers,
    carries,
    carries_in,
    chains,
    check_adder,
    holds,
    totals,
)
from tests.unit.probes.adders import level_adder, numbers, tanh_adder


def value(digits):
    """Whole numbers of any size from digits (n, T), least significant first."""
    return [sum(int(d) << t for t, d in enumerate(row)) for row in digits]


def test_sums_and_carries_are_those_of_whole_numbers():
    bits = numbers(50, 90)
    first, second = value(bits[:, :, 0]), value(bits[:, :, 1])
    assert value(totals(bits) % 2) == [a + b for a, b in zip(first, second, strict=True)]
    out = carries(bits)
    for t in (0, 5, 89):
        low = (1 << (t + 1)) - 1
        wanted = [((a & low) + (b & low)) >> (t + 1) for a, b in zip(first, second, strict=True)]
        assert out[:, t].tolist() == wanted
    assert (carries_in(bits)[:, 1:] == out[:, :-1]).all()
    assert not carries_in(bits)[:, 0].any()


def test_how_long_a_carry_has_been_held_by_hand():
    sums = np.array([[1, 1, 0, 2, 1, 1, 1, 2, 1]])
    bits = np.stack([sums >= 1, sums == 2], axis=2)
    assert holds(bits).tolist() == [[0, 1, 2, 0, 0, 1, 2, 3, 0]]


@pytest.mark.parametrize("carry", [0, 1])
def test_a_chain_holds_its_carry_to_the_last_step(carry):
    bits = chains(40, 7, carry=carry, generator=np.random.default_rng(0))
    assert bits.shape == (40, 9, 2)
    assert (carries(bits)[:, :-1] == carry).all()
    assert (totals(bits)[:, -1] == carry).all()
    assert holds(bits)[:, -1].tolist() == [7] * 40
    assert 0.3 < bits[:, 1:-1, 0].mean() < 0.7


def test_calm_numbers_have_no_long_run_and_all_short_ones():
    bits = calm_numbers(300, 40, longest=3, generator=np.random.default_rng(0))
    sums = bits.sum(axis=2)
    assert bits.shape == (300, 41, 2)
    assert not bits[:, -1].any()
    for s in range(3):
        runs = np.stack([(sums[:, t : t + 3] == s).all(axis=1) for t in range(38)])
        assert runs.any()
        assert not any((sums[:, t : t + 4] == s).all(axis=1).any() for t in range(37))
    free = calm_numbers(2000, 20, longest=20, generator=np.random.default_rng(0))[:, :-1]
    assert free.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("adder", [tanh_adder(), level_adder()], ids=["tanh", "level"])
def test_the_adders_made_by_hand_add_and_vote_for_the_true_carry(adder):
    bits = numbers(100, 64)
    states, outputs = adder.run(bits)
    np.testing.assert_array_equal(outputs, totals(bits) % 2)
    votes = adder.votes(states.reshape(-1, states.shape[2]))
    np.testing.assert_array_equal(votes, carries(bits).ravel())


def test_a_run_goes_on_where_another_ended():
    adder, bits = tanh_adder(), numbers(20, 30)
    states, outputs = adder.run(bits)
    again = adder.run(bits[:, 10:], start=states[:, 9])
    np.testing.assert_array_equal(again[0], states[:, 10:])
    np.testing.assert_array_equal(again[1], outputs[:, 10:])


def test_each_sum_has_one_vote():
    # Answers 1 whatever comes: carry 1 is implied after sums 0 and 2, carry 0 after the two pairs of sum 1.
    stubborn = Adder(lambda h, bits: h, lambda h: np.ones(len(h), np.uint8), np.zeros(1))
    assert stubborn.votes(np.zeros((2, 1))) == pytest.approx([2 / 3, 2 / 3])
    # Answers with the first bit: right for carry 0 after 0 + 0 and 1 + 0, for carry 1 after 0 + 1 and 1 + 1.
    half = Adder(lambda h, bits: bits[:, :1].astype(float), lambda h: h[:, 0].astype(np.uint8), np.zeros(1))
    assert half.votes(np.zeros((1, 1))).tolist() == [0.5]


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match="bits holds other values"):
        carries(np.full((2, 3, 2), 2))
    with pytest.raises(UserError, match="bits has the wrong shape"):
        totals(np.zeros((2, 3, 1)))
    with pytest.raises(UserError, match="no such chains"):
        chains(3, 4, carry=2, generator=np.random.default_rng(0))
    with pytest.raises(UserError, match="no such numbers"):
        calm_numbers(3, 4, longest=0, generator=np.random.default_rng(0))
    good = tanh_adder()
    assert check_adder(good) == 3
    with pytest.raises(UserError, match="another shape"):
        check_adder(Adder(good.step, lambda h: h[:, :1], good.initial))
