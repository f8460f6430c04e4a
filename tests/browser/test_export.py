"""The way from a figure to a file, as an analyst walks it, and what the committee sees of it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from harmony_dash.access.actor import Role
from tests.browser.conftest import Listen, lend_windows
from tests.browser.steps import enter
from tests.security.server import Server


@pytest.fixture(scope="module")
def exported(browser: Browser, kept_windows: list[Page], sample_server: Server,
             tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an analyst's export, made by clicking."""
    target: Path = tmp_path_factory.mktemp("download")
    with lend_windows(browser, kept_windows) as open_window:
        page = enter(open_window(), sample_server, Role.ANALYST)
        page.goto(f"{sample_server.url}/survival")
        page.get_by_text("Export this").click()
        expect(page.get_by_role("heading", name="Event-free survival of")).to_be_visible()
        page.get_by_role("button", name="Build the files").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Everything (ZIP)").click()
        with zipfile.ZipFile(download.value.path()) as archive:
            archive.extractall(target)
    (folder,) = target.iterdir()
    assert download.value.suggested_filename == f"{folder.name}.zip"
    return folder


def test_an_analyst_takes_a_question_from_its_figure_to_a_file(exported: Path) -> None:
    assert {"report.html", "tables.xlsx", "curves.csv", "recompute.py", "provenance.json"} <= {
        path.name for path in exported.iterdir()}


def test_the_report_opens_without_a_server_asks_for_nothing_and_fits_a_page(
        exported: Path, page: Page, listen: Listen) -> None:
    asked: list[str] = []
    said: list[str] = []
    listen("request", lambda request: asked.append(request.url))
    listen("console", lambda message: said.append(message.text))
    page.goto((exported / "report.html").as_uri())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Event-free survival of")
    assert asked == [(exported / "report.html").as_uri()]
    assert said == []
    page.set_viewport_size({"width": 420, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_the_committee_sees_the_receipt(page: Page, exported: Path, sample_server: Server) -> None:
    enter(page, sample_server, Role.STEERING).goto(f"{sample_server.url}/export")
    number = "E-" + exported.name.split("-E-")[1]
    expect(page.get_by_text(number)).to_be_visible()
    expect(page.get_by_text("analyst.test")).to_be_visible()
