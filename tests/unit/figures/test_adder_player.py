from __future__ import annotations

import itertools
import types

import numpy as np
import pytest
import torch

from rnnkit.figures.adder_player import MAX_BITS, Sum, add, read_number
from rnnkit.figures.adder_player import panel as panels
from rnnkit.figures.adder_player.numbers import Number
from rnnkit.figures.adder_player.table import columns
from rnnkit.figures.adder_player.widgets import LiveAdder
from rnnkit.figures.stepping.element import decoded
from rnnkit.figures.stepping.plane import tint
from rnnkit.figures.theme import BACKGROUNDS, NEUTRAL
from tests.unit.figures.lab_nets import exact_adder, make_adder, random_adder, random_carry
from tests.unit.figures.markup import HOSTILE, data_of, require_inert, require_labelled

READINGS = {
    ("13", "decimal"): (13, 4),
    ("0", "decimal"): (0, 1),
    ("007", "decimal"): (7, 3),
    ("1 000_000", "decimal"): (1_000_000, 20),
    (str(2**64 - 1), "decimal"): (2**64 - 1, 64),
    ("0" * 40 + "5", "decimal"): (5, 3),
    ("101", "decimal"): (101, 7),
    ("101", "binary"): (5, 3),
    ("00101", "binary"): (5, 5),
    (" 0B0110 ", "decimal"): (6, 4),
    ("0b11", "binary"): (3, 2),
    ("1" * 64, "binary"): (2**64 - 1, 64),
    ("", "decimal"): "Type a number.",
    ("0b", "decimal"): "Type a number.",
    (" _ ", "binary"): "Type a number.",
    ("12a", "decimal"): "“12a” is no whole number",
    ("-5", "decimal"): "“-5” is no whole number",
    ("1.5", "decimal"): "“1.5” is no whole number",
    ("１３", "decimal"): "is no whole number",
    ("<img src=x>", "decimal"): "“<img src=x>” is no whole number",
    ("102", "binary"): "“102” is no binary number",
    ("0b13", "decimal"): "“0b13” is no binary number",
    (str(2**64), "decimal"): "Too long",
    ("9" * 500, "decimal"): "Too long",
    ("0" * 65, "binary"): "Too long",
}
"""What is typed in which base: value and length, or why there is none; read by Python and by the page's script."""


def numbers(a, b):
    return Sum.of(read_number(str(a), "decimal"), read_number(str(b), "decimal"))


@pytest.mark.parametrize(("text", "base"), READINGS)
def test_what_is_typed_is_read_or_kindly_refused(text, base):
    found, wanted = read_number(text, base), READINGS[text, base]
    if isinstance(wanted, str):
        assert wanted in found.fault
        assert (found.value, found.length) == (0, 0)
    else:
        assert found == Number(*wanted)


def test_sums_on_paper_are_pythons():
    for a, b in itertools.product(range(20), repeat=2):
        added = numbers(a, b)
        assert added.length == max(a.bit_length(), b.bit_length(), 1) + 1
        assert sum(int(bit) << t for t, bit in enumerate(added.right)) == a + b
        for t in range(added.length + 1):
            low = (1 << t) - 1
            assert added.carries[t] == ((a & low) + (b & low)) >> t


def test_the_longest_numbers_do_not_overflow():
    added = numbers(2**MAX_BITS - 1, 2**MAX_BITS - 1)
    assert added.length == 65
    assert added.right.tolist() == [0] + [1] * 64
    assert added.carries.tolist() == [0] + [1] * 64 + [0]


def test_a_missing_number_leaves_no_columns():
    added = numbers("13", "x")
    assert added.length == 0
    assert (
        add("rnn", "bce", {n: v[0] for n, v in random_adder("rnn", 2).items()}, added.inputs).bits.size == 0
    )


@pytest.mark.parametrize("hidden_size", [2, 5, 10])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize(("loss", "threshold"), [("bce", 0), ("mse-sigmoid", 0), ("mse-linear", 0.5)])
def test_states_and_outputs_are_torchs(cell, hidden_size, loss, threshold):
    p = {name: values[0].astype(np.float64) for name, values in random_adder(cell, hidden_size).items()}
    added = numbers(0b1011001110001111, 0b110101010)
    net = getattr(torch.nn, cell.upper())(2, hidden_size, batch_first=True).double()
    net.load_state_dict({f"{n}_l0": torch.tensor(v) for n, v in p.items() if "out" not in n}, strict=True)
    inputs = torch.tensor(added.inputs, dtype=torch.float64)[None]
    with torch.no_grad():
        states, last = net(inputs)
        outputs = states[0] @ torch.tensor(p["weight_out"][0]) + p["bias_out"][0]
        further, _ = net(torch.zeros(1, 1, 2, dtype=torch.float64), last)
        asked = further[0, 0] @ torch.tensor(p["weight_out"][0]) + p["bias_out"][0]
    ours = add(cell, loss, p, added.inputs)
    np.testing.assert_allclose(ours.states[1:, :hidden_size], states[0].numpy(), atol=1e-10)
    np.testing.assert_allclose(ours.margins, outputs.numpy() - threshold, atol=1e-9)
    np.testing.assert_array_equal(ours.bits, outputs.numpy() > threshold)
    np.testing.assert_allclose(ours.held[-1], float(asked) - threshold, atol=1e-9)


