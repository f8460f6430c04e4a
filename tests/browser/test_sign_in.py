from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from harmony_dash.access.accounts import ACCOUNT_ROLES, disable_account, enable_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.permissions import user_can
from harmony_dash.ui.registry import PAGES, PageEntry
from harmony_dash.ui.session import BROWSER_COOKIE, SESSION_COOKIE
from tests.browser.conftest import Listen
from tests.browser.steps import account_menu, enter, fill_sign_in, settle, sign_in, wait_for_sign_in
from tests.security.server import PASSWORD, Server, start_server, username_of
from tests.security.test_sessions_end import now


def pages_of(role: Role) -> list[PageEntry]:
    return [entry for entry in PAGES if user_can(Actor("x", role, session="x"), entry.permission)]


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
def test_each_role_signs_in_and_sees_exactly_its_pages_and_no_script_sees_its_cookie(
        page: Page, context: BrowserContext, server: Server, role: Role) -> None:
    sign_in(page, server, role)
    links = page.get_by_test_id("stTopNavLink")
    expect(links).to_have_count(len(pages_of(role)))
    assert [text.split("\n")[-1] for text in links.all_inner_texts()] == [entry.title for entry in pages_of(role)]
    (cookie,) = [cookie for cookie in context.cookies() if cookie["name"] == SESSION_COOKIE]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert page.evaluate("document.cookie").find("harmony_") == -1


def follow_link_from_another_site(page: Page, server: Server, path: str) -> None:
    page.goto(f"data:text/html,<a href='{server.url}{path}'>there</a>")
    with page.expect_request(server.url + path) as asked:
        page.get_by_text("there").click()
    assert asked.value.all_headers()["sec-fetch-site"] == "cross-site"


def browser_cookie(context: BrowserContext) -> str:
    (cookie,) = [cookie for cookie in context.cookies() if cookie["name"] == BROWSER_COOKIE]
    return str(cookie["value"])


def test_somebody_can_sign_in_who_first_comes_by_a_link_from_another_site(page: Page, server: Server) -> None:
    follow_link_from_another_site(page, server, "/survival")
    fill_sign_in(page, username_of(Role.CLINICIAN), PASSWORD)
    expect(account_menu(page, Role.CLINICIAN)).to_be_visible()


def test_a_link_from_another_site_leaves_cookie_and_session_as_they_are(
        page: Page, context: BrowserContext, server: Server) -> None:
    enter(page, server, Role.CLINICIAN).goto(server.url)
    expect(account_menu(page, Role.CLINICIAN)).to_be_visible()
    before = browser_cookie(context)
    follow_link_from_another_site(page, server, "/survival")
    expect(account_menu(page, Role.CLINICIAN)).to_be_visible()
    assert browser_cookie(context) == before


def test_a_form_of_another_site_ends_nothing(page: Page, context: BrowserContext, server: Server) -> None:
    enter(page, server, Role.CLINICIAN)
    page.goto(f"data:text/html,<form method=post action='{server.url}/auth/end'><button>go</button></form>")
    with page.expect_response(f"{server.url}/auth/end") as answered:
        page.get_by_role("button", name="go").click()
    assert answered.value.status == 403
    assert any(cookie["name"] == SESSION_COOKIE for cookie in context.cookies())
    page.goto(server.url)
    expect(account_menu(page, Role.CLINICIAN)).to_be_visible()


def test_a_reload_keeps_the_session(page: Page, server: Server) -> None:
    enter(page, server, Role.STEERING).goto(server.url)
    expect(account_menu(page, Role.STEERING)).to_be_visible()
    page.reload()
    expect(account_menu(page, Role.STEERING)).to_be_visible()


