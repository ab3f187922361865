from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import confusion, training

RNG = np.random.default_rng(0)
EPOCHS = {"paper": 5, "tuned": 2, "shuffled": 5, "untrained": 0}
LOSS, ACCURACY = "loss on training images", "accuracy on test images"


def metrics(count):
    return {
        name: {net: RNG.random((count, epochs)) for net, epochs in EPOCHS.items()}
        for name in (LOSS, ACCURACY)
    }


@pytest.mark.parametrize("count", [1, 5])
def test_every_trained_net_has_its_own_epochs_and_each_view_its_values(count):
    given = metrics(count)
    figure = training.learning_curves(given, range(count))
    lines = [trace for trace in figure.figure.data if trace.showlegend is None]
    assert [len(trace.x) for trace in lines] == [5, 2, 5]
    by = {(figure.figure.data[b.trace].name, b.attr): b for b in figure.bindings if b.trace is not None}
    shown = by["well-tuned net", "y"].at(
        {"metric": 1, "zoom": 0, "seeds": count - 1 if count == 1 else count}
    )
    np.testing.assert_array_equal(shown, given[ACCURACY]["tuned"][-1])
    assert f"well-tuned net {given[ACCURACY]['tuned'][:, -1].mean():.3f}" in figure.alt
    assert figure.table["net"] == ["paper's net", "well-tuned net", "shuffled labels"]


def test_the_axis_follows_the_metric_and_its_close_up():
    given = metrics(2)
    for net in ("paper", "tuned"):
        given[ACCURACY][net][:] = 0.95
    given[ACCURACY]["shuffled"][:] = 0.1
    figure = training.learning_curves(given, [0, 1])
    (axis,) = (b for b in figure.bindings if b.attr == "yaxis.range")
    assert axis.at({"metric": 1, "zoom": 0}) == [0, 1]
    low, high = axis.at({"metric": 1, "zoom": 1})
    assert 0.8 < low < 0.95 < high
    assert axis.at({"metric": 0, "zoom": 0})[1] >= max(given[LOSS][net].max() for net in ("paper", "tuned"))


@pytest.mark.parametrize("count", [1, 5])
def test_the_final_accuracy_shows_each_seed_the_mean_and_the_paper(count):
    accuracy = {"paper": 0.92 + 0.01 * RNG.random(count), "untrained": np.full(count, 0.1)}
    figure = training.final_accuracy(accuracy, paper=0.93, paper_text="a little over 93 %")
    (dots,) = (trace for trace in figure.figure.data if trace.name == "paper's net")
    np.testing.assert_allclose(dots.x, [*accuracy["paper"], accuracy["paper"].mean()])
    assert figure.figure.layout.shapes[0].x0 == 0.93
    assert f"{100 * accuracy['paper'].mean():.1f} %" in figure.alt
    assert "a little over 93 %" in figure.alt
    (axis,) = (b for b in figure.bindings if b.attr == "xaxis.range")
    assert 0.85 < axis.at({"zoom": 1})[0] < accuracy["paper"].min()


def test_a_confusion_matrix_pools_seeds_and_its_rows_are_percents():
    counts = {"paper": RNG.integers(1, 50, size=(3, 10, 10)), "tuned": RNG.integers(1, 50, size=(3, 10, 10))}
    figure = confusion.matrix(counts)
    z = next(b for b in figure.bindings if b.attr == "z")
    shown = z.at({"shown": 0, "net": 1})
    np.testing.assert_allclose(shown.sum(axis=1), 100)
    pooled = counts["tuned"].sum(axis=0)
    np.testing.assert_allclose(shown[3, 4], 100 * pooled[3, 4] / pooled[3].sum())
    errors = z.at({"shown": 1, "net": 1})
    assert np.isnan(np.diag(errors)).all()
    np.testing.assert_array_equal(errors[3, 4], shown[3, 4])


def test_the_description_names_the_most_frequent_error():
    counts = np.full((1, 10, 10), 1)
    counts[0, 4, 9] = 91
    figure = confusion.matrix({"paper": counts})
    assert "a 4 named 9 (91.0 % of the 4s)" in figure.alt
    row = figure.table["true digit"].index(4)
    assert figure.table["most often taken for"][row] == 9


def test_a_digit_without_images_divides_by_nothing():
    figure = confusion.matrix({"paper": np.diag([5] * 9 + [0])[None]})
    assert "100.0 %" in figure.alt
