"""Binary addition against Python's integers, and what is typed."""

from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.datasets.addition import Pairs, carries, draw, inputs, parse, targets, to_bits, to_int, to_text
from rnnkit.errors import UserError

numbers = st.integers(1, 200).flatmap(
    lambda length: st.tuples(st.just(length), st.integers(0, 2**length - 1), st.integers(0, 2**length - 1))
)


def carry_into(a: int, b: int, step: int) -> int:
    """What the lower bits of two integers send on."""
    low = 2**step
    return (a % low + b % low) // low


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_all_pairs_of_short_numbers(length):
    every = list(product(range(2**length), repeat=2))
    a, b = (np.array([to_bits(pair[i], length) for pair in every]) for i in (0, 1))
    assert [to_int(bits) for bits in targets(a, b)] == [sum(pair) for pair in every]
    expected = [[carry_into(*pair, t) for t in range(length + 1)] for pair in every]
    assert carries(a, b).tolist() == expected


@given(numbers)
def test_long_numbers_overflow_nothing(drawn):
    length, first, second = drawn
    a, b = to_bits(first, length), to_bits(second, length)
    assert to_int(a) == first
    assert to_int(targets(a, b)) == first + second
    assert carries(a, b).tolist() == [carry_into(first, second, t) for t in range(length + 1)]
    assert to_int(targets(b, a)) == first + second


def test_a_carry_runs_through_a_thousand_bits():
    a, b = to_bits(2**1000 - 1, 1000), to_bits(1, 1000)
    assert to_int(targets(a, b)) == 2**1000
    assert carries(a, b).tolist() == [0] + [1] * 1000


@given(numbers)
def test_a_network_reads_both_numbers_and_a_zero_of_each(drawn):
    length, first, second = drawn
    x = inputs(to_bits(first, length), to_bits(second, length))
    assert x.shape == (length + 1, 2)
    assert x.dtype == np.float32
    powers = [2**t for t in range(length + 1)]
    for number, read in zip((first, second), x.T, strict=True):
        assert sum(int(bit) * power for bit, power in zip(read, powers, strict=True)) == number


def test_leading_axes_are_kept():
    a, b = draw(3, 4, length=6, seed=0)
    assert inputs(a, b).shape == (3, 4, 7, 2)
    assert targets(a, b).shape == carries(a, b).shape == (3, 4, 7)
    np.testing.assert_array_equal(targets(a, b)[2, 1], targets(a[2, 1], b[2, 1]))
    assert targets(a[:0], b[:0]).shape == (0, 4, 7)
    assert targets(a > 0, b > 0).dtype == np.uint8


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [("001101", "010000", "011101"), ("001101", "011111", "101100"), ("001101", "000001", "001110")],
)
def test_the_examples_of_the_report(first, second, total):
    """Which are written with the zero that is added to 5 bits."""
    assert to_text(targets(to_bits(first, 5), to_bits(second, 5))) == total


@given(st.integers(0, 2**90), st.integers(0, 12))
def test_text_is_read_as_it_is_written(number, zeros):
    text = "0" * zeros + f"{number:b}"
    assert to_text(parse(text)) == text
    assert to_int(parse(f" {text}\n")) == number
    np.testing.assert_array_equal(to_bits(text, len(text)), parse(text))
    assert (
        to_int(to_bits(text, 95)) == to_int(to_bits(np.uint64(number % 2**64), 64)) + number // 2**64 * 2**64
    )


def test_bits_are_fair_and_do_not_tell_of_each_other():
    pairs = draw(100, 100, seed=4)
    codes = (pairs.a @ (1 << np.arange(5))) * 32 + pairs.b @ (1 << np.arange(5))
    counts = np.bincount(codes.ravel().astype(int), minlength=1024)
    assert len(counts) == 1024
    assert scipy.stats.chisquare(counts).pvalue > 0.01


def test_a_draw_can_be_made_again_and_fewer_batches_are_its_first_ones():
    one, again, fewer, other = (draw(n, 7, seed=s) for n, s in ((20, 2), (20, 2), (9, 2), (20, 3)))
    assert isinstance(one, Pairs)
    assert one.a.shape == one.b.shape == (20, 7, 5)
    assert one.a.dtype == np.uint8
    for whole, same, first, else_ in zip(one, again, fewer, other, strict=True):
        np.testing.assert_array_equal(whole, same)
        np.testing.assert_array_equal(whole[:9], first)
        assert (whole != else_).any()


def test_the_numbers_of_committed_records_can_be_made_again():
    # A change here, by this library or by numpy's streams, makes records of the study stale.
    pairs = draw(500, 100, seed=0)
    assert [to_text(bits) for bits in (pairs.a[0, 0], pairs.b[0, 0], pairs.a[499, 99])] == [
        "00110",
        "01011",
        "11111",
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: draw(0, 1, seed=0), "num_batches cannot be used: 0"),
        (lambda: draw(1, -1, seed=0), "batch_size cannot be used: -1"),
        (lambda: draw(1, True, seed=0), "batch_size cannot be used: True"),
        (lambda: draw(1, 1.0, seed=0), "batch_size cannot be used: 1.0"),
        (lambda: draw(1, 1, length=0, seed=0), "length cannot be used: 0; allowed: an integer of 1 to"),
        (lambda: draw(1, 1, length="5", seed=0), "length cannot be used: '5'"),
        (lambda: draw(1, 1, seed=-1), "no seed: -1"),
        (lambda: draw(1, 1, seed=False), "no seed: False"),
        (lambda: draw(10**6, 10**6, seed=0), "would fill the memory"),
        (lambda: parse(""), "no digit in this number: ''"),
        (lambda: parse("  "), "no digit in this number"),
        (lambda: parse("0102"), "no digit of a binary number: '2'"),
        (lambda: parse("0b1"), "no digit of a binary number: 'b'"),
        (lambda: parse("-1"), "no digit of a binary number: '-'"),
        (lambda: parse("1 1"), "no digit of a binary number: ' '"),
        (lambda: parse("1١"), "no digit of a binary number"),
        (lambda: parse(110), "typed as text: 110"),
        (lambda: parse("1" * 10_001), "too long: 10001"),
        (lambda: to_bits(32, 5), "does not fit: 32; allowed: up to 5 bits"),
        (lambda: to_bits("100000", 5), "does not fit: '100000'"),
        (lambda: to_bits(2**70, 5), "does not fit: 'a number of 71 bits'"),
        (lambda: to_bits(3, 0), "length cannot be used: 0"),
        (lambda: to_bits(-1, 5), "no number to add: -1"),
        (lambda: to_bits(1.5, 5), "no number to add: 1.5"),
        (lambda: to_bits(True, 5), "no number to add: True"),
        (lambda: to_bits(None, 5), "no number to add"),
        (lambda: targets([0, 2], [0, 1]), "no bit: 2"),
        (lambda: inputs([0, -1], [0, 1]), "no bit: -1"),
        (lambda: carries([0.0], [1.0]), "no bits: 'float64"),
        (lambda: carries([], []), "no bits"),
        (lambda: targets(1, 0), "no bits"),
        (lambda: targets([0, 1], [1]), r"as many bits: '\(2,\) and \(1,\)'"),
        (lambda: to_text([[0, 1]]), r"one axis, its bits: \(1, 2\)"),
        (lambda: to_int([0, 3]), "no bit: 3"),
    ],
)
def test_a_mistake_is_one_clear_error(call, words):
    with pytest.raises(UserError, match=words):
        call()
