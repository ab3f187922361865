import numpy as np
import pytest

from rnnkit.probes.ink import first_ink, ink_per_row


def drawn():
    """Three images of 4 rows of 2 pixels: ink from row 1, from row 2, and none."""
    images = np.zeros((3, 4, 2), dtype=np.float32)
    images[0, 1, 0] = 1.0
    images[1, 2] = 0.5
    return images


def test_a_hand_worked_case():
    ink = ink_per_row(drawn(), np.array([4, 4, 9]))
    assert first_ink(drawn()).tolist() == [1, 2, 4]
    np.testing.assert_allclose(ink.share_started, [0, 1 / 3, 2 / 3, 2 / 3])
    np.testing.assert_allclose(ink.mean_ink, [0, 1 / 6, 1 / 6, 0])
    assert ink.classes.tolist() == [4, 9]
    np.testing.assert_allclose(ink.share_started_per_class, [[0, 0.5, 1, 1], [0, 0, 0, 0]])
    np.testing.assert_allclose(ink.mean_ink_per_class, [[0, 0.25, 0.25, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize(("mean", "std"), [(0.1307, 0.3081), (0.5, 2.0)])
def test_normalising_images_and_blank_alike_changes_only_the_unit(mean, std):
    normalised = ((drawn() - np.float32(mean)) / np.float32(std)).astype(np.float32)
    ink, plain = ink_per_row(normalised, blank=(0 - mean) / std), ink_per_row(drawn())
    np.testing.assert_array_equal(ink.share_started, plain.share_started)
    np.testing.assert_allclose(ink.mean_ink, plain.mean_ink / std, atol=1e-6)


def test_taking_zero_for_blank_in_normalised_images_finds_ink_everywhere():
    assert first_ink(drawn() - 0.42).tolist() == [0, 0, 0]


def test_without_labels_there_are_no_classes():
    assert ink_per_row(drawn()).share_started_per_class.shape == (0, 4)
