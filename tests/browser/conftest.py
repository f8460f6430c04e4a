"""Chromium and its windows, and the servers that several files look at.

Opening a window and reading Streamlit's programs for the first time costs three times as much as going to another page
in a window that is open. So windows are kept for the whole run, and each test gets them as if they were new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.disclosure.house import samples_of_run
from tests.security.server import Server, start_server

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
              "--disable-component-update", "--disable-sync"]
# A fresh server on a busy machine takes its time for the first page.
_PATIENCE = 60_000
_DESKTOP = (1400, 900)
expect.set_options(timeout=_PATIENCE)

# Opens a window: `open_window()`, `open_window(scheme="dark", width=800)`.
OpenWindow = Callable[..., Page]
# Hears what happens in the test's window: `listen("console", handler)`.
Listen = Callable[[str, Callable[[Any], None]], None]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def kept_windows(browser: Browser) -> list[Page]:
    """Windows that no test uses now, each with a browser profile of its own."""
    return []


@pytest.fixture
def open_window(browser: Browser, kept_windows: list[Page]) -> Iterator[OpenWindow]:
    """Opens windows for the length of the test."""
    with lend_windows(browser, kept_windows) as open_window:
        yield open_window


@contextmanager
def lend_windows(browser: Browser, kept_windows: list[Page]) -> Iterator[OpenWindow]:
    """Opens windows that know nobody (no cookies, nothing stored, no page) and takes them back."""
    used: list[Page] = []

    def open_window(*, scheme: str = "light", width: int = _DESKTOP[0]) -> Page:
        page = kept_windows.pop() if kept_windows else _make_window(browser)
        used.append(page)
        page.set_viewport_size({"width": width, "height": _DESKTOP[1]})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        return page

    try:
        yield open_window
    finally:
        # the first window is the first to be used again: it has read the most programs
        for page in reversed(used):
            if _is_wiped(page):
                kept_windows.append(page)
            else:
                page.context.close()


def _make_window(browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": _DESKTOP[0], "height": _DESKTOP[1]})
    context.set_default_timeout(_PATIENCE)
    return context.new_page()


def _is_wiped(page: Page) -> bool:
    """Forget everything that a test left in a window; False if the window has crashed or its server is gone."""
    try:
        if page.url.startswith("http"):
            page.evaluate("localStorage.clear(), sessionStorage.clear()")
            # on a blank page the window would also forget the programs that it has read
            page.goto(urljoin(page.url, "/healthz"))
        else:
            page.goto("about:blank")
        page.context.clear_cookies()
    except Error:
        return False
    return True


@pytest.fixture
def page(open_window: OpenWindow) -> Page:
    return open_window()


@pytest.fixture
def context(page: Page) -> BrowserContext:
    """The browser profile of the test's window."""
    return page.context


@pytest.fixture
def listen(page: Page) -> Iterator[Listen]:
    heard: list[tuple[Any, Callable[[Any], None]]] = []

    def listen(event: Any, handler: Callable[[Any], None]) -> None:
        page.on(event, handler)
        heard.append((event, handler))

    yield listen
    for event, handler in heard:
        page.remove_listener(event, handler)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application itself with an empty store; `tests.security.server` says how to start one with data."""
    with start_server(tmp_path_factory.mktemp("browser") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def sample_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application on the samples, for whoever only looks at them; the same for all files."""
    store = samples_of_run(tmp_path_factory)
    with start_server(tmp_path_factory.mktemp("samples"), environment={"HARMONY_STORE": str(store)}) as running:
        yield running
