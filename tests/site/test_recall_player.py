"""The recall player in a real browser: typed, tapped, by keyboard, offline, in both themes, on a phone."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from tests.site.checks import check_page, require_accessible, require_fits, set_theme
from tests.site.player_checks import (
    opened,
    play_through,
    player_part,
    players,
    require_recalled,
    type_into,
    visited,
    wait_for_player,
)
from tests.site.watching import watch
from tests.unit.figures.lab_nets import make_recall
from tests.unit.figures.test_recall_player import READINGS

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def address(site):
    return f"{(site / 'book' / 'chapter' / '04_recall').as_uri()}.html"


@pytest.fixture
def player(desk, address):
    with visited(desk, address, "recall") as box:
        yield box


def bars(box, panel):
    """Heights of a panel's bars, and the digits that are framed."""
    return (
        box.locator(".rnn-plane")
        .nth(panel)
        .evaluate("plane => [plane.data[0].y, plane.data[1].x].map((v) => [...v])")
    )


def test_from_a_folder_without_network_the_nets_believe_as_in_python(offline, site, address):
    assert check_page(watch(offline, address), site) == 0


def test_typed_digits_are_read_and_drawn(player):
    type_into(player, "4 2 7 0", "Digits")
    player.get_by_label("Net", exact=True).select_option("1")
    player.get_by_role("button", name="One digit back").click()
    player.get_by_role("button", name="One digit back").click()
    player.get_by_role("button", name="One digit back").click()
    assert wait_for_player(player)["step"] == 1
    ours = make_recall().walk("hidden 5, final", 0, [4, 2, 7, 0]).beliefs
    for panel, (row, framed) in enumerate([(0, []), (3, [2])]):
        heights, frame = bars(player, panel)
        np.testing.assert_allclose(heights, ours[row], atol=1e-6)
        assert frame == framed
    said = player.locator(".rnn-said").inner_text()
    assert "is not there yet" in said
    assert f"After all 4 digits: hidden 5, final says {ours[3].argmax()}" in said


def test_every_text_that_python_reads_the_page_reads_alike(player):
    for text, (digits, unknown) in READINGS.items():
        type_into(player, text, "Digits")
        typed = player_part(player, "typed")
        assert (tuple(typed["digits"]), tuple(typed["unknown"])) == (digits, unknown), text
        message = player.locator(".rnn-message").inner_text()
        assert all(f"“{token}”" in message for token in unknown)
        assert bool(message) == bool(unknown)
    type_into(player, "1" * 31, "Digits")
    assert wait_for_player(player)["length"] == 30
    assert "Only the first 30" in player.locator(".rnn-message").inner_text()


