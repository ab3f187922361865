"""What every page of the book must do, as functions over a page in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from axe_core_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.site.control_checks import boxes, require_controls_reach, require_controls_work
from tests.site.player_checks import require_players_walk
from tests.site.watching import WAIT_MS, Watched

INK_ARRIVED = """box => {
    const probe = document.createElement("i");
    probe.style.color = getComputedStyle(document.documentElement).getPropertyValue("--rnn-ink");
    document.body.append(probe);
    const ink = getComputedStyle(probe).color;
    probe.remove();
    return getComputedStyle(box.querySelector("svg text")).fill === ink;
}"""


def require_drawn(page: Page) -> int:
    """Scroll to each figure, require that it gets drawn, and return their number."""
    figures = boxes(page)
    for box in figures:
        box.scroll_into_view_if_needed()
        page.wait_for_function(
            "box => box.dataset.drawn || box.dataset.error", arg=box.element_handle(), timeout=WAIT_MS
        )
        assert box.get_attribute("data-error") is None, box.get_attribute("data-error")
        assert box.locator(".rnn-plot svg.main-svg").count() > 0, "drawn, but without a picture"
    return len(figures)


def require_fits(page: Page, width: int) -> None:
    """Require that the page does not scroll sideways."""
    inner = page.evaluate("document.documentElement.scrollWidth")
    assert inner <= width, f"the page is {inner} px wide in a window of {width} px"


def require_theme_follows(page: Page) -> None:
    """Switch the theme, require that the figures' text follows and stays readable, and switch back."""
    before = page.evaluate("document.documentElement.dataset.theme")
    other = "dark" if before == "light" else "light"
    for theme in (other, before):
        set_theme(page, theme)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        for box in boxes(page):
            if box.locator("svg text").count() == 0:
                continue
            page.wait_for_function(INK_ARRIVED, arg=box.element_handle(), timeout=WAIT_MS)
            ink = box.evaluate('box => getComputedStyle(box.querySelector("svg text")).fill')
            assert contrast(_rgb(ink), _rgb(paper)) >= 4.5, f"{ink} on {paper} in the {theme} theme"


def set_theme(page: Page, theme: str) -> None:
    """Do what the theme's own switch does."""
    page.evaluate(
        "theme => Object.assign(document.documentElement.dataset, { mode: theme, theme: theme })",
        theme,
    )


def require_accessible(page: Page, *, contrast_too: bool = True) -> None:
    """Require that axe finds nothing serious or critical under WCAG 2.1 A and AA.

    Nine tenths of its time would go into contrast: a page that is the same but for its width needs that once, and the
    rows of a figure's table are coloured alike.
    """
    # Colours half-way through a transition are nobody's colours, and without frames a transition would never end.
    page.evaluate("""() => document.getAnimations()
            .filter((a) => a.effect.getComputedTiming().endTime < Infinity)
            .forEach((a) => a.finish())""")
    page.evaluate(AXE_SCRIPT)
    rules = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
    found = _axe(page, {"runOnly": rules, "rules": {"color-contrast": {"enabled": False}}})
    if contrast_too:
        found += _axe(page, {"runOnly": ["color-contrast"]}, leave_out=".rnn-table tr:nth-child(n+4)")
    grave = [
        f"{v['id']}: {v['help']}: " + " | ".join(node["html"][:200] for node in v["nodes"][:4])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert grave == [], "\n".join(grave)


def _axe(page: Page, options: dict[str, Any], leave_out: str = "") -> list[dict[str, Any]]:
    """What axe finds on a page, but for the elements that are left out."""
    context = {"include": [["html"]], "exclude": [[leave_out]] if leave_out else []}
    ask = (
        "([context, options]) => axe.run(context, options).then((found) => JSON.stringify(found.violations))"
    )
    found: list[dict[str, Any]] = json.loads(
        page.evaluate(ask, [context, options | {"resultTypes": ["violations"]}])
    )
    return found


def check_page(watched: Watched, site: Path, *, thorough: bool = True) -> int:
    """Everything above on one page, and its controls and players; returns the number of its figures.

    On a page of the real book, which has many, controls and players are not put into each position and pair.
    """
    page = watched.page
    figures = require_drawn(page)
    (require_controls_work if thorough else require_controls_reach)(page, site)
    require_players_walk(page, every_pair=thorough)
    require_theme_follows(page)
    require_accessible(page)
    require_fits(page, page.viewport_size["width"] if page.viewport_size else 0)
    watched.require_clean()
    return figures


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Contrast ratio of two sRGB colours in 0..1 (WCAG 2.1)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: tuple[float, float, float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def _rgb(text: str) -> tuple[float, float, float]:
    red, green, blue = (float(part) / 255 for part in re.findall(r"[\d.]+", text)[:3])
    return red, green, blue
