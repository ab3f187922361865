"""Sentences: the rules against a definition word by word, and draws that are balanced, uniform and repeatable."""

import hashlib
from collections import Counter
from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.datasets import sentences
from rnnkit.datasets.sentences import NAMES, RULES, draw, kinds, label, make, parse, spell
from rnnkit.errors import UserError

some_sentences = st.integers(1, 6).flatmap(
    lambda length: st.lists(st.lists(st.integers(0, 9), min_size=length, max_size=length), max_size=12).map(
        lambda listed: np.array(listed, np.uint8).reshape(-1, length)
    )
)


def by_definition(signs: str, rule: str) -> int:
    """The label of a sentence of ``.``, ``+`` and ``-``, read word by word."""
    sentiment = [sign for sign in signs if sign != "."]
    positive, negative = sentiment.count("+"), sentiment.count("-")
    if rule == "count":
        return -1 if positive == negative else int(positive > negative)
    if rule == "first":
        return -1 if not sentiment else int(sentiment[0] == "+")
    return -1 if len(sentiment) < 2 else int(sentiment[0] != sentiment[1])


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_vocabulary_is_six_stop_words_two_positive_and_two_negative_ones():
    listed = [*sentences.STOP_WORDS, *sentences.POSITIVE_WORDS, *sentences.NEGATIVE_WORDS]
    assert listed == list(range(sentences.VOCABULARY_SIZE))
    assert kinds(listed).tolist() == [0] * 6 + [1] * 2 + [-1] * 2
    assert kinds(np.zeros((2, 3), np.int64)).shape == (2, 3)
    assert kinds(listed).dtype == np.int8


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seq_len", range(1, 8))
def test_a_rule_is_its_definition_for_every_sentence_of_kinds(rule, seq_len):
    every = ["".join(signs) for signs in product(".+-", repeat=seq_len)]
    words = np.array([parse(signs) for signs in every])
    expected = [by_definition(signs, rule) for signs in every]
    found = label(words, rule)
    assert found.tolist() == expected
    assert found.dtype == np.int8
    assert label(words[None, :, :], rule).shape == (1, len(every))
    assert label(words[-1], rule) == expected[-1]


@given(some_sentences, st.sampled_from(RULES))
def test_a_label_hangs_on_the_kinds_alone(words, rule):
    signs = ["".join(".+-"[kind] for kind in sentence) for sentence in kinds(words)]
    assert label(words, rule).tolist() == [by_definition(one, rule) for one in signs]


@pytest.mark.parametrize("rule", RULES)
def test_a_sentence_of_no_words_is_undecided(rule):
    assert label(np.empty((2, 0), np.uint8), rule).tolist() == [-1, -1]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("num", "seq_len"), [(0, 10), (2, 2), (400, 10), (1000, 3)])
def test_a_draw_is_exactly_balanced_and_labelled_by_its_rule(rule, num, seq_len):
    drawn = draw(rule, num, generator=generator(), seq_len=seq_len)
    assert drawn.words.shape == (num, seq_len)
    assert drawn.words.dtype == drawn.labels.dtype == np.uint8
    assert drawn.labels.sum() == num // 2
    assert np.array_equal(label(drawn.words, rule), drawn.labels)


@pytest.mark.parametrize("rule", RULES)
def test_a_draw_is_uniform_over_all_sentences_of_a_label(rule):
    every = np.array(list(product(range(10), repeat=3)), np.uint8)
    drawn = draw(rule, 40_000, generator=generator(), seq_len=3)
    for wanted in (0, 1):
        found = Counter(map(bytes, drawn.words[drawn.labels == wanted]))
        counts = [found[bytes(sentence)] for sentence in every[label(every, rule) == wanted]]
        assert sum(counts) == 20_000
        assert scipy.stats.chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize("rule", RULES)
def test_words_are_uniform_within_their_kind(rule):
    words = make(rule, seed=3).train.words
    counts = np.bincount(words.ravel(), minlength=10)
    for kind in (0, 1, -1):
        assert scipy.stats.chisquare(counts[kinds(np.arange(10)) == kind]).pvalue > 0.01


@pytest.mark.parametrize("rule", RULES)
def test_the_order_is_random(rule):
    labels = make(rule, seed=1).train.labels.astype(int)
    runs = 1 + int(np.sum(labels[1:] != labels[:-1]))
    n = len(labels)  # Wald and Wolfowitz: with halves of both, n / 2 + 1 runs, variance close to n / 4
    assert abs(runs - (n / 2 + 1)) < 4 * np.sqrt(n / 4)


@pytest.mark.parametrize("rule", RULES)
def test_the_three_sets_have_the_sizes_of_the_paper(rule):
    splits = make(rule, seed=0)
    assert [len(part.labels) for part in (splits.train, splits.valid, splits.test)] == [8000, 2000, 3000]
    assert splits.train.words.shape == (8000, sentences.SEQ_LEN)
    assert (splits.rule, splits.seed) == (rule, 0)


def test_sizes_and_length_are_free():
    splits = make("xor", seed=0, seq_len=4, num_train=6, num_valid=4, num_test=0)
    assert [part.words.shape for part in (splits.train, splits.valid, splits.test)] == [
        (6, 4),
        (4, 4),
        (0, 4),
    ]


