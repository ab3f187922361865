from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures import training
from rnnkit.figures.epoch_times import epoch_times
from rnnkit.figures.performance import final_table, final_values
from tests.unit.figures.psmnist import bound, named, rng

LOSS, ACCURACY = "loss, test", "accuracy, test"
PAPER = {LOSS: {"lstm": 0.2637, "gru": 0.1969}, ACCURACY: {"lstm": 0.9253, "gru": 0.9366}}


OF_SEEDS = {LOSS: {"lstm": (-2.0, 3.0, "3 seeds")}, ACCURACY: {"lstm": (0.85, 1.0, "3 seeds")}}
OF_ONE = {ACCURACY: {**OF_SEEDS[ACCURACY], "gru": (0.944, 0.956, "5,000 images of one training")}}
OF_INTERVAL = ("95 % from", "95 % to", "interval over")


def ends(count):
    values = rng().random((2, 2, count))
    return {
        LOSS: {"lstm": values[0, 0], "gru": values[0, 1]},
        ACCURACY: {"lstm": values[1, 0], "gru": values[1, 1]},
    }


@pytest.mark.parametrize("count", [1, 5])
def test_each_measure_shows_its_seeds_beside_the_paper(count):
    here = ends(count)
    figure = final_values(here, PAPER, {})
    np.testing.assert_array_equal(bound(figure, "GRU", "x").at({"measure": 1}), here[ACCURACY]["gru"])
    np.testing.assert_array_equal(bound(figure, "the paper", "x").at({"measure": 0}), [0.2637, 0.1969])
    assert np.isnan(bound(figure, "GRU interval", "x").at({"measure": 1})).all(), "no interval, no line"
    for i, measure in enumerate((LOSS, ACCURACY)):
        low, high = bound(figure, None, "xaxis.range").at({"measure": i})
        for values in here[measure].values():
            assert low < values.min() <= values.max() < high
    assert f"GRU {100 * here[ACCURACY]['gru'].mean():.2f} % (paper 93.66 %)" in figure.alt


def test_the_reader_starts_with_the_measure_that_is_named():
    figure = final_values(ends(3), PAPER, {}, start=ACCURACY)
    assert figure.payload()["controls"][0]["start"] == 1
    assert figure.figure.layout.xaxis.title.text == ACCURACY
    low, high = figure.figure.layout.xaxis.range
    assert low < 0.9253 < high


def test_an_interval_is_drawn_told_and_tabulated():
    here = ends(3)
    figure = final_values(here, PAPER, OF_SEEDS)
    np.testing.assert_array_equal(bound(figure, "LSTM interval", "x").at({"measure": 0}), [-2.0, 3.0])
    low, high = bound(figure, None, "xaxis.range").at({"measure": 0})
    assert low < -2 < 3 < high
    assert (
        list(bound(figure, "LSTM", "text").at({"measure": 1}))
        == ["<br>95 %: 85.00 % to 100.00 %,<br>over 3 seeds"] * 3
    )
    assert set(bound(figure, "GRU", "text").at({"measure": 1})) == {""}
    assert "%{text}" in named(figure, "LSTM").hovertemplate
    accuracy = f"LSTM {100 * here[ACCURACY]['lstm'].mean():.2f} %"
    assert f"{accuracy} [85.00 %, 100.00 %, over 3 seeds] (paper 92.53 %)" in figure.alt
    rows = list(zip(*(figure.table[name] for name in ("net", "measure", *OF_INTERVAL)), strict=True))
    assert rows == [
        ("LSTM", LOSS, -2.0, 3.0, "3 seeds"),
        ("LSTM", ACCURACY, 0.85, 1.0, "3 seeds"),
        ("GRU", LOSS, None, None, ""),
        ("GRU", ACCURACY, None, None, ""),
    ]
    figure.payload()


