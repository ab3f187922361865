from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import spectrum

RNG = np.random.default_rng(0)


def spectra(count, size=20, scale=1.2):
    matrices = RNG.normal(size=(count, size, size)) * scale / np.sqrt(size)
    values = np.linalg.eigvals(matrices)
    return values.real, values.imag


def rotation(radius, steps):
    angle = 2 * np.pi / steps
    return radius * np.exp(1j * angle)


@pytest.mark.parametrize("steps", [2.5, 7, 40])
def test_the_leading_pair_of_a_rotation_turns_once_in_its_period(steps):
    pair, slower = rotation(1.3, steps), rotation(0.9, 100)
    values = np.array([2.0, slower, slower.conjugate(), pair, pair.conjugate()])
    found, period = spectrum.leading_pair(values.real, values.imag)
    assert found == pytest.approx(pair)
    assert period == pytest.approx(steps)


def test_real_eigenvalues_have_no_leading_pair():
    found, period = spectrum.leading_pair(np.array([1.0, -2.0]), np.zeros(2))
    assert np.isnan(found)
    assert np.isnan(period)


@pytest.mark.parametrize("count", [1, 5])
def test_the_plane_shows_the_spectrum_of_the_chosen_net_and_seed(count):
    real, imag = {}, {}
    for net in ("paper", "tuned"):
        real[net], imag[net] = spectra(count)
    figure = spectrum.eigenvalues(real, imag, range(count))
    by = {(figure.figure.data[b.trace].name, b.attr): b for b in figure.bindings if b.trace is not None}
    state = {"net": 1, "seeds": count - 1}
    np.testing.assert_array_equal(by["eigenvalue", "x"].at(state), real["tuned"][-1])
    pair, _ = spectrum.leading_pair(real["tuned"][-1], imag["tuned"][-1])
    np.testing.assert_allclose(by["leading complex pair", "y"].at(state), [pair.imag, -pair.imag])
    radius = np.hypot(real["tuned"], imag["tuned"]).max()
    (wide,) = (b for b in figure.bindings if b.attr == "xaxis.range")
    assert wide.at(state)[1] > max(1, radius)
    assert f"{np.hypot(real['paper'], imag['paper']).max(axis=1).min():.2f}" in figure.alt
    assert len(figure.table["net"]) == 2 * count
