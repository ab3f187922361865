from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.settings import ARRAYS, MAIN, NINETY_PERCENT, quantities, small_multiples
from rnnkit.figures.tables import Table, measurement_table
from rnnkit.studies.geometry.configs import THRESHOLDS
from tests.unit.figures.nets import NETS, bound, curves


def probes(seq_len, num_seeds, num_blank=50):
    lengths = {"blank_after": seq_len + 1, "stop_after": seq_len + 1, "extra_blank": num_blank + 1}
    found = {name: curves(lengths.get(name, seq_len), num_seeds, seed=i) for i, name in enumerate(ARRAYS)}
    rng = np.random.default_rng(9)
    for name, shape in (("dimension", (8,)), ("dimension_per_class", (8, 10))):
        found[name] = {
            net: rng.integers(1, 30, (len(values), *shape, seq_len)) for net, values in found[name].items()
        }
    return found


def test_ninety_percent_is_where_the_probes_have_it():
    assert THRESHOLDS[NINETY_PERCENT] == 0.9


@pytest.mark.parametrize(("seq_len", "num_seeds"), [(8, 1), (28, 5)])
def test_each_panel_shows_its_net_and_its_line_ends_where_the_data_end(seq_len, num_seeds):
    found = probes(seq_len, num_seeds)
    shown = quantities(found, NINETY_PERCENT)
    figure = small_multiples(shown)
    for place, quantity in enumerate(shown):
        state = {"quantity": place}
        for panel, net in enumerate(NETS):
            y = bound(figure, 3 * panel, "y").at(state)
            length = len(quantity.x)
            np.testing.assert_allclose(y[:length], np.mean(quantity.values[net], axis=0))
            assert (y[length:] == y[length - 1]).all()
            x = bound(figure, 3 * panel, "x").at(state)
            np.testing.assert_array_equal(x[:length], quantity.x)
            assert (x[length:] == quantity.x[-1]).all()
        low, high = bound(figure, None, "xaxis.range").at(state)
        assert (low, high) == (quantity.x[0], quantity.x[-1])


def test_dimension_is_that_of_ninety_percent_and_classes_are_averaged():
    found = probes(8, 2)
    shown = {quantity.name: quantity for quantity in quantities(found, NINETY_PERCENT)}
    np.testing.assert_array_equal(
        shown["dimension (90 % of variance)"].values["tuned"], found["dimension"]["tuned"][:, 5]
    )
    np.testing.assert_allclose(
        shown["dimension of one digit"].values["tuned"], found["dimension_per_class"]["tuned"][:, 5].mean(1)
    )


def test_the_alt_text_and_the_table_hold_the_last_values():
    found = probes(8, 2)
    figure = small_multiples(quantities(found, NINETY_PERCENT))
    last = found["knn_purity"]["tuned"][:, -1].mean()
    assert f"well-tuned net {last:.3g}" in figure.alt
    row = list(zip(figure.table["measured"], figure.table["net"], strict=True)).index(
        ("neighbours of the same digit", "tuned")
    )
    assert figure.table["last"][row] == pytest.approx(last, abs=1e-4)


def test_measurements_are_printed_by_net_and_missing_ones_as_a_dash():
    table = measurement_table(
        {"paper.final_accuracy": np.array([0.9, 0.94])}, MAIN, ["paper", "untrained"], num_rows=8
    )
    assert table["paper's net"][0] == "92.0 [90.0, 94.0]"
    assert set(table["untrained net"]) == {"–"}


def test_what_never_happens_is_a_word_and_nothing_is_less_than_zero_by_rounding():
    found = {"paper.until": np.array([9, 9]), "tuned.until": np.array([5, 9]), "paper.gap": np.array([-1e-4])}
    titles = {"until": "rows until it is right", "gap": "the gap, points"}
    table = measurement_table(found, titles, ["paper", "tuned"], num_rows=8)
    assert table["paper's net"] == ["never", "0.0"]
    assert table["well-tuned net"] == ["7.0 [5.0, never]", "–"]


def test_a_table_is_html_with_row_and_column_heads_and_nothing_slips_through():
    html = Table({"measured": ["a < b"], "net": ["1"]}, "Numbers & names")._repr_html_()
    assert '<th scope="row">a &lt; b</th><td>1</td>' in html
    assert "<caption>Numbers &amp; names</caption>" in html
    assert "\n\n" not in html


def test_a_ragged_table_is_refused():
    with pytest.raises(ValueError, match="one length"):
        Table({"a": ["1"], "b": []}, "Numbers")