def test_a_probes_direction_is_held_against_hidden_or_both_states():
    p = {name: values[0] for name, values in random_adder("lstm", 3).items()}
    inputs = numbers(13, 15).inputs
    for size in (3, 6):
        direction = np.arange(1.0, size + 1)
        ours = add("lstm", "bce", p, inputs, (direction, 0.25))
        by_hand = [sum(d * s for d, s in zip(direction, state, strict=False)) - 0.25 for state in ours.states]
        np.testing.assert_allclose(ours.held, by_hand)


@pytest.mark.parametrize("probed", [True, False])
def test_an_adder_that_is_right_by_construction_is_found_right(probed):
    arrays, carry = exact_adder()
    player = make_adder(nets={"exact": ("rnn", "bce", arrays, *([carry] if probed else []))})
    rng = np.random.default_rng(0)
    pairs = [*rng.integers(0, 2**63, size=(20, 2)).tolist(), (2**64 - 1, 1), (0, 0), (13, 15)]
    for a, b in pairs:
        added = numbers(a, b)
        ours = player.walk("exact", 1, added)
        np.testing.assert_array_equal(ours.bits, added.right)
        np.testing.assert_array_equal(ours.held > 0, added.carries)


def test_the_addition_is_written_out_as_on_paper():
    arrays, carry = exact_adder()
    exact = make_adder(nets={"exact": ("rnn", "bce", arrays, carry)})
    added = numbers(13, 15)
    rows = dict(columns(added, exact.walk("exact", 0, added), 5))
    assert {head: signs.split() for head, signs in rows.items()} == {
        "carry": ["1", "1", "1", "1", "0"],
        "first number": ["0", "1", "1", "0", "1"],
        "second number": ["0", "1", "1", "1", "1"],
        "the net writes": ["1", "1", "1", "0", "0"],
        "right sum": ["1", "1", "1", "0", "0"],
        "carry held": ["1", "1", "1", "1", "0"],
    }
    rows = dict(columns(added, exact.walk("exact", 0, added), 2))
    assert rows["the net writes"].split() == ["·", "·", "·", "0", "0"]
    assert rows["carry"].split() == ["·", "·", "1", "1", "0"]


def test_wrong_bits_are_crossed_out():
    arrays, carry = exact_adder()
    turned = arrays | {"weight_out": -arrays["weight_out"]}
    player = make_adder(nets={"turned": ("rnn", "bce", turned, (-carry[0], carry[1]))})
    added = numbers(13, 15)
    rows = dict(columns(added, player.walk("turned", 0, added), 5))
    assert rows["the net writes"].split() == ["0✗", "0✗", "0✗", "1✗", "1✗"]
    assert rows["carry held"].split() == ["0✗", "0✗", "0✗", "0✗", "0"]
    places = [[i for i, sign in enumerate(row + " ") if sign in "01·"] for row in rows.values()]
    assert all(place == places[0] for place in places)


def test_the_page_gets_the_very_numbers_that_python_walks_with():
    player = make_adder()
    data, _ = data_of(player.mimebundle()["text/html"])
    for net in data["nets"]:
        own = player.parameters(net["label"], 2)
        for name, values in decoded(net, 2).items():
            np.testing.assert_array_equal(values, own[name])
        probe, carry = net["probe"], player.carry(net["label"], 2)
        assert (probe is None) == (carry is None)
        if probe is not None:
            theirs = decoded({"parameters": probe}, 2)
            np.testing.assert_array_equal(theirs["direction"], carry[0])
            assert float(theirs["threshold"]) == carry[1]


def test_the_markup_escapes_what_it_is_given():
    player = make_adder(
        alt=HOSTILE,
        caption=HOSTILE,
        nets={HOSTILE: ("rnn", "bce", random_adder("rnn", 2))},
        models=[HOSTILE] * 3,
        examples={HOSTILE: ("1", "2")},
    )
    require_inert(player.mimebundle()["text/html"], lambda data: {data["nets"][0]["label"], *data["models"]})


