import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.adder import KINDS, count_kinds, errors, failure
from rnnkit.probes.additions import carries_in, chains, holds, totals
from rnnkit.probes.lengths import lead_ins, length_or_chain
from tests.unit.probes.adders import level_adder, numbers, tanh_adder

SHORT, LONG = numbers(100, 5), numbers(150, 64, seed=1)


def fail(adder, long_bits=LONG, **options):
    return failure(adder, SHORT, long_bits, generator=np.random.default_rng(0), **options)


def test_errors_are_counted_where_they_are():
    bits = numbers(200, 20)
    right = totals(bits) % 2
    turned = np.random.default_rng(2).random(right.shape) < 0.1
    turned[:20] = False
    found = errors(right ^ turned, bits)
    assert found.share == turned.any(axis=1).mean()
    np.testing.assert_allclose(found.by_step, turned.mean(axis=0))
    for row, first in zip(turned, found.first, strict=True):
        assert first == (np.flatnonzero(row)[0] if row.any() else -1)
    for total in range(4):
        assert found.by_total[total] == pytest.approx(turned[totals(bits) == total].mean())
    for carry in (0, 1):
        for held in (0, 1, 4):
            among = (carries_in(bits) == carry) & (holds(bits) == held)
            assert found.num_by_hold[carry, held] == among.sum()
            assert found.by_hold[carry, held] == pytest.approx(turned[among].mean())
    assert np.isnan(found.by_hold[1, 20])


@pytest.mark.parametrize(
    ("adder", "kind"),
    [
        (tanh_adder(), "none"),
        (level_adder(), "none"),
        (level_adder(keep=0.8), "carry"),
        (level_adder(steps=10), "clock"),
        (level_adder(steps=40), "clock"),
        (level_adder(twos=4), "read-out"),
        (level_adder(keep=0.5), "untaught"),
        (level_adder(twos=0), "untaught"),
    ],
)
def test_the_ways_to_fail_are_told_apart(adder, kind):
    found = fail(adder, numbers(400, 64, seed=1))
    assert found.kind == kind
    if kind == "carry":
        assert found.misread == 0
    if kind == "read-out":
        assert found.lost == 0
    if kind == "none":
        assert found.long_error == found.lost == found.misread == 0
    else:
        assert found.lost + found.misread == round(found.long_error * 400)
    assert found.false_alarms == 0 or np.isnan(found.false_alarms)


def test_chains_tell_of_a_leak_that_random_numbers_seldom_show():
    adder = level_adder(keep=0.92)  # holds a carry for 14 steps
    assert fail(adder).kind == "none"
    chained = fail(adder, chains(50, 20, carry=1, generator=np.random.default_rng(0)))
    assert chained.kind == "carry"
    assert chained.long_error == 1
    assert fail(adder, chains(50, 20, carry=0, generator=np.random.default_rng(0))).kind == "none"


def test_a_second_opinion_agrees_or_does_not():
    adder = level_adder(keep=0.8)
    assert fail(adder, decode=lambda states: states[:, 0] > 0.3).agreement == 1
    # One that is always right about the true carry never sees it lost, so it contradicts.
    assert np.isnan(fail(tanh_adder(), decode=lambda states: states[:, 1] > 0).agreement)
    assert fail(level_adder(twos=4), numbers(400, 64), decode=lambda h: h[:, 0] <= 0.3).agreement == 0


def test_thresholds_move_the_rule():
    assert fail(level_adder(keep=0.8), tolerated=1.0).kind == "none"
    assert fail(level_adder(keep=0.5), learned=1.0).kind == "carry"
    assert fail(level_adder(steps=10), clock=1.0, carry=0.0).kind == "carry"
    with pytest.raises(UserError, match="clock is out of range"):
        fail(tanh_adder(), clock=1.5)


def test_kinds_are_counted_in_order():
    found = count_kinds([fail(tanh_adder()), fail(level_adder(keep=0.8)), fail(level_adder(keep=0.8))])
    assert tuple(found) == KINDS
    assert found == {"none": 1, "untaught": 0, "clock": 0, "carry": 2, "read-out": 0}


def test_length_and_chain_are_told_apart():
    lengths = (3, 5, 8, 20)
    leak = length_or_chain(
        level_adder(keep=0.8), generator=np.random.default_rng(0), chain_lengths=lengths, longest=4, num=300
    )
    # A level of 1 is above 0.3 through five steps, 0.8 ** 5 = 0.33, and not through six.
    assert leak.chains.tolist() == [[0, 0, 0, 0], [0, 0, 1, 1]]
    assert not leak.calm.any()
    assert (np.diff(leak.random) >= 0).all()
    assert leak.random[4] == 0
    assert 0.05 < leak.random[-1] < 0.5
    clock = length_or_chain(
        level_adder(steps=10), generator=np.random.default_rng(0), chain_lengths=lengths, num=100
    )
    np.testing.assert_array_equal(clock.calm, np.arange(1, 65) > 10)
    np.testing.assert_array_equal(clock.random, clock.calm)
    assert clock.chains.tolist() == [[0, 0, 0, 1]] * 2


def test_lead_ins_show_a_clock_and_no_rare_history():
    lengths = (1, 4, 6, 20)
    options = {"generator": np.random.default_rng(0), "num_lead_ins": 5}
    clock = lead_ins(level_adder(steps=10), SHORT, lengths, **options)
    # Six steps after four end at step 10.
    assert clock.changed.tolist() == [0, 0, 1, 1]
    assert clock.wrong.tolist() == [[0, 0, 1, 1]] * 4
    history = lead_ins(level_adder(twos=4), SHORT, lengths, **options)
    assert not history.changed.any()
    assert not history.wrong.any()
    assert history.fresh == (SHORT[:, :5].sum(axis=(1, 2)) == 10).mean()


def test_lead_ins_that_cannot_be_are_refused():
    for lengths, number in [((0, 3), 5), ((3,), 0), ((), 5)]:
        with pytest.raises(UserError, match="lead-ins"):
            lead_ins(tanh_adder(), SHORT, lengths, generator=np.random.default_rng(0), num_lead_ins=number)
