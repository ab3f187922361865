"""The figure of recurrent dropout."""

import numpy as np
import pytest

from rnnkit.figures.masked import spectral_radius


def test_it_draws_each_matrix_and_tells_the_growth():
    figure = spectral_radius(
        np.array([0.0, 0.5]), np.array([[1.0, 1.0], [10.0**0.1, 10.0**0.1]]), num_steps=100
    )
    dots = figure.figure.data[0]
    np.testing.assert_allclose(dots.x, [0, 0, 0.5, 0.5])
    np.testing.assert_allclose(dots.y, [1, 1, 10**0.1, 10**0.1])
    assert figure.table["decades in 100 steps"] == [0, 10]
    assert "10 to the power of 10" in figure.alt


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="radius"):
        spectral_radius(np.array([0.0, 0.5]), np.ones((3, 2)))
