"""Signing in through an identity provider in Chromium, with all that it keeps back and complains about.

The provider is another site to the browser: what a browser keeps back from another site is kept back here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from harmony_dash.access.actor import Role
from harmony_dash.ui.session import LOGIN_COOKIE, SESSION_COOKIE
from tests.browser.conftest import Listen
from tests.browser.steps import wait_for_sign_in
from tests.security.oidc_provider import Person, Provider, start_provider
from tests.security.oidc_server import FAILED, LABEL, NO_ROLE, person_of, start_oidc_server
from tests.security.server import Server
from tests.security.visitor import IDENTITY


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with start_provider(person_of()) as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_oidc_server(tmp_path_factory.mktemp("oidc"), provider) as running:
        yield running


def go_through(page: Page) -> None:
    wait_for_sign_in(page)
    page.get_by_role("button", name=LABEL).click()
    page.get_by_role("button", name="Continue").click()


def walk_in(page: Page, server: Server) -> None:
    page.goto(server.url)
    go_through(page)


def sign_out(page: Page, person: Person) -> None:
    page.get_by_role("button", name=person.name).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Account name")).to_be_visible()


def test_two_people_sign_in_and_out_one_after_the_other_and_the_second_one_in_again(
        page: Page, context: BrowserContext, server: Server, provider: Provider, listen: Listen) -> None:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Uncaught" in message.text:
            complaints.append(message.text)

    listen("console", note)
    page.goto(server.url)
    # each role: tests/security/test_oidc.py
    for role in (Role.CLINICIAN, Role.DATA_MANAGER):
        provider.reset(person_of(role.value))
        go_through(page)
        expect(page.get_by_role("button", name=provider.person.name)).to_be_visible()
        cookies = {cookie["name"]: cookie for cookie in context.cookies(server.url)}
        assert not [name for name in cookies if name.startswith((IDENTITY, LOGIN_COOKIE))]
        assert (cookies[SESSION_COOKIE]["httpOnly"], cookies[SESSION_COOKIE]["sameSite"]) == (True, "Strict")
        sign_out(page, provider.person)
    page.reload()
    expect(page.get_by_label("Account name")).to_be_visible()
    go_through(page)
    expect(page.get_by_role("button", name=provider.person.name)).to_be_visible()
    assert complaints == []


def test_the_refusal_is_shown_and_the_identity_is_gone(
        page: Page, context: BrowserContext, server: Server, provider: Provider) -> None:
    provider.reset(person_of("strangers"))
    walk_in(page, server)
    expect(page.get_by_text(NO_ROLE)).to_be_visible()
    page.wait_for_timeout(1500)  # the form's own reruns must not wash the words away
    expect(page.get_by_text(NO_ROLE)).to_be_visible()
    assert not [cookie for cookie in context.cookies(server.url) if cookie["name"].startswith(IDENTITY)]
    provider.reset(person_of("clinician"))
    go_through(page)
    expect(page.get_by_role("button", name=provider.person.name)).to_be_visible()


def test_a_failed_login_says_so(page: Page, server: Server, provider: Provider) -> None:
    provider.reset(person_of("clinician"))
    provider.wrong_key = True
    walk_in(page, server)
    expect(page.get_by_text(FAILED)).to_be_visible()
    page.reload()
    expect(page.get_by_label("Account name")).to_be_visible()
    expect(page.get_by_text(FAILED)).to_have_count(0)


def test_somebody_who_first_came_by_a_link_from_another_site_signs_in(
        page: Page, server: Server, provider: Provider) -> None:
    provider.reset(person_of("analyst"))
    page.goto(f"data:text/html,<a href='{server.url}/survival'>there</a>")
    page.get_by_text("there").click()
    go_through(page)
    expect(page.get_by_role("button", name=provider.person.name)).to_be_visible()


def test_another_site_cannot_send_somebody_to_the_provider(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.get_by_role("button", name=LABEL)).to_be_visible()
    page.goto(f"data:text/html,<a href='{server.url}/auth/login?provider=x'>there</a>")
    with page.expect_response(lambda answer: "/auth/login" in answer.url) as answered:
        page.get_by_text("there").click()
    assert answered.value.status == 403


def test_the_button_is_there_only_where_people_can_be_sent_back(page: Page, server: Server) -> None:
    page.goto(server.url.replace("127.0.0.1", "localhost"))
    expect(page.get_by_text(f"Your organisation's sign-in works at {server.url} only.")).to_be_visible()
    expect(page.get_by_role("button", name=LABEL)).to_have_count(0)
