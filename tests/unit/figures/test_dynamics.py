from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import dynamics
from rnnkit.figures.spectrum import leading_pair

RNG = np.random.default_rng(0)


def spectra(count, size=20, scale=1.2):
    matrices = RNG.normal(size=(count, size, size)) * scale / np.sqrt(size)
    values = np.linalg.eigvals(matrices)
    return values.real, values.imag


def test_periods_stand_beside_their_prediction_and_a_net_at_rest_has_none():
    count, moving = 3, np.full((3, 150), 2.0)
    still = np.concatenate([np.full((3, 20), 2.0), np.full((3, 130), 1e-7)], axis=1)
    measured = {"paper": RNG.uniform(5, 9, size=(count, 4)), "untrained": np.full((count, 4), 2.0)}
    measured["paper"][0, 0] = np.nan
    real, imag = {}, {}
    for net in measured:
        real[net], imag[net] = spectra(count)
    change = {"paper": moving, "untrained": still}
    figure = dynamics.periods(measured, change, real, imag, range(count))
    by = {(figure.figure.data[b.trace].name, b.attr): b for b in figure.bindings}
    np.testing.assert_array_equal(by[dynamics.MEASURED, "y"].at({"net": 0}), measured["paper"].ravel())
    assert np.isnan(by[dynamics.MEASURED, "y"].at({"net": 1})).all()
    said = [leading_pair(r, i)[1] for r, i in zip(real["paper"], imag["paper"], strict=True)]
    np.testing.assert_allclose(by[dynamics.PREDICTED, "y"].at({"net": 0}), said)
    assert "paper's net: 11 states of 12 oscillate" in figure.alt
    assert "untrained net: no image oscillates" in figure.alt
    assert figure.table["images that oscillate"] == [3, 4, 4, 0, 0, 0]


@pytest.mark.parametrize(("num_rows", "count"), [(8, 1), (28, 5)])
def test_movement_is_drawn_in_decades_and_rest_is_told(num_rows, count):
    steps = num_rows + 120
    change = {
        "tuned": 1 + RNG.random((count, steps)),
        "untrained": np.tile(0.5 ** np.arange(steps), (count, 1)),
    }
    figure = dynamics.movement(change, range(count), num_rows=num_rows)
    by = {figure.figure.data[b.trace].name: b for b in figure.bindings if b.attr == "y"}
    seeds = {"seeds": count if count > 1 else 0}
    np.testing.assert_allclose(10 ** by["well-tuned net"].at(seeds), change["tuned"][-1])
    assert by["untrained net"].at(seeds).min() == np.log10(dynamics.FLOOR)
    assert "untrained net at rest" in figure.alt
    assert figure.figure.layout.shapes[0].x1 == num_rows + 0.5
    assert len(figure.table["seed"]) == 2 * count


def test_a_net_that_rests_for_some_seeds_is_told_so():
    change = {"paper": np.stack([np.full(150, 1e-6), np.full(150, 2.0)])}
    assert "at rest in 1 of 2 seeds, else 2 a step" in dynamics.movement(change, [0, 1], num_rows=8).alt
