import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.trajectory import class_means, trajectories


def test_paths_in_a_plane_are_kept_whole_by_two_axes():
    generator = np.random.default_rng(0)
    plane = np.linalg.qr(generator.normal(size=(9, 2)))[0]
    paths = generator.normal(size=(20, 5, 2)) @ plane.T + 3
    found = trajectories(paths, n_components=2)
    np.testing.assert_allclose(found.explained.sum(), 1)
    np.testing.assert_allclose(found.projected @ found.components + found.mean, paths, atol=1e-5)
    assert found.projected.dtype == np.float32


def test_the_sign_of_an_axis_is_fixed_by_its_largest_entry():
    paths = np.random.default_rng(0).normal(size=(30, 4, 6))
    for states in (paths, -paths):
        components = trajectories(states, n_components=6).components
        largest = np.abs(components).argmax(axis=1)
        assert (components[np.arange(6), largest] > 0).all()


def test_axes_can_come_from_other_states():
    generator = np.random.default_rng(0)
    short, long = generator.normal(size=(30, 4, 6)), generator.normal(size=(10, 9, 6))
    found, own = trajectories(long, fit_on=short), trajectories(short)
    np.testing.assert_array_equal(found.components, own.components)
    np.testing.assert_array_equal(found.mean, own.mean)
    assert found.projected.shape == (10, 9, 3)


def test_states_that_do_not_vary_explain_nothing():
    found = trajectories(np.zeros((3, 2, 4), np.float32))
    assert not found.explained.any()
    assert not found.projected.any()


def test_class_means_are_the_product_with_a_normalised_one_hot_matrix():
    paths, labels = np.random.default_rng(0).normal(size=(30, 4, 3)), np.arange(30) % 4
    one_hot = np.eye(4)[labels]
    expected = np.einsum("nc,nsk->csk", one_hot / one_hot.sum(axis=0), paths)
    np.testing.assert_allclose(class_means(paths, labels), expected)


def test_bad_arguments_are_refused():
    paths = np.zeros((3, 2, 4))
    for count in (0, 5):
        with pytest.raises(UserError, match=r"n_components.*1 to 4"):
            trajectories(paths, n_components=count)
    with pytest.raises(UserError, match="fit_on"):
        trajectories(paths, fit_on=np.zeros((3, 2, 5)))
