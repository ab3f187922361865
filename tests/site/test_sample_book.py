"""The sample book in a real browser: offline, by keyboard, in both themes, on a phone."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from tests.site.checks import check_page, require_accessible, require_drawn, require_fits, set_theme
from tests.site.control_checks import boxes, expected, figure_script, plotted
from tests.site.player_checks import play_through
from tests.site.watching import watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = ("chapter/01_points", "chapter/02_lines")


def address(site, page):
    return f"{(site / 'book' / page).as_uri()}.html"


@pytest.mark.parametrize("page", PAGES)
def test_from_a_folder_without_network_every_figure_is_drawn_and_every_control_works(offline, site, page):
    assert check_page(watch(offline, address(site, page)), site) == 2


def test_from_a_web_server_nothing_is_asked_of_another_host(browser, site, served):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    watched = watch(context, f"{served}/book/chapter/01_points.html")
    assert check_page(watched, site, thorough=False) == 2
    context.close()


def test_on_a_phone_nothing_scrolls_sideways_and_all_is_accessible(phone, site):
    for page in PAGES:
        watched = watch(phone, address(site, page))
        assert require_drawn(watched.page) == 2
        require_fits(watched.page, 360)
        require_accessible(watched.page)
        watched.require_clean()


def test_the_dark_page_is_accessible(offline, site):
    watched = watch(offline, address(site, PAGES[0]))
    require_drawn(watched.page)
    set_theme(watched.page, "dark")
    require_accessible(watched.page)


@pytest.mark.parametrize("window", ["offline", "phone"])
def test_the_code_of_one_cell_at_a_time_is_seen_in_both_themes(request, site, window):
    page = watch(request.getfixturevalue(window), address(site, PAGES[1])).page
    code, seen = page.locator(".rnn-code"), []
    code.locator("input").first.focus()
    for theme in ("light", "dark", "light", "dark"):
        set_theme(page, theme)
        (section,) = code.locator("section:visible").all()
        seen.append(section.get_attribute("data-cell"))
        assert section.locator(".math svg").count() == 1, "equations that were not set"
        assert section.locator("pre").evaluate("pre => pre.scrollWidth > pre.clientWidth")
        assert f"def {seen[-1]}_step(h):" in section.locator("pre").inner_text()
        require_fits(page, page.viewport_size["width"])
        require_accessible(page)
        code.locator("input:checked").press("ArrowRight")
    assert seen == ["rnn", "lstm", "gru", "lmu"]


def test_what_is_drawn_is_the_original_array_within_half_a_quantisation_step(offline, site, sample):
    page = watch(offline, address(site, PAGES[0])).page
    require_drawn(page)
    page.locator(".rnn-fig input[type=range]").first.focus()
    page.keyboard.press("End")
    box = boxes(page)[0]
    page.wait_for_function("box => JSON.parse(box.dataset.state).step === 5", arg=box.element_handle())
    xs = sample.arrays["points"][:, :, 0]
    drawn = np.array(plotted(box, {"trace": 0, "attr": "x"}))
    assert np.abs(drawn - xs[5]).max() <= (xs.max() - xs.min()) / 65535 / 2 * 1.01
    assert plotted(box, {"trace": 0, "attr": "text"}) == sample.arrays["words"][5].tolist()


def test_gaps_survive(offline, site, sample):
    page = watch(offline, address(site, PAGES[1])).page
    require_drawn(page)
    drawn = np.array(plotted(boxes(page)[0], {"trace": 1, "attr": "y"}), dtype=float)
    np.testing.assert_array_equal(np.isnan(drawn), np.isnan(sample.arrays["lines"][1, 0]))


def test_figures_below_the_window_wait_and_plotly_is_loaded_once(offline, site):
    context_page = offline.new_page()
    loads = []
    context_page.on("request", lambda made: loads.append(made.url))
    context_page.set_viewport_size({"width": 1280, "height": 300})
    context_page.goto(address(site, PAGES[0]))
    context_page.wait_for_timeout(300)
    assert context_page.locator(".rnn-fig[data-drawn]").count() < 2
    require_drawn(context_page)
    assert sum(url.endswith("plotly.min.js") for url in loads) == 1


def test_the_layout_does_not_jump_when_a_figure_is_drawn(offline, site):
    page = offline.new_page()
    page.set_viewport_size({"width": 1280, "height": 400})
    page.goto(address(site, PAGES[0]))
    before = [box.bounding_box()["height"] for box in boxes(page)]
    require_drawn(page)
    after = [box.bounding_box()["height"] for box in boxes(page)]
    np.testing.assert_allclose(after, before, atol=2)


def test_play_steps_to_the_end_and_stops(offline, site):
    page = watch(offline, address(site, PAGES[0])).page
    require_drawn(page)
    box = boxes(page)[0]
    seen = play_through(box)
    assert seen[-1][1] == "Play Step"
    assert {label for _, label in seen[:-1]} == {"Pause Step"}
    page.wait_for_function("box => JSON.parse(box.dataset.state).step === 5", arg=box.element_handle())
    assert {3, 4} <= {step for step, _ in seen}


def test_who_asks_for_less_motion_gets_no_play_button(browser, site):
    context = browser.new_context(reduced_motion="reduce", offline=True)
    page = watch(context, address(site, PAGES[0])).page
    require_drawn(page)
    assert not page.locator(".rnn-play").first.is_visible()
    context.close()


def test_the_download_has_the_whole_table_and_else_what_is_drawn(offline, site):
    page = watch(offline, address(site, PAGES[0])).page
    require_drawn(page)
    texts = []
    for box in boxes(page):
        box.locator("summary").click()
        with page.expect_download() as download:
            box.locator(".rnn-csv").click()
        texts.append(download.value.path().read_text(encoding="utf-8"))
    table, picture = (list(csv.reader(io.StringIO(text))) for text in texts)
    assert table[0] == ["point", "x", "kind"]
    assert len(table) == 101
    assert len(picture) == 1 + 64
    assert boxes(page)[0].locator("tbody tr").count() == 60


def test_a_figure_that_cannot_be_loaded_says_so_in_its_place(offline, site, tmp_path):
    page = offline.new_page()
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(address(site, PAGES[0]))
    error = page.locator(".rnn-error").first
    error.wait_for()
    assert "plotly.min.js" in error.inner_text()


def test_a_resized_window_keeps_the_state(offline, site):
    page = watch(offline, address(site, PAGES[0])).page
    require_drawn(page)
    box = boxes(page)[0]
    page.locator(".rnn-fig input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_function(
        "box => box.querySelector('.rnn-plot').layout.legend?.orientation === 'h'", arg=box.element_handle()
    )
    figure = figure_script(site, box.get_attribute("data-fig"))
    binding = next(b for b in figure["bindings"] if b["attr"] == "x")
    np.testing.assert_allclose(plotted(box, binding), expected(figure, binding, {"step": 3}))
    require_fits(page, 360)


def test_the_link_to_the_source_notebook_leads_somewhere(offline, site):
    page = watch(offline, address(site, PAGES[0])).page
    href = page.locator(".rnn-source a").get_attribute("href")
    assert (site / "book" / "chapter" / href).resolve().read_text().startswith("{")


def test_search_finds_a_word_without_a_server(offline, site):
    watched = watch(offline, f"{(site / 'search.html').as_uri()}?q=zebrafish")
    watched.page.locator("#search-results li a").first.wait_for()
    assert "A small book" in watched.page.locator("#search-results").inner_text()
    watched.require_clean()


def test_the_first_page_opens_the_book(offline, site):
    watched = watch(offline, (site / "index.html").as_uri())
    watched.page.wait_for_url("**/book/intro.html")
    assert watched.page.locator("h1").first.inner_text().startswith("A small book")
