from __future__ import annotations

import functools
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rnnkit.site import build_site, stage_book
from tests.site.sample import Sample, make_sample
from tests.waiting import within

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WIDE = {"viewport": {"width": 1280, "height": 900}, "offline": True}
NARROW = {
    "viewport": {"width": 360, "height": 740},
    "offline": True,
    "has_touch": True,
    "device_scale_factor": 2,
}


def find_chromium() -> str | None:
    """Chromium named by RNNKIT_CHROMIUM, else the first on the path."""
    names = (os.environ.get("RNNKIT_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(autouse=True)
def never_for_ever() -> Iterator[None]:
    """A browser that no longer answers fails its test after four minutes."""
    with within(240, "the test in the browser"):
        yield


@pytest.fixture(scope="session")
def browser():
    path = find_chromium()
    if path is None:
        message = "no Chromium found (set RNNKIT_CHROMIUM): the pages were not tried in a browser"
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def offline(browser):
    """A wide window without any network."""
    with closing(browser.new_context(**WIDE)) as context:
        yield context


@pytest.fixture
def phone(browser):
    """A narrow touch window without any network."""
    with closing(browser.new_context(**NARROW)) as context:
        yield context


@pytest.fixture(scope="session")
def desk(browser):
    """A page in a wide window, for one visit after the other: the pages share most of their scripts."""
    with closing(browser.new_context(**WIDE)) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def hand(browser):
    """A page in a narrow one."""
    with closing(browser.new_context(**NARROW)) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def site(sample, tmp_path_factory) -> Path:
    """The sample book as jupyter-book builds it, with the book's own _config.yml."""
    folder = tmp_path_factory.mktemp("built")
    stage_book(sample.book, sample.executed, folder / "stage", toc=sample.toc)
    return build_site(folder / "stage", folder / "site", config=sample.config, toc=sample.toc).parent


@pytest.fixture
def served(site) -> Iterator[str]:
    """Address of the site on a local web server."""

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
