import numpy as np
import pytest
from scipy.linalg import svdvals

from rnnkit.errors import UserError
from rnnkit.probes.structure import (
    block_share,
    effective_rank,
    joint_order,
    shuffled,
    singular_values,
    structure,
)


def ring(num_units=64):
    """Units on a ring that excite near and inhibit far ones, beside a little noise; and the same, shuffled."""
    generator = np.random.default_rng(0)
    angle = 2 * np.pi * np.arange(num_units) / num_units
    matrix = np.cos(angle[:, None] - angle) + 0.3 * generator.normal(size=(num_units, num_units))
    place = generator.permutation(num_units)
    return matrix, matrix[np.ix_(place, place)], place


def test_a_shuffled_ring_is_put_in_order_again():
    _, scattered, place = ring()
    around = place[joint_order(scattered)]
    steps = np.abs(np.diff(around))
    steps = np.minimum(steps, 64 - steps)
    assert steps.mean() < 3  # 16 for a random order
    assert sorted(around) == list(range(64))


def test_two_groups_are_not_mixed_whatever_their_sizes():
    group = np.random.default_rng(0).permutation(np.arange(30) < 11)
    matrix = np.where(group[:, None] == group, 1.0, -0.5)
    changes = np.abs(np.diff(group[joint_order(matrix)].astype(int))).sum()
    assert changes == 1


def test_the_order_belongs_to_the_units_not_to_their_names():
    matrix, scattered, place = ring()
    found, again = joint_order(matrix), place[joint_order(scattered)]
    assert np.array_equal(found, again) or np.array_equal(found, again[::-1])


def test_the_share_is_that_of_an_analysis_of_variance_over_blocks():
    matrix = np.random.default_rng(0).normal(size=(7, 10))
    rows = np.searchsorted([2, 4], np.arange(7), side="right")
    columns = np.searchsorted([3, 6], np.arange(10), side="right")
    smooth = np.empty_like(matrix)
    for row in range(3):
        for column in range(3):
            block = np.ix_(rows == row, columns == column)
            smooth[block] = matrix[block].mean()
    assert block_share(matrix, num_blocks=3) == pytest.approx(smooth.var() / matrix.var())
    assert block_share(smooth, num_blocks=3) == pytest.approx(1)
    assert block_share(matrix, num_blocks=1) == pytest.approx(0, abs=1e-12)


def test_random_places_have_the_share_of_chance():
    generator = np.random.default_rng(0)
    shares = [block_share(generator.normal(size=(64, 64)), num_blocks=8) for _ in range(50)]
    assert np.mean(shares) == pytest.approx(63 / 4095, rel=0.06)
    assert block_share(np.full((5, 5), 0.1), num_blocks=5) == 0


def test_singular_values_are_scipys_and_count_the_rank():
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(9, 9)).astype(np.float32)
    np.testing.assert_allclose(singular_values(matrix), svdvals(matrix.astype(float)), rtol=1e-6)
    orthogonal = np.linalg.qr(generator.normal(size=(20, 20)))[0]
    assert effective_rank(singular_values(orthogonal)) == pytest.approx(20)
    assert effective_rank(singular_values(orthogonal[:, :3] @ orthogonal[:3])) == pytest.approx(3)
    assert effective_rank(np.zeros(4)) == 0
    assert effective_rank(np.array([2.0, 1.0])) == pytest.approx(25 / 17)


def test_a_random_matrix_has_half_its_size_as_effective_rank():
    """Moments of the Marchenko-Pastur law of a square matrix: (sum s^2)^2 / sum s^4 = H / 2."""
    matrix = np.random.default_rng(0).normal(size=(300, 300))
    assert effective_rank(singular_values(matrix)) == pytest.approx(150, rel=0.03)


def test_shuffling_keeps_the_entries_and_leaves_the_matrix_alone():
    matrix = np.arange(12.0).reshape(3, 4)
    kept = matrix.copy()
    found = shuffled(matrix, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(found.ravel()), matrix.ravel())
    np.testing.assert_array_equal(matrix, kept)
    assert not np.array_equal(found, matrix)


def test_structure_stands_out_from_its_control_and_noise_does_not():
    _, scattered, _ = ring()
    found = structure(scattered, generator=np.random.default_rng(0))
    assert found.share > 5 * found.control_share.max()
    assert found.rank < 0.5 * found.control_rank.min()
    noise = np.random.default_rng(1).normal(size=(64, 64))
    nothing = structure(noise, generator=np.random.default_rng(0), num_controls=40)
    assert nothing.control_share.min() <= nothing.share <= nothing.control_share.max()
    assert nothing.control_rank.min() <= nothing.rank <= nothing.control_rank.max()


def test_structure_is_made_of_its_parts_and_repeats_itself():
    _, scattered, _ = ring()
    first, again = (
        structure(scattered, generator=np.random.default_rng(3), num_controls=2) for _ in range(2)
    )
    np.testing.assert_array_equal(first.control_share, again.control_share)
    np.testing.assert_array_equal(first.order, joint_order(scattered))
    assert first.share == block_share(scattered[np.ix_(first.order, first.order)])
    np.testing.assert_array_equal(first.singular, singular_values(scattered))
    generator = np.random.default_rng(3)
    controls = [shuffled(scattered, generator) for _ in range(2)]
    np.testing.assert_array_equal(first.control_singular, [singular_values(one) for one in controls])
    assert first.control_share.shape == first.control_rank.shape == (2,)


def test_small_matrices_and_half_precision_have_an_order_too():
    assert joint_order(np.ones((1, 1))).tolist() == [0]
    assert sorted(joint_order(np.zeros((4, 4)))) == [0, 1, 2, 3]
    _, scattered, _ = ring()
    assert sorted(joint_order(scattered.astype(np.float16))) == list(range(64))


def test_bad_arguments_are_refused():
    generator = np.random.default_rng(0)
    with pytest.raises(UserError, match="not recurrent"):
        joint_order(np.zeros((8, 2)))
    with pytest.raises(UserError, match="not recurrent"):
        structure(np.zeros((8, 2)), generator=generator)
    with pytest.raises(UserError, match="not finite"):
        singular_values(np.full((2, 2), np.nan))
    with pytest.raises(UserError, match="num_controls"):
        structure(np.eye(20), generator=generator, num_controls=0)
    for count in (0, 21):
        with pytest.raises(UserError, match="num_blocks"):
            structure(np.eye(20), generator=generator, num_blocks=count)
