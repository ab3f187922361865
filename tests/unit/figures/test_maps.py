from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.early import cluster_content, colour_codes, early_maps, ink_by_digit
from rnnkit.figures.maps import GRID, map_variants, maps_through_time, on_grid
from rnnkit.figures.purity import purity_through_time, six_separation
from tests.unit.figures.nets import NETS, bound, curves, early, measurements


def through_time(seq_len, n=40):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 10
    maps = {net: rng.normal(size=(seq_len, n, 2)).astype(np.float16) for net in NETS}
    predicted = {net: rng.integers(0, 10, (seq_len, n)).astype(np.uint8) for net in NETS}
    sure = {net: rng.integers(26, 256, (seq_len, n)).astype(np.uint8) for net in NETS}
    return maps, labels.astype(np.uint8), predicted, sure


def test_a_map_keeps_its_shape_on_the_grid():
    maps = np.random.default_rng(0).normal(size=(3, 50, 2))
    placed = on_grid(maps)
    assert np.abs(placed).max(axis=(1, 2)).tolist() == [GRID] * 3
    scale = np.abs(maps).max(axis=(1, 2), keepdims=True) / GRID
    np.testing.assert_allclose(placed * scale, maps, atol=scale.max() / 2 + 1e-12)


def test_a_map_of_one_place_is_no_error():
    assert not on_grid(np.zeros((4, 2))).any()


@pytest.mark.parametrize("seq_len", [8, 28])
def test_points_and_colours_follow_row_net_and_choice(seq_len):
    maps, labels, predicted, sure = through_time(seq_len)
    figure = maps_through_time(maps, labels, predicted, sure)
    state = {"row": seq_len - 1, "net": 1, "colour": 0}
    x = bound(figure, 0, "x").at(state)
    np.testing.assert_array_equal(x, on_grid(maps["tuned"])[-1, :, 0])
    color = bound(figure, 0, "marker.color")
    np.testing.assert_array_equal(color.at(state), labels)
    np.testing.assert_array_equal(color.at(state | {"colour": 1}), predicted["tuned"][-1])
    assert np.abs(color.at(state | {"colour": 2}) - sure["tuned"][-1].astype(int)).max() <= 8
    assert figure.controls["row"].values[figure.start["row"]] == "4"
    opacity = bound(figure, 0, "marker.opacity")
    assert len(set(opacity.at({"shown": 0}))) == 1
    np.testing.assert_array_equal(opacity.at({"shown": 4}) > 0.5, labels == 3)


def test_the_alt_text_and_the_table_hold_how_often_the_readout_is_right():
    maps, labels, predicted, sure = through_time(8)
    predicted["paper"][-1] = labels
    figure = maps_through_time(maps, labels, predicted, sure)
    assert "100.0 % after the last" in figure.alt
    assert figure.table["paper: named rightly"][-1] == 1
    assert figure.table["tuned: named rightly"][2] == round((predicted["tuned"][2] == labels).mean(), 4)


def test_a_step_that_comes_twice_is_offered_once():
    rng = np.random.default_rng(0)
    maps, purity = rng.normal(size=(3, 2, 2, 20, 2)), rng.random((3, 2, 2))
    figure = map_variants(
        maps,
        np.arange(20) % 10,
        purity,
        rng.random(3),
        steps=np.array([4, 4, 8]),
        perplexities=np.array([5, 30]),
        seeds=np.array([0, 1]),
    )
    assert figure.controls["step"].values == ("4", "8")
    state = {"step": 1, "perplexity": 0, "seed": 1}
    np.testing.assert_array_equal(bound(figure, 0, "y").at(state), on_grid(maps[2, 0, 1])[:, 1])
    assert f"{100 * purity[2, 0, 1]:.1f} %" in bound(figure, None, "title.text").at(state)
    assert len(figure.table["perplexity"]) == 8


def test_colours_of_the_early_map_say_what_they_claim():
    arrays = early(12) | {"inked": np.ones(120, bool)}
    digit, inked, cluster, sixes = colour_codes(arrays)
    np.testing.assert_array_equal(digit, arrays["labels"])
    np.testing.assert_array_equal(inked.astype(bool), arrays["inked"])
    assert (cluster[arrays["cluster"] == -1] == 10).all()
    numbers = [set(cluster[arrays["cluster"] == k]) for k in range(12)]
    assert all(len(number) == 1 for number in numbers)
    shares = arrays["counts"][:, 6] / arrays["counts"].sum(1)
    by_number = sorted((number.pop(), -share) for number, share in zip(numbers, shares, strict=True))
    assert [number for number, _ in by_number] == [*range(10), 10, 10]
    assert [share for _, share in by_number[:10]] == sorted(-shares)[:10]
    assert (sixes[arrays["cluster"] == -1] == 0).all()
    inside = arrays["cluster"] == 3
    assert sixes[inside][0] == round(100 * (arrays["labels"][inside] == 6).mean())


