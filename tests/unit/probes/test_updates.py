import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.updates import updates


def walk(num_epochs=12, num_models=3, size=7, seed=0):
    return np.random.default_rng(seed).normal(size=(num_epochs + 1, num_models, size)).cumsum(axis=0)


def test_a_straight_way_has_cosine_one_everywhere():
    generator = np.random.default_rng(0)
    start, direction = generator.normal(size=(2, 4, 9))
    places = np.cumsum([0, 3, 1, 0.1, 2])[:, None, None]
    found = updates(start + places * direction)
    np.testing.assert_allclose(found.cosine, 1)
    np.testing.assert_allclose(found.straightness, 1)
    np.testing.assert_allclose(found.roughness, 0, atol=1e-12)
    np.testing.assert_allclose(found.early_rise(3), 0, atol=1e-12)
    np.testing.assert_allclose(found.total, 6.1 * np.linalg.norm(direction, axis=1))


def test_a_way_worked_by_hand():
    # East 3, north 4: the global update is (3, 4) of length 5.
    found = updates(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])[:, None])
    np.testing.assert_allclose(found.cosine, [[0.6, 0.8]])
    np.testing.assert_allclose(found.step, [[3, 4]])
    np.testing.assert_allclose(found.total, [5])
    np.testing.assert_allclose(found.mean_cosine, [0.7])
    np.testing.assert_allclose(found.roughness, [0.2])
    np.testing.assert_allclose(found.early_rise(2), [0.2])
    np.testing.assert_allclose(found.straightness, [5 / 7])


def test_straightness_is_the_mean_cosine_weighted_by_the_steps():
    found = updates(walk())
    np.testing.assert_allclose(
        found.straightness, (found.step * found.cosine).sum(axis=1) / found.step.sum(axis=1)
    )


def test_a_random_walk_has_cosines_about_one_over_the_root_of_its_length():
    found = updates(walk(num_epochs=100, num_models=5, size=4000))
    np.testing.assert_allclose(found.mean_cosine, 0.1, rtol=0.05)


def test_models_that_stop_early_are_as_if_alone():
    trajectory = walk()
    epochs = np.array([5, 12, 1])
    frozen = trajectory.copy()
    for model, last in enumerate(epochs):
        frozen[last + 1 :, model] = np.nan
    found = updates(frozen, epochs)
    for model, last in enumerate(epochs):
        alone = updates(trajectory[: last + 1, [model]])
        np.testing.assert_array_equal(found.cosine[model, :last], alone.cosine[0])
        assert np.isnan(found.cosine[model, last:]).all()
        assert np.isnan(found.step[model, last:]).all()
        assert found.mean_cosine[model] == pytest.approx(alone.mean_cosine[0])
        assert found.straightness[model] == pytest.approx(alone.straightness[0])
    assert np.isnan(found.roughness).tolist() == [False, False, True]
    assert np.isnan(found.early_rise(6)).tolist() == [True, False, True]


def test_a_model_that_never_moves_has_no_direction():
    still = np.concatenate([np.ones((4, 1, 3)), walk(3, 1, 3)], axis=1)
    for epochs in (None, np.array([0, 3])):
        found = updates(still, epochs)
        assert np.isnan(found.cosine[0]).all()
        assert np.isnan(found.straightness[0])
        assert found.total[0] == 0
        assert np.isfinite(found.cosine[1]).all()


def test_scale_and_origin_do_not_matter():
    trajectory = walk()
    np.testing.assert_allclose(updates(1e-3 * trajectory + 5).cosine, updates(trajectory).cosine, rtol=1e-9)


@pytest.mark.parametrize(
    ("trajectory", "epochs"),
    [
        (np.ones((1, 2, 3)), None),
        (np.ones((4, 3)), None),
        (np.ones((4, 2, 3)), np.array([1])),
        (np.ones((4, 2, 3)), np.array([1, 4])),
        (np.ones((4, 2, 3)), np.array([1.0, 2.0])),
        (np.full((4, 2, 3), np.nan), None),
    ],
)
def test_what_does_not_fit_is_refused(trajectory, epochs):
    with pytest.raises(UserError, match="allowed"):
        updates(trajectory, epochs)