def test_the_interval_of_a_single_training_looks_and_reads_unlike_that_of_seeds():
    here = ends(3)
    here[ACCURACY]["gru"] = np.array([0.95])
    figure = final_values(here, PAPER, OF_ONE)
    for net, measure, symbol in (("GRU", 1, "circle-open"), ("GRU", 0, "circle"), ("LSTM", 1, "circle")):
        assert bound(figure, net, "marker.symbol").at({"measure": measure}) == symbol
    assert "<br>over 5,000 images<br>of one training" in bound(figure, "GRU", "text").at({"measure": 1})[0]
    assert "Ring: a single training; the line of its accuracy is the 95 % interval over" in figure.caption
    assert "single" not in final_values(here, PAPER, OF_SEEDS).caption
    table = final_table(here, PAPER, OF_ONE, "accuracy")
    assert table.columns["test"][1].startswith("95.00 [94.40,\u00a095.60]†, paper:\u00a0")
    assert "† A single training: its 95 % interval (Wilson) is over the images" in table.caption
    assert "†" not in str(final_table(here, PAPER, OF_SEEDS, "accuracy"))


def test_an_interval_shorter_than_a_dot_is_seen_by_its_caps():
    figure = final_values(ends(3), PAPER, OF_SEEDS)
    line, dots = named(figure, "LSTM interval"), named(figure, "LSTM")
    assert (line.mode, line.marker.symbol) == ("lines+markers", "line-ns")
    assert line.marker.size > dots.marker.size + dots.marker.line.width


def test_a_net_that_was_not_run_is_neither_drawn_nor_spoken_of():
    here = ends(2)
    here[LOSS]["lmu-gru"] = here[ACCURACY]["lmu-gru"] = np.empty(0)
    here[ACCURACY]["rnn"] = None
    del here[ACCURACY]["lstm"]
    figure = final_values(here, PAPER, {})
    assert "LMU" not in str(figure.payload())
    assert "sRNN" not in figure.alt
    assert "LSTM" not in figure.alt
    assert np.isnan(bound(figure, "LSTM", "x").at({"measure": 1})).all()
    assert final_table(here, PAPER, {}, "loss").columns["net"] == ["LSTM", "GRU"]


def test_a_lost_training_is_left_out_of_the_mean():
    here = ends(2)
    here[LOSS]["lstm"] = np.array([np.inf, 0.25])
    figure = final_values(here, PAPER, {})
    row = figure.table["net"].index("LSTM")
    assert figure.table["here, mean"][row] == 0.25
    assert figure.table["seeds"][row] == 1
    figure.payload()


def test_what_is_no_measure_is_refused():
    with pytest.raises(ValueError, match="start: 'speed' is none of loss, test, accuracy, test"):
        final_values(ends(1), PAPER, {}, start="speed")
    with pytest.raises(ValueError, match="no measure of speed among loss, test"):
        final_table(ends(1), PAPER, {}, "speed")


def test_nothing_at_all_is_refused():
    with pytest.raises(ValueError, match="no net has a value of loss, test"):
        final_values({LOSS: {"rnn": []}}, PAPER, {})


def test_the_table_has_both_sides_in_percent():
    here = {
        ACCURACY: {"lstm": np.array([0.9, 0.92]), "rnn": np.array([0.5])},
        LOSS: {"lstm": np.array([0.25])},
    }
    intervals = {ACCURACY: {"lstm": (0.78294, 1.0, "2 seeds")}}
    table = final_table(here, PAPER, intervals, "accuracy", budgets={"lstm": "reduced"})
    assert table.columns == {
        "net": ["LSTM (reduced)", "sRNN"],
        "seeds": ["2", "1"],
        "test": ["91.00 [78.29,\u00a0100.00], paper:\u00a092.53", "50.00"],
    }
    assert "in %" in table.caption
    table = final_table(here, PAPER, intervals, "loss")
    assert table.columns == {
        "net": ["LSTM", "sRNN"],
        "seeds": ["1", "0"],
        "test": ["0.2500, paper:\u00a00.2637", "–"],
    }
    assert "a single training has none" in table.caption


