"""The what-if page in a browser: an answer, a long computation that is stopped, and every code of refusal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from harmony_dash.access.actor import Role
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.stats.refusal import CODES
from tests.browser.conftest import OpenWindow
from tests.browser.made_up_what_if import FIRST_DAY
from tests.browser.steps import enter, settle
from tests.factories import make_store
from tests.security.server import PROJECT_ROOT, Server, copy_project, start_server
from tests.what_if_cohort import draw_cohort

FIGURE = ".js-plotly-plot"
CHILDREN = OneOf("age_group", ("1-9", "10-17"))
LONG = 240_000  # a bootstrap on a busy machine
FOUR_YEARS, FIVE_YEARS = 1461, 1826
# What leads to each code on the sample data: filters besides the age group, and settings.
PATHS: dict[str, tuple[tuple[OneOf, ...], dict[str, Any]]] = {
    "NO_TIME_ZERO": ((CHILDREN,), {"strategy": "hsct_cr1", "reference": "no", "compared": "yes"}),
    "NO_CONTRAST": ((OneOf("trial", ("ALL10", "EORTC 58951", "GMALL 07/2003")),), {}),
    "BETWEEN_PROTOCOL": ((OneOf("country", ("AT",)),), {}),
    "CELL_SMALL": ((CHILDREN, OneOf("subtype", ("ETV6::RUNX1",))), {}),
    "POSITIVITY": ((CHILDREN,), {"reference": "reduced", "compared": "intensified"}),
    "BALANCE": ((CHILDREN,), {"reference": "reduced", "compared": "intensified"}),
    "FOLLOWUP": ((CHILDREN,), {"horizon_days": FIVE_YEARS}),
    "NO_CONFOUNDERS": ((CHILDREN,), {"adjust": ["sex"]}),
}
# The page's questions lead to a warning with this one, never to a refusal.
WARNINGS = {"MODEL_DEPENDENT"}


def write_address(where: tuple[OneOf, ...], settings: dict[str, Any]) -> str:
    """The link that somebody else would send."""
    question = Question("ALL", "efs", where)
    return f"/what_if?{urlencode({'q': question.canonical_json, 'ask': json.dumps(settings)})}"


@pytest.fixture(scope="module")
def drawn_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Patients whose treatment was chosen by their findings, with a known effect; the page's own files are copies."""
    folder: Path = tmp_path_factory.mktemp("drawn")
    make_store(folder / "data" / "store", frame=draw_cohort())
    with start_server(folder / "data") as running:
        yield running


@pytest.fixture(scope="module")
def refusing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page with a service that refuses as it is told."""
    folder: Path = tmp_path_factory.mktemp("refusing")
    page = (PROJECT_ROOT / "pages" / "what_if.py").read_text(encoding="utf-8")
    told = page.replace("from harmony_dash.services.what_if import", "from tests.browser.made_up_what_if import")
    assert told != page
    root = copy_project(folder / "project", {"what_if": told})
    make_store(folder / "data" / "store", frame=draw_cohort(400))
    with start_server(folder / "data", root=root,
                      environment={"PYTHONPATH": os.pathsep.join([str(root), str(PROJECT_ROOT)])}) as running:
        yield running


def ask(page: Page, server: Server, address: str) -> None:
    """Open the address in a clinician's window."""
    enter(page, server, Role.CLINICIAN)
    page.goto(server.url + address)
    expect(page.get_by_role("heading").filter(has_text="What if:").first).to_be_visible(timeout=120_000)


def test_every_code_is_reached_here() -> None:
    assert PATHS.keys() | WARNINGS <= set(CODES)


@pytest.mark.parametrize("code", PATHS)
def test_a_question_that_the_data_do_not_carry_is_refused_with_its_reason(
        page: Page, sample_server: Server, code: str) -> None:
    ask(page, sample_server, write_address(*PATHS[code]))
    expect(page.get_by_text(code, exact=True).first).to_be_visible(timeout=LONG)
    expect(page.get_by_text("What would be needed")).to_be_visible()
    expect(page.get_by_text("What the data say")).to_have_count(0)
    expect(page.locator(FIGURE)).to_have_count(0)


