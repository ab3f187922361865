"""A page in a browser, and what goes wrong on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

WAIT_MS = 30_000
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
    page = context.new_page()
    parts = urlsplit(url)
    watched = Watched(page, f"{parts.scheme}://{parts.netloc}")

    def console(message: Any) -> None:
        if message.type == "error" and not any(word in message.text for word in HARMLESS):
            watched.errors.append(message.text)

    def crash(error: Any) -> None:
        if not any(word in str(error) for word in HARMLESS):
            watched.errors.append(str(error))

    def request(made: Any) -> None:
        if not made.url.startswith((watched.home, "data:", "blob:")):
            watched.strangers.append(made.url)

    page.on("console", console)
    page.on("pageerror", crash)
    page.on("request", request)
    page.on("requestfailed", lambda made: watched.failed.append(made.url))
    page.on("response", lambda answer: watched.failed.append(answer.url) if answer.status >= 400 else None)
    page.goto(url, wait_until="load")
    return watched
