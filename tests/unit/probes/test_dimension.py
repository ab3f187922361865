import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.dimension import dimension_through_time, participation_ratio, pca_dimension


def test_a_flat_cloud_of_k_equal_directions_needs_the_rounded_up_share():
    # 10 pairs of opposite points on orthogonal axes: ten equal eigenvalues exactly.
    states = np.concatenate([np.eye(10), -np.eye(10)])
    assert [pca_dimension(states, threshold=level) for level in (0.05, 0.1, 0.11, 0.9, 0.91)] == [
        1,
        1,
        2,
        9,
        10,
    ]


@pytest.mark.parametrize("value", [0.0, 0.1, -1 / 3])
def test_states_that_do_not_vary_have_dimension_zero(value):
    states = np.full((50, 7), value, dtype=np.float32)
    assert pca_dimension(states) == 0
    assert pca_dimension(states[:1]) == 0


def test_dimension_does_not_depend_on_scale_or_offset():
    states = np.random.default_rng(0).normal(size=(300, 12)) * np.arange(1, 13)
    assert pca_dimension(states) == pca_dimension(1e-9 * states) == pca_dimension(states + 100)


def test_blank_steps_and_single_member_classes_are_zero_through_time():
    states = np.random.default_rng(0).normal(size=(41, 4, 5)).astype(np.float32)
    states[:, 0] = 0
    labels = np.array([0] * 20 + [3] * 20 + [7])
    result = dimension_through_time(states, labels, thresholds=(0.5, 0.9))
    assert result.classes.tolist() == [0, 3, 7]
    assert not result.overall[:, 0].any()
    assert not result.per_class[:, :, 0].any()
    assert not result.per_class[:, 2].any()
    assert not result.cumulative[0].any()
    assert (result.overall[:, 1:] > 0).all()
    assert result.participation[0] == 0


def test_without_labels_the_arrays_per_class_are_empty():
    result = dimension_through_time(np.random.default_rng(0).normal(size=(9, 3, 4)))
    assert result.overall.shape == (5, 3)
    assert result.per_class.shape == (5, 0, 3)
    assert result.cumulative_per_class.shape == (0, 3, 4)
    assert result.participation_per_class.shape == (0, 3)


def test_participation_ratio_counts_equal_eigenvalues():
    spectra = np.array([[5.0, 5, 5, 0], [1e-200, 1e-200, 0, 0], [0, 0, 0, 0], [3.0, 1, 0, 0]])
    np.testing.assert_allclose(participation_ratio(spectra), [3, 2, 0, 1.6])


@pytest.mark.parametrize("threshold", [0, 1, 1.5, -0.1, float("nan")])
def test_a_threshold_outside_the_open_interval_is_refused(threshold):
    with pytest.raises(UserError, match="threshold"):
        pca_dimension(np.eye(3), threshold=threshold)


def test_wrong_shapes_and_values_are_refused():
    with pytest.raises(UserError, match=r"\(3,\).*\(n, H\)"):
        pca_dimension(np.zeros(3))
    with pytest.raises(UserError, match="empty"):
        pca_dimension(np.zeros((0, 3)))
    with pytest.raises(UserError, match="labels do not fit"):
        dimension_through_time(np.zeros((4, 2, 3)), np.zeros(5))
    with pytest.raises(UserError, match="finite"):
        pca_dimension(np.array([[0.0, np.nan]]))
    with pytest.raises(UserError, match="numeric"):
        pca_dimension(np.array([["a", "b"]]))