def test_without_clusters_no_point_has_one():
    arrays = early(1) | {"cluster": np.full(120, -1, np.int16), "counts": np.zeros((0, 10), np.int64)}
    assert (colour_codes(arrays)[2] == 10).all()
    assert not colour_codes(arrays)[3].any()


@pytest.mark.parametrize("num_seeds", [1, 5])
def test_the_untrained_net_stands_beside_the_first(num_seeds):
    maps = {net: early(k, seed=k) for k, net in enumerate(NETS, start=2)}
    found = measurements(num_seeds)
    figure = early_maps(maps, found)
    assert figure.controls["net"].values[figure.start["net"]] == "untrained net"
    placed = on_grid(maps["untrained"]["embedding"])
    np.testing.assert_array_equal(figure.figure.data[1].x, placed[:, 0])
    assert f"{100 * maps['paper']['inked'].mean():.1f} % of the images have any ink" in figure.alt
    assert f"{found['paper.map_six_precision'].mean():.0%}" in figure.alt


def test_the_bars_are_the_clusters_with_most_sixes_first():
    inked = {"inked": np.ones(120, bool)}
    maps = {net: early(k, seed=k) | inked for k, net in enumerate(NETS, start=3)}
    figure = cluster_content(maps)
    counts = maps["tuned"]["counts"]
    bars = np.stack([bound(figure, digit, "y").at({"net": 1}) for digit in range(10)], axis=1)
    full = bars[bars.sum(1) > 0]
    np.testing.assert_allclose(full.sum(1), 1)
    shares = full[:, 6]
    assert len(full) == len(counts)
    assert (np.diff(shares) <= 1e-12).all()
    assert shares[0] == pytest.approx((counts[:, 6] / counts.sum(1)).max())
    names = bound(figure, None, "xaxis.ticktext").at({"net": 1})
    assert [name.split("<br>")[0] for name in names[: len(full)]] == [str(k + 1) for k in range(len(full))]
    assert not any(names[len(full) :])


def test_a_cluster_of_images_without_ink_has_no_number_and_comes_last():
    arrays = early(3)
    most_sixes = int((arrays["counts"][:, 6] / arrays["counts"].sum(1)).argmax())
    arrays["inked"] = arrays["cluster"] != most_sixes
    figure = cluster_content({"paper": arrays})
    ticks = bound(figure, None, "xaxis.ticktext").at({"net": 0})
    assert [tick.split("<br>")[0] for tick in ticks[:4]] == ["1", "2", "no ink", ""]
    size = arrays["counts"][most_sixes].sum() / arrays["counts"].sum()
    assert float(ticks[2].split("<br>")[1].rstrip(" %")) == pytest.approx(100 * size, abs=0.6)
    bars = np.stack([bound(figure, digit, "y").at({"net": 0}) for digit in range(10)], axis=1)
    np.testing.assert_allclose(bars[2], arrays["counts"][most_sixes] / arrays["counts"][most_sixes].sum())
    assert bound(figure, None, "xaxis.range").at({"net": 0})[1] < 4
    assert (colour_codes(arrays)[2][arrays["cluster"] == most_sixes] == 10).all()


@pytest.mark.parametrize("seq_len", [8, 28])
def test_ink_by_digit_moves_with_the_rows(seq_len):
    started = np.sort(np.random.default_rng(0).random((10, seq_len)), axis=1)
    figure = ink_by_digit(started)
    np.testing.assert_array_equal(bound(figure, 0, "y").at({"row": 5}), started[:, 5])
    assert f"6: {100 * started[6, 3]:.1f} %" in figure.alt


@pytest.mark.parametrize(("seq_len", "num_seeds"), [(8, 1), (28, 5)])
def test_purity_of_all_digits_comes_before_that_of_single_ones(seq_len, num_seeds):
    overall = curves(seq_len, num_seeds)
    single = {net: np.random.default_rng(1).random((len(v), 10, seq_len)) for net, v in overall.items()}
    figure = purity_through_time(overall, single, 0.101)
    np.testing.assert_allclose(bound(figure, 3, "y").at({"digit": 0}), overall["tuned"].mean(0))
    np.testing.assert_allclose(bound(figure, 3, "y").at({"digit": 7}), single["tuned"][:, 6].mean(0))
    assert "Chance is 10.1 %" in figure.alt
    assert f"paper's net {100 * overall['paper'][:, 3].mean():.1f} %" in figure.alt


def test_sixes_are_asked_for_in_states_pixels_and_map():
    found = measurements(4)
    figure = six_separation(found, [*NETS, "shuffled"])
    x, plus = bound(figure, 0, "x"), bound(figure, 0, "error_x.array")
    recall = found["tuned.six_state_recall"]
    assert x.at({"measure": 1})[1] == pytest.approx(recall.mean())
    assert plus.at({"measure": 1})[1] == pytest.approx(recall.max() - recall.mean())
    assert np.isnan(bound(figure, 2, "x").at({"measure": 2})).all(), "a cluster has no AUC"
    assert len(figure.figure.layout.yaxis.ticktext) == len(NETS), "a net without records is left out"
    assert f"{found['paper.six_state_auc'].mean():.3g}" in figure.alt
