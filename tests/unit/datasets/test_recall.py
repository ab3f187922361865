"""Sequences of digits to recall: their laws, what two seeds share, and what is typed."""

import hashlib
import re

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.datasets import recall
from rnnkit.datasets.recall import PADDING, SAMPLES, draw, one_hot, parse
from rnnkit.errors import UserError


def test_a_batch_has_one_length_and_its_target_stands_at_the_position():
    drawn = draw(60, 7, position=2, min_length=3, max_length=5, seed=1)
    assert drawn.digits.shape == (60, 7, 5)
    assert drawn.digits.dtype == np.uint8
    assert set(drawn.lengths) == {3, 4, 5}
    for batch, length in enumerate(drawn.lengths):
        assert drawn.sequences(batch).shape == (7, length)
        assert drawn.sequences(batch).max() <= 9
        assert (drawn.digits[batch, :, length:] == PADDING).all()
        for row, target in zip(drawn.sequences(batch), drawn.targets[batch], strict=True):
            assert row.tolist()[2] == target


def test_what_a_network_reads_is_one_number_in_ten():
    drawn = draw(5, 4, seed=3)
    for batch, length in enumerate(drawn.lengths):
        x = drawn.one_hot(batch)
        assert x.shape == (4, length, 10)
        assert x.dtype == np.float32
        assert set(np.unique(x)) == {0, 1}
        assert (x.sum(-1) == 1).all()
        np.testing.assert_array_equal(x.argmax(-1), drawn.sequences(batch))


def test_digits_and_lengths_are_uniform():
    drawn = draw(4000, 6, seed=0)
    lengths = np.bincount(drawn.lengths, minlength=11)[3:]
    assert lengths.sum() == 4000
    assert scipy.stats.chisquare(lengths).pvalue > 0.01
    digits = np.bincount(drawn.digits[drawn.digits != PADDING], minlength=10)
    assert digits.sum() == 6 * drawn.lengths.sum()
    assert scipy.stats.chisquare(digits).pvalue > 0.01


def test_digits_do_not_tell_of_each_other():
    digits = draw(3000, 10, min_length=3, max_length=3, seed=5).digits.reshape(-1, 3)
    for i, j in ((0, 1), (1, 2), (0, 2)):
        counts = np.histogram2d(digits[:, i], digits[:, j], bins=10)[0]
        assert scipy.stats.chi2_contingency(counts).pvalue > 0.01


def test_seeds_may_share_their_lengths_and_never_their_digits():
    one, other = (draw(200, 5, seed=seed, lengths_seed=9) for seed in (1, 2))
    np.testing.assert_array_equal(one.lengths, other.lengths)
    both = one.digits[one.digits != PADDING], other.digits[other.digits != PADDING]
    assert abs(np.mean(both[0] == both[1]) - 0.1) < 4 * np.sqrt(0.09 / len(both[0]))
    alone = draw(200, 5, seed=1)
    assert (alone.lengths != one.lengths).any()
    np.testing.assert_array_equal(draw(200, 5, seed=1, lengths_seed=1).lengths, alone.lengths)


def test_other_lengths_leave_the_digits_alone():
    one, other = (draw(50, 5, seed=1, lengths_seed=seed) for seed in (1, 2))
    kept = (one.digits != PADDING) & (other.digits != PADDING)
    assert kept.any()
    np.testing.assert_array_equal(one.digits[kept], other.digits[kept])


def test_a_draw_can_be_made_again_and_fewer_batches_are_its_first_ones():
    one, again, fewer = draw(30, 4, seed=6), draw(30, 4, seed=6), draw(11, 4, seed=6)
    assert one.digits.tobytes() == again.digits.tobytes()
    assert one.lengths.tobytes() == again.lengths.tobytes()
    first, rest = one.split(11)
    np.testing.assert_array_equal(fewer.digits, first.digits)
    np.testing.assert_array_equal(fewer.lengths, first.lengths)
    assert [len(part.lengths) for part in (first, rest)] == [11, 19]
    np.testing.assert_array_equal(np.concatenate([first.targets, rest.targets]), one.targets)


