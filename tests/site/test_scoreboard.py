"""The scoreboard's filters in a browser: what is shown, what is said, and that a keyboard is enough."""

from __future__ import annotations

from pathlib import Path

import pytest

import rnnkit.site
from rnnkit.results.verdicts import ClaimResult
from rnnkit.site.pages import scoreboard

ASSETS = Path(rnnkit.site.__file__).parent / "assets"


def claim(number: int, chapter: str, verdict: str) -> dict:
    return ClaimResult(
        id=f"{chapter}-{number}",
        chapter=chapter,
        where="Section 2",
        claim=f"claim {number}",
        page=f"{chapter}/01",
        paper=1.0,
        paper_text="1",
        here=1.0,
        here_labelled=(("", "1.0"),),
        interval=None,
        n=2,
        of="seeds",
        counted="2 seeds",
        budget="paper",
        device="cpu",
        verdict=verdict,
        reason="because",
        reasons=("because",),
        measured=None,
        why=None,
        controls=(),
    ).to_dict()


@pytest.fixture
def page_file(tmp_path) -> Path:
    claims = [claim(0, "a", "reproduced"), claim(1, "a", "partly"), claim(2, "b", "reproduced")]
    path = tmp_path / "scoreboard.html"
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Scoreboard</title>'
        f"<style>{(ASSETS / 'pages.css').read_text()}</style>"
        f"<script>{(ASSETS / 'scoreboard.js').read_text()}</script></head>"
        f"<body><main><h1>Scoreboard</h1>{scoreboard(claims)}</main></body></html>",
        encoding="utf-8",
    )
    return path


@pytest.mark.browser
def test_filters_hide_what_does_not_fit_and_say_how_many_are_left(offline, page_file):
    page = offline.new_page()
    page.goto(page_file.as_uri())
    shown = page.locator("tbody tr:visible")
    assert shown.count() == 3
    assert page.locator(".rnn-shown").inner_text() == "3 of 3 claims"

    page.get_by_label("Chapter").focus()
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("Chapter").input_value() == "a"
    assert shown.count() == 2
    page.keyboard.press("Tab")
    page.keyboard.type("partly")
    assert page.locator(".rnn-shown").inner_text() == "1 of 3 claims"
    assert shown.inner_text().startswith("claim 1")
    page.get_by_label("Verdict").select_option("not judged")
    assert shown.count() == 0


@pytest.mark.browser
def test_on_a_phone_every_verdict_stands_first_in_its_row_without_scrolling_sideways(offline, page_file):
    page = offline.new_page()
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(page_file.as_uri())
    box = page.locator(".rnn-scroll")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    rows = page.get_by_role("table").get_by_role("row").filter(has=page.locator("td"))
    assert rows.count() == 3
    for row in rows.all():
        badge = row.locator(".rnn-verdict").bounding_box()
        assert 0 <= badge["x"] <= badge["x"] + badge["width"] <= 360
        assert badge["y"] + badge["height"] <= row.get_by_role("rowheader").bounding_box()["y"]
        assert row.get_by_role("cell").count() == 4
    page.get_by_label("Chapter").select_option("b")
    assert page.locator("tbody tr:visible").count() == 1


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_the_scoreboard_has_no_fault_that_axe_finds(offline, page_file, theme, width):
    from axe_core_python.sync_playwright import Axe

    page = offline.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(page_file.as_uri())
    page.evaluate(
        "theme => { document.documentElement.dataset.theme = theme;"
        " document.body.style = theme === 'dark' ? 'background: #14181e; color: #fff' : ''; }",
        theme,
    )
    found = Axe().run(page)["violations"]
    assert [violation["id"] for violation in found] == []


@pytest.mark.browser
def test_without_scripts_the_whole_table_is_there_and_no_idle_filter(browser, page_file):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("tbody tr:visible").count() == 3
    assert not page.locator(".rnn-filter").is_visible()
    context.close()
