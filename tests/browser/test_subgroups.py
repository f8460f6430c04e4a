"""Subgroups as a clinician walks them: from the forest plot to the curves behind a line, and through the views."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from harmony_dash.access.actor import Role
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from tests.browser.conftest import OpenWindow
from tests.browser.steps import enter, settle
from tests.security.server import Server

WIDE, NARROW = (f".st-key-subgroups_{name} .js-plotly-plot" for name in ("wide", "narrow"))
CHILDREN = Question("ALL", "efs", (parse_filter("age_group=1-9,10-17"), parse_filter("immunophenotype=B")))


@pytest.fixture
def clinician(page: Page, sample_server: Server) -> Page:
    """A clinician's window on the table of children with B-cell leukaemia."""
    enter(page, sample_server, Role.CLINICIAN)
    page.goto(f"{sample_server.url}/subgroups?{urlencode({'q': CHILDREN.canonical_json})}")
    expect(page.get_by_text("comparisons were made in this table")).to_be_visible(timeout=120_000)
    expect(page.locator(WIDE)).to_be_visible()
    settle(page)
    return page


def click_line(page: Page, figure: str, words: str, beside: float = 0.0) -> None:
    """Click the line with these words, so many pixels right of them, once it shows its name to the pointer.

    Before that the figure has not found the line, and hears no click either.
    """
    line = page.locator(figure).get_by_text(words, exact=True).first
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + beside, box["y"])
    page.mouse.move(box["x"] + box["width"] / 2 + beside, box["y"] + box["height"] / 2, steps=4)
    expect(page.locator(f"{figure} .hovertext").filter(has_text=words)).to_be_visible()
    page.mouse.click(box["x"] + box["width"] / 2 + beside, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("beside", [0, 500])
def test_a_click_anywhere_in_a_line_leads_to_its_curves(clinician: Page, beside: float) -> None:
    for words in ("Cytogenetic risk group", "1–9 years", "1 (reference)"):
        expect(clinician.locator(WIDE).get_by_text(words).first).to_be_visible()
    click_line(clinician, WIDE, "intermediate risk", beside)
    clinician.wait_for_url("**/survival?**")
    title = clinician.get_by_role("heading").filter(has_text="patients with").first
    expect(title).to_contain_text("B-cell precursor")
    expect(title).to_contain_text("by cytogenetic risk group, stratified by trial or registry")
    expect(clinician.locator(".js-plotly-plot").first).to_be_visible()


def test_the_keyboard_reaches_the_curves_too(clinician: Page) -> None:
    clinician.locator("summary").filter(has_text="Curves of each variable").focus()
    clinician.keyboard.press("Enter")
    link = clinician.get_by_role("link").filter(has_text="White cell count group")
    expect(link).to_be_visible()
    link.focus()
    clinician.keyboard.press("Enter")
    clinician.wait_for_url("**/survival?**")
    expect(clinician.get_by_role("heading").filter(has_text="by white cell count group")).to_be_visible()


def test_a_narrow_page_stacks_each_line(clinician: Page) -> None:
    clinician.set_viewport_size({"width": 800, "height": 900})
    expect(clinician.locator(NARROW)).to_be_visible()
    expect(clinician.locator(WIDE)).to_be_hidden()
    words = clinician.locator(NARROW).get_by_text("UKALL copy-number profile")
    expect(words).to_be_visible()
    main = clinician.get_by_test_id("stMain").bounding_box()
    box = words.bounding_box()
    assert main is not None and box is not None
    assert main["x"] <= box["x"] < box["x"] + box["width"] <= main["x"] + main["width"]


def test_views_switch_and_the_address_keeps_them(clinician: Page, open_window: OpenWindow,
                                                 sample_server: Server) -> None:
    clinician.get_by_role("radio", name="Two variables at once").click()
    expect(clinician.locator(".js-plotly-plot")).to_have_count(1)
    expect(clinician.locator(".st-key-subgroups_map .js-plotly-plot")).to_be_visible()
    clinician.wait_for_url("**view=map**")
    clinician.get_by_role("radio", name="Table 1").click()
    expect(clinician.get_by_text("Std. diff.").first).to_be_visible()
    clinician.wait_for_url("**view=characteristics**")
    another = enter(open_window(), sample_server, Role.CLINICIAN)
    another.goto(clinician.url)
    expect(another.get_by_text("Std. diff.").first).to_be_visible()