def test_the_keyboard_is_enough(player):
    page = player.page
    player.get_by_role("button", name="clear").focus()
    page.keyboard.press("Enter")
    assert "Type digits" in player.locator(".rnn-said").inner_text()
    assert player.get_by_label("Digits read", exact=True).is_disabled()
    player.get_by_label("Digits", exact=True).focus()
    page.keyboard.type("705x39")
    player.get_by_role("button", name="+ a digit at random").focus()
    page.keyboard.press("Space")
    assert wait_for_player(player)["length"] == 6
    slider = player.get_by_label("Digits read", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    assert wait_for_player(player)["step"] == 1
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "2 of 6: 0"
    select = player.get_by_label("Trained from")
    select.focus()
    page.keyboard.press("ArrowDown")
    state = wait_for_player(player)
    assert (state["model"], state["step"]) == (1, 2)
    require_recalled(player, make_recall().payload())


def test_the_digit_asked_for_is_marked_in_the_row_and_the_table(player):
    type_into(player, "3 8 1", "Digits")
    player.locator(".rnn-data summary").click()
    chips = player.locator(".rnn-digit")
    assert (
        chips.all_inner_texts() == ["3", "8\n(asked for)", "1"] or "asked for" in chips.nth(1).text_content()
    )
    assert [chip.get_attribute("data-asked") for chip in chips.all()] == [None, "true", None]
    ours = make_recall().walk("hidden 2, last", 0, [3, 8, 1])
    rows = [row.locator("th, td").all_inner_texts() for row in player.locator("tbody tr").all()]
    assert [row[:2] for row in rows] == [["1", "3"], ["2", "8"], ["3", "1"]]
    for t, row in enumerate(rows):
        assert row[2][0] == str(ours.said[t])
        sign = "" if t < 1 else "✓" if ours.said[t] == 8 else "✗"
        assert ("✓" in row[2], "✗" in row[2]) == (sign == "✓", sign == "✗")
    assert player.locator("[aria-current] th").inner_text() == "3"


def test_a_screen_reader_hears_what_the_net_says(player):
    type_into(player, "0 6", "Digits")
    heard = player.locator(".rnn-heard")
    player.page.wait_for_function(
        "heard => heard.textContent.includes('all 2 digits')", arg=heard.element_handle()
    )
    said = int(make_recall().walk("hidden 2, last", 0, [0, 6]).said[1])
    assert f"says {said} (" in heard.text_content()
    assert heard.text_content().endswith(f"{'right' if said == 6 else 'wrong'}, as the 2nd digit is 6.")


def test_play_goes_to_the_end_and_stops(player):
    type_into(player, "9 8 7", "Digits")
    seen = play_through(player)
    assert seen[-1][1] == "Play the digits"
    assert {label for _, label in seen[:-1]} == {"Pause the digits"}
    assert {1, 2} <= {step for step, _ in seen}
    assert wait_for_player(player)["step"] == 3


def test_the_download_has_every_step(player):
    type_into(player, "31415", "Digits")
    player.locator(".rnn-data summary").click()
    with player.page.expect_download() as download:
        player.locator(".rnn-csv").click()
    head, *rows = csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8")))
    assert [row[2] for row in rows] == ["", "1", "1", "1", "1"]
    first = head.index("belief in 0")
    ours = make_recall().walk("hidden 2, last", 0, [3, 1, 4, 1, 5]).beliefs
    np.testing.assert_allclose([[float(v) for v in row[first:]] for row in rows], ours, atol=1e-9)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("window", ["offline", "phone"])
def test_it_fits_and_is_accessible_in_both_themes(request, address, theme, window):
    watched, box = opened(request.getfixturevalue(window), address, "recall")
    set_theme(watched.page, theme)
    type_into(box, "1x" * 30, "Digits")
    for summary in box.locator("summary").all():
        summary.click()
    wait_for_player(box)
    require_accessible(watched.page)
    require_fits(watched.page, watched.page.viewport_size["width"])
    ink = box.evaluate("box => getComputedStyle(box.querySelector('svg .xtick text')).fill")
    assert ink != box.evaluate("() => getComputedStyle(document.body).backgroundColor")
    for button in box.locator("button:visible").all():
        size = button.bounding_box()
        assert min(size["width"], size["height"]) >= 24
    watched.require_clean()


def test_without_plotly_the_words_and_the_table_still_work(offline, address):
    page = offline.new_page()
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(address)
    (box,) = players(page, "recall")
    box.locator(".rnn-panels").scroll_into_view_if_needed()
    box.locator(".rnn-error").wait_for()
    box.get_by_label("Digits", exact=True).fill("1 2 3")
    assert box.locator("tbody tr").count() == 3
    assert "After all 3 digits" in box.locator(".rnn-said").inner_text()


def test_a_page_loads_the_scripts_of_its_own_players_alone(offline, address):
    asked = []
    page = offline.new_page()
    page.on("request", lambda made: asked.append(made.url.rsplit("/", 1)[-1]))
    page.goto(address)
    page.locator("figure.rnn-player input").first.wait_for()
    page.wait_for_function("() => window.rnnkit.players && window.rnnkit.players.size === 1")
    assert "rnnkit-recall.js" in asked
    assert not {"rnnkit-player.js", "rnnkit-adder.js"} & set(asked)


def test_a_script_that_cannot_be_loaded_is_said_where_the_net_would_speak(offline, address):
    page = offline.new_page()
    page.route("**/rnnkit-stepper.js", lambda route: route.abort())
    page.goto(address)
    (box,) = players(page, "recall")
    page.wait_for_function("box => box.dataset.error", arg=box.element_handle())
    assert "could not be started" in box.locator(".rnn-said").inner_text()
    assert box.locator("input").first.is_disabled()
