import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from rnnkit.errors import UserError
from rnnkit.probes.examples import (
    cell_examples,
    confused_pairs,
    precision,
    recall,
)


def answers(n=300, num_classes=4):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, num_classes, n)
    logits = generator.normal(size=(n, num_classes)) * 2
    logits[np.arange(n), labels] += 2
    return logits, labels


def test_the_cells_hold_the_most_confident_errors_and_the_least_confident_hits():
    logits, labels = answers()
    found = cell_examples(logits, labels, num_examples=5)
    probability = softmax(logits, axis=1)
    named = probability.argmax(axis=1)
    np.testing.assert_array_equal(found.matrix, confusion_matrix(labels, named))
    for true in range(4):
        for name in range(4):
            members = [at for at in range(300) if labels[at] == true and named[at] == name]
            members.sort(key=lambda at: probability[at, name], reverse=true != name)
            shown = found.index[true, name]
            assert shown[shown >= 0].tolist() == members[:5]
            there = probability[members[:5], name]
            np.testing.assert_allclose(found.confidence[true, name, : len(there)], there, rtol=1e-6)
            assert np.isnan(found.confidence[true, name, len(there) :]).all()


def test_a_hand_worked_case_with_an_empty_cell_and_ties():
    logits = np.log([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.7, 0.3], [0.7, 0.3]])
    found = cell_examples(logits, np.array([0, 0, 1, 1, 1]), num_examples=2)
    assert found.matrix.tolist() == [[2, 0], [3, 0]]
    assert found.index.tolist() == [[[1, 0], [-1, -1]], [[2, 3], [-1, -1]]]
    np.testing.assert_allclose(found.confidence[:, 0], [[0.6, 0.9], [0.8, 0.7]], rtol=1e-6)
    assert found.index.dtype == np.int32


def test_large_logits_in_half_precision_do_not_overflow():
    logits = np.array([[60_000, 0], [-60_000, 60_000]], np.float16)
    found = cell_examples(logits, np.array([0, 1], np.uint8), num_examples=1)
    np.testing.assert_array_equal(found.confidence[[0, 1], [0, 1], 0], [1, 1])


def test_recall_and_precision_are_sklearns_with_intervals_around_them():
    logits, labels = answers()
    named = logits.argmax(axis=1)
    matrix = cell_examples(logits, labels).matrix
    for found, score in ((recall(matrix), recall_score), (precision(matrix), precision_score)):
        np.testing.assert_allclose(found.share, score(labels, named, average=None))
        assert (found.low < found.share).all()
        assert (found.share < found.high).all()
    np.testing.assert_array_equal(recall(matrix).trials, np.bincount(labels))


def test_the_reading_of_a_hand_worked_matrix():
    matrix = np.array([[8, 2, 0], [1, 9, 0], [0, 5, 5]])
    np.testing.assert_allclose(recall(matrix).share, [0.8, 0.9, 0.5])
    np.testing.assert_allclose(precision(matrix).share, [8 / 9, 9 / 16, 1])
    pairs = confused_pairs(matrix)
    assert [(pair.classes, pair.count) for pair in pairs] == [((1, 2), 5), ((0, 1), 3), ((0, 2), 0)]


def test_classes_without_samples_or_names_have_no_share():
    matrix = np.array([[0, 0, 0], [0, 2, 0], [1, 1, 0]])
    np.testing.assert_array_equal(recall(matrix).share, [np.nan, 1, 0])
    np.testing.assert_array_equal(precision(matrix).share, [0, 2 / 3, np.nan])


def test_equal_pairs_come_in_their_order():
    assert [pair.classes for pair in confused_pairs(np.ones((3, 3)))] == [(0, 1), (0, 2), (1, 2)]


def test_bad_arguments_are_refused():
    logits, labels = answers()
    with pytest.raises(UserError, match="labels do not fit"):
        cell_examples(logits, labels[:-1])
    for wrong in (labels + 1, labels - 1, labels.astype(float)):
        with pytest.raises(UserError, match="not classes"):
            cell_examples(logits, wrong)
    with pytest.raises(UserError, match="num_examples"):
        cell_examples(logits, labels, num_examples=0)
    with pytest.raises(UserError, match="not finite"):
        cell_examples(np.full((2, 2), np.inf), np.array([0, 1]))
    for wrong in (np.ones((2, 3)), -np.eye(2), np.eye(2) / 2):
        with pytest.raises(UserError, match="confusion matrix"):
            recall(wrong)
    with pytest.raises(UserError, match="no pair"):
        confused_pairs(np.ones((1, 1)))