@pytest.mark.parametrize(("username", "password"), [
    (username_of(Role.CLINICIAN), "not the right password"), ("nobody", PASSWORD),
    ("<img src=x onerror=alert(1)>", "x")])
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(
        page: Page, server: Server, listen: Listen, username: str, password: str) -> None:
    dialogs: list[str] = []
    listen("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(server.url)
    fill_sign_in(page, username, password)
    expect(page.get_by_text("Signing in did not work. Check the account name and the password.")).to_be_visible()
    expect(page.get_by_label("Account name")).to_be_visible()
    assert dialogs == []


def test_a_second_try_after_a_mistake_works_and_leads_where_the_link_did(page: Page, server: Server) -> None:
    page.goto(server.url + "/survival?disease=ALL")
    fill_sign_in(page, username_of(Role.ANALYST), "not the right password")
    expect(page.get_by_text("Signing in did not work")).to_be_visible()
    fill_sign_in(page, username_of(Role.ANALYST).upper(), PASSWORD)
    expect(account_menu(page, Role.ANALYST)).to_be_visible()
    assert urlsplit(page.url).path == "/survival"
    assert "ticket" not in page.url


def test_signing_out_ends_the_session_here_and_for_a_copied_cookie(
        page: Page, context: BrowserContext, server: Server) -> None:
    enter(page, server, Role.CLINICIAN).goto(server.url)
    expect(account_menu(page, Role.CLINICIAN)).to_be_visible()
    stolen = [cookie for cookie in context.cookies() if cookie["name"] == SESSION_COOKIE]
    account_menu(page, Role.CLINICIAN).click()
    page.get_by_role("button", name="Sign out").click()
    wait_for_sign_in(page)
    assert all(cookie["name"] != SESSION_COOKIE for cookie in context.cookies())
    context.add_cookies([{"name": SESSION_COOKIE, "value": stolen[0]["value"], "url": server.url}])
    page.goto(server.url + "/survival")
    wait_for_sign_in(page)


def test_a_disabled_account_meets_the_sign_in_page_at_the_next_click(page: Page, server: Server) -> None:
    enter(page, server, Role.STEERING).goto(server.url)
    expect(account_menu(page, Role.STEERING)).to_be_visible()
    settle(page)
    disable_account(server.access, username_of(Role.STEERING), by=OPERATOR, now=now())
    page.get_by_test_id("stTopNavLink").filter(has_text="Coverage").click()
    expect(page.get_by_text("Your account was changed, which ended your session")).to_be_visible()
    enable_account(server.access, username_of(Role.STEERING), by=OPERATOR, now=now())


@pytest.mark.parametrize("role", [None, Role.STEERING], ids=["anonymous", "steering"])
def test_a_page_without_right_is_refused_as_the_first_address_of_a_fresh_server(
        page: Page, tmp_path: Path, role: Role | None) -> None:
    with start_server(tmp_path / "data") as server:
        if role:
            enter(page, server, role)
        page.goto(server.url + "/survival")
        if role:
            expect(page.get_by_text("This page is not open to your role")).to_be_visible()
            expect(account_menu(page, role)).to_be_visible()
        else:
            wait_for_sign_in(page)
        expect(page.get_by_test_id("stPlotlyChart")).to_have_count(0)


def test_nothing_leaves_this_machine_and_the_content_policy_is_never_broken(
        page: Page, sample_server: Server, listen: Listen) -> None:
    hosts: set[str] = set()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    listen("request", lambda request: hosts.add(urlsplit(request.url).hostname or "inline"))
    listen("websocket", lambda socket: hosts.add(urlsplit(socket.url).hostname or ""))
    listen("console", note)
    sign_in(page, sample_server, Role.CLINICIAN)
    for entry in pages_of(Role.CLINICIAN):
        # The end of the text: the name of an icon stands before it.
        page.get_by_test_id("stTopNavLink").filter(has_text=re.compile(f"{entry.title}$")).click()
        path = "" if entry.is_start else entry.url_path
        expect(page).to_have_url(re.compile(rf"^{sample_server.url}/{path}(\?|$)"))
        settle(page)
    account_menu(page, Role.CLINICIAN).click()
    page.get_by_role("button", name="Sign out").click()
    wait_for_sign_in(page)
    assert hosts <= {"127.0.0.1", "inline"}
    assert complaints == []


def test_a_script_that_was_smuggled_into_the_page_does_not_run(page: Page, server: Server) -> None:
    page.goto(server.url)
    wait_for_sign_in(page)
    ran = page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'window.smuggled = true';
        document.body.append(script);
        return window.smuggled === true;
    }""")
    assert ran is False
