from __future__ import annotations

import types

import numpy as np
import pytest
import torch

from rnnkit.figures.recall_player import MAX_DIGITS, read_digits, recall
from rnnkit.figures.recall_player.digits import ordinal
from rnnkit.figures.recall_player.widgets import LiveRecall
from rnnkit.figures.stepping.element import decoded
from tests.unit.figures.lab_nets import make_recall, random_recall
from tests.unit.figures.markup import HOSTILE, data_of, require_inert, require_labelled

READINGS = {
    "": ((), ()),
    "7 0 5 3 9": ((7, 0, 5, 3, 9), ()),
    "70539": ((7, 0, 5, 3, 9), ()),
    "7, 0;5 | 3-9.": ((7, 0, 5, 3, 9), ()),
    "10": ((1, 0), ()),
    "7x0 <b>": ((7, 0), ("x", "<b>")),
    "seven 7 seven": ((7,), ("seven",)),
    "٣ ３": ((), ("٣", "３")),
}
"""Texts with the digits and the unknown parts that are read from them, by Python and by the page's script."""


def torch_beliefs(readout, parameters, digits):
    """Softmax over ten digits of torch's own LSTM, run on each beginning of the sequence."""
    p = {name: torch.tensor(values[0], dtype=torch.float64) for name, values in parameters.items()}
    net = torch.nn.LSTM(10, p["weight_hh"].shape[1], batch_first=True, bidirectional=True).double()
    weights = {
        n.replace("_reverse", "") + "_l0" + "_reverse" * n.endswith("_reverse"): v for n, v in p.items()
    }
    net.load_state_dict({n: v for n, v in weights.items() if "out" not in n}, strict=True)
    one_hot = torch.nn.functional.one_hot(torch.tensor(digits), 10).double()[None]
    beliefs = []
    with torch.no_grad():
        for length in range(1, len(digits) + 1):
            output, (last, _) = net(one_hot[:, :length])
            features = output[:, -1] if readout == "last" else torch.cat([last[0], last[1]], dim=1)
            beliefs.append((features @ p["weight_out"].T + p["bias_out"]).softmax(1)[0].numpy())
    return np.array(beliefs)


@pytest.mark.parametrize("hidden_size", [2, 5, 10])
@pytest.mark.parametrize("readout", ["last", "final"])
def test_beliefs_are_torchs(readout, hidden_size):
    parameters = random_recall(hidden_size)
    digits = np.random.default_rng(4).integers(0, 10, size=MAX_DIGITS).tolist()
    ours = recall(readout, {name: values[0] for name, values in parameters.items()}, digits)
    np.testing.assert_allclose(ours.beliefs, torch_beliefs(readout, parameters, digits), atol=1e-10)
    np.testing.assert_array_equal(ours.said, ours.beliefs.argmax(1))


def test_the_readouts_differ_from_the_second_digit_on():
    parameters = {name: values[0] for name, values in random_recall(3).items()}
    last, final = (recall(readout, parameters, [4, 2, 7]).beliefs for readout in ("last", "final"))
    np.testing.assert_allclose(last[0], final[0], atol=1e-12)
    assert (np.abs(last[1:] - final[1:]).max(axis=1) > 1e-3).all()


@pytest.mark.parametrize("readout", ["last", "final"])
def test_nothing_typed_is_nothing_believed(readout):
    parameters = {name: values[0] for name, values in random_recall(2).items()}
    assert recall(readout, parameters, ()).beliefs.shape == (0, 10)


def test_large_weights_overflow_nothing():
    parameters = {name: values[0] for name, values in random_recall(2, scale=500).items()}
    beliefs = recall("final", parameters, [1, 9, 9, 3]).beliefs
    np.testing.assert_allclose(beliefs.sum(axis=1), 1)


@pytest.mark.parametrize("text", READINGS)
def test_what_is_typed_is_read_leniently(text):
    typed = read_digits(text)
    assert (typed.digits, typed.unknown) == READINGS[text]


def test_a_long_sequence_is_cut():
    assert not read_digits("1" * MAX_DIGITS).cut
    typed = read_digits("2" * (MAX_DIGITS + 1))
    assert (len(typed.digits), typed.cut) == (MAX_DIGITS, True)


def test_places_have_names():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 30)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "30th"]
    )


def test_the_digit_asked_for_is_right_once_it_is_read():
    player = make_recall(position=2)
    assert [player.right((7, 0, 5, 3), step) for step in range(5)] == [None, None, None, 5, 5]


