"""The coverage page in a browser: every view is drawn, and nothing is asked of any other machine."""

from __future__ import annotations

import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from harmony_dash.access.actor import Role
from tests.browser.conftest import Listen
from tests.browser.steps import enter, settle
from tests.security.server import Server

FIGURE = ".js-plotly-plot"


@pytest.fixture
def member(page: Page, sample_server: Server) -> Page:
    """A window of a member of the steering committee, who may not look at outcomes."""
    return enter(page, sample_server, Role.STEERING)


def open_coverage(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/coverage")
    expect(page.locator(FIGURE)).to_have_count(8, timeout=120_000)
    settle(page)


def test_the_map_is_drawn_and_no_request_leaves_the_machine(
        member: Page, sample_server: Server, listen: Listen) -> None:
    asked: list[str] = []
    listen("request", lambda request: asked.append(request.url))
    listen("websocket", lambda socket: asked.append(socket.url))
    open_coverage(member, sample_server)
    expect(member.locator(f"{FIGURE} .scatterlayer path.js-fill").nth(10)).to_be_attached()
    for choice in ("Period of diagnosis", "Age group", "Immunophenotype", "Not tested", "Unknown"):
        member.get_by_role("radio", name=choice, exact=True).click()
        settle(member)
    member.get_by_text("What changed since the snapshot before").click()
    expect(member.get_by_text("There is no earlier snapshot.")).to_be_visible()
    hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme in ("http", "https", "ws", "wss")}
    assert hosts == {urlsplit(sample_server.url).netloc}


def test_choosing_a_view_keeps_the_address(member: Page, sample_server: Server) -> None:
    open_coverage(member, sample_server)
    member.get_by_role("radio", name="Age group", exact=True).click()
    expect(member.locator(FIGURE).get_by_text("under 1 year").first).to_be_visible()
    assert "columns=" in member.url


def test_no_number_below_the_threshold_is_anywhere_in_the_figures(member: Page, sample_server: Server) -> None:
    """Every number that is drawn in a cell, at a bar, or in a hover box of a count is a multiple of five."""
    open_coverage(member, sample_server)
    counts = member.evaluate("""() => [...document.querySelectorAll('.js-plotly-plot')].slice(0, 5)
        .flatMap(plot => plot.data.flatMap(trace => [trace.text, trace.customdata].flat(3)))
        .filter(text => typeof text === 'string').flatMap(text => text.match(/(^|: )[0-9,]+( patients)?$/) || [])""")
    numbers = [int(digits) for text in counts
               if (digits := "".join(letter for letter in str(text) if letter.isdigit()))]
    assert len(numbers) > 50
    assert all(number >= 10 and number % 5 == 0 for number in numbers)


def test_the_tables_are_taken_along_as_files_with_a_receipt(member: Page, sample_server: Server) -> None:
    open_coverage(member, sample_server)
    member.get_by_role("button", name="Export these tables").click()
    with member.expect_download() as waiting:
        member.get_by_role("button", name="Everything (ZIP)").first.click()
    download = waiting.value
    with zipfile.ZipFile(download.path()) as archive:
        names = {Path(name).name for name in archive.namelist()}
        (countries,) = [archive.read(name).decode() for name in archive.namelist() if name.endswith("/countries.csv")]
    assert {"report.html", "tables.xlsx", "provenance.json", "completeness.csv"} <= names
    assert '"DE","Germany",' in countries
    assert download.suggested_filename.startswith("harmony-ALL-coverage-E-")
