"""The same checks over every page of the built book: build/site where there is one, or what RNNKIT_SITE names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnkit.paths import repository
from tests.site.checks import check_page, require_accessible, require_drawn, require_fits
from tests.site.watching import narrowed, visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_BUILT = repository() / "build" / "site"
_NAMED = os.environ.get("RNNKIT_SITE")
SITE = Path(_NAMED).resolve() if _NAMED else _BUILT if (_BUILT / "index.html").is_file() else None
PAGES = sorted((SITE / "book").rglob("*.html")) if SITE else []


if SITE is not None:
    by_page = pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])

    def test_the_site_has_pages_and_a_first_page():
        assert PAGES, f"RNNKIT_SITE={SITE} holds no pages under book/"
        assert (SITE / "index.html").is_file()

    @by_page
    def test_each_page_works_offline(desk, page):
        """In a wide window, and then in one as narrow as a phone."""
        with visit(desk, page.as_uri()) as watched:
            check_page(watched, SITE, thorough=False)
            with narrowed(watched.page) as width:
                require_drawn(watched.page)
                require_fits(watched.page, width)
                require_accessible(watched.page, contrast_too=False)
            watched.require_clean()

    def test_the_first_page_of_each_chapter_opens_on_a_phone(hand):
        for page in [page for page in PAGES if page.stem.startswith("01_")]:
            with visit(hand, page.as_uri()) as watched:
                require_drawn(watched.page)
                require_fits(watched.page, 360)
                watched.require_clean()
