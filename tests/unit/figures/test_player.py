from __future__ import annotations

import re
import types

import numpy as np
import pytest
import torch

from rnnkit.figures.player import Vocabulary, walk
from rnnkit.figures.player import panel as panels
from rnnkit.figures.player.vocabulary import MAX_WORDS
from rnnkit.figures.player.walk import boundary
from rnnkit.figures.player.widgets import LivePlayer
from rnnkit.figures.stepping import plane
from rnnkit.figures.stepping.element import decoded
from rnnkit.figures.stepping.plane import LIMIT, half_plane
from rnnkit.figures.theme import BACKGROUNDS
from tests.unit.figures.markup import HOSTILE, data_of, require_labelled
from tests.unit.figures.players import EXAMPLES, KINDS, NAMES, READINGS, make_player, random_net


def torch_states(cell, parameters, words):
    """Hidden states and margins of torch's own cell with the same parameters."""
    p = {name: torch.tensor(values[0], dtype=torch.float64) for name, values in parameters.items()}
    net = getattr(torch.nn, cell.upper())(p["weight_ih"].shape[1], 2, batch_first=True).double()
    net.load_state_dict(
        {f"{name}_l0": p[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}, strict=True
    )
    with torch.no_grad():
        states = net(p["embedding"][torch.tensor(words)][None])[0][0]
        logits = states @ p["weight_out"].T + p["bias_out"]
    return states.numpy(), (logits[:, 1] - logits[:, 0]).numpy(), logits.softmax(1)[:, 1].numpy()


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("input_size", [1, 4])
def test_a_walk_is_torchs(cell, input_size):
    parameters = random_net(cell, 1, input_size)
    words = np.random.default_rng(1).integers(0, 10, size=50)
    states, margins, positive = torch_states(cell, parameters, words)
    ours = walk(cell, {name: values[0] for name, values in parameters.items()}, words)
    np.testing.assert_array_equal(ours.states[0], 0)
    np.testing.assert_allclose(ours.states[1:], states, atol=1e-10)
    np.testing.assert_allclose(ours.margins[1:], margins, atol=1e-9)
    np.testing.assert_allclose(ours.positive[1:], positive, atol=1e-10)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_without_words_there_is_the_start_alone(cell):
    ours = walk(cell, {name: values[0] for name, values in random_net(cell).items()}, ())
    assert ours.states.tolist() == [[0, 0]]
    assert ours.positive.shape == (1,)


def test_large_weights_overflow_nothing():
    parameters = {name: values[0] for name, values in random_net("gru", scale=500).items()}
    ours = walk("gru", parameters, [0, 6, 8] * 10)
    assert np.isfinite(ours.positive).all()
    assert np.abs(ours.states).max() <= 1


@pytest.mark.parametrize("seed", range(20))
def test_the_two_sides_share_the_square_and_keep_to_their_sign(seed):
    parameters = {name: values[0] for name, values in random_net("rnn", seed=seed).items()}
    normal, offset = boundary(parameters)
    areas = {}
    for name, corners in panels.sides(parameters).items():
        sign = 1 if name == "positive" else -1
        assert (sign * (corners @ normal + offset) >= -1e-9).all()
        assert np.abs(corners).max(initial=0) <= LIMIT + 1e-9
        x, y = corners.T
        areas[name] = 0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1))
    np.testing.assert_allclose(sum(areas.values()), (2 * LIMIT) ** 2)


def test_a_side_too_small_for_its_name_has_none():
    sides = {
        "positive": half_plane(np.array([1.0, 0.0]), 0.9),
        "negative": half_plane(np.array([-1.0, 0.0]), -0.9),
    }
    assert list(plane.side_names(sides)) == ["positive"]


def test_a_readout_that_says_the_same_everywhere_has_one_side():
    assert half_plane(np.zeros(2), -1.0).shape == (0, 2)
    assert half_plane(np.array([0.1, 0.0]), 9.0).shape == (4, 2)
    assert np.isnan(plane.middle(half_plane(np.zeros(2), -1.0))).all()
    np.testing.assert_allclose(
        plane.middle(half_plane(np.array([1.0, 0.0]), 0.0)), [LIMIT / 2, 0], atol=1e-12
    )


@pytest.mark.parametrize("text", READINGS)
def test_what_is_typed_is_read_leniently(text):
    reading = Vocabulary(NAMES, KINDS).parse(text)
    assert (reading.words, reading.unknown) == READINGS[text]
    assert not reading.cut


@pytest.mark.parametrize("text", [".x99999999999", "good .x1999x1999 +", "+ " * 3000, ".x1500 +x1500"])
def test_long_texts_are_cut(text):
    reading = Vocabulary(NAMES, KINDS).parse(text)
    assert len(reading.words) == MAX_WORDS
    assert reading.cut


def test_a_words_own_name_comes_before_a_sign():
    vocabulary = Vocabulary(("the", "stop", "good", "bad"), (0, 0, 1, -1))
    assert vocabulary.parse("stop . STOP").words == (1, 0, 1)


def test_the_right_answer_counts_and_a_tie_has_none():
    vocabulary = Vocabulary(NAMES, KINDS)
    answers = vocabulary.answers(vocabulary.parse(". + . - - + +").words)
    assert answers.tolist() == [-1, -1, 1, 1, -1, 0, -1, 1]
    assert vocabulary.answers(()).tolist() == [-1]


@pytest.mark.parametrize(
    ("names", "kinds", "match"),
    [
        (("a", "b"), (0, 1, -1), "2 names.*3"),
        (("a", "b"), (0, 1), r"each at least once.*\[0, 1\]"),
        (("a", "A", "b"), (0, 1, -1), "same name"),
        (("a", "b c", "d"), (0, 1, -1), "letters only.*'b c'"),
    ],
)
def test_a_vocabulary_that_cannot_be_typed_is_refused(names, kinds, match):
    with pytest.raises(ValueError, match=match):
        Vocabulary(names, kinds)


