"""The adder player in a real browser: typed, tapped, by keyboard, offline, in both themes, on a phone."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from rnnkit.figures.adder_player import Sum, read_number
from tests.site.checks import check_page, require_accessible, require_fits, set_theme
from tests.site.player_checks import (
    opened,
    play_through,
    player_part,
    players,
    require_added,
    type_into,
    visited,
    wait_for_player,
)
from tests.site.watching import watch
from tests.unit.figures.lab_nets import make_adder
from tests.unit.figures.test_adder_player import READINGS

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST, SECOND = "First number", "Second number"
GRU, LSTM, RNN = "GRU, 2 units", "LSTM, 5 units", "RNN, 3 units"


@pytest.fixture
def address(site):
    return f"{(site / 'book' / 'chapter' / '05_adder').as_uri()}.html"


@pytest.fixture
def player(desk, address):
    with visited(desk, address, "adder") as box:
        yield box


def numbers(a, b):
    return Sum.of(read_number(str(a), "decimal"), read_number(str(b), "decimal"))


def written(box):
    """Rows of the addition by name, most significant column first; a wrong digit has a cross."""
    rows = {}
    for row in box.locator(".rnn-columns tbody tr").all():
        cells = row.locator("td").evaluate_all(
            "cells => cells.map((c) => c.firstChild.textContent + (c.className === 'rnn-wrong' ? '✗' : ''))"
        )
        rows[row.locator("th").inner_text()] = cells
    return rows


def drawn(box, panel, trace):
    """Points (k, 2) of a named trace of a panel."""
    points = box.locator(f'[data-panel="{panel}"] .rnn-plane').evaluate(
        """(plane, name) => {
            const { x, y } = plane.data.find((trace) => trace.name === name);
            return Array.from(x || [], (value, i) => [value, y[i]]);
        }""",
        trace,
    )
    return np.array(points).reshape(-1, 2)


def test_from_a_folder_without_network_the_nets_add_as_in_python(offline, site, address):
    assert check_page(watch(offline, address), site) == 0


def test_thirteen_and_fifteen_are_written_out(player):
    from rnnkit.figures.adder_player.table import columns

    added, element = numbers(13, 15), make_adder()
    for net, step in ((GRU, 5), (LSTM, 3), (RNN, 0)):
        player.get_by_label("Net", exact=True).select_option(net)
        player.evaluate("(box, step) => rnnkit.players.get(box).go(step)", step)
        wait_for_player(player)
        wanted = columns(added, element.walk(net, 0, added), step)
        assert written(player) == {head: signs.split() for head, signs in wanted}
    assert player.locator(".rnn-wrong").count() == sum(s.count("✗") for _, s in wanted)
    assert player.locator("[data-now]").count() == 0
    player.get_by_role("button", name="One column on").click()
    assert player.locator("[data-now]").count() == 6
    assert written(player)["the net writes"][:4] == ["·"] * 4


def test_the_plane_is_for_nets_of_two_units_and_shows_the_path_by_its_carry(player):
    ours, added = make_adder().walk(GRU, 0, numbers(13, 15)), numbers(13, 15)
    np.testing.assert_allclose(drawn(player, "plane", "path"), ours.states, atol=1e-6)
    for carry, name in enumerate(("no carry", "carry")):
        places = added.carries == carry
        np.testing.assert_allclose(drawn(player, "plane", name), ours.states[places], atol=1e-6)
        np.testing.assert_allclose(drawn(player, "line", name)[:, 1], ours.held[places], atol=1e-6)
    player.get_by_label("Net", exact=True).select_option(LSTM)
    wait_for_player(player)
    assert not player.locator('[data-panel="plane"]').is_visible()
    ours = make_adder().walk(LSTM, 0, numbers(13, 15))
    np.testing.assert_allclose(drawn(player, "line", "path")[:, 1], ours.held, atol=1e-6)
    title = "() => document.querySelector('[data-panel=line] .ytitle').textContent"
    assert "direction" in player.page.evaluate(title)
    player.get_by_label("Net", exact=True).select_option(RNN)
    wait_for_player(player)
    assert "next 0 + 0" in player.page.evaluate(title)


def test_every_number_that_python_reads_the_page_reads_alike(player):
    field, base = player.get_by_label(FIRST), player.get_by_label("Numbers are")
    for (text, kind), wanted in READINGS.items():
        base.select_option(kind)
        field.fill(text)
        value, length, fault = player.evaluate(
            "box => { const [n] = rnnkit.players.get(box).numbers; return [String(n.value), n.length, n.fault]; }"
        )
        ours = read_number(text, kind)
        assert (int(value), length, fault) == (ours.value, ours.length, ours.fault), text
        message = player.locator(".rnn-message").first
        assert message.inner_text().split() == fault.split()
        assert field.get_attribute("aria-invalid") == str(isinstance(wanted, str)).lower()
        assert (
            player.locator(".rnn-columns").count() == (0 if fault or kind == "binary" else 1)
            or kind == "binary"
        )


def test_the_keyboard_is_enough(player):
    page = player.page
    player.get_by_label(FIRST).focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("6")
    player.get_by_label(SECOND).focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("0b00011")
    assert wait_for_player(player)["length"] == 6
    slider = player.get_by_label("Columns added", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "2 of 6: 1 + 1"
    player.get_by_label("Net", exact=True).focus()
    page.keyboard.press("ArrowDown")
    player.get_by_label("Trained from").focus()
    page.keyboard.press("ArrowDown")
    state = wait_for_player(player)
    assert (state["net"], state["model"], state["step"]) == (1, 1, 2)
    require_added(player, make_adder().payload())
    region = player.get_by_role("region", name="The addition, written out")
    region.focus()
    assert region.evaluate("region => document.activeElement === region")


def test_sixty_four_bits_are_added_and_the_present_column_is_in_view(phone, address):
    watched, box = opened(phone, address, "adder")
    type_into(box, str(2**64 - 1), FIRST)
    type_into(box, "1", SECOND)
    assert wait_for_player(box)["length"] == 65
    require_added(box, make_adder().payload())
    assert "18446744073709551616" in box.locator(".rnn-said").inner_text()
    assert player_part(box, "paper")["carries"] == [0] + [1] * 64 + [0]
    for step in (1, 40, 65):
        box.evaluate("(box, step) => rnnkit.players.get(box).go(step)", step)
        wait_for_player(box)
        box.page.wait_for_function(
            """box => {
                const region = box.querySelector(".rnn-columns").getBoundingClientRect();
                const head = box.querySelector(".rnn-columns tbody th").getBoundingClientRect();
                const now = box.querySelector("[data-now]").getBoundingClientRect();
                return now.left >= head.right - 1 && now.right <= region.right + 1;
            }""",
            arg=box.element_handle(),
        )
    require_fits(watched.page, 360)
    watched.require_clean()


def test_an_example_in_binary_stands_without_its_signs(player):
    player.get_by_role("button", name="a carry through 16 columns").click()
    assert player.get_by_label(FIRST).input_value() == "0" + 16 * "1"
    assert player.get_by_label("Numbers are").input_value() == "1"
    assert wait_for_player(player)["length"] == 18
    require_added(player, make_adder().payload())
    player.get_by_role("button", name="13 + 15").click()
    assert player.get_by_label("Numbers are").input_value() == "0"
    assert player.locator(".rnn-read").first.inner_text() == "= 1101 in binary"


def test_a_screen_reader_hears_the_column_and_the_sum(player):
    heard = player.locator(".rnn-heard")
    player.page.wait_for_function(
        "heard => heard.textContent.includes('13 + 15 = 28')", arg=heard.element_handle()
    )
    ours, added = make_adder().walk(GRU, 0, numbers(13, 15)), numbers(13, 15)
    total = sum(int(bit) << t for t, bit in enumerate(ours.bits))
    assert f"the net says {total}, {'right' if total == 28 else 'wrong'}" in heard.text_content()
    player.get_by_role("button", name="One column back").click()
    player.page.wait_for_function(
        "heard => heard.textContent.startsWith('Column 4')", arg=heard.element_handle()
    )
    assert (
        f"writes {ours.bits[3]} ({'right' if ours.bits[3] == added.right[3] else 'wrong: 1 is right'})"
        in (heard.text_content())
    )
    type_into(player, "x", FIRST)
    assert "Type two numbers" in player.locator(".rnn-said").inner_text()


def test_play_goes_to_the_end_and_stops(player):
    seen = play_through(player)
    assert seen[-1][1] == "Play the columns"
    assert {0, 1, 2, 3, 4} <= {step for step, _ in seen}
    assert wait_for_player(player)["step"] == 5


def test_the_download_has_every_column(player):
    player.get_by_label("Net", exact=True).select_option(LSTM)
    player.locator(".rnn-data summary").click()
    assert player.locator(".rnn-steps tbody tr").count() == 6
    with player.page.expect_download() as download:
        player.locator(".rnn-csv").click()
    head, *rows = csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8")))
    ours, added = make_adder().walk(LSTM, 0, numbers(13, 15)), numbers(13, 15)
    states = [[float(v) for v in row[head.index("state 1") :]] for row in rows]
    np.testing.assert_allclose(states, ours.states, atol=1e-9)
    assert [row[head.index("net's bit")] for row in rows[1:]] == [str(bit) for bit in ours.bits]
    assert [row[head.index("carry out")] for row in rows] == [str(carry) for carry in added.carries]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("window", ["offline", "phone"])
def test_it_fits_and_is_accessible_in_both_themes(request, address, theme, window):
    watched, box = opened(request.getfixturevalue(window), address, "adder")
    set_theme(watched.page, theme)
    box.get_by_role("button", name="a carry through 16 columns").click()
    for summary in box.locator("summary").all():
        summary.click()
    wait_for_player(box)
    require_accessible(watched.page)
    require_fits(watched.page, watched.page.viewport_size["width"])
    size = box.locator('[data-panel="plane"] .rnn-plane').bounding_box()
    assert abs(size["width"] - size["height"]) < 2
    for button in box.locator("button:visible").all():
        size = button.bounding_box()
        assert min(size["width"], size["height"]) >= 24
    type_into(box, "nonsense", FIRST)
    require_accessible(watched.page)
    watched.require_clean()


def test_without_plotly_the_words_and_the_addition_still_work(offline, address):
    page = offline.new_page()
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(address)
    (box,) = players(page, "adder")
    box.locator(".rnn-panels").scroll_into_view_if_needed()
    box.locator(".rnn-error").wait_for()
    box.get_by_label(FIRST).fill("1")
    box.get_by_label(SECOND).fill("1")
    assert written(box)["right sum"] == ["1", "0"]
    assert "1 + 1 = 2" in box.locator(".rnn-said").inner_text()
