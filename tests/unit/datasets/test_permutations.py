"""Orders of pixels: fixed for good, and permutations always."""

from __future__ import annotations

import numpy as np
import pytest

from rnnkit.datasets import digits, mnist, permutations
from rnnkit.errors import UserError


@pytest.mark.parametrize("order", permutations.ORDERS)
def test_the_orders_of_784_pixels_are_the_pinned_ones(order):
    assert permutations.checksum(permutations.make(order, 784)) == permutations.CHECKSUMS[order]


@pytest.mark.parametrize("num_pixels", [1, 2, 3, 64, 100, 784])
@pytest.mark.parametrize("order", permutations.ORDERS)
def test_every_order_is_a_permutation(order, num_pixels):
    made = permutations.make(order, num_pixels, seed=3)
    np.testing.assert_array_equal(permutations.checked(made, num_pixels), made)


def test_bit_reversal_sorts_the_pixels_by_their_bits_read_backwards():
    made = permutations.make("bit_reversal", 784)
    backwards = [int(f"{pixel:010b}"[::-1], 2) for pixel in made]
    assert backwards == sorted(backwards)
    assert made[:4].tolist() == [0, 512, 256, 768]


def test_seeds_give_different_random_orders():
    a, b, again = (permutations.make("random", 784, seed=seed) for seed in (0, 1, 0))
    assert not np.array_equal(a, b)
    np.testing.assert_array_equal(a, again)
    assert a[:4].tolist() == [693, 85, 647, 392]


def test_the_checksum_does_not_depend_on_how_the_integers_are_held():
    made = permutations.make("random", 784)
    assert permutations.checksum(made.astype(np.int16)) == permutations.checksum(made[::-1].copy()[::-1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.arange(783), "another length than the images have pixels: 783; allowed: 784"),
        (np.arange(785), "another length"),
        (np.zeros(784, int), r"this is no permutation: 0; allowed: each of 0 \.\. 783 once"),
        (np.arange(1, 785), "this is no permutation: 784"),
        (np.arange(784) - 1, "this is no permutation: -1"),
        (np.arange(784.0), "list of integers"),
        (np.arange(784).reshape(28, 28), "list of integers"),
        (["a"] * 784, "list of integers"),
        ("spiral", "unknown order of pixels: 'spiral'; allowed: random, bit_reversal, identity"),
    ],
)
def test_what_is_no_permutation_of_the_pixels_is_refused(tiny_mnist, given, message):
    with pytest.raises(UserError, match=message):
        mnist.permuted(order=given)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, True, None])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(UserError, match="no seed of a permutation"):
        permutations.make("random", 784, seed=seed)


def test_step_t_is_pixel_permutation_t_of_every_image(tiny_mnist):
    pixels = mnist.permuted(permutation_seed=5)
    order = permutations.make("random", 784, seed=5)
    images = tiny_mnist.arrays["train-images-idx3-ubyte"].reshape(30, 784) / np.float32(255)
    np.testing.assert_array_equal(pixels.train_x[..., 0], images[:20, order])
    np.testing.assert_array_equal(pixels.valid_x[..., 0], images[20:, order])
    np.testing.assert_array_equal(pixels.valid_y, tiny_mnist.arrays["train-labels-idx1-ubyte"][20:])
    np.testing.assert_array_equal(pixels.permutation, order)
    assert pixels.checksums["permutation"] == permutations.checksum(order)
    assert pixels.test_x.shape == (10, 784, 1)
    assert pixels.train_x.dtype == np.float32
    assert pixels.train_x.flags.c_contiguous


def test_identity_reads_row_by_row_and_a_permutation_of_ones_own_is_taken(tiny_mnist):
    rows = mnist.load_rows()
    identity = mnist.permuted(order="identity")
    np.testing.assert_array_equal(identity.test_x, rows.test_x.reshape(10, 784, 1))
    backwards = mnist.permuted(order=list(range(783, -1, -1)))
    np.testing.assert_array_equal(backwards.test_x, identity.test_x[:, ::-1])
    assert (identity.mean, identity.std) == (rows.mean, rows.std) == (backwards.mean, backwards.std)


def test_the_digits_have_64_steps():
    pixels, rows = mnist.permuted(dataset="digits"), digits.load_rows()
    assert pixels.train_x.shape == (1097, 64, 1)
    assert pixels.name == "digits"
    np.testing.assert_array_equal(pixels.test_y, rows.test_y)
    back = np.argsort(pixels.permutation)
    np.testing.assert_array_equal(pixels.test_x[:, back, 0], rows.test_x.reshape(350, 64))
    with pytest.raises(UserError, match="784; allowed: 64"):
        mnist.permuted(dataset="digits", order=np.arange(784))
    with pytest.raises(UserError, match="unknown dataset"):
        mnist.permuted(dataset="fashion")


@pytest.mark.mnist
def test_the_real_mnist_has_its_sizes():
    pixels = mnist.permuted()
    assert [len(y) for y in (pixels.train_y, pixels.valid_y, pixels.test_y)] == [50_000, 10_000, 10_000]
    assert pixels.train_x.shape == (50_000, 784, 1)
    assert pixels.checksums["permutation"] == permutations.CHECKSUMS["random"]