def test_the_sequences_of_committed_records_can_be_made_again():
    # A change here, by this library or by numpy's streams, makes records of the study stale.
    drawn = draw(1000, 50, seed=0)
    assert drawn.lengths[:8].tolist() == [10, 3, 9, 6, 5, 6, 8, 9]
    assert drawn.digits[0, 0].tolist() == [8, 7, 4, 8, 4, 5, 0, 2, 4, 5]
    assert hashlib.sha256(drawn.digits.tobytes()).hexdigest()[:8] == "9e2c0e0e"


def test_the_samples_are_those_of_the_report():
    assert sorted(len(sample.digits) for sample in SAMPLES) == [n for n in range(3, 11) for _ in range(2)]
    assert [sample.digits[recall.POSITION] for sample in SAMPLES] == [sample.truth for sample in SAMPLES]
    assert len(set(SAMPLES)) == 16


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=30), st.sampled_from(["", " ", ",", ", ", "; ", "\n"])
)
def test_what_is_typed_is_read(digits, between):
    found = parse(f" {between.join(map(str, digits))}{between}")
    assert found.tolist() == digits
    assert found.dtype == np.uint8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"position": 3}, "shortest sequences, of 3, .* at this position: 3; allowed: 0 to 2"),
        ({"position": -1}, "position cannot be used: -1"),
        ({"position": 1.0}, "position cannot be used: 1.0"),
        ({"num_batches": 0}, "num_batches cannot be used: 0"),
        ({"num_batches": True}, "num_batches cannot be used: True"),
        ({"num_batches": 2.5}, "num_batches cannot be used: 2.5"),
        ({"batch_size": -5}, "batch_size cannot be used: -5"),
        ({"batch_size": None}, "batch_size cannot be used; allowed"),
        ({"batch_size": "7"}, "batch_size cannot be used: '7'"),
        ({"min_length": 0}, "min_length cannot be used: 0"),
        ({"max_length": 2}, "max_length cannot be used: 2; allowed: an integer of 3 to"),
        ({"max_length": 10**9}, "max_length cannot be used"),
        ({"seed": -1}, "no seed: -1"),
        ({"seed": True}, "no seed: True"),
        ({"lengths_seed": 0.5}, "no seed: 0.5"),
        ({"num_batches": 10**9}, "would fill the memory"),
    ],
)
def test_a_mistake_in_a_draw_is_one_clear_error(change, words):
    with pytest.raises(UserError, match=words):
        draw(**{"num_batches": 2, "batch_size": 2, "seed": 0} | change)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: parse(""), "there is no digit in this sequence: ''"),
        (lambda: parse(" ,, "), "there is no digit"),
        (lambda: parse("1,x,3"), "this is no digit: 'x'; allowed: 0 to 9"),
        (lambda: parse("1,12,3"), "this is no digit: '12'"),
        (lambda: parse("1-2"), "this is no digit: '-'"),
        (lambda: parse("١٢"), "this is no digit"),
        (lambda: parse("²"), "this is no digit"),
        (lambda: parse("5" * 1001), "too long: 1001"),
        (lambda: parse(124), "typed as text: 124"),
        (lambda: one_hot([0, 10]), "no digit: 10"),
        (lambda: one_hot([-1]), "no digit: -1"),
        (lambda: one_hot([0.5]), "digits are integers: 'float64'"),
        (lambda: one_hot(draw(9, 2, max_length=4, seed=0).digits), f"no digit: {PADDING}"),
        (lambda: draw(9, 2, seed=0).split(10), "num_train cannot be used: 10; allowed: an integer of 0 to 9"),
    ],
)
def test_a_mistake_is_one_clear_error(call, words):
    with pytest.raises(UserError, match=words):
        call()


def test_typed_examples():
    for text in ("1,2,4", "124", "1 2 4"):
        assert parse(text).tolist() == [1, 2, 4]
    assert re.sub(r"\D", "", str(parse("70539"))) == "70539"