def test_labels_lead_somewhere_and_the_same_player_is_the_same_output():
    require_labelled(make_adder().mimebundle()["text/html"])
    assert make_adder().mimebundle() == make_adder().mimebundle()


def test_the_first_examples_are_the_known_sum_and_a_long_carry():
    first, second, *_ = make_adder().examples.values()
    assert first == ("13", "15")
    added = Sum.of(*(read_number(text, "decimal") for text in second))
    assert added.carries.sum() == 16


def one(cell="rnn", loss="bce", size=2, carry=(), **changed):
    return {"nets": {"one": (cell, loss, random_adder("rnn", size) | changed, *carry)}}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"alt": ""}, "alt"),
        ({"nets": {}}, "at least one net"),
        (one(cell="elman"), "cell.*rnn, gru, lstm.*'elman'"),
        (one(loss="mse"), "loss.*bce, mse-sigmoid, mse-linear.*'mse'"),
        (one(cell="gru"), r"weight_ih.*\(3, 6, 2\).*\(3, 2, 2\)"),
        (one(bias_out=np.full((3, 1), np.nan)), "bias_out holds NaN"),
        (one(weight_out=np.zeros((3, 2, 2))), r"weight_out.*\(3, 1, 2\)"),
        (one(carry=[random_carry(3)]), r"carry direction.*\(3, 2\).*\(3, 3\)"),
        (one(carry=[random_carry(4)]), r"carry direction.*\(3, 2\).*\(3, 4\)"),
        (one(carry=[(random_carry(2)[0], np.zeros(2))]), r"carry threshold.*\(3,\).*\(2,\)"),
        (one(carry=[(np.full((3, 2), np.nan), np.zeros(3))]), "carry direction holds NaN"),
        (one(carry=[(0.0, np.zeros(3))]), r"carry direction.*\(3, 2\)"),
        ({"models": ["a"]}, "1 names for 3"),
        ({"examples": {"x": ("1", "two")}}, "two.*no whole number"),
        ({"examples": {"x": ("1",)}}, "two numbers"),
        ({"examples": {"x": (2**64, 1)}}, "Too long"),
    ],
)
def test_what_does_not_fit_is_named(changes, match):
    with pytest.raises(ValueError, match=match):
        make_adder(**changes)


def test_each_colour_stands_out_from_both_pages_and_from_the_tints():
    from tests.unit.figures.test_player import mixed
    from tests.unit.figures.test_theme import contrast

    assert tint(panels.CARRY[0]) != tint(panels.CARRY[1])
    for page in BACKGROUNDS.values():
        grounds = [page, *(mixed(color, page) for color in panels.CARRY)]
        assert min(contrast(color, ground) for color in (*panels.CARRY, NEUTRAL) for ground in grounds) >= 3


def test_in_a_live_kernel_the_numbers_are_added():
    player = make_adder()
    live = LiveAdder(player)
    assert live.step.value == live.step.max == 5
    ours = player.walk("GRU, 2 units", 0, numbers(13, 15))
    np.testing.assert_allclose(live.plane.data[4].x, ours.states[:, 0])
    line, none, some, now = live.figure.data
    np.testing.assert_allclose(line.y, ours.held)
    assert (list(none.x), list(some.x)) == ([0, 5], [1, 2, 3, 4])
    assert f"says {sum(int(bit) << t for t, bit in enumerate(ours.bits))}." in live.said.value
    assert live.plane_box.layout.display is None
    live.step.value = 2
    assert (len(line.x), list(now.x)) == (3, [2])
    live.net.index = 1
    assert live.step.value == 2
    np.testing.assert_allclose(line.y, player.walk("LSTM, 5 units", 0, numbers(13, 15)).held[:3])
    assert live.plane_box.layout.display == "none"
    live.base.value = "binary"
    assert "no binary number" in live.said.value
    assert (len(line.x), live.written.value) == (0, "")
    live.texts[0].value, live.texts[1].value = "01", "11"
    assert "1 + 3 = 4" in live.said.value
    live.net.index = 2
    assert live.figure.layout.yaxis.title.text == panels.ASKED


@pytest.mark.parametrize("kernel", [True, False])
def test_a_kernel_shows_widgets_and_the_books_runs_show_the_page(monkeypatch, kernel):
    shown = []
    monkeypatch.delenv("RNNKIT_STATIC", raising=False)
    monkeypatch.setattr("IPython.display.display", lambda *things, **how: shown.append(things[0]))
    if kernel:
        monkeypatch.setattr("IPython.get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    make_adder().show()
    (thing,) = shown
    assert type(thing).__name__ == "VBox" if kernel else set(thing) == {"text/html", "text/plain"}