@pytest.mark.parametrize("code", sorted(set(CODES) - PATHS.keys()))
def test_a_code_that_no_question_here_leads_to_is_shown_all_the_same(
        page: Page, refusing_server: Server, code: str) -> None:
    day = FIRST_DAY + CODES.index(code)
    ask(page, refusing_server, write_address((), {"horizon_days": day}))
    expect(page.get_by_text(code, exact=True).first).to_be_visible()
    expect(page.get_by_text(f"Data for {code}.")).to_be_visible()
    expect(page.locator(FIGURE)).to_have_count(0)


def test_a_long_computation_shows_its_progress_and_is_stopped_and_asked_again(
        page: Page, sample_server: Server, open_window: OpenWindow) -> None:
    # a horizon that no other test asks for: answers are kept
    ask(page, sample_server, write_address((CHILDREN,), {"horizon_days": FOUR_YEARS}))
    cancel = page.get_by_role("button", name="Cancel")
    expect(page.get_by_text("Re-drawing the patients")).to_be_visible(timeout=LONG)
    cancel.click()
    again = page.get_by_role("button", name="Compute again")
    expect(again).to_be_visible()
    expect(page.locator(FIGURE)).to_have_count(0)
    again.click()
    expect(page.get_by_text("Read with caution").first).to_be_visible(timeout=LONG)
    expect(page.get_by_text("MODEL_DEPENDENT").first).to_be_visible()
    expect(page.locator(FIGURE)).to_have_count(3)
    other = enter(open_window(), sample_server, Role.CLINICIAN)
    other.goto(page.url)
    # the answer is kept, so the second window has it at once
    expect(other.locator(FIGURE)).to_have_count(3)


def test_an_example_keeps_its_filters_and_what_was_opened_while_it_is_computed(
        page: Page, sample_server: Server) -> None:
    ask(page, sample_server, "/what_if")
    page.get_by_text("How far the data support this").click(timeout=LONG)
    expect(page.get_by_text("In what do the arms differ?")).to_be_visible()
    page.get_by_text("Less treatment, B-cell").first.click()
    # the answer before it stands there until the run that draws the new heading has come to its end
    expect(page.get_by_role("heading").filter(has_text="MRD band at end of induction").first).to_be_visible()
    settle(page)
    expect(page.get_by_text("What would be needed").or_(page.get_by_text("What the data say")).first).to_be_visible(
        timeout=LONG)
    expect(page.get_by_text("Could everybody have had either strategy?")).to_be_visible()
    expect(page.get_by_role("heading").filter(has_text="MRD band at end of induction").first).to_be_visible()


def test_an_answer_shows_the_trade_off_the_methods_and_how_far_the_data_support_it(
        page: Page, drawn_server: Server) -> None:
    ask(page, drawn_server, write_address((), {"horizon_days": FOUR_YEARS}))
    expect(page.get_by_text("What the data say")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("extra relapse for every").first).to_be_visible()
    for name in ("Relapse", "Death in remission", "A  Standardised", "B  Doubly robust", "C  Weighted"):
        expect(page.locator(FIGURE).get_by_text(name).first).to_be_visible()
    expect(page.get_by_text("A plain comparison would have said").first).to_be_visible()
    drawn = page.locator(FIGURE).count()
    page.get_by_text("How far the data support this").click()
    expect(page.locator(FIGURE)).to_have_count(drawn + 2)
    expect(page.get_by_text("E-value").first).to_be_visible()


def test_the_keyboard_reaches_the_support_and_the_link(page: Page, drawn_server: Server) -> None:
    ask(page, drawn_server, write_address((), {"strategy": "hsct_cr1", "reference": "no",
                                                                "compared": "yes"}))
    expect(page.get_by_text("NO_TIME_ZERO").first).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Copy link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Opens this view for anyone who may see it")).to_be_visible()
