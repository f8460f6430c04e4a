"""A grant from its proposal to its end, as four people walk it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.grants import list_grants
from harmony_dash.access.sessions import open_session
from harmony_dash.ui.session import SESSION_COOKIE
from tests.browser.conftest import OpenWindow
from tests.browser.steps import fill_sign_in, settle
from tests.security.server import PASSWORD, Server, username_of

PROJECT = "Relapse after induction"
SECOND = "second.steering"
NARROW = 800

# Opens the access page, at one of its parts, as somebody who has signed in.
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def second_approver(server: Server) -> str:
    create_account(server.access, username=SECOND, name="Second Steering", role=Role.STEERING, password=PASSWORD,
                   by=OPERATOR, now=datetime.now(UTC), rounds=4)
    return SECOND


@pytest.fixture
def visit(open_window: OpenWindow, server: Server) -> Visit:
    def visit(username: str, address: str = "/access?part=Grants", *, window: Page | None = None) -> Page:
        page = window or open_window()
        with server.access.write() as connection:
            token = open_session(connection, username, now=datetime.now(UTC))
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": server.url}])
        page.goto(server.url + address)
        return page

    return visit


def press(where: Page | Locator, name: str) -> None:
    # the name of an icon stands before the words
    where.get_by_role("button", name=re.compile(rf"(^|\s){name}$")).first.click()


def choose(page: Page, label: str, words: str) -> None:
    """Choose an option of a select box by typing its words: long lists are drawn in part."""
    settle(page)
    field = page.get_by_label(label, exact=True).first
    field.click()
    field.fill(words)
    page.get_by_role("option").filter(has_text=words).first.click()
    page.keyboard.press("Tab")
    settle(page)


def dialog(page: Page) -> Locator:
    shown = page.get_by_role("dialog")
    expect(shown).to_be_visible()
    settle(page)
    return shown


def propose(page: Page) -> None:
    press(page, "Propose a grant")
    press(page, "Propose the grant")
    expect(page.get_by_text("Give the name that the committee knows.")).to_be_visible()
    page.get_by_label("Project", exact=True).fill(PROJECT)
    page.get_by_label("Purpose", exact=True).fill("Whether residual disease tells who relapses.")
    page.keyboard.press("Tab")
    choose(page, "Countries", "Netherlands")
    choose(page, "Members", "Test analyst")
    page.get_by_text("Exact numbers on screen").click()
    settle(page)
    press(page, "Propose the grant")
    expect(page.get_by_text("Two people have to approve it now.")).to_be_visible()


def approve(page: Page, words: str) -> None:
    press(page, "Approve")
    asked = dialog(page)
    expect(asked).to_contain_text("Test analyst")
    expect(asked).to_contain_text(words)
    press(asked, "Approve")
    expect(page.get_by_role("dialog")).to_have_count(0)
    settle(page)


def test_a_grant_is_proposed_approved_by_two_shown_to_its_member_and_ended(
        server: Server, visit: Visit, second_approver: str) -> None:
    manager = visit(username_of(Role.DATA_MANAGER))
    propose(manager)
    expect(manager.get_by_text("You proposed this grant, so two other people have to approve it.")).to_be_visible()
    expect(manager.get_by_role("button", name="Approve", exact=True)).to_have_count(0)

    first = visit(username_of(Role.STEERING))
    approve(first, "Yours is the first approval")
    expect(first.get_by_text("You have approved this grant. One more person has to.")).to_be_visible()
    expect(first.get_by_role("button", name="Approve", exact=True)).to_have_count(0)

    second = visit(second_approver, window=first)
    approve(second, "Yours is the second approval")
    expect(second.get_by_text("Nothing is waiting.")).to_be_visible()
    expect(second.get_by_role("table").filter(has_text=PROJECT)).to_be_visible()

    analyst = visit(username_of(Role.ANALYST), "/account", window=second)
    expect(analyst.get_by_text(PROJECT).first).to_be_visible()

    manager.reload()
    choose(manager, "Open a grant", PROJECT)
    press(manager, "End the grant")
    asked = dialog(manager)
    asked.get_by_label("Why", exact=True).fill("The question was answered")
    asked.get_by_label("Why", exact=True).press("Tab")
    settle(manager)
    press(asked, "End the grant")
    expect(manager.get_by_text(re.compile("has ended"))).to_be_visible()
    (grant,) = list_grants(server.access)
    assert (grant.ended_by, grant.end_reason) == (username_of(Role.DATA_MANAGER), "The question was answered")
    analyst.reload()
    expect(analyst.get_by_text("You are a member of no grant.")).to_be_visible()
    analyst.get_by_text("1 grant that is over").click()
    expect(analyst.get_by_text("The question was answered").first).to_be_visible()


def test_a_data_manager_disables_a_person_whose_open_window_then_shuts(server: Server, visit: Visit) -> None:
    create_account(server.access, username="leaving", name="Leaving Soon", role=Role.CLINICIAN, password=PASSWORD,
                   by=OPERATOR, now=datetime.now(UTC), rounds=4)
    leaving = visit("leaving", "/coverage")
    expect(leaving.get_by_role("button", name="Leaving Soon")).to_be_visible()
    manager = visit(username_of(Role.DATA_MANAGER), "/access?part=People")
    choose(manager, "Change an account", "Leaving Soon")
    press(manager, "Disable")
    asked = dialog(manager)
    expect(asked).to_contain_text("This ends all sessions of Leaving Soon")
    press(asked, "Disable the account")
    expect(manager.get_by_text("The account of Leaving Soon is disabled.")).to_be_visible()
    leaving.get_by_test_id("stTopNavLink").first.click()
    expect(leaving.get_by_text("Your account was changed, which ended your session")).to_be_visible()


def test_what_was_typed_into_a_dialog_is_gone_with_it(visit: Visit) -> None:
    manager = visit(username_of(Role.DATA_MANAGER), "/access?part=People")
    for deed in ("add", "add again"):
        press(manager, "Add a person")
        asked = dialog(manager)
        expect(asked.get_by_label("Password", exact=True), deed).to_have_value("")
        asked.get_by_label("Password", exact=True).fill("typed and thought better of")
        asked.get_by_label("Password", exact=True).press("Tab")
        settle(manager)
        asked.get_by_role("button", name="Close").click()
        expect(manager.get_by_role("dialog")).to_have_count(0)
        settle(manager)


def test_an_added_person_signs_in_with_the_suggested_passphrase(server: Server, visit: Visit, page: Page) -> None:
    manager = visit(username_of(Role.DATA_MANAGER), "/access?part=People")
    press(manager, "Add a person")
    asked = dialog(manager)
    asked.get_by_label("Name", exact=True).fill("Nadia New")
    asked.get_by_label("Account name", exact=True).fill("nadia.new")
    asked.get_by_text("Clinician", exact=True).click()
    settle(manager)
    press(asked, "Suggest a passphrase")
    passphrase = asked.get_by_test_id("stCode").inner_text().strip()
    press(asked, "Add the person")
    expect(manager.get_by_text("Nadia New can sign in as nadia.new.")).to_be_visible()
    page.goto(server.url)
    fill_sign_in(page, "nadia.new", passphrase)
    expect(page.get_by_role("button", name="Nadia New")).to_be_visible()


def test_the_trail_is_downloaded_on_request_and_proved(server: Server, visit: Visit, tmp_path: Path) -> None:
    steering = visit(username_of(Role.STEERING), "/access?part=Who+saw+what")
    press(steering, "Check that nobody changed it")
    expect(steering.get_by_text(re.compile(r"The trail is intact: [\d,]+ entries, checked just now"))).to_be_visible()
    press(steering, "Prepare a CSV file")
    with steering.expect_download() as downloading:
        steering.get_by_role("button", name=re.compile("Download audit-trail")).click()
    name = downloading.value.suggested_filename
    assert re.fullmatch(r"audit-trail-\d{8}T\d{6}Z-[0-9a-f]{6}\.csv", name)
    downloading.value.save_as(tmp_path / name)
    assert (tmp_path / name).read_text(encoding="utf-8-sig").startswith('"id","at","username"')


@pytest.mark.parametrize("part", ["People", "Grants", "Who+saw+what"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_part_is_drawn_in_both_themes_and_fits_a_narrow_window(
        visit: Visit, open_window: OpenWindow, tmp_path: Path, part: str, scheme: str) -> None:
    page = visit(username_of(Role.STEERING), f"/access?part={part}",
                 window=open_window(scheme=scheme, width=NARROW))
    expect(page.get_by_role("heading", name="Access", exact=True)).to_be_visible()
    settle(page)
    picture = page.screenshot(path=str(tmp_path / f"access-{part}-{scheme}.png"), full_page=True)
    assert len(picture) > 10_000
    background = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    lightness = sum(int(part) for part in re.findall(r"\d+", background)[:3]) / 3
    assert (lightness > 128) is (scheme == "light")
    sticks_out = page.evaluate("""() => {
        const main = document.querySelector('[data-testid=stMain]');
        return main.scrollWidth - main.clientWidth;
    }""")
    assert sticks_out <= 0
