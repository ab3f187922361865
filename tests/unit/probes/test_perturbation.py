import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.probes.perturbation import distances, noise_scale, perturb

SLICES = (slice(0, 4000), slice(4000, 9000), slice(9000, 9001))


def parameters(num_models=3):
    values = np.random.default_rng(0).normal(size=(num_models, 9001))
    values[:, SLICES[1]] = 10 * values[:, SLICES[1]] + 3
    return values.astype(np.float32)


def generators(num_models=3):
    return [np.random.default_rng([7, model]) for model in range(num_models)]


@pytest.mark.parametrize("reading", ["whole", "each"])
def test_the_noise_has_the_deviation_that_the_reading_says(reading):
    trained = parameters()
    found = perturb(trained, [0, 0.5, 2], generators=generators(), reading=reading, slices=SLICES)
    assert found.shape == (3, *trained.shape)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[0], trained)
    noise = found - trained
    for part in SLICES[:2]:
        wanted = trained[:, part].std(axis=1) if reading == "each" else trained.std(axis=1)
        np.testing.assert_allclose(noise[1][:, part].std(axis=1), 0.5 * wanted, rtol=0.05)
        np.testing.assert_allclose(noise[2][:, part].std(axis=1), 2 * wanted, rtol=0.05)
        np.testing.assert_allclose(noise[2][:, part].mean(axis=1), 0, atol=0.1 * wanted.max())
    # A vector of one entry has no deviation of its own.
    assert (noise[2][:, -1] == 0).all() == (reading == "each")


def test_the_noise_of_a_model_grows_with_the_factor_and_hangs_on_no_other_model():
    trained = parameters().astype(np.float64)
    found = perturb(trained, [1, 3], generators=generators())
    np.testing.assert_allclose(found[1] - trained, 3 * (found[0] - trained), rtol=1e-9, atol=1e-9)
    alone = perturb(trained[[1]], [1], generators=[generators()[1]])
    np.testing.assert_array_equal(alone[0, 0], found[0, 1])
    whole, each = (
        (perturb(trained, [1], generators=generators(), reading=reading, slices=SLICES)[0] - trained)
        / np.where((scale := noise_scale(trained, reading=reading, slices=SLICES)) > 0, scale, 1)
        for reading in ("whole", "each")
    )
    np.testing.assert_allclose(whole[:, :-1], each[:, :-1], rtol=1e-6, atol=1e-9)


def test_one_matrix_alone_makes_the_readings_one():
    trained = parameters()
    np.testing.assert_array_equal(
        noise_scale(trained), noise_scale(trained, reading="each", slices=[slice(0, 9001)])
    )


def test_distances_to_the_parameters_before():
    reference = np.array([[0.0, 0.0], [1.0, 1.0]])
    moved = reference + np.array([[[3, 4], [0, 0]], [[0, 1], [6, 8]]])
    assert distances(moved, reference).tolist() == [[5, 0], [1, 10]]
    assert distances(reference, reference).tolist() == [0, 0]
    assert distances(moved[None], reference).shape == (1, 2, 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda: noise_scale(np.ones((2, 3)), reading="matrix"),
        lambda: noise_scale(np.ones((2, 3)), reading="each"),
        lambda: noise_scale(np.ones((2, 3)), reading="each", slices=[slice(0, 2)]),
        lambda: noise_scale(np.ones((2, 3)), reading="each", slices=[slice(0, 2), slice(1, 3)]),
        lambda: noise_scale(np.ones((2, 3)), reading="each", slices=[]),
        lambda: perturb(np.ones((2, 3)), [1], generators=generators(3)),
        lambda: perturb(np.ones((2, 3)), [-1], generators=generators(2)),
        lambda: distances(np.ones((2, 3)), np.ones((2, 4))),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(UserError, match="allowed"):
        call()
