"""What a person does, in words that the tests of several pages share."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from harmony_dash.access.actor import Role
from harmony_dash.ui.session import SESSION_COOKIE
from tests.security.server import PASSWORD, Server, username_of


def wait_for_sign_in(page: Page) -> None:
    """Wait until the form is there and the script behind it has come to its end."""
    expect(page.get_by_label("Account name")).to_be_visible()
    settle(page)


def fill_sign_in(page: Page, username: str, password: str) -> None:
    """Fill the form and press the button."""
    wait_for_sign_in(page)
    page.get_by_label("Account name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()


def sign_in(page: Page, server: Server, role: Role) -> None:
    """Open the application and sign in as the role's account."""
    page.goto(server.url)
    fill_sign_in(page, username_of(role), PASSWORD)
    expect(account_menu(page, role)).to_be_visible()


def account_menu(page: Page, role: Role) -> Locator:
    """The menu that names the person."""
    return page.get_by_role("button", name=f"Test {role.value.replace('_', ' ')}")


def enter(page: Page, server: Server, role: Role) -> Page:
    """The window, of somebody of this role who has signed in."""
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": server.open_session(role), "url": server.url,
                               "httpOnly": True, "sameSite": "Strict"}])
    return page


def settle(page: Page) -> None:
    """Wait until the page has nothing left to draw: while it draws, things still move away from under the pointer."""
    page.wait_for_timeout(200)  # a click is on its way for a moment before the page knows that it has work
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