@pytest.mark.parametrize("rule", RULES)
def test_a_seed_gives_the_same_bytes_and_another_seed_others(rule):
    one, again, other = make(rule, seed=5), make(rule, seed=5), make(rule, seed=6)
    assert one.checksums == again.checksums
    for part in ("train", "valid", "test"):
        assert getattr(one, part).words.tobytes() == getattr(again, part).words.tobytes()
        assert getattr(one, part).labels.tobytes() == getattr(again, part).labels.tobytes()
        assert getattr(one, part).words.tobytes() != getattr(other, part).words.tobytes()
    assert not set(one.checksums.values()) & set(other.checksums.values())


def test_checksums_are_those_of_the_bytes():
    splits = make("first", seed=2, num_train=4, num_valid=2, num_test=2)
    expected = hashlib.sha256(splits.train.words.tobytes() + splits.train.labels.tobytes()).hexdigest()
    assert splits.checksums["sentences-first-s2-train"] == expected
    assert list(splits.checksums) == [f"sentences-first-s2-{part}" for part in ("train", "valid", "test")]


def test_the_sentences_of_committed_records_can_be_made_again():
    # A change here, by this library or by numpy's streams, makes records of the study stale.
    begins = {rule: [sha[:8] for sha in make(rule, seed=0).checksums.values()] for rule in RULES}
    assert begins == {
        "count": ["2e23d678", "66e60d0d", "c308bbf2"],
        "first": ["a470bd8f", "b3c40a87", "dc9af915"],
        "xor": ["961ce07e", "70fcd8ae", "ff873082"],
    }


@pytest.mark.parametrize("rule", RULES)
def test_the_splits_are_independent_streams(rule):
    usual = make(rule, seed=0)
    small = make(rule, seed=0, num_train=10, num_valid=2000, num_test=4)
    assert small.valid.words.tobytes() == usual.valid.words.tobytes()
    parts = [part.words[:2000].tobytes() for part in (usual.train, usual.valid, usual.test)]
    assert len(set(parts)) == 3
    # Two independent sets of 2000 of some 10^10 sentences share next to none.
    assert len({bytes(w) for w in usual.train.words} & {bytes(w) for w in usual.valid.words}) <= 3


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_what_is_spelt_is_parsed_back(words):
    assert parse(spell(words)).tolist() == words
    assert parse(spell(words).upper()).dtype == np.uint8


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("+ . . -", "+..-"),
        (" +..-\n", "+..-"),
        ("pos stop negative POSITIVE neg", "+.-+-"),
        ("good.the bad", "+..-"),
        ("− – -", "---"),
    ],
)
def test_a_typed_sentence(text, signs):
    assert "".join(".+-"[kind] for kind in kinds(parse(text))) == signs


def test_names_are_distinct_and_typed_as_one_word():
    assert len(set(NAMES)) == len(NAMES) == sentences.VOCABULARY_SIZE
    assert [parse(name).tolist() for name in NAMES] == [[word] for word in range(10)]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: label([0], "last"), "unknown rule of labels: 'last'; allowed: count, first, xor"),
        (lambda: draw("last", 2, generator=generator()), "unknown rule of labels"),
        (lambda: make("last", seed=0), "unknown rule of labels"),
        (lambda: label([0, 10], "first"), "unknown word: 10; allowed: 0 to 9"),
        (lambda: kinds([-1]), "unknown word: -1"),
        (lambda: kinds([0.5]), "words are integers: 'float64'"),
        (lambda: label(3, "first"), "an axis for its words: 3"),
        (
            lambda: draw("first", 3, generator=generator()),
            "num is no number of sentences: 3; allowed: an even",
        ),
        (lambda: draw("first", -2, generator=generator()), "num is no number of sentences: -2"),
        (lambda: draw("first", 2.0, generator=generator()), "num is no number of sentences: 2.0"),
        (lambda: make("first", seed=0, num_valid=5), "num_valid is no number of sentences: 5"),
        (lambda: make("first", seed=0, num_test=-2), "num_test is no number of sentences: -2"),
        (lambda: make("xor", seed=0, seq_len=1), "seq_len .*: 1; allowed: an integer of at least 2"),
        (lambda: make("xor", seed=0, seq_len=0), "seq_len .*: 0; allowed: an integer of at least 2"),
        (lambda: make("count", seed=0, seq_len=0), "seq_len .*: 0; allowed: an integer of at least 1"),
        (lambda: make("count", seed=0, seq_len=True), "seq_len .*: True"),
        (lambda: make("count", seed=-1), "this is no seed: -1"),
        (lambda: make("count", seed=None), "this is no seed; allowed: an integer of at least 0"),
        (lambda: parse(" "), "the sentence has no word: ' '"),
        (lambda: parse("good film"), "unknown word: 'film'; allowed: .* awful"),
        (lambda: parse("+7"), "unknown word: '7'"),
        (lambda: spell([[0]]), "a sentence has one axis"),
        (lambda: spell([10]), "unknown word: 10"),
    ],
)
def test_a_mistake_is_one_clear_error(call, words):
    with pytest.raises(UserError, match=words):
        call()
