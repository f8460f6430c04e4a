"""The way from a figure to a file, as an analyst walks it, and what the committee sees of it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from harmony_dash.access.actor import Role
from harmony_dash.ui.session import SESSION_COOKIE
from tests.factories import make_store
from tests.security.server import Server, start_server


@pytest.fixture(scope="module")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application on a small store."""
    folder: Path = tmp_path_factory.mktemp("export_browser")
    make_store(folder / "data" / "store", 900)
    with start_server(folder / "data") as running:
        yield running


def sign_in_as(context: BrowserContext, server: Server, role: Role) -> Page:
    context.add_cookies([{"name": SESSION_COOKIE, "value": server.open_session(role), "url": server.url}])
    return context.new_page()


@pytest.fixture(scope="module")
def exported(browser: Browser, store_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an analyst's export, made by clicking."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    page = sign_in_as(context, store_server, Role.ANALYST)
    page.goto(f"{store_server.url}/survival")
    page.get_by_text("Export this").click()
    expect(page.get_by_role("heading", name="Event-free survival of")).to_be_visible()
    page.get_by_role("button", name="Build the files").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Everything (ZIP)").click()
    target: Path = tmp_path_factory.mktemp("download")
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(target)
    context.close()
    (folder,) = target.iterdir()
    assert download.value.suggested_filename == f"{folder.name}.zip"
    return folder


def test_an_analyst_takes_a_question_from_its_figure_to_a_file(exported: Path) -> None:
    assert {"report.html", "tables.xlsx", "curves.csv", "recompute.py", "provenance.json"} <= {
        path.name for path in exported.iterdir()}


def test_the_report_opens_without_a_server_asks_for_nothing_and_fits_a_page(exported: Path, page: Page) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto((exported / "report.html").as_uri())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Event-free survival of")
    assert asked == [(exported / "report.html").as_uri()]
    assert said == []
    page.set_viewport_size({"width": 420, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_the_committee_sees_the_receipt(context: BrowserContext, exported: Path, store_server: Server) -> None:
    page = sign_in_as(context, store_server, Role.STEERING)
    page.goto(f"{store_server.url}/export")
    number = "E-" + exported.name.split("-E-")[1]
    expect(page.get_by_text(number)).to_be_visible()
    expect(page.get_by_text("analyst.test")).to_be_visible()
