from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.heatmaps import heat_maps
from rnnkit.figures.singular import quarter_circle, singular_values
from rnnkit.figures.weight_laws import nearest_law
from rnnkit.figures.weights import distributions
from tests.unit.figures.psmnist import bound, named, rng, weights


def nets(count=2):
    return {
        "rnn": weights("rnn", count),
        "lstm": weights("lstm", count, seed=1),
        "lmu-gru": weights("lmu-gru", count, seed=2),
        "gru": None,
        "lmu-rnn": {"parts": ["input"]},
    }


def place(figure, control, label):
    return figure.controls[control].values.index(label)


@pytest.mark.parametrize("count", [1, 5])
def test_the_picked_part_shows_its_densities(count):
    given = nets(count)
    figure = distributions(given)
    assert figure.controls["part"].values[figure.controls["part"].start] == "LSTM: recurrent i"
    at = place(figure, "part", "LSTM: recurrent f")
    row = given["lstm"]["parts"].index("recurrent f")
    x, y = (bound(figure, "after", attr).at({"part": at}) for attr in "xy")
    assert np.trapezoid(y, x) == pytest.approx(1)
    counts = given["lstm"]["after"][0, row]
    np.testing.assert_allclose(y[1:-1:2] / y[1], counts / counts[0])
    assert bound(figure, "after", "line.color").at({"part": at}) == "#3d57fe"
    assert bound(figure, None, "yaxis.range").at({"part": at})[1] > y.max()


def test_the_laws_have_the_moments_of_the_weights():
    figure = distributions(nets())
    for law in ("normal law", "uniform law"):
        for control, spread in ((0, 0.15), (1, 0.1)):
            x, y = (bound(figure, law, attr).at({"part": 0, "law": control}) for attr in "xy")
            assert np.trapezoid(y, x) == pytest.approx(1, abs=0.03)
            assert np.sqrt(np.trapezoid(y * x**2, x)) == pytest.approx(spread, rel=0.03)
        assert np.isnan(bound(figure, law, "y").at({"part": 0, "law": 2})).all()


def test_nets_that_were_not_run_are_left_out_of_pictures_words_and_tables():
    for figure in (distributions(nets()), heat_maps(nets()), singular_values(nets()), nearest_law(nets())):
        said = figure.alt + str(figure.table) + str(figure.controls)
        assert "LMU + GRU" in said
        assert "LMU + sRNN" not in said
        assert ", GRU" not in said
        figure.payload()


def test_the_words_count_the_parts_nearer_to_the_normal_law():
    assert "LSTM 0 of 9 before and 9 of 9 after" in distributions(nets()).alt
    assert "LSTM 0 of 9 parts before and 9 of 9 parts after training" in nearest_law(nets()).alt
    initial = {
        "rnn": {"parts": ["a", "b"], "uniform_gap": np.full((3, 2), 0.2), "normal_gap": np.full((3, 2), 0.1)}
    }
    figure = nearest_law(initial)
    assert "sRNN 2 of 2 parts before training" in figure.alt
    assert "after" not in figure.alt
    np.testing.assert_allclose(named(figure, "sRNN").x, [0.2, 0.2])
    both = nearest_law(nets())
    np.testing.assert_allclose(named(both, "LSTM").y, 0.03)
    np.testing.assert_allclose(named(both, "LSTM, before").y, 0.1)


def test_a_line_tells_how_far_small_samples_scatter():
    figure = nearest_law(nets(), (256, 0.0554))
    assert named(figure, "95 in 100 uniform samples of 256").x == (0.0554, 0.0554)
    assert "of 256 numbers, 95 lie at most 0.055 from the uniform law" in figure.alt
    assert "of 256 numbers, 95 lie left of the dashed line, at 0.055." in figure.payload()["caption"]
    assert "dashed" not in nearest_law(nets()).payload()["caption"]


def test_a_part_without_weights_that_vary_has_no_law_and_no_numbers():
    given = {"rnn": weights("rnn", 1)}
    given["rnn"]["moments"] = np.full((1, 3, 2, 4), np.nan)
    figure = distributions(given)
    assert np.isnan(bound(figure, "normal law", "y").at({"part": 0, "law": 0})).all()
    assert figure.table["skewness"] == [None] * 6
    figure.payload()


def test_a_heat_map_holds_the_picked_gate_in_whole_levels():
    given = nets()
    figure = heat_maps(given)
    at = place(figure, "gate", "LSTM: recurrent o")
    for order, name in enumerate(("heat", "heat_plain")):
        picture = given["lstm"][name][0, 3].astype(float)
        top = np.quantile(
            np.abs(np.stack([given["lstm"][n][0, 3] for n in ("heat", "heat_plain")])).astype(float), 0.995
        )
        shown = bound(figure, "after", "z").at({"gate": at, "order": order})
        np.testing.assert_array_equal(shown, np.clip(np.rint(picture[1] * 16 / top), -16, 16))
    assert bound(figure, "after", "colorbar.ticktext").at({"gate": at})[2] == f"{top:.2g}"
    assert heat_maps(given, most=4).figure.data[0].z.shape == (4, 4)


def test_the_quarter_circle_is_what_a_random_matrix_has():
    matrix = rng().normal(size=(400, 400)) / 20
    np.testing.assert_allclose(quarter_circle(400), np.linalg.svd(matrix, compute_uv=False), atol=0.05)


@pytest.mark.parametrize("with_control", [False, True])
def test_singular_values_stand_beside_a_control(with_control):
    given = nets()
    control = {"lstm": rng().random((2, 9, 16))} if with_control else None
    figure = singular_values(given, control=control)
    at = place(figure, "gate", "LSTM: recurrent f")
    row = given["lstm"]["parts"].index("recurrent f")
    np.testing.assert_allclose(
        bound(figure, "after", "y").at({"gate": at}), given["lstm"]["singular"][:, row, 1].mean(0)
    )
    shown = bound(figure, "control", "y").at({"gate": at})
    own = control["lstm"][:, row].mean(axis=0) if with_control else quarter_circle(16) * 0.15 * 4
    np.testing.assert_allclose(shown, own)
    figure.payload()


@pytest.mark.parametrize(
    ("call", "changes", "match"),
    [
        (distributions, {"edges": np.zeros((1, 3, 8))}, r"rnn, edges: an array of \(seeds, 3, 9\)"),
        (distributions, {"moments": np.zeros((3, 2, 4))}, r"rnn, moments: an array of \(seeds, 3, 2, 4\)"),
        (heat_maps, {"heat": np.zeros((1, 4, 2, 8, 8))}, r"rnn, heat: an array of \(seeds, 1, 2, N, N\)"),
        (heat_maps, {"parts": ["a", "b", "c"]}, "no name begins with 'recurrent'"),
        (
            singular_values,
            {"singular": np.zeros((1, 3, 16))},
            r"rnn, singular: an array of \(seeds, 3, 2, H\)",
        ),
        (
            nearest_law,
            {"normal_gap": np.zeros((1, 2, 2))},
            r"rnn, normal_gap: an array of \(seeds, 3, when\)",
        ),
    ],
)
def test_wrong_shapes_are_refused(call, changes, match):
    with pytest.raises(ValueError, match=match):
        call({"rnn": weights("rnn", 1) | changes})


def test_pictures_take_one_byte_a_weight():
    arrays = heat_maps(nets()).payload()["arrays"]
    assert {array["dtype"] for array in arrays.values()} == {"u1"}
