import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.horizon import Memory, log_lengths, memory, run_of, tail_sentences

KINDS = np.array([0, 0, 0, 0, 0, 0, 1, 1, -1, -1])
DECAYS = np.array([0.5, 0.9, 1.0])
WEIGHT, BIAS = np.array([[1.0], [2.0], [1.0]]), np.array([0.1, 0.0, 0.0])


def leaky_step(states, words):
    """Three models that keep a share of the state and add the sign of the word."""
    return DECAYS[:, None, None] * states + KINDS[words][:, None]


def sentences(longest=60, **options):
    return tail_sentences(KINDS, generator=np.random.default_rng(0), longest=longest, **options)


def test_sentences_are_one_word_and_the_same_stop_words_behind_each():
    drawn = sentences(num_tails=5)
    assert drawn.words.shape == (4, 5, 60)
    assert drawn.words[:, 0, 0].tolist() == [6, 7, 8, 9]
    assert drawn.signs.tolist() == [1, 1, -1, -1]
    assert (KINDS[drawn.words[:, :, 1:]] == 0).all()
    np.testing.assert_array_equal(drawn.words[0, :, 1:], drawn.words[3, :, 1:])
    assert len({tail.tobytes() for tail in drawn.words[0]}) == 5


def test_a_leaky_sum_forgets_as_the_closed_form_says():
    found = memory(run_of(leaky_step, np.zeros((3, 1))), WEIGHT, BIAS, sentences())
    lengths = np.arange(1, 61)
    np.testing.assert_allclose(found.distance, 2 * DECAYS[:, None] ** (lengths - 1))
    # Model 0 says positive to a negative word once 0.5^(t - 1) < 0.1, that is from t = 5 on.
    np.testing.assert_allclose(found.right[0], np.where(lengths < 5, 1, 0.5))
    assert (found.right[1:] == 1).all()
    assert found.horizon.tolist() == [4, 60, 60]
    # 0.5^7 is the first power below 1 %; 0.9^44 the first below it (0.9^43 is 1.08 %).
    assert found.forgets.tolist() == [8, 45, 61]


@pytest.mark.parametrize("block", [1, 3, 8, 100])
def test_blocks_do_not_change_what_is_found(block):
    def step(states, words):
        return np.tanh(1.2 * states[:, :, ::-1] + 0.3 * np.sin(words)[:, None] + KINDS[words][:, None])

    drawn = sentences(longest=30)
    weight, bias = np.array([[1.0, -0.5]]), np.array([0.05])
    found = memory(run_of(step, np.zeros((1, 2))), weight, bias, drawn, block=block)
    right, distance = np.zeros(30), np.zeros(30)
    for tail in range(8):
        states = [np.zeros((1, 4, 2))]
        for t in range(30):
            states.append(step(states[-1], drawn.words[:, tail, t]))
            h = states[-1][0]
            right[t] += ((h @ weight[0] + bias[0] > 0) == (drawn.signs > 0)).mean() / 8
            gaps = [np.linalg.norm(h[a] - h[b]) for a in (0, 1) for b in (2, 3)]
            distance[t] += np.mean(gaps) / 8
    np.testing.assert_allclose(found.right[0], right)
    np.testing.assert_allclose(found.distance[0], distance)
    assert 0 < right.min() < 1


def test_a_model_wrong_from_the_start_has_no_horizon_and_one_that_never_told_has_forgotten():
    found = Memory(
        right=np.array([[0.5, 1, 1], [1, 0.9, 1]]), distance=np.array([[0.0, 0, 0], [1, 0.5, 0.01]])
    )
    assert found.horizon.tolist() == [0, 1]
    assert found.forgets.tolist() == [1, 4]


def test_recorded_lengths():
    lengths = log_lengths()
    assert lengths[:100].tolist() == list(range(1, 101))
    assert lengths[-1] == 2000
    assert (np.diff(lengths) > 0).all()
    assert log_lengths(7).tolist() == [1, 2, 3, 4, 5, 6, 7]
    found = memory(run_of(leaky_step, np.zeros((3, 1))), WEIGHT, BIAS, sentences())
    kept = found.at(np.array([1, 5, 60]))
    np.testing.assert_array_equal(kept.right, found.right[:, [0, 4, 59]])
    with pytest.raises(UserError, match="lengths"):
        found.at(lengths)


def test_a_run_of_steps_is_every_state_in_turn():
    words = np.array([[6, 0, 8], [0, 0, 7]])
    states = run_of(leaky_step, np.ones((3, 1)))(words)
    assert states.shape == (3, 2, 4, 1)
    assert states[0, 0, :, 0].tolist() == [1, 1.5, 0.75, -0.625]
    assert states[2, 1, :, 0].tolist() == [1, 1, 1, 2]


def test_what_does_not_fit_is_refused():
    run = run_of(leaky_step, np.zeros((3, 1)))
    with pytest.raises(UserError, match="run gives"):
        memory(run, np.ones((3, 2)), BIAS, sentences())
    with pytest.raises(UserError, match="not finite"):
        memory(lambda words: run(words) * np.nan, WEIGHT, BIAS, sentences())
    with pytest.raises(UserError, match="bias"):
        memory(run, WEIGHT, BIAS[:2], sentences())
    with pytest.raises(UserError, match="at least 1 tail"):
        sentences(num_tails=0)
