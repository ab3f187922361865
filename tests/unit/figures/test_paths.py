from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.paths import by_digit, mean_components, paths_in_space, steps
from tests.unit.figures.nets import bound, path_arrays

READ, TAIL, NOW, IMAGE, BELIEF = 10, 11, 12, 13, 14


@pytest.fixture(params=[(8, 6), (28, 60)], ids=["digits", "mnist"])
def case(request):
    seq_len, num_blank = request.param
    nets = {net: path_arrays(seq_len, num_blank, seed=i) for i, net in enumerate(("paper", "tuned"))}
    nets["tuned"]["images"] = nets["paper"]["images"]  # all nets are shown the same test images
    return seq_len, num_blank, nets


def test_the_slider_says_where_the_image_ends():
    assert steps(2, 2) == ["1", "2", "2 + 1 blank", "2 + 2 blank"]


def test_images_are_ordered_by_digit_as_many_as_the_rarest_has():
    labels = np.array([1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    np.testing.assert_array_equal(by_digit(labels, labels), np.arange(10)[:, None])


def test_the_chosen_path_is_the_records(case):
    seq_len, num_blank, nets = case
    figure = paths_in_space(nets)
    state = {"net": 1, "digit": 6, "image": 2, "row": seq_len + 1}
    which = np.flatnonzero(nets["tuned"]["labels"] == 6)[2]
    path = nets["tuned"]["paths"][which]
    for i, axis in enumerate("xyz"):
        np.testing.assert_array_equal(bound(figure, READ, axis).at(state), path[:seq_len, i])
        tail = bound(figure, TAIL, axis).at(state)
        np.testing.assert_array_equal(tail, path[seq_len - 1 :, i])
        assert len(tail) == num_blank + 1, "the dotted line starts where the solid one ends"
        assert bound(figure, NOW, axis).at(state) == path[seq_len + 1, i]
        np.testing.assert_array_equal(
            bound(figure, 3, axis).at(state), nets["tuned"]["class_means"][3, :seq_len, i]
        )
    np.testing.assert_array_equal(bound(figure, IMAGE, "z").at(state), nets["tuned"]["images"][which])
    named = nets["tuned"]["predicted"][which]
    np.testing.assert_array_equal(bound(figure, READ, "marker.color").at(state), named[:seq_len])
    sure = round(float(nets["tuned"]["confidence"][which, seq_len + 1]) / 2.55)
    assert bound(figure, BELIEF, "text").at(state).tolist() == [f"reads {named[seq_len + 1]}<br>{sure} %"]


def test_the_axes_hold_every_path_of_the_chosen_net(case):
    _, _, nets = case
    figure = paths_in_space(nets)
    for i, axis in enumerate("xyz"):
        low, high = bound(figure, None, f"scene.{axis}axis.range").at({"net": 1})
        values = np.concatenate([nets["tuned"][name][..., i].ravel() for name in ("paths", "class_means")])
        assert low <= values.min()
        assert values.max() <= high


def test_the_frame_lies_on_the_row_read_and_then_below_the_image(case):
    seq_len, num_blank, nets = case
    figure = paths_in_space(nets)
    tops = [bound(figure, None, "shapes[0].y0").at({"row": row}) for row in range(seq_len + num_blank)]
    assert tops[:2] == [-0.5, 0.5]
    assert tops[seq_len - 1] == seq_len - 1.5
    assert set(tops[seq_len:]) == {seq_len - 0.5}


def test_the_alt_text_says_how_much_the_axes_hold(case):
    _, num_blank, nets = case
    figure = paths_in_space(nets)
    assert "paper's net 70.0 %" in figure.alt
    assert f"{num_blank} blank rows" in figure.alt
    named = nets["paper"]["predicted"][:, case[0] - 1] == nets["paper"]["labels"]
    assert figure.table["images shown, named rightly"][0] == round(float(named.mean()), 4)


def test_mean_paths_go_on_into_the_blank_rows(case):
    seq_len, num_blank, nets = case
    figure = mean_components(nets)
    state = {"net": 1, "axis": 2}
    means = nets["tuned"]["class_means"]
    line = bound(figure, 4, "y").at(state)
    assert len(line) == seq_len + num_blank
    np.testing.assert_array_equal(line, means[4, :, 2])
    low, high = bound(figure, None, "yaxis.range").at(state)
    assert low <= means[..., 2].min() <= means[..., 2].max() <= high
    distance = np.ptp(means[:, seq_len - 1], axis=0).mean()
    assert f"well-tuned net {distance:.2f} after the last row" in figure.alt
