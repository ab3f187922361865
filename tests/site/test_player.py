"""The sentence player in a real browser: typed, tapped, by keyboard, offline, in both themes, on a phone."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from tests.site.checks import check_page, require_accessible, require_fits, set_theme
from tests.site.player_checks import (
    opened,
    play_through,
    player_walks,
    players,
    require_walked,
    visited,
    wait_for_player,
)
from tests.site.player_checks import type_into as fill_in
from tests.site.watching import watch
from tests.unit.figures.players import NAMES, READINGS, make_player

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def address(site):
    return f"{(site / 'book' / 'chapter' / '03_player').as_uri()}.html"


@pytest.fixture
def player(desk, address):
    with visited(desk, address) as box:
        yield box


def field(box, name="A"):
    return box.get_by_label(f"Sentence {name}", exact=True)


def drawn(box, net, trace):
    """Points (k, 2) of a named trace of a net's panel."""
    points = box.locator(f'.rnn-panel[data-net="{net}"] .rnn-plane').evaluate(
        """(plane, name) => {
            const { x, y } = plane.data.find((trace) => trace.name === name);
            return Array.from(x || [], (value, i) => [value, y[i]]);
        }""",
        trace,
    )
    return np.array(points).reshape(-1, 2)


def type_into(box, text, name="A"):
    return fill_in(box, text, f"Sentence {name}")


def test_from_a_folder_without_network_the_nets_walk_as_in_python(offline, site, address):
    assert check_page(watch(offline, address), site) == 0


def test_a_typed_sentence_is_walked_and_drawn(player):
    field(player).focus()
    player.page.keyboard.press("Control+a")
    player.page.keyboard.type("good the bad ..")
    assert wait_for_player(player)["length"] == 5
    (first, second) = player_walks(player)
    assert (first["words"], second["words"]) == ([6, 0, 8, 0, 0], [])
    require_walked(player, make_player().payload())
    ours = make_player().walk("GRU", 0, first["words"])
    np.testing.assert_allclose(drawn(player, "GRU", "path A"), ours.states, atol=1e-5)
    np.testing.assert_allclose(drawn(player, "GRU", "now A"), ours.states[-1:], atol=1e-5)
    assert len(drawn(player, "GRU", "path B")) == 0


def test_every_word_that_python_reads_the_page_reads_alike(player):
    for text, (words, unknown) in READINGS.items():
        type_into(player, text)
        assert player_walks(player)[0]["words"] == list(words), text
        message = player.locator(".rnn-message").first.inner_text()
        assert all(f"“{token}”" in message for token in unknown[:5]), text
        assert bool(message) == bool(unknown)


def test_buttons_write_into_the_field(player):
    player.get_by_role("button", name="clear").first.click()
    for name, text in [
        ("+ good", "good"),
        ("+ stop word", "good ."),
        ("+ stop word", "good . ."),
        ("+ 10 stop words", "good . x12"),
        ("+ bad", "good . x12 bad"),
        ("delete last", "good . x12"),
        ("delete last", "good . x11"),
        ("+ 100 stop words", "good . x111"),
    ]:
        player.get_by_role("button", name=name, exact=True).first.click()
        assert field(player).input_value() == text
    wait_for_player(player)
    assert player_walks(player)[0]["words"] == [6] + [0] * 111
    player.get_by_role("button", name="clear").first.click()
    assert wait_for_player(player)["length"] == 0
    assert "Type words" in player.locator(".rnn-said").inner_text()


