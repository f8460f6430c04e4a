"""The main path as a clinician walks it: from an empty store to a curve that answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harmony_dash.access.actor import Role
from tests.browser.conftest import Listen, OpenWindow
from tests.browser.steps import enter, fill_sign_in, settle, sign_in
from tests.security.server import PROJECT_ROOT, Server, start_server

FIGURE = ".js-plotly-plot"


@pytest.fixture(scope="module")
def filling_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application on an empty store, which it fills from the samples while the first visitor watches."""
    folder: Path = tmp_path_factory.mktemp("samples")
    with start_server(folder / "data", environment={"HARMONY_SAMPLES": str(PROJECT_ROOT / "data_samples")}) as running:
        yield running


@pytest.fixture
def clinician(page: Page, filling_server: Server) -> Page:
    """A clinician's window."""
    return enter(page, filling_server, Role.CLINICIAN)


def title_of(page: Page) -> str:
    return page.get_by_role("heading").filter(has_text="patients with").first.inner_text()


def open_survival(page: Page, server: Server, query: str = "") -> None:
    page.goto(f"{server.url}/survival{query}")
    expect(page.locator(FIGURE).first).to_be_visible()
    settle(page)


def test_the_first_visitor_watches_the_sample_store_being_built(page: Page, filling_server: Server) -> None:
    page.goto(filling_server.url)
    preparing = page.get_by_text("Preparing the synthetic sample data").first
    expect(preparing.or_(page.get_by_label("Account name")).first).to_be_visible()
    expect(page.get_by_label("Account name")).to_be_visible(timeout=120_000)


def test_one_click_after_signing_in_shows_event_free_survival_by_cytogenetic_risk(
        page: Page, filling_server: Server) -> None:
    sign_in(page, filling_server, Role.CLINICIAN)
    expect(page.get_by_text("5,000")).to_be_visible()
    page.get_by_test_id("stTopNavLink").filter(has_text="Survival").click()
    expect(page.locator(FIGURE).first).to_be_visible()
    assert "Event-free survival" in title_of(page)
    assert "by cytogenetic risk group" in title_of(page)
    for name in ("good risk", "intermediate risk", "high risk"):
        expect(page.locator(FIGURE).get_by_text(name).first).to_be_visible()


def test_a_filter_changes_the_curve_the_title_and_the_address_which_another_window_restores(
        clinician: Page, filling_server: Server, open_window: OpenWindow) -> None:
    open_survival(clinician, filling_server)
    before = clinician.locator(f"{FIGURE} .scatterlayer path.js-line").first.get_attribute("d")
    title, address = title_of(clinician), clinician.url
    clinician.get_by_label("Sex").first.click()
    clinician.get_by_role("option").filter(has_text="Female").click()
    clinician.keyboard.press("Escape")
    expect(clinician.get_by_text("sex: Female").first).to_be_visible()
    curve = clinician.locator(f"{FIGURE} .scatterlayer path.js-line").first
    expect(curve).not_to_have_attribute("d", str(before))
    settle(clinician)
    assert title_of(clinician) != title
    assert clinician.url != address
    other = enter(open_window(), filling_server, Role.CLINICIAN)
    other.goto(clinician.url)
    expect(other.locator(FIGURE).first).to_be_visible()
    assert title_of(other) == title_of(clinician)


def test_the_keyboard_opens_what_protection_means(clinician: Page, filling_server: Server) -> None:
    open_survival(clinician, filling_server)
    clinician.get_by_role("button", name="Protected").focus()
    clinician.keyboard.press("Enter")
    explained = clinician.get_by_text("so that numbers need not add up")
    expect(explained).to_be_visible()
    expect(clinician.get_by_text("What was not applied here")).to_be_visible()
    clinician.keyboard.press("Escape")
    expect(explained).to_be_hidden()


@pytest.mark.parametrize("link", [
    "?q=%7B", "?q=%7B%22disease%22%3A1%7D", "?q=<img src=x onerror=alert(1)>"])
def test_a_link_that_cannot_be_read_says_so_calmly(
        clinician: Page, filling_server: Server, listen: Listen, link: str) -> None:
    dialogs: list[str] = []
    listen("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    clinician.goto(f"{filling_server.url}/survival{link}")
    expect(clinician.get_by_role("heading").first).to_be_visible()
    expect(clinician.locator(FIGURE).or_(clinician.get_by_text("link")).first).to_be_visible()
    assert dialogs == []
    assert clinician.get_by_text("Traceback").count() == 0


def test_the_demonstration_accounts_of_the_sign_in_page_work(page: Page, filling_server: Server) -> None:
    file = filling_server.access.path.with_name("demo-accounts.json")
    if not file.exists():
        # Real accounts were made before the first start of this server, so there are none; the page must say nothing.
        page.goto(filling_server.url)
        expect(page.get_by_label("Account name")).to_be_visible()
        expect(page.get_by_text("Demonstration accounts")).to_have_count(0)
        return
    account = json.loads(file.read_text())[0]
    page.goto(filling_server.url)
    fill_sign_in(page, account["username"], account["passphrase"])
    expect(page.get_by_role("button", name=account["name"])).to_be_visible()
