"""What every page of the book must do, as functions over a page in a browser."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page

from rnnkit.figures.quantise import decode
from tests.site.player_checks import require_players_walk
from tests.site.watching import WAIT_MS, watch

INK_ARRIVED = """box => {
    const probe = document.createElement("i");
    probe.style.color = getComputedStyle(document.documentElement).getPropertyValue("--rnn-ink");
    document.body.append(probe);
    const ink = getComputedStyle(probe).color;
    probe.remove();
    return getComputedStyle(box.querySelector("svg text")).fill === ink;
}"""


def boxes(page: Page) -> list[Locator]:
    """The figures of a page, in order."""
    return page.locator("figure.rnn-fig").all()


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


def figure_script(site: Path, key: str) -> dict[str, Any]:
    """What a figure's script holds, with its shared arrays; read without a browser."""
    figure = _call(site / "_static" / "figs" / f"{key}.js")
    figure["arrays"] |= {name: _call(site / "_static" / "figs" / f"a-{name}.js") for name in figure["shared"]}
    return figure


def require_controls_work(page: Page, site: Path) -> int:
    """Move every control of every figure by keyboard through all positions; return the number of moves.

    At each position the drawn data must be those that the figure's script holds for it, decoded in
    Python; and at some position they must differ from those at the start.
    """
    moves = 0
    for box in boxes(page):
        figure = figure_script(site, box.get_attribute("data-fig") or "")
        for control in figure["controls"]:
            moves += _walk(page, box, figure, control)
    return moves


def _walk(page: Page, box: Locator, figure: dict[str, Any], control: dict[str, Any]) -> int:
    row = box.locator(f'.rnn-control[data-control="{control["name"]}"]')
    knob = row.locator("input, select")
    bound = [b for b in figure["bindings"] if control["name"] in b["over"]]
    assert bound, f"control {control['name']!r} changes nothing"
    state = json.loads(box.get_attribute("data-state") or "")
    seen = {json.dumps([_short(expected(figure, b, state)) for b in bound])}
    count = len(control["values"])
    start = state[control["name"]]
    targets = [*range(start + 1, count), *(range(count - 2, -1, -1) if start else ())]
    for target in targets:
        knob.focus()
        page.keyboard.press("ArrowRight" if target > state[control["name"]] else "ArrowLeft")
        state[control["name"]] = target
        _wait_for_state(page, box, state)
        if control["kind"] == "slider":
            assert row.locator("output").inner_text() == control["values"][target]
            assert knob.get_attribute("aria-valuetext") == control["values"][target]
        for binding in bound:
            require_plotted(box, figure, binding, state)
        seen.add(json.dumps([_short(expected(figure, b, state)) for b in bound]))
    assert count == 1 or len(seen) > 1, f"control {control['name']!r} never changes what is drawn"
    return len(targets)


def _wait_for_state(page: Page, box: Locator, state: dict[str, int]) -> None:
    page.wait_for_function(
        """([box, want]) => {
            const have = JSON.parse(box.dataset.state || "{}");
            return box.dataset.error || Object.keys(want).every((name) => have[name] === want[name]);
        }""",
        arg=[box.element_handle(), state],
        timeout=WAIT_MS,
    )
    assert box.get_attribute("data-error") is None, box.get_attribute("data-error")


def expected(figure: dict[str, Any], binding: dict[str, Any], state: dict[str, int]) -> Any:
    """Value that a binding has in a state, from the figure's script."""
    value: Any = decode(figure["arrays"][binding["array"]]) if "array" in binding else binding["values"]
    for name in binding["over"]:
        value = value[state[name]]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def plotted(box: Locator, binding: dict[str, Any]) -> Any:
    """Value that plotly holds for a binding's attribute; NaN comes as None."""
    return box.evaluate(
        """(box, [trace, attr]) => {
            const plot = box.querySelector(".rnn-plot");
            let node = trace === null ? plot.layout : plot.data[trace];
            for (const part of attr.split(/[.[\\]]+/).filter(Boolean)) node = node[part];
            const list = (v) => ArrayBuffer.isView(v) || Array.isArray(v) ? Array.from(v, list)
                : Number.isNaN(v) ? null : v;
            return list(node);
        }""",
        [binding["trace"], binding["attr"]],
    )


def require_plotted(
    box: Locator, figure: dict[str, Any], binding: dict[str, Any], state: dict[str, int]
) -> None:
    """Require that what is drawn is what the figure's script holds for a state."""
    have, want = plotted(box, binding), expected(figure, binding, state)
    what = f"{binding['attr']} of trace {binding['trace']} at {state}"
    if "array" in binding and _numeric(want):
        np.testing.assert_allclose(
            np.array(have, dtype=float), np.array(want, dtype=float), rtol=1e-9, atol=1e-12, err_msg=what
        )
    elif isinstance(want, str) and isinstance(have, str):
        assert re.sub(r"<br>", " ", have) == re.sub(r"<br>", " ", want), what
    else:
        assert have == want, what


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


def require_accessible(page: Page) -> None:
    """Require that axe finds nothing serious or critical under WCAG 2.1 A and AA."""
    # Colours half-way through a transition are nobody's colours.
    page.evaluate("""() => Promise.race([
            Promise.all(document.getAnimations()
                .filter((a) => a.playState === "running" && a.effect.getComputedTiming().endTime < Infinity)
                .map((a) => a.finished.catch(() => 0))).then(() => 0),
            new Promise((enough) => setTimeout(() => enough(0), 10000)),
        ])""")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    grave = [
        f"{v['id']}: {v['help']}: " + " | ".join(node["html"][:200] for node in v["nodes"][:4])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert grave == [], "\n".join(grave)


def check_page(context: BrowserContext, url: str, site: Path) -> int:
    """Everything above on one page; returns the number of its figures."""
    watched = watch(context, url)
    page = watched.page
    try:
        figures = require_drawn(page)
        require_controls_work(page, site)
        require_players_walk(page)
        require_theme_follows(page)
        require_accessible(page)
        require_fits(page, page.viewport_size["width"] if page.viewport_size else 0)
        watched.require_clean()
    finally:
        page.close()
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


def _call(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    body: dict[str, Any] = json.loads(text[text.index(",") + 1 : text.rindex(")")])
    return body


def _numeric(value: Any) -> bool:
    while isinstance(value, list):
        value = value[0] if value else 0
    return isinstance(value, int | float)


def _short(value: Any) -> Any:
    """Stand-in for a value that tells states apart and is JSON."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return [_short(item) for item in value] if isinstance(value, list) else value