def test_epoch_times_name_their_device():
    figure = epoch_times(
        {"lstm": np.array([40.0, 90.0]), "gru": None},
        {"lstm": "NVIDIA H100"},
        {},
        {"lstm": 47.0, "gru": 41.0},
    )
    assert "LSTM 60 s on NVIDIA H100" in figure.alt
    assert "LSTM 47 s" in figure.alt
    assert "GRU" not in figure.alt
    assert "NVIDIA H100" in named(figure, "LSTM").hovertemplate
    assert np.isnan(named(figure, "LSTM interval").x).all()
    low, high = 10.0 ** np.array(figure.figure.layout.xaxis.range)
    assert low < 40 < 90 < high
    with pytest.raises(ValueError, match="devices: not said for gru"):
        epoch_times({"gru": [1.0]}, {}, {})


def test_epoch_times_have_their_interval():
    seconds, of = {"lstm": np.array([40.0, 90.0]), "gru": [9.0]}, {"lstm": "A", "gru": "B"}
    figure = epoch_times(seconds, of, {"lstm": (0.5, 700.0, "2 seeds")})
    np.testing.assert_array_equal(named(figure, "LSTM interval").x, [0.5, 700.0])
    low, high = 10.0 ** np.array(figure.figure.layout.xaxis.range)
    assert low < 0.5 < 700 < high
    assert list(named(figure, "LSTM").text) == ["<br>95 %: 0.5 s to 700 s,<br>over 2 seeds"] * 2
    assert "LSTM 60 s [0.5, 700, over 2 seeds] on A, GRU 9 s on B" in figure.alt
    assert (figure.table["95 % from"], figure.table["95 % to"]) == ([0.5, None], [700.0, None])


@pytest.mark.parametrize("count", [1, 3])
def test_training_and_validation_are_two_lines_of_a_net_with_their_own_epochs(count):
    train = {"loss": {"rnn": rng().random((count, 12)), "lstm": rng(1).random((count, 3))}}
    valid = {
        "loss": {
            "rnn": rng(2).random((count, 12)),
            "lstm": rng(3).random((count, 3)),
            "gru": rng().random((1, 3)),
        }
    }
    figure = training.learning_curves(train, range(count), beside=valid, budgets={"rnn": "reduced"})
    state = {"metric": 0, "zoom": 0, "seeds": 0}
    shown = bound(figure, "sRNN (reduced), validation", "y").at(state)
    assert figure.controls["epochs"].values == ("1 to 3", "1 to 12")
    assert figure.start["epochs"] == 1
    np.testing.assert_allclose(shown, valid["loss"]["rnn"].mean(axis=0))
    assert len(named(figure, "LSTM, training").x) == 3
    assert named(figure, "LSTM, training").line.dash == "solid"
    assert named(figure, "LSTM, validation").line.dash == "dash"
    listed = [trace.name for trace in figure.figure.data if trace.showlegend is not False]
    assert listed == ["sRNN (reduced), training", "LSTM, training"]
    assert {trace.legendgroup for trace in figure.figure.data} == {"sRNN (reduced)", "LSTM"}
    ends = f"{train['loss']['lstm'][:, -1].mean():.3f} / {valid['loss']['lstm'][:, -1].mean():.3f}"
    assert "(training / validation): sRNN (reduced) " in figure.alt
    assert f"LSTM {ends}" in figure.alt
    assert "GRU" not in figure.alt
    assert figure.table["budget"] == ["reduced", ""]
    assert figure.table["loss, validation"][1] == valid["loss"]["lstm"][:, -1].mean()


def test_a_training_that_breaks_off_leaves_a_gap():
    broken = rng().random((1, 6))
    broken[0, 3:] = np.nan
    broken[0, 2] = np.inf
    figure = training.learning_curves({"loss": {"rnn": broken}}, [0], beside={"loss": {"rnn": broken}})
    shown = bound(figure, "sRNN, training", "y").at({"metric": 0, "zoom": 0, "seeds": 0})
    assert np.isnan(shown).tolist() == [False] * 2 + [True] * 4
    figure.payload()
    assert "epochs" not in figure.controls, "all nets have as many"


def test_curves_of_no_net_are_refused():
    with pytest.raises(ValueError, match="no net has loss by epoch"):
        training.learning_curves({"loss": {"rnn": np.empty((0, 0))}}, [0])
