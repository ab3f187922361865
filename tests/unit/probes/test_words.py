import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from rnnkit.errors import UserError
from rnnkit.probes.words import line_share, mean_norms, readout_images, separable, step_sizes, word_images

KINDS = np.array([0, 0, 0, 0, 0, 0, 1, 1, -1, -1])


def separable_in_the_plane(first, second):
    """A line separates two sets if all differences first - second fit strictly within a half-plane."""
    differences = (first[:, None] - second).reshape(-1, 2)
    angles = np.sort(np.arctan2(differences[:, 1], differences[:, 0]))
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    return bool(gaps.max() > np.pi + 1e-9 and (differences**2).sum(axis=1).min() > 0)


def test_images_are_what_the_gates_of_a_gru_add_for_each_word():
    torch.manual_seed(0)
    cells = [torch.nn.GRUCell(4, 3, bias=False) for _ in range(2)]
    embedding = torch.randn(2, 10, 4)
    weights = np.stack([cell.weight_ih.detach().numpy() for cell in cells])
    images = word_images(embedding.numpy(), weights, num_gates=3)
    assert images.shape == (2, 3, 10, 3)
    for model, cell in enumerate(cells):
        # From the zero state, h = (1 - z) tanh(n): the reset gate has nothing to reset.
        z, n = 1 / (1 + np.exp(-images[model, 1])), np.tanh(images[model, 2])
        np.testing.assert_allclose((1 - z) * n, cell(embedding[model]).detach().numpy(), atol=1e-6)


def test_readout_images_take_the_last_gate_unless_told():
    generator = np.random.default_rng(0)
    images, weight_out = generator.normal(size=(2, 3, 10, 4)), generator.normal(size=(2, 2, 4))
    found = readout_images(images, weight_out)
    np.testing.assert_allclose(found[1, 7], weight_out[1] @ images[1, 2, 7])
    np.testing.assert_allclose(
        readout_images(images, weight_out, gate=0)[1, 7], weight_out[1] @ images[1, 0, 7]
    )


def test_stop_words_in_the_null_space_have_no_norm():
    embedding = np.zeros((1, 10, 2))
    embedding[0, :, 0] = np.arange(10)
    embedding[0, 6:, 1] = [1, 1, -3, -3]
    norms = mean_norms(word_images(embedding, np.array([[[0.0, 1.0], [0.0, 0.0]]])), KINDS)
    assert norms.stop.tolist() == [[0]]
    assert norms.other.tolist() == [[2]]


def test_step_sizes_of_a_hand_made_walk():
    words = np.array([[0, 6, 5], [8, 1, 9]])
    # Along one axis: steps 1, 2, 3 and 4, 5, 6; the second model's are twice as long.
    path = np.cumsum([[0, 1, -2, 3], [0, 4, 5, -6]], axis=1, dtype=np.float32)[None, :, :, None]
    found = step_sizes(np.concatenate([path, 2 * path]), words, KINDS)
    np.testing.assert_allclose(found.stop, [3, 6])  # of 1, 3 and 5
    np.testing.assert_allclose(found.other, [4, 8])  # of 2, 4 and 6


def test_a_kind_that_is_never_read_has_no_step_size():
    found = step_sizes(np.ones((1, 2, 3, 2)), np.zeros((2, 2), int), KINDS)
    assert found.stop.tolist() == [0]
    assert np.isnan(found.other).all()


def test_line_share_is_that_of_principal_components():
    points = np.random.default_rng(0).normal(size=(5, 2, 10, 3)) * [3, 2, 1]
    found = line_share(points)
    assert found.shape == (5, 2)
    for index in np.ndindex(5, 2):
        assert found[index] == pytest.approx(PCA().fit(points[index]).explained_variance_ratio_[0])


def test_line_share_of_lines_circles_and_points():
    along = np.linspace(-1, 1, 9)[:, None]
    angles = 2 * np.pi * np.arange(12) / 12
    assert line_share(along * [3.0, -4.0] + [100.0, 7.0]) == pytest.approx(1)
    assert line_share(np.column_stack([np.cos(angles), np.sin(angles)])) == pytest.approx(0.5)
    assert np.isnan(line_share(np.full((4, 2), 0.1)))


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_separability_agrees_with_the_half_plane_of_differences(shift):
    generator = np.random.default_rng(shift)
    first = generator.normal(size=(60, 4, 2)) + shift
    second = generator.normal(size=(60, 5, 2))
    expected = [separable_in_the_plane(a, b) for a, b in zip(first, second, strict=True)]
    assert separable(first, second).tolist() == expected
    assert any(expected)


def test_separability_of_hand_made_sets():
    square = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    assert not separable(square[:2], square[2:])  # exclusive or
    assert separable(square[[0, 2]], square[[1, 3]])
    assert not separable(square[:1], square[:2])  # a common point
    line = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]])
    assert separable(line[:2], line[2:])
    assert not separable(line[[0, 2]], line[1:2])  # one between two others


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
def test_separability_sees_small_gaps_at_any_scale_and_place(scale):
    left = scale * np.array([[5.0, 5.0], [5.0, 6.0]])
    right = left + np.array([scale * 1e-5, 0])
    assert separable(left, right)
    assert not separable(left, right - [scale * 1e-5, 0])


def test_separability_holds_in_any_dimension():
    corners = np.array(np.meshgrid(*[[0.0, 1.0]] * 4)).reshape(4, -1).T
    parity = corners.sum(axis=1) % 2 == 1
    assert not separable(corners[parity], corners[~parity])
    assert separable(corners[corners.sum(axis=1) > 2], corners[corners.sum(axis=1) <= 2])


@pytest.mark.parametrize(
    "call",
    [
        lambda: word_images(np.ones((2, 10, 3)), np.ones((2, 4, 3)), num_gates=3),
        lambda: word_images(np.ones((2, 10, 3)), np.ones((1, 4, 3))),
        lambda: readout_images(np.ones((2, 1, 10, 3)), np.ones((2, 2, 4))),
        lambda: readout_images(np.ones((2, 1, 10, 3)), np.ones((2, 2, 3)), gate=1),
        lambda: mean_norms(np.ones((9, 2)), KINDS),
        lambda: mean_norms(np.ones((10, 2)), np.zeros(10)),
        lambda: step_sizes(np.ones((1, 2, 3, 2)), np.zeros((2, 3), int), KINDS),
        lambda: step_sizes(np.ones((1, 2, 3, 2)), np.full((2, 2), 10), KINDS),
        lambda: line_share(np.array([[0.0, np.nan]])),
        lambda: separable(np.ones((2, 3)), np.ones((2, 2))),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(UserError, match="allowed"):
        call()