def test_the_keyboard_is_enough(player):
    page = player.page
    player.get_by_role("button", name="clear").first.focus()
    page.keyboard.press("Enter")
    player.get_by_role("button", name="+ good").first.focus()
    page.keyboard.press("Space")
    player.get_by_role("button", name="+ 10 stop words").first.focus()
    page.keyboard.press("Enter")
    slider = player.get_by_label("Words read", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert wait_for_player(player)["step"] == 3
    assert slider.get_attribute("aria-valuetext") == f"3 of 11: {NAMES[0]}"
    assert player.locator("[aria-current] th").inner_text() == "3"
    assert len(drawn(player, "RNN", "path A")) == 4
    select = player.get_by_label("Trained RNN and GRU")
    select.focus()
    page.keyboard.press("ArrowDown")
    assert wait_for_player(player)["model"] == 1
    assert player.locator("[aria-current] th").inner_text() == "3"
    require_walked(player, make_player().payload())


def test_an_unknown_word_is_named_and_left_out(player):
    type_into(player, "good <img src=x> +")
    message = player.locator(".rnn-message").first
    assert "“<img”" in message.inner_text()
    assert message.get_attribute("role") == "status"
    assert field(player).get_attribute("aria-invalid") == "true"
    assert player_walks(player)[0]["words"] == [6, 6]
    type_into(player, "good +")
    assert message.inner_text() == ""
    assert field(player).get_attribute("aria-invalid") == "false"


def test_a_screen_reader_hears_what_the_nets_say(player):
    type_into(player, "good . . .")
    heard = player.locator(".rnn-heard")
    assert heard.get_attribute("aria-live") == "polite"
    player.page.wait_for_function(
        "heard => heard.textContent.startsWith('After 4 words')", arg=heard.element_handle()
    )
    says = {}
    for label in ("RNN", "GRU"):
        ours = make_player().walk(label, 0, [6, 0, 0, 0])
        says[label] = f"{label} says {'positive' if ours.margins[-1] > 0 else 'negative'} ("
    text = heard.text_content()
    assert all(part in text for part in says.values())
    assert text.endswith("the right answer is positive.")
    type_into(player, "good bad")
    player.page.wait_for_function("heard => heard.textContent.includes('a tie')", arg=heard.element_handle())


def test_five_hundred_stop_words_stay_fluent(player):
    type_into(player, "good .x500")
    assert wait_for_player(player)["length"] == 501
    require_walked(player, make_player().payload())
    assert player.locator("tbody tr").count() < 80
    assert "… " in player.locator(".rnn-gap").first.inner_text()
    took = player.evaluate(
        """async (box) => {
            const player = window.rnnkit.players.get(box), frame = () => new Promise(requestAnimationFrame);
            const button = box.querySelector('[data-times="100"]'), took = [];
            for (let i = 0; i < 20; i++) {
                const begin = performance.now();
                button.click();
                do await frame(); while (player.drawing);
                took.push(performance.now() - begin);
            }
            return Math.min(...took.slice(5, 14));  // the least: other work on the machine is not ours
        }"""
    )
    assert player_walks(player)[0]["words"] == [6] + [0] * 1999
    assert took < 400, f"{took:.0f} ms for a hundred more words"


def test_two_sentences_are_compared(player):
    player.get_by_role("button", name="one pair swapped").click()
    wait_for_player(player)
    first, second = player_walks(player)
    assert sorted(first["words"]) == sorted(second["words"])
    assert first["words"] != second["words"]
    np.testing.assert_allclose(drawn(player, "RNN", "path B"), second["walks"]["RNN"]["states"], atol=1e-5)
    assert player.locator("table").count() == 2
    toggle = player.get_by_role("button", name="Put the second sentence away")
    assert toggle.get_attribute("aria-expanded") == "true"
    toggle.click()
    wait_for_player(player)
    assert player.locator("table").count() == 1
    assert not field(player, "B").is_visible()
    assert len(drawn(player, "RNN", "path B")) == 0
    player.get_by_role("button", name="Compare with a second sentence").click()
    type_into(player, "- .", "B")
    assert "Sentence B, after 2 words" in player.locator(".rnn-said").inner_text()


def test_the_table_says_who_is_right(player):
    type_into(player, "- + + .")
    player.get_by_role("button", name="One word back").click()
    wait_for_player(player)
    rows = [row.locator("th, td").all_inner_texts() for row in player.locator("tbody tr").all()]
    assert [row[0] for row in rows] == list("01234")
    assert [row[1] for row in rows] == ["start", "bad", "good", "good", "the"]
    assert [row[-1] for row in rows] == ["–", "negative", "–", "positive", "positive"]
    for i, label in enumerate(("RNN", "GRU")):
        ours = make_player().walk(label, 0, [8, 6, 6, 0])
        for t, row in enumerate(rows):
            right = {"–": None, "negative": False, "positive": True}[row[-1]]
            sign = "" if right is None else "✓" if (ours.margins[t] > 0) == right else "✗"
            assert ("✓" in row[2 + i], "✗" in row[2 + i]) == (sign == "✓", sign == "✗")


def test_play_goes_to_the_end_and_stops(player):
    type_into(player, "good . .")
    assert player.get_by_role("button", name="Play the words").count() == 1
    seen = play_through(player)
    assert seen[-1][1] == "Play the words"
    assert {label for _, label in seen[:-1]} == {"Pause the words"}
    assert wait_for_player(player)["step"] == 3
    assert {0, 1, 2} <= {step for step, _ in seen}


def test_the_download_has_every_step(player):
    type_into(player, "good .x200")
    player.locator(".rnn-data summary").click()
    with player.page.expect_download() as download:
        player.locator(".rnn-csv").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert len(rows) == 1 + 202
    ours = make_player().walk("RNN", 0, [6] + [0] * 200)
    np.testing.assert_allclose(
        [float(row[rows[0].index("RNN: hidden unit 2")]) for row in rows[1:]], ours.states[:, 1]
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("window", ["offline", "phone"])
def test_it_fits_and_is_accessible_in_both_themes(request, address, theme, window):
    watched, box = opened(request.getfixturevalue(window), address)
    set_theme(watched.page, theme)
    box.get_by_role("button", name="one pair swapped").click()
    type_into(box, "good nonsense - +")
    box.locator("summary").first.click()
    wait_for_player(box)
    require_accessible(watched.page)
    require_fits(watched.page, watched.page.viewport_size["width"])
    sizes = [plane.bounding_box() for plane in box.locator(".rnn-plane").all()]
    assert all(abs(size["width"] - size["height"]) < 2 for size in sizes)
    assert (sizes[0]["y"] == sizes[1]["y"]) == (window == "offline")
    watched.require_clean()


def test_the_panels_follow_the_theme(player):
    for theme in ("dark", "light"):
        set_theme(player.page, theme)
        wait_for_player(player)
        ink = player.evaluate("box => getComputedStyle(box.querySelector('svg .xtick text')).fill")
        paper = player.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert ink != paper


def test_fingers_find_the_buttons_large_enough(phone, address):
    watched, box = opened(phone, address)
    for button in box.locator("button:visible").all():
        size = button.bounding_box()
        assert min(size["width"], size["height"]) >= 24
    box.get_by_role("button", name="+ good").first.tap()
    wait_for_player(box)
    assert player_walks(box)[0]["words"][-1] == 6
    watched.require_clean()


def test_without_plotly_the_words_and_the_table_still_work(offline, address):
    page = offline.new_page()
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(address)
    (box,) = players(page)
    box.locator(".rnn-panels").scroll_into_view_if_needed()
    box.locator(".rnn-error").wait_for()
    field(box).fill("good . -")
    assert box.locator("tbody tr").count() == 4
    assert "a tie" in box.locator(".rnn-said").inner_text()


def test_without_scripts_the_description_is_there(browser, address):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(address)
    assert "JavaScript is switched off" in page.locator("figure.rnn-player").inner_text()
    assert page.locator("figure.rnn-player input").first.is_disabled()
    context.close()
