from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import dimension
from rnnkit.figures.dimension import ALL, INK

RNG = np.random.default_rng(0)
THRESHOLDS = (0.5, 0.9, 0.99)
NETS = ("paper", "untrained")


def counts(count, *shape):
    return {net: RNG.integers(1, 30, size=(count, *shape)) for net in NETS}


def bindings(figure):
    return {(figure.figure.data[b.trace].name, b.attr): b for b in figure.bindings if b.trace is not None}


@pytest.mark.parametrize(("num_rows", "count"), [(8, 1), (28, 5)])
def test_all_images_follow_threshold_and_seed(num_rows, count):
    given, ink = counts(count, 3, num_rows), np.linspace(0, 1, num_rows)
    figure = dimension.all_images(given, ink, THRESHOLDS, range(count))
    by = bindings(figure)
    assert figure.start["threshold"] == 1, "the paper's 90 % is shown first"
    shown = by["paper's net", "y"].at({"threshold": 2, "seeds": count if count > 1 else 0})
    np.testing.assert_array_equal(shown, given["paper"][-1, 2])
    (axis,) = (b for b in figure.bindings if b.attr == "yaxis.range")
    assert axis.at({"threshold": 0})[1] > max(given[net][:, 0].max() for net in NETS)
    mean = given["untrained"][:, 1].mean(axis=0)
    assert f"untrained net highest {mean.max():.1f} after row {mean.argmax() + 1}" in figure.alt
    np.testing.assert_allclose(figure.table["untrained net, 90%"], mean)


@pytest.mark.parametrize(("num_rows", "count"), [(8, 1), (28, 5)])
def test_each_class_follows_net_and_threshold(num_rows, count):
    whole, classes = counts(count, 3, num_rows), counts(count, 3, 10, num_rows)
    figure = dimension.per_class(whole, classes, np.ones(num_rows), THRESHOLDS)
    by, state = bindings(figure), {"net": 1, "threshold": 0}
    np.testing.assert_allclose(by["7", "y"].at(state), classes["untrained"][:, 0, 7].mean(axis=0))
    np.testing.assert_allclose(by[ALL, "y"].at(state), whole["untrained"][:, 0].mean(axis=0))
    (axis,) = (b for b in figure.bindings if b.attr == "yaxis.range")
    top = max(by[name, "y"].at(state).max() for name in [ALL, *"0123456789"])
    assert axis.at(state)[1] > top
    np.testing.assert_allclose(figure.table["class 7"], classes["paper"][:, 1, 7].mean(axis=0))


@pytest.mark.parametrize(("num_rows", "count"), [(8, 1), (28, 5)])
def test_participation_needs_no_threshold(num_rows, count):
    whole = {net: RNG.random((count, num_rows)) for net in NETS}
    classes = {net: RNG.random((count, 10, num_rows)) for net in NETS}
    ink = np.linspace(0, 1, num_rows)
    figure = dimension.participation(whole, classes, ink)
    assert list(figure.controls) == ["net"]
    by = bindings(figure)
    np.testing.assert_allclose(by["0", "y"].at({"net": 0}), classes["paper"][:, 0].mean(axis=0))
    np.testing.assert_array_equal(figure.figure.data[0].y, ink)
    assert figure.figure.data[0].name == INK
    assert f"{whole['paper'].mean(axis=0)[-1]:.1f} after the last" in figure.alt


@pytest.mark.parametrize(("num_rows", "count"), [(8, 1), (28, 5)])
def test_the_spectrum_after_a_row_is_read_at_the_picked_components(num_rows, count):
    shares = {net: np.sort(RNG.random((count, num_rows, 200)), axis=-1) for net in NETS}
    figure = dimension.cumulative(shares, range(count))
    by = bindings(figure)
    shown = by["paper's net", "y"].at({"row": 2, "seeds": count if count > 1 else 0})
    picked = figure.figure.data[1].x
    assert picked[0] == 1
    assert picked[-1] == 200
    np.testing.assert_array_equal(shown, shares["paper"][-1, 2, picked - 1])
    assert figure.start["row"] == num_rows - 1
    assert f"paper's net {100 * shares['paper'][:, -1, 0].mean():.0f} %" in figure.alt
    assert len(figure.table["components"]) <= 60
