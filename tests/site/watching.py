"""A page in a browser, and what goes wrong on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

WAIT_MS = 30_000
FOLLOWED = """() => [...document.querySelectorAll(".rnn-plot")].every(
    (plot) => !plot._fullLayout || plot._fullLayout.width <= plot.clientWidth + 1)"""
HARMLESS = ("THEBE_JS_URL",)
"""Console errors of the theme's own that break nothing."""


@dataclass
class Watched:
    """A page, and what went wrong on it."""

    page: Page
    home: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def require_clean(self) -> None:
        """Require no console error, no failed load, and no request to another host."""
        assert self.strangers == [], "requests to other hosts"
        assert self.failed == [], "files that could not be loaded"
        assert self.errors == [], "errors in the console"


def watch(context: BrowserContext, url: str) -> Watched:
    """Open a page and record its errors and requests from the first on."""
    watched = Watched(context.new_page(), _home(url))
    for event, heed in _ears(watched).items():
        watched.page.on(event, heed)
    watched.page.goto(url, wait_until="load")
    return watched


@contextmanager
def visit(page: Page, url: str) -> Iterator[Watched]:
    """As `watch`, in a page that stays open: what it has compiled serves the next visit, which halves the time."""
    watched = Watched(page, _home(url))
    ears = _ears(watched)
    for event, heed in ears.items():
        page.on(event, heed)
    try:
        page.goto(url, wait_until="load")
        yield watched
    finally:
        for event, heed in ears.items():
            page.remove_listener(event, heed)


@contextmanager
def narrowed(page: Page, width: int = 360) -> Iterator[int]:
    """Make the window as narrow as a phone, wait until the figures have followed, and widen it again."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 740})
    try:
        page.wait_for_function(FOLLOWED, timeout=WAIT_MS)
        yield width
    finally:  # the page is the next test's too
        if before is not None:
            page.set_viewport_size(before)


def _home(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _ears(watched: Watched) -> dict[str, Callable[[Any], None]]:
    """By event of the page: what to do with it."""

    def console(message: Any) -> None:
        if message.type == "error" and not any(word in message.text for word in HARMLESS):
            watched.errors.append(message.text)

    def crash(error: Any) -> None:
        if not any(word in str(error) for word in HARMLESS):
            watched.errors.append(str(error))

    def request(made: Any) -> None:
        if not made.url.startswith((watched.home, "data:", "blob:")):
            watched.strangers.append(made.url)

    def failed(made: Any) -> None:
        watched.failed.append(made.url)

    def response(answer: Any) -> None:
        if answer.status >= 400:
            watched.failed.append(answer.url)

    return {
        "console": console,
        "pageerror": crash,
        "request": request,
        "requestfailed": failed,
        "response": response,
    }