def test_the_page_gets_the_very_numbers_that_python_walks_with():
    player = make_recall()
    data, _ = data_of(player.mimebundle()["text/html"])
    assert (data["position"], data["asked"]) == (1, "2nd")
    for net in data["nets"]:
        own = player.parameters(net["label"], 2)
        theirs = decoded(net, 2)
        assert set(theirs) == set(own)
        for name, values in theirs.items():
            np.testing.assert_array_equal(values, own[name])


def test_the_markup_escapes_what_it_is_given():
    player = make_recall(
        alt=HOSTILE,
        caption=HOSTILE,
        nets={HOSTILE: ("last", random_recall(2))},
        models=[HOSTILE] * 3,
        examples={HOSTILE: "1"},
    )
    require_inert(player.mimebundle()["text/html"], lambda data: {data["nets"][0]["label"], *data["models"]})


def test_labels_lead_somewhere_and_the_same_player_is_the_same_output():
    require_labelled(make_recall().mimebundle()["text/html"])
    assert make_recall().mimebundle() == make_recall().mimebundle()


def with_(name, values, readout="last"):
    return {"nets": {"one": (readout, random_recall(2) | {name: values})}}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"alt": " "}, "alt"),
        ({"nets": {}}, "at least one net"),
        (
            {"nets": {"a": ("last", random_recall(2, num_models=2)), "b": ("last", random_recall(2))}},
            "as many.*'a': 2",
        ),
        (with_("bias_out", np.zeros((3, 9))), r"bias_out.*\(3, 10\).*\(3, 9\)"),
        (with_("weight_ih_reverse", np.zeros((3, 8, 9))), r"weight_ih_reverse.*\(3, 8, 10\)"),
        (with_("bias_hh_reverse", np.full((3, 8), np.inf)), "bias_hh_reverse holds NaN"),
        (with_("weight_hh", np.zeros((3, 8))), "weight_ih must be of shape"),
        (with_("bias_out", np.zeros((3, 10)), readout="each"), "last, final.*'each'"),
        ({"nets": {"one": ("last", {"weight_hh": np.zeros((3, 8, 2))})}}, "weight_ih is missing"),
        ({"models": ["one"]}, "1 names for 3"),
        ({"examples": {"x": "seven"}}, "seven"),
        ({"examples": {"x": " "}}, "1 to 30 digits"),
        ({"examples": {"x": "1" * 31}}, "1 to 30 digits"),
        ({"position": -1}, "position.*-1"),
        ({"position": 30}, "position.*30"),
        ({"position": True}, "position.*True"),
        ({"position": 1.0}, "position.*1.0"),
    ],
)
def test_what_does_not_fit_is_named(changes, match):
    with pytest.raises(ValueError, match=match):
        make_recall(**changes)


def bars(live, panel):
    """Heights of a panel's bars, and the digit that is framed."""
    bars, frame, _ = live.figure.data[3 * panel : 3 * panel + 3]
    return np.array(bars.y), list(frame.x)


def test_in_a_live_kernel_typing_moves_the_bars():
    player = make_recall()
    live = LiveRecall(player)
    assert (live.step.min, live.step.value, live.step.max) == (1, 5, 5)
    live.net.index = 1
    live.texts[0].value = "4 2 x 7"
    ours = player.walk("hidden 5, final", 0, [4, 2, 7]).beliefs
    live.step.value = 1
    np.testing.assert_allclose(bars(live, 0)[0], ours[0])
    np.testing.assert_allclose(bars(live, 1)[0], ours[2])
    assert (bars(live, 0)[1], bars(live, 1)[1]) == ([], [2])
    assert "x" in live.said.value
    assert f"says {ours[2].argmax()} ({ours[2].max():.2f})" in live.said.value
    live.model.index = 2
    np.testing.assert_allclose(bars(live, 0)[0], player.walk("hidden 5, final", 2, [4]).beliefs[0])
    assert live.step.value == 1
    live.texts[0].value = ""
    assert len(bars(live, 0)[0]) == 0
    assert "Type digits" in live.said.value
    live.examples.value = "length 10"
    assert live.step.value == 10


@pytest.mark.parametrize("kernel", [True, False])
def test_a_kernel_shows_widgets_and_the_books_runs_show_the_page(monkeypatch, kernel):
    shown = []
    monkeypatch.delenv("RNNKIT_STATIC", raising=False)
    monkeypatch.setattr("IPython.display.display", lambda *things, **how: shown.append(things[0]))
    if kernel:
        monkeypatch.setattr("IPython.get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    make_recall().show()
    (thing,) = shown
    assert type(thing).__name__ == "VBox" if kernel else set(thing) == {"text/html", "text/plain"}