def test_the_page_gets_the_very_numbers_that_python_walks_with():
    player = make_player()
    data, _ = data_of(player.mimebundle()["text/html"])
    for net in data["nets"]:
        own = player.parameters(net["label"], 2)
        for name, values in decoded(net, 2).items():
            np.testing.assert_array_equal(values, own[name])
            np.testing.assert_array_equal(values, random_net(net["cell"])[name][2])
    assert data["names"] == list(NAMES)
    assert data["examples"][0] == ["good .x30", ""]


def test_the_markup_escapes_what_it_is_given():
    player = make_player(
        alt=HOSTILE,
        caption=HOSTILE,
        nets={HOSTILE: ("rnn", random_net("rnn"))},
        models=[HOSTILE] * 3,
        examples={HOSTILE: "good"},
    )
    data, tags = data_of(player.mimebundle()["text/html"])
    names = [name for name, _ in tags]
    assert names.count("script") == 1
    assert "img" not in names
    assert data["models"][0] == data["nets"][0]["label"] == HOSTILE
    assert next(a["data-net"] for _, a in tags if "data-net" in a) == HOSTILE


def test_ids_are_unique_and_labels_lead_somewhere():
    require_labelled(make_player().mimebundle()["text/html"])


def test_the_same_player_is_the_same_output():
    assert make_player().mimebundle() == make_player().mimebundle()
    assert make_player().mimebundle()["text/plain"] == "Two nets read a sentence."


def test_twenty_models_of_two_nets_are_a_small_output():
    nets = {cell: (cell, random_net(cell, 20)) for cell in ("rnn", "gru")}
    assert len(make_player(nets=nets).mimebundle()["text/html"]) < 80_000


def with_(name, values, cell="rnn"):
    return {"nets": {"RNN": (cell, random_net("rnn") | {name: values})}}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"alt": " "}, "alt"),
        ({"nets": {}}, "at least one net"),
        (
            {"nets": {"a": ("rnn", random_net("rnn", 2)), "b": ("rnn", random_net("rnn", 3))}},
            "as many.*'a': 2",
        ),
        (with_("bias_out", np.zeros((3, 1))), r"bias_out.*\(3, 2\).*\(3, 1\)"),
        (with_("bias_out", np.full((3, 2), np.nan)), "bias_out holds NaN"),
        (with_("bias_out", np.zeros((3, 2)), cell="gru"), r"weight_ih.*\(3, 6, 4\)"),
        (with_("bias_out", np.zeros((3, 2)), cell="elman"), "rnn, gru, lstm.*'elman'"),
        ({"nets": {"RNN": ("rnn", {"embedding": np.zeros((1, 10, 4))})}}, "weight_ih is missing"),
        ({"models": ["one"]}, "1 names for 3"),
        ({"examples": {"x": "wonderful"}}, "wonderful"),
    ],
)
def test_what_does_not_fit_is_named(changes, match):
    with pytest.raises(ValueError, match=match):
        make_player(**changes)


def test_each_colour_stands_out_from_both_pages_and_from_the_tints():
    from tests.unit.figures.test_theme import contrast

    for page in BACKGROUNDS.values():
        grounds = [page, *(mixed(color, page) for color in panels.ANSWERS.values())]
        assert min(contrast(color, ground) for color in panels.PATHS for ground in grounds) >= 3
        assert min(contrast(color, page) for color in panels.ANSWERS.values()) >= 3


def mixed(color, page):
    alpha = float(re.search(r"([\d.]+)\)", plane.tint(color))[1])
    channels = [(int(color[i : i + 2], 16), int(page[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(alpha * a + (1 - alpha) * b):02x}" for a, b in channels)


def test_in_a_live_kernel_typing_moves_the_panels():
    player = make_player()
    live = LivePlayer(player)
    assert live.step.value == live.step.max == 31
    live.texts[0].value = "good . . nonsense"
    assert live.step.value == 3
    assert "nonsense" in live.said.value
    ours = player.walk("GRU", 0, [6, 0, 0])
    steps = next(t for t in live.figure.data[len(live.figure.data) // 2 :] if t.name == "steps A")
    np.testing.assert_allclose(np.stack([steps.x, steps.y], 1), ours.states[1:])
    assert (
        f"GRU says {'positive' if ours.margins[-1] > 0 else 'negative'} ({ours.positive[-1]:.2f})"
        in live.said.value
    )
    live.model.index = 2
    np.testing.assert_allclose(steps.x, player.walk("GRU", 2, [6, 0, 0]).states[1:, 0])
    live.step.value = 1
    assert len(steps.x) == 1
    live.texts[0].value = ""
    assert "no answer is right" in live.said.value


def test_in_a_live_kernel_an_example_fills_both_sentences():
    live = LivePlayer(make_player())
    live.examples.value = "one pair swapped"
    assert tuple(box.value for box in live.texts) == EXAMPLES["one pair swapped"]
    assert "Sentence B" in live.said.value


@pytest.mark.parametrize("kernel", [True, False])
def test_a_kernel_shows_widgets_and_the_books_runs_show_the_page(monkeypatch, kernel):
    shown = []
    monkeypatch.delenv("RNNKIT_STATIC", raising=False)
    monkeypatch.setattr("IPython.display.display", lambda *things, **how: shown.append((things[0], how)))
    if kernel:
        monkeypatch.setattr("IPython.get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    make_player()._ipython_display_()
    ((thing, how),) = shown
    if kernel:
        assert type(thing).__name__ == "VBox"
    else:
        assert set(thing) == {"text/html", "text/plain"}
        assert how == {"raw": True}
