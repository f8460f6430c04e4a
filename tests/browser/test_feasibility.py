"""From a role's home page to the number of patients a question has, and on to its curve."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from harmony_dash.access.actor import Role
from tests.browser.steps import sign_in
from tests.security.server import Server

FIGURE = ".js-plotly-plot"


def patients_of(page: Page) -> str:
    metric = page.get_by_test_id("stMetric").filter(has_text="Patients").first
    return metric.get_by_test_id("stMetricValue").inner_text()


def test_a_clinician_counts_then_asks_the_same_question(page: Page, sample_server: Server) -> None:
    sign_in(page, sample_server, Role.CLINICIAN)
    page.get_by_role("link", name="Can my question be asked of these data?").click()
    expect(page.locator(FIGURE).first).to_be_visible()
    expect(page.get_by_text("Expected events")).to_be_visible()
    address, n = page.url, patients_of(page)
    assert "view=question" in address
    assert "need=" in address
    page.goto(address)
    expect(page.get_by_text("Expected events")).to_be_visible()
    assert patients_of(page) == n
    page.get_by_role("link", name="Ask it on the Survival page").click()
    expect(page.get_by_role("heading").filter(has_text=f"Overall survival of {n} patients")).to_be_visible()


def test_the_steering_committee_counts_and_is_shown_no_outcome(page: Page, sample_server: Server) -> None:
    sign_in(page, sample_server, Role.STEERING)
    page.get_by_role("link", name="Has a planned study enough patients?").click()
    expect(page.get_by_text("Expected events")).to_be_visible()
    expect(page.get_by_text("no outcome of these data enters")).to_be_visible()
    expect(page.get_by_text("Other endpoints are not offered to your role")).to_be_visible()
    expect(page.get_by_role("link", name="Ask it on the Survival page")).to_have_count(0)
